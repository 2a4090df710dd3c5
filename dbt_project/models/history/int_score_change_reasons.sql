-- Grain: one row per changed transition with a rule whose points differ between the dates, or with restated points.
-- reasons renders these rules in their order: by the evidence of as_of_date, else by that of compared_with.
with

rule_changes as (

    select * from {{ ref('int_rule_point_changes') }}
    where
        points_after <> points_before
        or restated_points <> 0

),

evidence as (

    select
        account_id,
        as_of_date,
        rule_id,
        rule_number,
        evidence
    from {{ ref('fct_health_evidence') }}

),

rule_reasons as (

    select
        rule_changes.account_id,
        rule_changes.as_of_date,
        rule_changes.rule_id,
        coalesce(evidence_after.rule_number, evidence_before.rule_number) as rule_number,
        case
            when rule_changes.part = 'new_data' then 'New data: '
            when rule_changes.part = 'coverage' then 'Other coverage: '
            when rule_changes.restated_points <> 0 then 'Late data: '
            else ''
        end
        || coalesce(
            evidence_after.evidence,
            'No longer so: ' || evidence_before.evidence,
            'No longer so: ' || replace(rule_changes.rule_id, '_', ' ')
        ) as reason
    from rule_changes
    left join evidence as evidence_after
        on
            rule_changes.account_id = evidence_after.account_id
            and rule_changes.as_of_date = evidence_after.as_of_date
            and rule_changes.rule_id = evidence_after.rule_id
    left join evidence as evidence_before
        on
            rule_changes.account_id = evidence_before.account_id
            and rule_changes.compared_with = evidence_before.as_of_date
            and rule_changes.rule_id = evidence_before.rule_id

),

final as (

    select
        account_id,
        as_of_date,
        string_agg(reason, '; ' order by rule_number, rule_id) as reasons
    from rule_reasons
    group by account_id, as_of_date

)

select * from final
