-- Grain: one row per rule set and rule that ever fired: how long before the notice of a churn it began to fire. The
-- churns are those of int_flag_lead_times; a churn is warned of where the rule fired on its last scored date before the
-- notice, from the first day of the unbroken run of scored dates on which it fired until then.
with

dates as (

    select
        account_id,
        as_of_date,
        row_number() over (partition by account_id order by as_of_date) as date_number
    from {{ ref('int_measured_scores') }}

),

fired as (

    select
        evidence.rule_set,
        evidence.rule_id,
        evidence.account_id,
        evidence.as_of_date,
        dates.date_number - row_number() over (
            partition by evidence.rule_set, evidence.rule_id, evidence.account_id
            order by dates.date_number
        ) as run_number
    from {{ ref('fct_health_evidence') }} as evidence
    inner join dates
        on
            evidence.account_id = dates.account_id
            and evidence.as_of_date = dates.as_of_date
    where evidence.result = 'true'

),

runs as (

    select
        rule_set,
        rule_id,
        account_id,
        min(as_of_date) as started_on,
        max(as_of_date) as last_fired_on
    from fired
    group by rule_set, rule_id, account_id, run_number

),

final as (

    select
        runs.rule_set,
        runs.rule_id,
        count(*) as warned_churns,
        median({{ dbt.datediff('runs.started_on', 'churns.notice_date', 'day') }}) as median_lead_days
    from {{ ref('int_flag_lead_times') }} as churns
    inner join runs
        on
            churns.account_id = runs.account_id
            and churns.last_scored_date between runs.started_on and runs.last_fired_on
    where churns.flag_level = 'at_risk'
    group by runs.rule_set, runs.rule_id

)

select * from final
