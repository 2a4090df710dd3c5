-- Grain: one row per level of flag: how long before their notice churned accounts were flagged. share_flagged is the
-- share of all observations that is flagged: without it a long lead time means nothing.
with

runs as (

    select
        flag_level,
        median({{ dbt.datediff('started_on', 'last_flagged_on', 'day') }} + 1) as typical_run_days
    from {{ ref('int_flag_runs') }}
    group by flag_level

),

observed as (

    select
        cast(count(*) as double) as observations,
        count(*) filter (where bucket = 'at_risk') as at_risk,
        count(*) filter (where bucket <> 'healthy') as not_healthy
    from {{ ref('fct_observations') }}
    where left_out_because is null

),

levels as (

    select
        'at_risk' as flag_level,
        at_risk / nullif(observations, 0) as share_flagged
    from observed
    union all
    select
        'not_healthy' as flag_level,
        not_healthy / nullif(observations, 0) as share_flagged
    from observed

),

leads as (

    select
        flag_level,
        count(*) as churns,
        count(*) filter (where lead_days > 0) as warned,
        count(*) filter (where lead_days >= 7) as warned_7d,
        count(*) filter (where lead_days >= 14) as warned_14d,
        count(*) filter (where lead_days >= 30) as warned_30d,
        count(*) filter (where lead_days >= 60) as warned_60d,
        count(*) filter (where lead_days >= 90) as warned_90d,
        quantile_cont(lead_days, 0.5) filter (where lead_days > 0) as median_days,
        quantile_cont(lead_days, 0.1) filter (where lead_days > 0) as tenth_percentile_days
    from {{ ref('int_flag_lead_times') }}
    group by flag_level

),

final as (

    select
        levels.flag_level,
        coalesce(leads.churns, 0) as churns,
        coalesce(leads.warned, 0) as warned,
        leads.warned / cast(leads.churns as double) as warned_share,
        leads.warned_7d / cast(leads.churns as double) as warned_7d_share,
        leads.warned_14d / cast(leads.churns as double) as warned_14d_share,
        leads.warned_30d / cast(leads.churns as double) as warned_30d_share,
        leads.warned_60d / cast(leads.churns as double) as warned_60d_share,
        leads.warned_90d / cast(leads.churns as double) as warned_90d_share,
        leads.median_days,
        leads.tenth_percentile_days,
        runs.typical_run_days,
        levels.share_flagged
    from levels
    left join leads
        on levels.flag_level = leads.flag_level
    left join runs
        on levels.flag_level = runs.flag_level

)

select * from final
