-- Grain: as int_user_days, of rows that count: of the accounts of int_activity_accounts, with events that were not
-- withdrawn, without users whose events do not count.
{{ config(materialized='view') }}
with

final as (

    select
        user_days.account_id,
        accounts.account_number,
        user_days.user_id,
        user_days.event_name,
        user_days.activity_date,
        user_days.events
    from {{ ref('int_user_days') }} as user_days
    inner join {{ ref('int_activity_accounts') }} as accounts
        on user_days.account_id = accounts.account_id
    left join {{ ref('int_excluded_users') }} as excluded_users
        on
            user_days.account_id = excluded_users.account_id
            and user_days.user_id = excluded_users.user_id
    where
        user_days.events > 0
        and excluded_users.user_id is null

)

select * from final
