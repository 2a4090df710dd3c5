-- Grain: one row per scored account, as_of_date and rule of the champion that held or could not be told.
-- base + the sum of points = the score before it is held between 0 and 100, exactly. Rules that did not hold add
-- nothing and are in scoring.fct_rule_results.
with

rule_results as (

    select * from {{ ref('fct_rule_results') }}

),

rule_sets as (

    select * from {{ ref('rule_sets') }}

),

final as (

    select
        -- ids
        rule_results.account_id,
        rule_results.as_of_date,
        rule_results.rule_set,
        rule_results.rule_version,
        rule_results.rule_id,
        rule_results.rule_number,

        -- result
        rule_results.result,
        rule_results.points,
        rule_results.points_low,
        rule_results.points_high,
        rule_results.flag,

        -- why
        rule_results.signal,
        rule_results.observed_value,
        rule_results.threshold,
        rule_results.conditions,
        rule_results.evidence
    from rule_results
    inner join rule_sets
        on rule_results.rule_set = rule_sets.rule_set
    where
        rule_results.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and rule_results.result in ('true', 'unknown')
        and rule_sets.status = 'champion'

)

select * from final
