-- Grain: one row per scored account and as_of_date, also for accounts that never sent an event.
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals([
        'days_since_login', 'logins_7d', 'logins_30d', 'active_days_7d', 'active_days_30d', 'active_users_30d',
        'seat_utilization_30d_pct', 'usage_trend_14d_pct'
    ]) }}

),

activity as (

    select * from {{ ref('int_account_activity__as_of') }}

),

subscriptions as (

    select * from {{ ref('int_subscription_states') }}

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('days_since_login', days_between(
            'coalesce(activity.last_login_date, accounts.created_date)', 'accounts.as_of_date'
        )) }},
        {{ if_known('logins_7d', 'activity.logins_7d') }},
        {{ if_known('logins_30d', 'activity.logins_30d') }},
        {{ if_known('active_days_7d', 'activity.active_days_7d') }},
        {{ if_known('active_days_30d', 'activity.active_days_30d') }},
        {{ if_known('active_users_30d', 'activity.active_users_30d') }},
        {{ if_known(
            'seat_utilization_30d_pct',
            'cast(100 * activity.active_users_30d as double) / nullif(cast(subscriptions.live_seats as double), 0)'
        ) }},
        {{ if_known('usage_trend_14d_pct', pct_change('activity.events_before_14d', 'activity.events_14d')) }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    inner join activity
        on
            accounts.account_id = activity.account_id
            and accounts.as_of_date = activity.as_of_date
    left join subscriptions
        on
            accounts.account_id = subscriptions.account_id
            and accounts.as_of_date between subscriptions.valid_from_date and subscriptions.valid_to_date

)

select * from final
