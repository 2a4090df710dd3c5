-- Grain: one row per as-of date that this build computes.
with

final as (

    select cast(unnest(generate_series({{ as_of_start() }}, {{ as_of_end() }}, interval 1 day)) as date) as as_of_date

)

select * from final
