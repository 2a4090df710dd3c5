-- Grain: one row per scored account and as_of_date, also for accounts that were never billed.
{% set measures = ['failed_payments', 'failed_last_invoices', 'downgrades'] %}
{# what enters or leaves a count, on which day -#}
{% set changes = [
    {'from': 'failed_payments', 'day': 'attempted_date', 'failed_payments': '1'},
    {'from': 'failed_payments', 'day': add_days('attempted_date', 30), 'failed_payments': '-1'},
    {'from': 'failed_last_invoices', 'day': 'valid_from_date', 'failed_last_invoices': '1'},
    {'from': 'failed_last_invoices', 'day': add_days('valid_to_date', 1), 'failed_last_invoices': '-1'},
    {'from': 'downgrades', 'day': 'changed_date', 'downgrades': '1'},
    {'from': 'downgrades', 'day': add_days('changed_date', 90), 'downgrades': '-1'},
] -%}
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

failed_payments as (

    select
        account_id,
        cast(attempted_at as date) as attempted_date
    from {{ ref('stg_billing__payments') }}
    where status = 'failed'

),

failed_last_invoices as (

    select * from {{ ref('int_last_invoice_states') }}
    where is_last_payment_failed and not is_paid

),

downgrades as (

    select * from {{ ref('int_downgrades') }}
    where not is_unknown

),

subscriptions as (

    select * from {{ ref('int_subscription_states') }}

),

changes as (

    {{ changes_of(changes, measures) }}

),

intervals as (

    {{ intervals_of_changes('changes', sums=measures) }}

),

-- most invoices are paid in time, or long ago; a deleted one is owed no more
late_invoices as (

    select
        account_id,
        due_date,
        greatest(issued_date, {{ add_days('due_date', 1) }}, {{ signals_start() }}) as overdue_date,
        least(paid_date, deleted_date) as settled_date
    from {{ ref('int_invoices') }}
    where
        due_date is not null
        and coalesce(
            least(paid_date, deleted_date)
            > greatest(issued_date, {{ add_days('due_date', 1) }}, {{ signals_start() }}),
            true
        )

),

-- the oldest of what is overdue does not run up: it is looked for on each day on which an invoice enters or leaves
overdue_days as (

    select
        account_id,
        overdue_date as day
    from late_invoices
    where overdue_date <= {{ as_of_end() }}
    union
    select
        account_id,
        settled_date as day
    from late_invoices
    where settled_date <= {{ as_of_end() }}

),

overdue_intervals as (

    select
        account_id,
        day as valid_from_date,
        coalesce(
            {{ add_days('lead(day) over (partition by account_id order by day)', -1) }},
            {{ as_of_end() }}
        ) as valid_to_date
    from overdue_days

),

overdue as (

    select
        overdue_intervals.account_id,
        overdue_intervals.valid_from_date,
        overdue_intervals.valid_to_date,
        count(*) as overdue_invoices,
        min(late_invoices.due_date) as oldest_due_date
    from overdue_intervals
    inner join late_invoices
        on
            overdue_intervals.account_id = late_invoices.account_id
            and overdue_intervals.valid_from_date >= late_invoices.overdue_date
            and coalesce(overdue_intervals.valid_from_date < late_invoices.settled_date, true)
    group by overdue_intervals.account_id, overdue_intervals.valid_from_date, overdue_intervals.valid_to_date

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('failed_payments_30d', 'cast(coalesce(intervals.failed_payments, 0) as bigint)') }},
        {{ if_known('is_last_invoice_failed', 'case when intervals.failed_last_invoices > 0 then 1 else 0 end') }},
        {{ if_known('overdue_invoices', 'coalesce(overdue.overdue_invoices, 0)') }},
        {{ if_known(
            'days_past_due',
            'coalesce(' ~ dbt.datediff('overdue.oldest_due_date', 'accounts.as_of_date', 'day') ~ ', 0)'
        ) }},
        {{ if_known('is_downgraded_90d', 'case when intervals.downgrades > 0 then 1 else 0 end') }},
        {{ if_known('seats_change_14d_pct', pct_change(
            'subscriptions_before.live_seats',
            'case when coalesce(subscriptions.live_subscriptions, 0) = 0 then 0 else subscriptions.live_seats end'
        )) }},
        {{ if_known('days_to_renewal', dbt.datediff(
            'accounts.as_of_date', 'subscriptions.next_period_end_date', 'day'
        )) }},
        {{ if_known(
            'days_to_card_expiry', dbt.datediff('accounts.as_of_date', 'subscriptions.next_card_expiry_date', 'day')
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
    left join intervals
        on {{ in_interval('intervals') }}
    left join overdue
        on {{ in_interval('overdue') }}
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
