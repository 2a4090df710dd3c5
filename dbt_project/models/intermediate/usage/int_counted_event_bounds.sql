-- Grain: as int_event_bounds, of the accounts of int_activity_accounts, without users whose events do not count.
-- Bounds do not say whose event was the first or the last: those of an account that such users belong to are taken
-- again from the days that are kept.
{{ config(materialized='view') }}
with

accounts_with_excluded_users as (

    select distinct account_id from {{ ref('int_excluded_users') }}

),

bounds as (

    select
        event_bounds.account_id,
        event_bounds.event_name,
        event_bounds.first_date,
        event_bounds.last_date,
        event_bounds.last_purged_date
    from {{ ref('int_event_bounds') }} as event_bounds
    left join accounts_with_excluded_users
        on event_bounds.account_id = accounts_with_excluded_users.account_id
    where accounts_with_excluded_users.account_id is null
    union all
    select
        user_days.account_id,
        user_days.event_name,
        min(user_days.activity_date) as first_date,
        max(user_days.activity_date) as last_date,
        cast(null as date) as last_purged_date
    from {{ ref('int_user_days') }} as user_days
    inner join accounts_with_excluded_users
        on user_days.account_id = accounts_with_excluded_users.account_id
    left join {{ ref('int_excluded_users') }} as excluded_users
        on
            user_days.account_id = excluded_users.account_id
            and user_days.user_id = excluded_users.user_id
    where
        user_days.events > 0
        and excluded_users.user_id is null
    group by user_days.account_id, user_days.event_name

),

final as (

    select
        bounds.account_id,
        accounts.account_number,
        bounds.event_name,
        bounds.first_date,
        bounds.last_date,
        bounds.last_purged_date
    from bounds
    inner join {{ ref('int_activity_accounts') }} as accounts
        on bounds.account_id = accounts.account_id

)

select * from final
