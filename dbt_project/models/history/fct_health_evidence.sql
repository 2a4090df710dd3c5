-- Grain: one row per scored account, as_of_date and rule of the champion rule set that fired or was unknown.
-- base + the sum of points = the score before it is clamped to 0 to 100, exactly: fct_health_history is made of these
-- rows. Rules that did not fire add nothing and are in scoring.fct_rule_results.
{{ config(incremental_strategy='replace_window') }}
with

rule_results as (

    select * from {{ ref('fct_rule_results') }}

),

final as (

    select
        -- ids
        account_id,
        as_of_date,
        rule_set,
        rule_version,
        rule_id,
        rule_number,

        -- result
        result,
        points,
        points_low,
        points_high,
        weight,
        flag,

        -- why
        signal,
        observed_value,
        threshold,
        is_own_goal,
        conditions,
        evidence,

        -- what it does to bucket, decision and interval
        title,
        cap_bucket,
        needs_review,
        missing_signals,
        is_unbounded
    from rule_results
    where
        as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and rule_set_status = 'champion'
        and result in ('true', 'unknown')

)

select * from final
