-- Grain: one row per level of flag, account and unbroken run of flagged scored dates, with what came of it within 90
-- days, and how people judged it. It counts where it began after the account's first scored date, with an observation
-- (on a date of the grid, the account paying and not noticed), and is old enough; else left_out_because has the
-- reason, and outcomes are null.
with

runs as (

    select
        *,
        {{ add_days('started_on', setting('treated_days')) }} as landmark_date,
        {{ add_days('started_on', 90) }} as judged_date,
        {{ add_days('started_on', '90 + ' ~ setting('churn_grace_days')) }} as known_from_date
    from {{ ref('int_flag_runs') }}

),

-- of both levels, where they begin on one day
run_dates as (

    select distinct
        account_id,
        started_on,
        judged_date
    from runs

),

scores as (

    select
        scores.*,
        dates.is_on_grid
    from {{ ref('int_measured_scores') }} as scores
    inner join {{ ref('int_measured_dates') }} as dates
        on scores.as_of_date = dates.as_of_date

),

states as (

    select * from {{ ref('fct_billing_intervals') }}

),

known as (

    select max(as_of_date) as known_until_date from {{ ref('fct_health_history') }}

),

churned as (

    select distinct
        runs.account_id,
        runs.started_on
    from runs
    inner join {{ ref('fct_outcomes') }} as outcomes
        on runs.account_id = outcomes.account_id
    where
        outcomes.outcome = 'churn'
        and outcomes.outcome_date > runs.started_on
        and outcomes.outcome_date <= runs.judged_date

),

judged as (

    select
        run_dates.account_id,
        run_dates.started_on,
        bool_and(verdicts.is_needed) as is_needed
    from run_dates
    inner join {{ ref('fct_verdicts') }} as verdicts
        on run_dates.account_id = verdicts.account_id
    where verdicts.judged_date between run_dates.started_on and run_dates.judged_date
    group by run_dates.account_id, run_dates.started_on

),

reached as (

    select
        run_dates.account_id,
        run_dates.started_on,
        min(outreach.outreach_date) as first_outreach_date
    from run_dates
    inner join {{ ref('fct_outreach_days') }} as outreach
        on run_dates.account_id = outreach.account_id
    where outreach.outreach_date > run_dates.started_on
    group by run_dates.account_id, run_dates.started_on

),

followed as (

    select
        runs.*,
        case
            when runs.is_since_first_score then 'flagged_when_first_scored'
            when not scores.is_on_grid then 'not_on_grid'
            when not coalesce(at_start.is_paying, false) then 'not_paying'
            when at_start.is_noticed then 'noticed'
            when runs.known_from_date > known.known_until_date then 'too_young'
        end as left_out_because,
        scores.owner_id,
        scores.arr_usd,
        churned.account_id is not null as has_churned,
        not coalesce(after_90d.is_churned, false)
        and coalesce(
            {{ has_contracted(
                'at_start.mrr_usd',
                'case when after_90d.account_id is null then 0 else after_90d.mrr_usd end'
            ) }},
            false
        ) as has_contracted,
        judged.is_needed as verdict_is_needed,
        reached.first_outreach_date,
        not coalesce(at_landmark.is_churned, false) as is_customer_at_landmark,
        coalesce(reached.first_outreach_date <= runs.landmark_date, false) as is_reached_by_landmark
    from runs
    cross join known
    inner join scores
        on
            runs.account_id = scores.account_id
            and runs.started_on = scores.as_of_date
    left join states as at_start
        on
            runs.account_id = at_start.account_id
            and runs.started_on between at_start.valid_from_date and at_start.valid_to_date
    left join churned
        on
            runs.account_id = churned.account_id
            and runs.started_on = churned.started_on
    left join judged
        on
            runs.account_id = judged.account_id
            and runs.started_on = judged.started_on
    left join reached
        on
            runs.account_id = reached.account_id
            and runs.started_on = reached.started_on
    left join states as at_landmark
        on
            runs.account_id = at_landmark.account_id
            and runs.landmark_date between at_landmark.valid_from_date and at_landmark.valid_to_date
    left join states as after_90d
        on
            runs.account_id = after_90d.account_id
            and runs.judged_date between after_90d.valid_from_date and after_90d.valid_to_date

),

final as (

    select
        -- ids
        flag_level,
        account_id,
        started_on,
        last_flagged_on,
        scored_dates,
        owner_id,
        arr_usd,

        -- what came of it
        left_out_because,
        case when left_out_because is null then has_churned end as has_churned,
        case when left_out_because is null then has_churned or has_contracted end as is_bad,
        verdict_is_needed,
        first_outreach_date,
        case when left_out_because is null then is_customer_at_landmark end as is_customer_at_landmark,
        case when left_out_because is null then is_customer_at_landmark and is_reached_by_landmark end as is_treated,

        -- the verdict
        case
            when left_out_because is not null then null
            when has_churned or has_contracted then 'needed'
            when verdict_is_needed then 'needed'
            when not verdict_is_needed then 'not_needed'
            when is_customer_at_landmark and is_reached_by_landmark then 'unknown'
            else 'not_needed'
        end as verdict
    from followed

)

select * from final
