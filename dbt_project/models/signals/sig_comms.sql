-- Grain: one row per scored account and as_of_date, also for accounts that were never written to.
{% set measures = ['onboarding_sent', 'onboarding_opened', 'feature_clicks', 'ignored_reminders'] %}
{# what enters or leaves a count, on which day -#}
{% set changes = [
    {'from': 'onboarding', 'day': 'sent_date', 'onboarding_sent': '1'},
    {
        'from': 'onboarding', 'day': 'greatest(sent_date, opened_date)', 'where': 'is_opened_in_window',
        'onboarding_opened': '1',
    },
    {
        'from': 'onboarding', 'day': 'leaves_date',
        'onboarding_sent': '-1', 'onboarding_opened': 'case when is_opened_in_window then -1 else 0 end',
    },
    {'from': 'feature_clicks', 'day': 'clicked_date', 'feature_clicks': '1'},
    {'from': 'feature_clicks', 'day': 'leaves_date', 'feature_clicks': '-1'},
    {'from': 'ignored_reminders', 'day': 'ignored_from_date', 'ignored_reminders': '1'},
    {'from': 'ignored_reminders', 'day': add_days('ignored_to_date', 1), 'ignored_reminders': '-1'},
] -%}
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals(['onboarding_open_rate_30d_pct', 'feature_clicks_30d', 'is_reminder_unclicked_7d']) }}

),

messages as (

    select
        *,
        cast(sent_at as date) as sent_date,
        cast(opened_at as date) as opened_date,
        cast(clicked_at as date) as clicked_date
    from {{ ref('stg_comms__messages') }}
    where {{ not_deleted_by('cast(sent_at as date)') }}

),

last_invoices as (

    select * from {{ ref('int_last_invoice_states') }}

),

onboarding as (

    select
        account_id,
        sent_date,
        opened_date,
        leaves_date,
        coalesce(opened_date < leaves_date, false) as is_opened_in_window
    from (
        select
            *,
            least({{ add_days('sent_date', 30) }}, deleted_date) as leaves_date
        from messages
    ) as messages_of_window
    where kind = 'onboarding'

),

feature_clicks as (

    select
        account_id,
        clicked_date,
        least({{ add_days('clicked_date', 30) }}, deleted_date) as leaves_date
    from messages
    where
        kind = 'feature'
        and clicked_date is not null
        and {{ not_deleted_by('clicked_date') }}

),

-- a reminder that names no invoice is about the last one if it was sent after that was issued
reminders as (

    select
        last_invoices.account_id,
        greatest(last_invoices.valid_from_date, {{ add_days('messages.sent_date', 7) }}) as ignored_from_date,
        least(
            last_invoices.valid_to_date,
            {{ add_days('messages.clicked_date', -1) }},
            {{ add_days('messages.deleted_date', -1) }}
        ) as ignored_to_date
    from last_invoices
    inner join messages
        on last_invoices.account_id = messages.account_id
    where
        not last_invoices.is_paid
        and messages.kind = 'billing_reminder'
        and (
            messages.invoice_id = last_invoices.invoice_id
            or (messages.invoice_id is null and messages.sent_at > last_invoices.issued_at)
        )

),

ignored_reminders as (

    select * from reminders
    where ignored_from_date <= ignored_to_date

),

changes as (

    {{ changes_of(changes, measures) }}

),

intervals as (

    {{ intervals_of_changes('changes', sums=measures) }}

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known(
            'onboarding_open_rate_30d_pct',
            'cast(100 * intervals.onboarding_opened as double) / nullif(intervals.onboarding_sent, 0)'
        ) }},
        {{ if_known('feature_clicks_30d', 'cast(coalesce(intervals.feature_clicks, 0) as bigint)') }},
        {{ if_known('is_reminder_unclicked_7d', 'case when intervals.ignored_reminders > 0 then 1 else 0 end') }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    left join intervals
        on {{ in_interval('intervals') }}

)

select * from final
