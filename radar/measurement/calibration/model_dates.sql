-- Grain: one row per date that the risk model is shown for: the dates of the weekly grid that it was not fitted to, and
-- the newest date.
with

final as (

    select as_of_date
    from {{ ref('int_measured_dates') }}
    where
        is_on_grid
        and {{ var('dates') }}
    union
    select max(as_of_date) as as_of_date
    from {{ ref('fct_health_history') }}

)

select * from final
