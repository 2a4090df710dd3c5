-- Grain: one row per scored date of this build: an as-of date on which any account was scored.
-- previous_date is the newest scored date before it, also one of an earlier build; date_number counts scored dates
-- without a gap from the first one in history on.
with

dates as (

    select distinct as_of_date
    from {{ ref('fct_health_history') }}
    where as_of_date <= {{ as_of_end() }}

),

numbered as (

    select
        as_of_date,
        row_number() over (order by as_of_date) as date_number,
        lag(as_of_date) over (order by as_of_date) as previous_date
    from dates

),

final as (

    select
        as_of_date,
        date_number,
        previous_date
    from numbered
    where as_of_date >= {{ as_of_start() }}

)

select * from final
