-- Grain: one row per as_of_date, split, value of the split, bucket and owner with accounts in it.
-- `split` is plan or renewal_quarter: every account counts once in each, so never sum over both.
{{ config(materialized='incremental', incremental_strategy='replace_window') }}
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

-- a quarter is a date until rows are counted: there are fewer of them to render as text then
recorded as (

    select
        history.as_of_date,
        history.bucket,
        history.owner_id,
        cast(history.arr_usd as decimal(18, 2)) as arr_usd,
        coalesce(accounts.billing_plan_id, accounts.crm_plan_id, 'none') as plan_id,
        cast(
            date_trunc('quarter', {{ add_days('history.as_of_date', 'billing.days_to_renewal') }}) as date
        ) as renewal_quarter
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

by_plan as (

    select
        as_of_date,
        'plan' as split,
        plan_id as split_value,
        bucket,
        owner_id,
        count(*) as accounts,
        sum(arr_usd) as arr_usd
    from recorded
    group by as_of_date, plan_id, bucket, owner_id

),

by_renewal_quarter as (

    select
        as_of_date,
        'renewal_quarter' as split,
        coalesce(year(renewal_quarter) || '-Q' || quarter(renewal_quarter), 'none') as split_value,
        bucket,
        owner_id,
        count(*) as accounts,
        sum(arr_usd) as arr_usd
    from recorded
    group by as_of_date, renewal_quarter, bucket, owner_id

),

splits as (

    select * from by_plan
    union all
    select * from by_renewal_quarter

),

final as (

    select
        as_of_date,
        split,
        split_value,
        bucket,
        owner_id,
        accounts,
        cast(arr_usd as double) as arr_usd
    from splits

)

select * from final
