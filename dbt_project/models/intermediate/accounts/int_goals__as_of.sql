-- Grain: one row per account, signal and as_of_date on which the account has a threshold of its own.
{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='append_new_columns') }}
with

dates as (

    select * from {{ ref('int_as_of_dates') }}

),

goals as (

    select * from {{ ref('stg_crm__goals') }}

),

ranked as (

    select
        goals.account_id,
        dates.as_of_date,
        goals.signal,
        goals.target,
        row_number() over (
            partition by goals.account_id, dates.as_of_date, goals.signal
            order by goals.valid_from desc nulls last, goals.goal_id desc
        ) as goal_rank
    from dates
    inner join goals
        on
            coalesce(goals.valid_from, dates.as_of_date) <= dates.as_of_date
            and coalesce(goals.valid_to, dates.as_of_date) >= dates.as_of_date

),

final as (

    select
        account_id,
        as_of_date,
        signal,
        target
    from ranked
    where goal_rank = 1

)

select * from final
