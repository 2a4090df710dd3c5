-- Grain: one row per as-of date that this build computes.
with

days as (

    {{ date_range(as_of_start(), as_of_end()) }}

),

final as (

    select day as as_of_date from days

)

select * from final
