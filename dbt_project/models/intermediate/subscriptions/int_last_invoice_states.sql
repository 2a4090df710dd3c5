-- Grain: one row per account and interval of days (both ends included) with the same last invoice and the same known of
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

-- which invoice is the last changes where one is issued, and where the last one is deleted
last_change_days as (

    select
        account_id,
        greatest(issued_date, {{ signals_start() }}) as day
    from invoices
    where issued_date <= {{ as_of_end() }}
    union
    select
        account_id,
        greatest(deleted_date, {{ signals_start() }}) as day
    from invoices
    where deleted_date <= {{ as_of_end() }}

),

last_intervals as (

    select
        account_id,
        day as last_from_date,
        coalesce(
            {{ add_days('lead(day) over (partition by account_id order by day)', -1) }},
            {{ as_of_end() }}
        ) as last_to_date
    from last_change_days

),

last_invoice_ids as (

    select
        last_intervals.last_from_date,
        last_intervals.last_to_date,
        max_by(invoices.invoice_id, row(invoices.issued_at, invoices.invoice_id)) as invoice_id
    from last_intervals
    inner join invoices
        on
            last_intervals.account_id = invoices.account_id
            and last_intervals.last_from_date >= invoices.issued_date
    where {{ not_deleted_by('last_intervals.last_from_date', 'invoices') }}
    group by last_intervals.account_id, last_intervals.last_from_date, last_intervals.last_to_date

),

last_invoices as (

    select
        invoices.*,
        last_invoice_ids.last_from_date,
        last_invoice_ids.last_to_date
    from last_invoice_ids
    inner join invoices
        on last_invoice_ids.invoice_id = invoices.invoice_id

),

payments_of_last as (

    select distinct
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

intervals as (

    select
        last_invoices.*,
        change_days.day as valid_from_date,
        coalesce(
            {{ add_days('lead(change_days.day) over (
                partition by last_invoices.invoice_id, last_invoices.last_from_date
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
        intervals.invoice_id,
        intervals.valid_from_date,
        max_by(
            payments_of_last.status,
            row(payments_of_last.attempted_at, payments_of_last.payment_id)
        ) as status
    from intervals
    inner join payments_of_last
        on
            intervals.invoice_id = payments_of_last.invoice_id
            and intervals.valid_from_date >= payments_of_last.attempted_date
    group by intervals.invoice_id, intervals.valid_from_date

),

final as (

    select
        intervals.account_id,
        intervals.valid_from_date,
        intervals.valid_to_date,
        intervals.invoice_id,
        intervals.issued_at,
        coalesce(intervals.paid_date <= intervals.valid_from_date, false) as is_paid,
        coalesce(last_payments.status = 'failed', false) as is_last_payment_failed
    from intervals
    left join last_payments
        on
            intervals.invoice_id = last_payments.invoice_id
            and intervals.valid_from_date = last_payments.valid_from_date

)

select * from final
