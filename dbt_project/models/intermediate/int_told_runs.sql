-- Grain: one row per as_of_date that this build tells, in their order, beside the run before: the newest as-of date
-- before it on which any account was told.
with

dates as (

    select distinct as_of_date
    from {{ ref('fct_health_history') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

before as (

    select max(as_of_date) as as_of_date
    from {{ ref('fct_health_history') }}
    where as_of_date < {{ as_of_start() }}

),

final as (

    select
        dates.as_of_date,
        -- a narrow number, for what is told is put in this order, account by account
        cast(row_number() over (order by dates.as_of_date) as smallint) as run_number,
        coalesce(lag(dates.as_of_date) over (order by dates.as_of_date), before.as_of_date) as date_before
    from dates
    cross join before

)

select * from final
