-- Grain: one row per scored date that is measured. The grid is its Mondays, or every date where there are fewer than
-- eight of them.
with

dates as (

    select distinct as_of_date from {{ ref('int_measured_scores') }}

),

compared as (

    select
        as_of_date,
        as_of_date = date_trunc('week', as_of_date) as is_monday,
        count(*) filter (where as_of_date = date_trunc('week', as_of_date)) over () as mondays
    from dates

),

known as (

    select max(as_of_date) as known_until_date from {{ ref('fct_health_history') }}

),

final as (

    select
        compared.as_of_date,
        compared.is_monday or compared.mondays < 8 as is_on_grid,
        known.known_until_date
    from compared
    cross join known

)

select * from final
