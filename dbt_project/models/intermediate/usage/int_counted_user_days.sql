-- Grain: as int_user_days, without users whose events do not count.
{{ config(materialized='view') }}
with

final as (

    select user_days.*
    from {{ ref('int_user_days') }} as user_days
    left join {{ ref('int_excluded_users') }} as excluded_users
        on
            user_days.account_id = excluded_users.account_id
            and user_days.user_id = excluded_users.user_id
    where excluded_users.user_id is null

)

select * from final
