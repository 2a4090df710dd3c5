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

-- what the ledger says of the rules behind a change, on the day and on the day before
points_moved as (

    select * from moves
    where
        points_after <> points_before
        or late_points <> 0

),

told_now as (

    select
        moves.account_id,
        moves.as_of_date,
        moves.rule_id,
        ledger.rule_number,
        ledger.evidence
    from points_moved as moves
    inner join {{ ref('fct_health_evidence') }} as ledger
        on
            moves.account_id = ledger.account_id
            and moves.as_of_date = ledger.as_of_date
            and moves.rule_id = ledger.rule_id

),

told_then as (

    select
        moves.account_id,
        moves.as_of_date,
        moves.rule_id,
        ledger.rule_number,
        ledger.evidence
    from points_moved as moves
    inner join {{ ref('fct_health_evidence') }} as ledger
        on
            moves.account_id = ledger.account_id
            and moves.compared_with = ledger.as_of_date
            and moves.rule_id = ledger.rule_id

),

rule_reasons as (

    select
        moves.account_id,
        moves.as_of_date,
        moves.rule_id,
        coalesce(told_now.rule_number, told_then.rule_number) as rule_number,
        case moves.part
            when 'new_data' then 'New data: '
            when 'coverage' then 'Other coverage: '
            else case when moves.late_points <> 0 then 'Late data: ' else '' end
        end
        || coalesce(
            told_now.evidence,
            'No longer so: ' || told_then.evidence,
            'No longer so: ' || {{ in_words('moves.rule_id') }}
        ) as reason
    from points_moved as moves
    left join told_now
        on
            moves.account_id = told_now.account_id
            and moves.as_of_date = told_now.as_of_date
            and moves.rule_id = told_now.rule_id
    left join told_then
        on
            moves.account_id = told_then.account_id
            and moves.as_of_date = told_then.as_of_date
            and moves.rule_id = told_then.rule_id

),

-- most changes have one reason, and need no list in order
counted as (

    select
        account_id,
        as_of_date,
        count(*) as reasons_told,
        min(reason) as reason
    from rule_reasons
    group by account_id, as_of_date

),

listed as (

    select
        rule_reasons.account_id,
        rule_reasons.as_of_date,
        string_agg(rule_reasons.reason, '; ' order by rule_reasons.rule_number, rule_reasons.rule_id) as reasons
    from rule_reasons
    inner join counted
        on
            rule_reasons.account_id = counted.account_id
            and rule_reasons.as_of_date = counted.as_of_date
    where counted.reasons_told > 1
    group by rule_reasons.account_id, rule_reasons.as_of_date

),

reasons as (

    select
        counted.account_id,
        counted.as_of_date,
        coalesce(listed.reasons, counted.reason) as reasons
    from counted
    left join listed
        on
            counted.account_id = listed.account_id
            and counted.as_of_date = listed.as_of_date

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
