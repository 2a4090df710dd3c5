-- Grain: one row per account scored on the newest as-of date of this build and shadow rule set, as in fct_health_scores.
with

scores as (

    {{ health_scores(ref('int_newest_rule_results')) }}

),

final as (

    select * from scores
    where
        rule_set_status = 'shadow'
        and as_of_date = {{ as_of_end() }}

)

select * from final
