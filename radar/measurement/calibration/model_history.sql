-- Grain: one row per scored account and date that the risk model is shown for: the dates of the weekly grid that it was
-- not fitted to, and the newest date.
with

history as (

    select * from {{ ref('fct_health_history') }}

),

dates as (

    select as_of_date
    from {{ ref('int_measured_dates') }}
    where
        is_on_grid
        and {{ var('dates') }}
    union
    select max(as_of_date) as as_of_date
    from history

),

final as (

    select history.*
    from history
    inner join dates
        on history.as_of_date = dates.as_of_date

)

select * from final
