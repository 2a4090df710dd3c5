-- Grain: one row per day whose signals this build computes: its as-of dates and, where there is one, the
-- restated date before them.
with

final as (

    select cast(unnest(generate_series({{ signals_start() }}, {{ as_of_end() }}, interval 1 day)) as date) as as_of_date

)

select * from final
