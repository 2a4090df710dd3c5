-- Grain: one row per day whose signals this build computes: its as-of dates and, where there is one, the
-- restated date before them.
with

days as (

    {{ date_range(signals_start(), as_of_end()) }}

),

final as (

    select day as as_of_date from days

)

select * from final
