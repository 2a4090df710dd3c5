-- Grain: one row per scored account, as_of_date and signal.
-- `value` is null where the signal is unknown (is_known false) and where it is null by its definition (is_known true).
-- `observed_at` is when the feeds that it needs last brought a file.
{% set families = {
    'usage': [
        'days_since_login', 'logins_7d', 'logins_30d', 'active_days_7d', 'active_days_30d', 'active_users_30d',
        'seat_utilization_30d_pct', 'usage_trend_14d_pct'
    ],
    'adoption': [
        'days_since_key_feature', 'key_features_used_90d', 'adoption_milestones', 'advanced_events_30d',
        'premium_usage_14d_pct'
    ],
    'support': [
        'open_tickets', 'open_urgent_tickets', 'tickets_30d', 'fast_resolutions_30d',
        'median_resolution_90d_hours', 'ticket_sentiment_30d', 'competitor_mentions_30d'
    ],
    'billing': [
        'failed_payments_30d', 'is_last_invoice_failed', 'overdue_invoices', 'days_past_due', 'is_downgraded_90d',
        'seats_change_14d_pct', 'days_to_renewal', 'days_to_card_expiry', 'is_paid_plan', 'mrr_usd'
    ],
    'comms': ['onboarding_open_rate_30d_pct', 'feature_clicks_30d', 'is_reminder_unclicked_7d'],
    'relationship': ['days_since_reply', 'days_since_contact', 'active_stakeholders_90d', 'has_active_champion'],
    'value': ['overdue_milestones', 'milestones_met_pct'],
    'sentiment': ['nps_latest', 'csat_90d', 'pulse_latest'],
} -%}
with

signal_states as (

    select * from {{ ref('int_signal_states') }}

),

{% for family, signals in families.items() %}
{{ family }}_values as (

    {% for signal in signals %}
    select
        account_id,
        as_of_date,
        '{{ signal }}' as signal,
        cast({{ signal }} as double) as value
    from {{ ref('sig_' ~ family) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{% endfor -%}
all_values as (

    {% for family in families %}
    select * from {{ family }}_values
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        all_values.account_id,
        all_values.as_of_date,
        all_values.signal,
        all_values.value,
        signal_states.is_known
        and not {{ is_unknown_of_account('unknown_days', 'all_values.signal', is_column=true) }} as is_known,
        signal_states.observed_at
    from all_values
    inner join signal_states
        on
            all_values.as_of_date = signal_states.as_of_date
            and all_values.signal = signal_states.signal
    left join {{ ref('int_account_unknown_days') }} as unknown_days
        on
            all_values.account_id = unknown_days.account_id
            and all_values.as_of_date = unknown_days.as_of_date

)

select * from final
