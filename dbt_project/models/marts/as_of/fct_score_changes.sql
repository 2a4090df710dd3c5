-- Grain: one row per account and as_of_date on which the score, or a part of its change, differs from the account's
-- told day before. Inputs are put in one after the other, and each part is the difference of two scores held between
-- 0 and 100: the parts add up to the change exactly, and over days to the change between any two of them.
{{ config(incremental_strategy='replace_changes') }}

with

pairs as (

    select * from {{ ref('int_score_pairs') }}

),

moves as (

    select * from {{ ref('int_rule_moves') }}

),

sums as (

    select
        account_id,
        as_of_date,
        sum(points_before) as points_before,
        sum(late_points) as late_points,
        sum(points_after - points_before) filter (where part = 'new_data') as new_data_points,
        sum(points_after - points_before) filter (where part = 'coverage') as coverage_points
    from moves
    group by account_id, as_of_date

),

totals as (

    select
        pairs.account_id,
        pairs.as_of_date,
        pairs.base_score_before + pairs.points_before as told_before,
        case
            when pairs.rule_version = pairs.rule_version_before then pairs.base_score_before + pairs.points_before
            else pairs.base_score + coalesce(sums.points_before, 0)
        end as by_new_rules,
        coalesce(sums.late_points, 0) as late_points,
        coalesce(sums.new_data_points, 0) as new_data_points,
        coalesce(sums.coverage_points, 0) as coverage_points,
        pairs.base_score + pairs.points as told_after
    from pairs
    left join sums
        on
            pairs.account_id = sums.account_id
            and pairs.as_of_date = sums.as_of_date

),

-- the score after each thing that is put in
steps as (

    select
        account_id,
        as_of_date,
        {{ clamped('told_before') }} as told_before,
        {{ clamped('by_new_rules') }} as by_new_rules,
        {{ clamped('by_new_rules + late_points') }} as with_late_data,
        {{ clamped('by_new_rules + late_points + new_data_points') }} as with_new_data,
        {{ clamped('by_new_rules + late_points + new_data_points + coverage_points') }} as with_coverage,
        {{ clamped('told_after') }} as told_after
    from totals

),

reasons as (

    select
        moves.account_id,
        moves.as_of_date,
        string_agg(
            case moves.part
                when 'new_data' then 'New data: '
                when 'coverage' then 'Other coverage: '
                else case when moves.late_points <> 0 then 'Late data: ' else '' end
            end
            || coalesce(
                ledger.evidence,
                'No longer so: ' || ledger_before.evidence,
                'No longer so: ' || {{ in_words('moves.rule_id') }}
            ),
            '; '
            order by coalesce(ledger.rule_number, ledger_before.rule_number), moves.rule_id
        ) as reasons
    from moves
    left join {{ ref('fct_health_evidence') }} as ledger
        on
            moves.account_id = ledger.account_id
            and moves.as_of_date = ledger.as_of_date
            and moves.rule_id = ledger.rule_id
    left join {{ ref('fct_health_evidence') }} as ledger_before
        on
            moves.account_id = ledger_before.account_id
            and moves.compared_with = ledger_before.as_of_date
            and moves.rule_id = ledger_before.rule_id
    where
        moves.points_after <> moves.points_before
        or moves.late_points <> 0
    group by moves.account_id, moves.as_of_date

),

final as (

    select
        -- ids
        pairs.account_id,
        pairs.as_of_date,
        pairs.compared_with,

        -- score
        pairs.score_before,
        pairs.score as score_after,
        cast(steps.told_after - steps.told_before as double) as change,

        -- parts
        cast(steps.told_after - steps.with_coverage as double) as behaviour,
        cast(steps.with_new_data - steps.with_late_data as double) as new_data,
        cast(steps.with_late_data - steps.by_new_rules as double) as late_data,
        cast(steps.by_new_rules - steps.told_before as double) as rule_change,
        cast(steps.with_coverage - steps.with_new_data as double) as coverage,

        -- why
        nullif(concat_ws(
            '; ',
            case when pairs.rule_version <> pairs.rule_version_before then 'The rules changed' end,
            reasons.reasons
        ), '') as reasons,
        pairs.rule_version_before,
        pairs.rule_version
    from pairs
    inner join steps
        on
            pairs.account_id = steps.account_id
            and pairs.as_of_date = steps.as_of_date
    left join reasons
        on
            pairs.account_id = reasons.account_id
            and pairs.as_of_date = reasons.as_of_date
    where
        steps.told_after <> steps.told_before
        or steps.with_coverage <> steps.told_after
        or steps.with_new_data <> steps.with_coverage
        or steps.with_late_data <> steps.with_new_data
        or steps.by_new_rules <> steps.with_late_data

)

select * from final
