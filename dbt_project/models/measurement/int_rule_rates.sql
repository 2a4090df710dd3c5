-- Grain: one row per rule set, rule and period: how often the rule fired, and what came of it within 90 days.
with

observations as (

    select * from {{ ref('int_rule_observations') }}

),

treated as (

    select distinct
        observations.account_id,
        observations.as_of_date
    from {{ ref('fct_observations') }} as observations
    inner join {{ ref('fct_outreach_days') }} as outreach
        on
            observations.account_id = outreach.account_id
            and observations.as_of_date < outreach.outreach_date
            and {{ add_days('observations.as_of_date', setting('treated_days')) }} >= outreach.outreach_date
    inner join {{ ref('fct_billing_intervals') }} as at_landmark
        on
            observations.account_id = at_landmark.account_id
            and {{ add_days('observations.as_of_date', setting('treated_days')) }}
            between at_landmark.valid_from_date and at_landmark.valid_to_date
            and not at_landmark.is_churned

),

by_account as (

    select
        observations.rule_set,
        observations.rule_id,
        observations.period,
        observations.account_id,
        count(*) filter (where observations.has_fired) as fired,
        count(*) filter (where observations.has_fired and observations.is_open) as fired_open,
        count(*) filter (where observations.has_fired and observations.is_known) as n,
        count(*) filter (where observations.has_fired and observations.has_churned) as hits,
        count(*) filter (where observations.has_fired and observations.is_bad) as bad,
        count(*) filter (
            where observations.has_fired and observations.is_known and treated.account_id is not null
        ) as treated,
        count(*) filter (where observations.is_known) as all_n,
        count(*) filter (where observations.has_churned) as all_hits,
        max_by(observations.arr_usd, observations.as_of_date) filter (where observations.has_fired) as arr_usd,
        max_by(observations.arr_usd, observations.as_of_date) filter (
            where observations.has_fired and observations.has_churned
        ) as churned_arr_usd
    from observations
    left join treated
        on
            observations.account_id = treated.account_id
            and observations.as_of_date = treated.as_of_date
    group by observations.rule_set, observations.rule_id, observations.period, observations.account_id

),

rates as (

    {{ clustered_rates('by_account', ['rule_set', 'rule_id', 'period']) }}

),

counted as (

    select
        rule_set,
        rule_id,
        period,
        cast(sum(fired) as bigint) as fired,
        count(*) filter (where fired > 0) as accounts,
        cast(sum(n) as bigint) as known,
        cast(sum(hits) as bigint) as churned,
        cast(sum(bad) as bigint) as bad,
        cast(sum(fired_open) as bigint) as fired_open,
        cast(sum(treated) as bigint) as treated,
        cast(sum(cast(arr_usd as decimal(18, 2))) as double) as arr_usd,
        cast(sum(cast(churned_arr_usd as decimal(18, 2))) as double) as churned_arr_usd,
        cast(sum(all_n) as bigint) as base_observations,
        sum(all_hits) / nullif(cast(sum(all_n) as double), 0) as base_rate
    from by_account
    group by rule_set, rule_id, period

),

final as (

    select
        counted.*,
        rates.rate as precision,
        rates.ci_low,
        rates.ci_high
    from counted
    left join rates
        on
            counted.rule_set = rates.rule_set
            and counted.rule_id = rates.rule_id
            and counted.period = rates.period

)

select * from final
