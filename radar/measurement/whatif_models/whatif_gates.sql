-- Grain: one row per gate that the rules that are asked about have to pass; `has_passed` is null where it cannot be judged
-- yet. Limits are rows of seeds/settings.csv.
with

healthy as (

    select
        count(*) filter (where is_paying) as accounts,
        100 * cast(count(*) filter (where is_paying and bucket_after = 'healthy') as double)
        / nullif(count(*) filter (where is_paying), 0) as value
    from {{ ref('whatif_accounts') }}

),

evidence as (

    select
        count(distinct account_id) filter (where has_churned) >= {{ setting('least_churned_accounts') }} as is_enough
    from {{ ref('int_backtest_observations') }}
    where
        slice = 'candidate'
        and horizon_days = {{ var('horizon') }}

),

lifts as (

    select max(coalesce(lift, 0)) as value
    from {{ ref('rpt_backtest_rates') }}
    where
        slice = 'candidate'
        and horizon_days = {{ var('horizon') }}
        and measure = 'churn_rate'
        and group_name = 'at_risk'

),

warned as (

    select
        max(churns) as churns,
        100 * cast(max(warned) as double) / nullif(max(churns), 0) as value
    from {{ ref('whatif_warned') }}
    where side = 'after'

),

alerts as (

    select max(most_of_an_owner) as value
    from {{ ref('whatif_alerts') }}
    where side = 'after'

),

final as (

    select
        'healthy' as gate,
        {{ setting('whatif_healthy_limit_pct') }} as limit_value,
        value,
        value <= {{ setting('whatif_healthy_limit_pct') }} as has_passed
    from healthy
    union all
    select
        'lift' as gate,
        {{ setting('whatif_least_lift') }} as limit_value,
        lifts.value,
        case when evidence.is_enough then lifts.value >= {{ setting('whatif_least_lift') }} end as has_passed
    from lifts
    cross join evidence
    union all
    select
        'warned' as gate,
        {{ setting('whatif_warned_pct') }} as limit_value,
        value,
        case
            when churns >= {{ setting('least_churned_accounts') }} then value >= {{ setting('whatif_warned_pct') }}
        end as has_passed
    from warned
    union all
    select
        'capacity' as gate,
        {{ setting('owner_weekly_actions') }} as limit_value,
        value,
        value <= {{ setting('owner_weekly_actions') }} as has_passed
    from alerts

)

select * from final
