-- Grain: one row per scored account and as_of_date, also for accounts that never sent an event.
-- Signals that count product events are rows of seeds/signals.csv.
-- depends_on: {{ ref('signals') }}
{% set event_signals_of_family = event_signals('adoption') -%}
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals(event_signals_of_family | map(attribute='signal') | list) }}

),

activity as (

    select * from {{ ref('int_account_activity__as_of') }}

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {% for signal in event_signals_of_family %}
        {{ if_known(signal['signal'], signal['value']) }}{{ ',' if not loop.last }}
        {% endfor %}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    inner join activity
        on
            accounts.account_id = activity.account_id
            and accounts.as_of_date = activity.as_of_date

)

select * from final
