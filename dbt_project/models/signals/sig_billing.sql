-- Grain: one row per scored account and as_of_date, also for accounts that were never billed.
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals([
        'failed_payments_30d', 'is_last_invoice_failed', 'overdue_invoices', 'days_past_due', 'is_downgraded_90d',
        'seats_change_14d_pct', 'days_to_renewal', 'days_to_card_expiry', 'is_paid_plan', 'mrr_usd'
    ]) }}

),

dates as (

    select * from {{ ref('int_signal_dates') }}

),

payments as (

    select
        *,
        cast(attempted_at as date) as attempted_date
    from {{ ref('stg_billing__payments') }}

),

invoices as (

    select * from {{ ref('int_invoices') }}

),

failed_last_invoices as (

    select * from {{ ref('int_last_invoice_states') }}
    where is_last_payment_failed and not is_paid

),

downgrades as (

    select * from {{ ref('int_downgrades') }}

),

subscriptions as (

    select * from {{ ref('int_subscription_states') }}

),

failed_payments as (

    select
        payments.account_id,
        dates.as_of_date,
        count(*) as failed_payments_30d
    from dates
    inner join payments
        on {{ in_window('payments.attempted_date', 30) }}
    where payments.status = 'failed'
    group by payments.account_id, dates.as_of_date

),

overdue as (

    select
        invoices.account_id,
        dates.as_of_date,
        count(*) as overdue_invoices,
        max({{ days_between('invoices.due_date', 'dates.as_of_date') }}) as days_past_due
    from dates
    inner join invoices
        on
            dates.as_of_date >= invoices.issued_date
            and dates.as_of_date > invoices.due_date
            and (invoices.paid_date is null or dates.as_of_date < invoices.paid_date)
    -- most are paid in time, or long ago
    where coalesce(invoices.paid_date > greatest(invoices.due_date, {{ signals_start() }}), true)
    group by invoices.account_id, dates.as_of_date

),

recent_downgrades as (

    select distinct
        downgrades.account_id,
        dates.as_of_date
    from dates
    inner join downgrades
        on {{ in_window('downgrades.changed_date', 90) }}

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('failed_payments_30d', 'coalesce(failed_payments.failed_payments_30d, 0)') }},
        {{ if_known(
            'is_last_invoice_failed',
            'case when failed_last_invoices.account_id is null then 0 else 1 end'
        ) }},
        {{ if_known('overdue_invoices', 'coalesce(overdue.overdue_invoices, 0)') }},
        {{ if_known('days_past_due', 'coalesce(overdue.days_past_due, 0)') }},
        {{ if_known('is_downgraded_90d', 'case when recent_downgrades.account_id is null then 0 else 1 end') }},
        {{ if_known('seats_change_14d_pct', pct_change(
            'subscriptions_before.live_seats',
            'case when coalesce(subscriptions.live_subscriptions, 0) = 0 then 0 else subscriptions.live_seats end'
        )) }},
        {{ if_known('days_to_renewal', days_between('accounts.as_of_date', 'subscriptions.next_period_end_date')) }},
        {{ if_known(
            'days_to_card_expiry', days_between('accounts.as_of_date', 'subscriptions.next_card_expiry_date')
        ) }},
        {{ if_known('is_paid_plan', 'case
            when subscriptions.has_paid_plan then 1
            when subscriptions.has_unknown_plan then null
            else 0
        end') }},
        {{ if_known('mrr_usd', 'cast(coalesce(subscriptions.live_mrr_usd, 0) as double)') }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    left join failed_payments
        on
            accounts.account_id = failed_payments.account_id
            and accounts.as_of_date = failed_payments.as_of_date
    left join failed_last_invoices
        on {{ in_span('failed_last_invoices') }}
    left join overdue
        on
            accounts.account_id = overdue.account_id
            and accounts.as_of_date = overdue.as_of_date
    left join recent_downgrades
        on
            accounts.account_id = recent_downgrades.account_id
            and accounts.as_of_date = recent_downgrades.as_of_date
    left join subscriptions
        on
            accounts.account_id = subscriptions.account_id
            and accounts.as_of_date between subscriptions.valid_from_date and subscriptions.valid_to_date
    left join subscriptions as subscriptions_before
        on
            accounts.account_id = subscriptions_before.account_id
            and {{ add_days('accounts.as_of_date', -14) }}
            between subscriptions_before.valid_from_date and subscriptions_before.valid_to_date

)

select * from final
