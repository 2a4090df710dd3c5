-- Grain: one row per level of flag and churn that the scores could have foreseen: of an account that paid until the day
-- before, scored in the 30 days before its notice. lead_days is the time from the first day of the unbroken run of
-- flagged scored dates that reaches the notice to the notice; 0 where it was not flagged then.
with

churns as (

    select
        account_id,
        outcome_date as churn_date,
        notice_date
    from {{ ref('fct_outcomes') }}
    where
        outcome = 'churn'
        and was_paying

),

scored as (

    select
        churns.account_id,
        churns.churn_date,
        churns.notice_date,
        max(scores.as_of_date) as last_scored_date
    from churns
    inner join {{ ref('int_measured_scores') }} as scores
        on churns.account_id = scores.account_id
    where
        scores.as_of_date < churns.notice_date
        and scores.as_of_date >= {{ add_days('churns.notice_date', -30) }}
    group by churns.account_id, churns.churn_date, churns.notice_date

),

levels as (

    select unnest(['at_risk', 'not_healthy']) as flag_level

),

final as (

    select
        levels.flag_level,
        scored.account_id,
        scored.churn_date,
        scored.notice_date,
        scored.last_scored_date,
        runs.started_on as flagged_since,
        coalesce({{ dbt.datediff('runs.started_on', 'scored.notice_date', 'day') }}, 0) as lead_days
    from scored
    cross join levels
    left join {{ ref('int_flag_runs') }} as runs
        on
            scored.account_id = runs.account_id
            and levels.flag_level = runs.flag_level
            and scored.last_scored_date between runs.started_on and runs.last_flagged_on

)

select * from final
