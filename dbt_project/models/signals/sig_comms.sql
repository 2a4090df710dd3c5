-- Grain: one row per scored account and as_of_date, also for accounts that were never written to.
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals(['onboarding_open_rate_30d_pct', 'feature_clicks_30d', 'is_reminder_unclicked_7d']) }}

),

dates as (

    select * from {{ ref('int_signal_dates') }}

),

messages as (

    select
        *,
        cast(sent_at as date) as sent_date,
        cast(opened_at as date) as opened_date,
        cast(clicked_at as date) as clicked_date
    from {{ ref('stg_comms__messages') }}

),

last_invoices as (

    select * from {{ ref('int_last_invoice_states') }}

),

onboarding as (

    select
        messages.account_id,
        dates.as_of_date,
        cast(100 * count(*) filter (where messages.opened_date <= dates.as_of_date) as double)
        / count(*) as onboarding_open_rate_30d_pct
    from dates
    inner join messages
        on {{ in_window('messages.sent_date', 30) }}
    where messages.kind = 'onboarding'
    group by messages.account_id, dates.as_of_date

),

feature_clicks as (

    select
        messages.account_id,
        dates.as_of_date,
        count(*) as feature_clicks_30d
    from dates
    inner join messages
        on {{ in_window('messages.clicked_date', 30) }}
    where messages.kind = 'feature'
    group by messages.account_id, dates.as_of_date

),

-- a reminder that names no invoice is about the last one if it was sent after that was issued
ignored_reminders as (

    select distinct
        last_invoices.account_id,
        dates.as_of_date
    from last_invoices
    inner join messages
        on last_invoices.account_id = messages.account_id
    inner join dates
        on
            last_invoices.valid_from_date <= dates.as_of_date
            and last_invoices.valid_to_date >= dates.as_of_date
            and {{ add_days('messages.sent_date', 7) }} <= dates.as_of_date
            and coalesce(messages.clicked_date > dates.as_of_date, true)
    where
        not last_invoices.is_paid
        and messages.kind = 'billing_reminder'
        and (
            messages.invoice_id = last_invoices.invoice_id
            or (messages.invoice_id is null and messages.sent_at > last_invoices.issued_at)
        )

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('onboarding_open_rate_30d_pct', 'onboarding.onboarding_open_rate_30d_pct') }},
        {{ if_known('feature_clicks_30d', 'coalesce(feature_clicks.feature_clicks_30d, 0)') }},
        {{ if_known(
            'is_reminder_unclicked_7d', 'case when ignored_reminders.account_id is null then 0 else 1 end'
        ) }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    left join onboarding
        on
            accounts.account_id = onboarding.account_id
            and accounts.as_of_date = onboarding.as_of_date
    left join feature_clicks
        on
            accounts.account_id = feature_clicks.account_id
            and accounts.as_of_date = feature_clicks.as_of_date
    left join ignored_reminders
        on
            accounts.account_id = ignored_reminders.account_id
            and accounts.as_of_date = ignored_reminders.as_of_date

)

select * from final
