-- Grain: one row per level of flag: how often a flag was followed by churn, and by what needed action. An account that
-- was treated and stayed may have been saved: the lower precision counts it as a false alarm, the upper leaves it out.
with

levels as (

    select unnest(['at_risk', 'not_healthy']) as flag_level

),

episodes as (

    select * from {{ ref('fct_flag_episodes') }}
    where left_out_because is null

),

open_episodes as (

    select
        flag_level,
        count(*) as too_young
    from {{ ref('fct_flag_episodes') }}
    where left_out_because = 'too_young'
    group by flag_level

),

accounts as (

    select
        flag_level,
        account_id,
        count(*) as n,
        count(*) filter (where has_churned) as hits
    from episodes
    group by flag_level, account_id

),

rates as (

    {{ clustered_rates('accounts', ['flag_level']) }}

),

counted as (

    select
        flag_level,
        count(*) as episodes,
        count(*) filter (where verdict = 'unknown') as unknown_episodes,
        count(*) filter (where verdict = 'needed') as needed,
        count(*) filter (where is_treated) as treated,
        count(*) filter (where is_customer_at_landmark and not is_treated) as untreated,
        count(*) filter (where is_treated and has_churned) as treated_churned,
        count(*) filter (where is_customer_at_landmark and not is_treated and has_churned) as untreated_churned,
        median({{ dbt.datediff('started_on', 'first_outreach_date', 'day') }}) as median_days_to_outreach
    from episodes
    group by flag_level

),

final as (

    select
        levels.flag_level,
        coalesce(counted.episodes, 0) as episodes,
        coalesce(rates.accounts, 0) as accounts,
        coalesce(open_episodes.too_young, 0) as too_young,
        rates.rate as churn_rate,
        rates.ci_low,
        rates.ci_high,
        coalesce(counted.unknown_episodes, 0) as unknown_episodes,
        counted.needed / cast(counted.episodes as double) as needed_low,
        counted.needed / nullif(cast(counted.episodes - counted.unknown_episodes as double), 0) as needed_high,
        coalesce(counted.treated, 0) as treated,
        coalesce(counted.untreated, 0) as untreated,
        counted.treated_churned / nullif(cast(counted.treated as double), 0) as churn_rate_treated,
        counted.untreated_churned / nullif(cast(counted.untreated as double), 0) as churn_rate_untreated,
        counted.median_days_to_outreach
    from levels
    left join counted
        on levels.flag_level = counted.flag_level
    left join rates
        on levels.flag_level = rates.flag_level
    left join open_episodes
        on levels.flag_level = open_episodes.flag_level

)

select * from final
