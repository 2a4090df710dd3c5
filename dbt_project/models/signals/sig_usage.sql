-- Grain: one row per scored account and as_of_date, also for accounts that never sent an event.
-- Signals that count product events are rows of seeds/signals.csv.
-- depends_on: {{ ref('signals') }}
{% set event_signals_of_family = event_signals('usage') -%}
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals(event_signals_of_family | map(attribute='signal') | list + ['seat_utilization_30d_pct']) }}

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
        {% for signal in event_signals_of_family %}
        {{ if_known(signal['signal'], signal['value']) }},
        {% endfor %}
        {{ if_known(
            'seat_utilization_30d_pct',
            'cast(100 * activity.active_users_30d as double) / nullif(cast(subscriptions.live_seats as double), 0)'
        ) }}
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
