-- Grain: one row per observation, rule of the rule set that scored it and period: whether the rule fired, what the
-- score would have been without it, and what came within 90 days. Periods: `all`; `quarter`, the newest 91 days of
-- which the outcomes are known; `quarter_before`, the 91 days before them.
with

observations as (

    select * from {{ ref('fct_observations') }}
    where left_out_because is null

),

history as (

    select
        account_id,
        as_of_date,
        base_score + points as total
    from {{ ref('fct_health_history') }}

),

evidence as (

    select * from {{ ref('fct_health_evidence') }}
    where result = 'true'

),

known as (

    select
        {{ add_days('max(known_until_date)', '-90 - ' ~ setting('churn_grace_days')) }} as last_date
    from {{ ref('int_measured_dates') }}

),

periods as (

    select
        'all' as period,
        date '0001-01-01' as first_date,
        date '9999-12-31' as last_date
    union all
    select
        'quarter' as period,
        {{ add_days('last_date', -90) }} as first_date,
        last_date
    from known
    union all
    select
        'quarter_before' as period,
        {{ add_days('last_date', -181) }} as first_date,
        {{ add_days('last_date', -91) }} as last_date
    from known

),

rule_names as (

    select distinct
        rule_set,
        rule_id
    from {{ ref('rules') }}
    union
    select distinct
        rule_set,
        rule_id
    from evidence

),

final as (

    select
        -- ids
        observations.rule_set,
        rule_names.rule_id,
        periods.period,
        observations.account_id,
        observations.as_of_date,

        -- the rule
        evidence.account_id is not null as has_fired,
        observations.score,
        greatest(0, least(100, cast(history.total - coalesce(evidence.points, 0) as double))) as score_without,

        -- what came of it
        observations.arr_usd,
        not observations.is_censored_90d as is_known,
        observations.as_of_date > known.last_date as is_open,
        observations.has_churned_90d as has_churned,
        observations.has_churned_90d or coalesce(observations.has_contracted_90d, false) as is_bad
    from observations
    cross join known
    inner join periods
        on observations.as_of_date between periods.first_date and periods.last_date
    inner join rule_names
        on observations.rule_set = rule_names.rule_set
    inner join history
        on
            observations.account_id = history.account_id
            and observations.as_of_date = history.as_of_date
    left join evidence
        on
            observations.account_id = evidence.account_id
            and observations.as_of_date = evidence.as_of_date
            and observations.rule_set = evidence.rule_set
            and rule_names.rule_id = evidence.rule_id

)

select * from final
