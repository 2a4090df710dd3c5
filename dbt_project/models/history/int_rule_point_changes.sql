-- Grain: one row per changed transition and rule that has points on one of its two dates or restated points.
-- points_before are today's rules on what was recorded on compared_with: from the evidence where the rules are the
-- same, else evaluated again. restated_points is what data that arrived after compared_with was scored adds to them.
-- part is what points_after - points_before counts as: behaviour, new_data or coverage.
-- depends_on: {{ ref('fct_rule_results') }}
{% set dates_of_other_rules = dates_of_other_rules() %}
with

transitions as (

    select * from {{ ref('int_changed_transitions') }}

),

evidence as (

    select
        account_id,
        as_of_date,
        rule_id,
        points
    from {{ ref('fct_health_evidence') }}
    where points <> 0

),

rule_points as (

    select
        transitions.account_id,
        transitions.as_of_date,
        evidence.rule_id,
        0 as points_before,
        0 as restated_points,
        evidence.points as points_after
    from transitions
    inner join evidence
        on
            transitions.account_id = evidence.account_id
            and transitions.as_of_date = evidence.as_of_date
    union all
    select
        transitions.account_id,
        transitions.as_of_date,
        evidence.rule_id,
        evidence.points as points_before,
        0 as restated_points,
        0 as points_after
    from transitions
    inner join evidence
        on
            transitions.account_id = evidence.account_id
            and transitions.compared_with = evidence.as_of_date
    where transitions.rule_version = transitions.rule_version_before
    {% if dates_of_other_rules %}
    union all
    select
        transitions.account_id,
        transitions.as_of_date,
        rule_results.rule_id,
        rule_results.points as points_before,
        0 as restated_points,
        0 as points_after
    from transitions
    inner join {{ ref('fct_rule_results') }} as rule_results
        on
            transitions.account_id = rule_results.account_id
            and transitions.compared_with = rule_results.as_of_date
    where
        transitions.rule_version <> transitions.rule_version_before
        and rule_results.rule_set_status = 'champion'
        and rule_results.points <> 0
        and rule_results.as_of_date in ({{ dates_of_other_rules }})
    {% endif %}
    union all
    select
        transitions.account_id,
        transitions.as_of_date,
        restated_points.rule_id,
        0 as points_before,
        restated_points.points as restated_points,
        0 as points_after
    from transitions
    inner join {{ ref('int_restated_points') }} as restated_points
        on
            transitions.account_id = restated_points.account_id
            and transitions.compared_with = restated_points.as_of_date
    where transitions.as_of_date <= {{ as_of_end() }}

),

summed as (

    select
        account_id,
        as_of_date,
        rule_id,
        cast(sum(points_before) as decimal(18, 6)) as points_before,
        cast(sum(restated_points) as decimal(18, 6)) as restated_points,
        cast(sum(points_after) as decimal(18, 6)) as points_after
    from rule_points
    group by account_id, as_of_date, rule_id

),

final as (

    select
        -- ids
        transitions.account_id,
        transitions.as_of_date,
        transitions.compared_with,
        summed.rule_id,

        -- points
        summed.points_before,
        case when coverage_changes.part is null then summed.restated_points else 0 end as restated_points,
        summed.points_after,
        coalesce(coverage_changes.part, 'behaviour') as part
    from summed
    inner join transitions
        on
            summed.account_id = transitions.account_id
            and summed.as_of_date = transitions.as_of_date
    left join {{ ref('int_rule_coverage_changes') }} as coverage_changes
        on
            transitions.as_of_date = coverage_changes.as_of_date
            and transitions.compared_with = coverage_changes.compared_with
            and transitions.segment is not distinct from coverage_changes.segment
            and summed.rule_id = coverage_changes.rule_id

)

select * from final
