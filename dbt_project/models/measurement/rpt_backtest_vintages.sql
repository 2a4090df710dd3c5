-- Grain: one row per horizon, quarter of the observations and group: whether the scores of one quarter foresaw as much
-- as those of another.
with

buckets as (

    select
        horizon_days,
        cast(date_trunc('quarter', as_of_date) as date) as quarter_start_date,
        account_id,
        bucket,
        has_churned
    from {{ ref('int_backtest_observations') }}
    where slice = 'all'

),

groups as (

    select
        *,
        'all' as group_name
    from buckets
    union all
    select
        *,
        bucket as group_name
    from buckets
    union all
    select
        *,
        'not_healthy' as group_name
    from buckets
    where bucket <> 'healthy'

),

accounts as (

    select
        horizon_days,
        quarter_start_date,
        group_name,
        account_id,
        count(*) as n,
        count(*) filter (where has_churned) as hits
    from groups
    group by horizon_days, quarter_start_date, group_name, account_id

),

rates as (

    {{ clustered_rates('accounts', ['horizon_days', 'quarter_start_date', 'group_name']) }}

),

final as (

    select
        horizon_days,
        quarter_start_date,
        group_name,
        accounts,
        cast(n as bigint) as observations,
        cast(hits as bigint) as churned,
        rate as churn_rate,
        ci_low,
        ci_high
    from rates

)

select * from final
