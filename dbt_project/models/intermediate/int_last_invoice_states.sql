-- Grain: one row per account and span of days (both ends included) with the same last invoice and the same known of
-- it, for the as-of dates of this build. Days before the first invoice have no row.
with

invoices as (

    select * from {{ ref('int_invoices') }}

),

payments as (

    select
        *,
        cast(attempted_at as date) as attempted_date
    from {{ ref('stg_billing__payments') }}

),

ordered_invoices as (

    select
        *,
        lead(issued_date) over (
            partition by account_id
            order by issued_at, invoice_id
        ) as next_issued_date
    from invoices

),

last_invoices as (

    select
        *,
        greatest(issued_date, {{ signals_start() }}) as last_from_date,
        least({{ add_days('next_issued_date', -1) }}, {{ as_of_end() }}) as last_to_date
    from ordered_invoices
    where
        issued_date <= {{ as_of_end() }}
        and coalesce(next_issued_date > {{ signals_start() }} and next_issued_date > issued_date, true)

),

payments_of_last as (

    select
        last_invoices.invoice_id,
        payments.attempted_date,
        payments.attempted_at,
        payments.payment_id,
        payments.status
    from last_invoices
    inner join payments
        on last_invoices.invoice_id = payments.invoice_id

),

change_days as (

    select
        invoice_id,
        last_from_date as day
    from last_invoices
    union
    select
        invoice_id,
        paid_date as day
    from last_invoices
    where paid_date is not null
    union
    select
        invoice_id,
        attempted_date as day
    from payments_of_last

),

spans as (

    select
        last_invoices.*,
        change_days.day as valid_from_date,
        coalesce(
            {{ add_days('lead(change_days.day) over (
                partition by last_invoices.invoice_id
                order by change_days.day
            )', -1) }},
            last_invoices.last_to_date
        ) as valid_to_date
    from last_invoices
    inner join change_days
        on
            last_invoices.invoice_id = change_days.invoice_id
            and change_days.day between last_invoices.last_from_date and last_invoices.last_to_date

),

last_payments as (

    select
        spans.invoice_id,
        spans.valid_from_date,
        max_by(
            payments_of_last.status,
            row(payments_of_last.attempted_at, payments_of_last.payment_id)
        ) as status
    from spans
    inner join payments_of_last
        on
            spans.invoice_id = payments_of_last.invoice_id
            and spans.valid_from_date >= payments_of_last.attempted_date
    group by spans.invoice_id, spans.valid_from_date

),

final as (

    select
        spans.account_id,
        spans.valid_from_date,
        spans.valid_to_date,
        spans.invoice_id,
        spans.issued_at,
        coalesce(spans.paid_date <= spans.valid_from_date, false) as is_paid,
        coalesce(last_payments.status = 'failed', false) as is_last_payment_failed
    from spans
    left join last_payments
        on
            spans.invoice_id = last_payments.invoice_id
            and spans.valid_from_date = last_payments.valid_from_date

)

select * from final
