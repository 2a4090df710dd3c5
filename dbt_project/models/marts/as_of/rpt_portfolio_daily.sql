-- Grain: one row per as_of_date, split, value of the split, bucket and owner with accounts in it.
-- `split` is plan or renewal_quarter: every account counts once in each, so never sum over both.
with

history as (

    select * from {{ ref('fct_health_history') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

accounts as (

    select * from {{ ref('int_accounts__as_of') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

billing as (

    select * from {{ ref('sig_billing') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

told as (

    select
        history.as_of_date,
        history.bucket,
        history.owner_id,
        history.arr_usd,
        coalesce(accounts.billing_plan_id, accounts.crm_plan_id, 'none') as plan_id,
        coalesce({{ quarter_of(add_days('history.as_of_date', 'billing.days_to_renewal')) }}, 'none') as renewal_quarter
    from history
    left join accounts
        on
            history.account_id = accounts.account_id
            and history.as_of_date = accounts.as_of_date
    left join billing
        on
            history.account_id = billing.account_id
            and history.as_of_date = billing.as_of_date

),

splits as (

    select
        *,
        'plan' as split,
        plan_id as split_value
    from told
    union all
    select
        *,
        'renewal_quarter' as split,
        renewal_quarter as split_value
    from told

),

final as (

    select
        as_of_date,
        split,
        split_value,
        bucket,
        owner_id,
        count(*) as accounts,
        cast(sum(cast(arr_usd as decimal(18, 2))) as double) as arr_usd
    from splits
    group by as_of_date, split, split_value, bucket, owner_id

)

select * from final
