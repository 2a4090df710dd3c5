-- Grain: one row per paying observation and proposed rule, by the macro that evaluates every rule.
with

results as (

    {{ rule_results(scoring_rule_sets(), ref('calibration_inputs')) }}

),

final as (

    select
        account_id,
        as_of_date,
        rule_set,
        rule_id,
        rule_number,
        title,
        result,
        points,
        points_low,
        points_high,
        is_unbounded,
        missing_signals,
        needs_review,
        cast(flag as varchar) as flag,
        cast(bucket as varchar) as cap_bucket
    from results

)

select * from final
