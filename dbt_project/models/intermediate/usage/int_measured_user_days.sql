-- Grain: as int_counted_user_days, of the accounts of int_activity_accounts: what each row counts for.
-- `is_<measure>` for each measure of seeds/signals.csv; `product_event` is the name as the product sends it where it
-- means no event of seeds/product_events.csv.
-- depends_on: {{ ref('signals') }}
{{ config(materialized='view') }}
with

event_names as (

    select
        event_name,
        {% for measure in event_signals() | map(attribute='measure') | unique %}
        list_contains(measures, '{{ measure }}') as is_{{ measure }},
        {% endfor %}
        product_event
    from {{ ref('int_event_meanings') }}

),

final as (

    select
        user_days.account_id,
        accounts.account_number,
        user_days.user_id,
        user_days.event_name,
        user_days.activity_date,
        user_days.events,
        {% for measure in event_signals() | map(attribute='measure') | unique %}
        {{ 'true' if measure == 'any' else 'coalesce(event_names.is_' ~ measure ~ ', false)' }} as is_{{ measure }},
        {% endfor %}
        coalesce(event_names.product_event, user_days.event_name) as product_event
    from {{ ref('int_counted_user_days') }} as user_days
    inner join {{ ref('int_activity_accounts') }} as accounts
        on user_days.account_id = accounts.account_id
    left join event_names
        on user_days.event_name = event_names.event_name
    where user_days.events > 0

)

select * from final
