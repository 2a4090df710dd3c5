-- Grain: one row per account and as_of_date with an invoice: its last one and what is known of it by then.
with

dates as (

    select * from {{ ref('int_as_of_dates') }}

),

invoices as (

    select * from {{ ref('int_invoices') }}

),

payments as (

    select
        *,
        cast(attempted_at as date) as attempted_date
    from {{ ref('stg_billing__payments') }}

),

invoice_spells as (

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
        invoice_spells.account_id,
        dates.as_of_date,
        invoice_spells.invoice_id,
        invoice_spells.issued_at,
        coalesce(invoice_spells.paid_date <= dates.as_of_date, false) as is_paid
    from dates
    inner join invoice_spells
        on
            dates.as_of_date >= invoice_spells.issued_date
            and (
                invoice_spells.next_issued_date is null
                or dates.as_of_date < invoice_spells.next_issued_date
            )

),

last_payments as (

    select
        last_invoices.account_id,
        last_invoices.as_of_date,
        max_by(
            payments.status,
            row(payments.attempted_at, payments.payment_id)
        ) as status
    from last_invoices
    inner join payments
        on
            last_invoices.invoice_id = payments.invoice_id
            and last_invoices.as_of_date >= payments.attempted_date
    group by last_invoices.account_id, last_invoices.as_of_date

),

final as (

    select
        last_invoices.account_id,
        last_invoices.as_of_date,
        last_invoices.invoice_id,
        last_invoices.issued_at,
        last_invoices.is_paid,
        coalesce(last_payments.status = 'failed', false) as is_last_payment_failed
    from last_invoices
    left join last_payments
        on
            last_invoices.account_id = last_payments.account_id
            and last_invoices.as_of_date = last_payments.as_of_date

)

select * from final
