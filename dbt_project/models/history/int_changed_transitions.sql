-- Grain: one row per transition whose score, or a part of its change, may differ: other rules, other points, a signal
-- that is known on one of the two dates only, or late data. For all other transitions every part is 0.
with

transitions as (

    select * from {{ ref('int_account_states') }}
    where compared_with <= {{ as_of_end() }}

),

final as (

    select
        -- ids
        account_id,
        as_of_date,
        compared_with,
        segment,
        rule_set,

        -- before and after
        rule_version_before,
        rule_version,
        base_score_before,
        base_score,
        points_before,
        points,
        score_before,
        score
    from transitions
    where
        rule_version <> rule_version_before
        or base_score <> base_score_before
        or points <> points_before
        or (as_of_date, compared_with) in (
            select (coverage_changes.as_of_date, coverage_changes.compared_with)
            from {{ ref('int_rule_coverage_changes') }} as coverage_changes
        )
        or (
            as_of_date <= {{ as_of_end() }}
            and (account_id, compared_with) in (
                select (restated_points.account_id, restated_points.as_of_date)
                from {{ ref('int_restated_points') }} as restated_points
            )
        )

)

select * from final
