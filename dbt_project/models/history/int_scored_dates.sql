-- Grain: one row per scored date of this build: an as-of date on which any account was scored.
-- previous_date is the newest scored date before it, also one of an earlier build; date_number counts scored dates
-- without a gap from the first one in history on.
with

final as (

    select distinct
        as_of_date,
        date_number,
        previous_date
    from {{ ref('int_account_states') }}
    where as_of_date <= {{ as_of_end() }}

)

select * from final
