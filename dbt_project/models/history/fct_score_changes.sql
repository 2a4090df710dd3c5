-- Grain: one row per account and as_of_date on which the score, or a part of its change, differs from the account's
-- scored date before. Inputs are put in one after the other, and each part is the difference of two scores clamped to
-- 0 and 100: the parts add up to the change exactly, and over dates to the change between any two of them.
{{ config(incremental_strategy='replace_changes') }}

with

transitions as (

    select * from {{ ref('int_changed_transitions') }}

),

sums as (

    select
        account_id,
        as_of_date,
        sum(points_before) as points_before,
        sum(restated_points) as restated_points,
        coalesce(sum(points_after - points_before) filter (where part = 'new_data'), 0) as new_data_points,
        coalesce(sum(points_after - points_before) filter (where part = 'coverage'), 0) as coverage_points
    from {{ ref('int_rule_point_changes') }}
    group by account_id, as_of_date

),

totals as (

    select
        transitions.account_id,
        transitions.as_of_date,
        transitions.base_score_before + transitions.points_before as recorded_before,
        case
            when transitions.rule_version = transitions.rule_version_before
                then transitions.base_score_before + transitions.points_before
            else transitions.base_score + coalesce(sums.points_before, 0)
        end as by_new_rules,
        coalesce(sums.restated_points, 0) as restated_points,
        coalesce(sums.new_data_points, 0) as new_data_points,
        coalesce(sums.coverage_points, 0) as coverage_points,
        transitions.base_score + transitions.points as recorded_after
    from transitions
    left join sums
        on
            transitions.account_id = sums.account_id
            and transitions.as_of_date = sums.as_of_date

),

-- the score after each input that is put in
steps as (

    select
        account_id,
        as_of_date,
        greatest(0, least(100, recorded_before)) as recorded_before,
        greatest(0, least(100, by_new_rules)) as by_new_rules,
        greatest(0, least(100, by_new_rules + restated_points)) as with_late_data,
        greatest(0, least(100, by_new_rules + restated_points + new_data_points)) as with_new_data,
        greatest(0, least(100, by_new_rules + restated_points + new_data_points + coverage_points)) as with_coverage,
        greatest(0, least(100, recorded_after)) as recorded_after
    from totals

),

parts as (

    select
        account_id,
        as_of_date,
        cast(recorded_after - recorded_before as double) as change,
        cast(recorded_after - with_coverage as double) as behaviour,
        cast(with_new_data - with_late_data as double) as new_data,
        cast(with_late_data - by_new_rules as double) as late_data,
        cast(by_new_rules - recorded_before as double) as rule_change,
        cast(with_coverage - with_new_data as double) as coverage
    from steps

),

final as (

    select
        -- ids
        transitions.account_id,
        transitions.as_of_date,
        transitions.compared_with,

        -- score
        transitions.score_before,
        transitions.score as score_after,
        parts.change,

        -- parts
        parts.behaviour,
        parts.new_data,
        parts.late_data,
        parts.rule_change,
        parts.coverage,

        -- why
        nullif(concat_ws(
            '; ',
            case when transitions.rule_version <> transitions.rule_version_before then 'The rules changed' end,
            reasons.reasons
        ), '') as reasons,
        transitions.rule_version_before,
        transitions.rule_version
    from transitions
    inner join parts
        on
            transitions.account_id = parts.account_id
            and transitions.as_of_date = parts.as_of_date
    left join {{ ref('int_score_change_reasons') }} as reasons
        on
            transitions.account_id = reasons.account_id
            and transitions.as_of_date = reasons.as_of_date
    where
        parts.change <> 0
        or parts.behaviour <> 0
        or parts.new_data <> 0
        or parts.late_data <> 0
        or parts.rule_change <> 0
        or parts.coverage <> 0

)

select * from final
