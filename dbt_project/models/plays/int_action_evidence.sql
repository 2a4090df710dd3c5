-- Grain: one row per action of this build with a rule that fired, or could not be evaluated, on its last open date.
-- evidence renders the rules that fired, the most costly first, or where none did, those that could not be evaluated:
-- the rules of the play's flag, or of a play without a flag all rules.
with

asked as (

    select
        action_days.action_id,
        action_days.account_id,
        action_days.last_open_on,
        playbook.flag
    from {{ ref('int_newest_action_days') }} as action_days
    left join {{ ref('playbook') }} as playbook
        on action_days.play = playbook.play

),

final as (

    select
        asked.action_id,
        coalesce(
            string_agg(evidence.evidence, '; ' order by evidence.points, evidence.rule_number)
            filter (where evidence.result = 'true'),
            string_agg(evidence.evidence, '; ' order by evidence.rule_number)
            filter (where evidence.result = 'unknown')
        ) as evidence
    from asked
    inner join {{ ref('fct_health_evidence') }} as evidence
        on
            asked.account_id = evidence.account_id
            and asked.last_open_on = evidence.as_of_date
            and (asked.flag is null or asked.flag = evidence.flag)
    where evidence.result in ('true', 'unknown')
    group by asked.action_id

)

select * from final
