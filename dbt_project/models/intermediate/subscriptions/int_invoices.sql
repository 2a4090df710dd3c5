-- Grain: one row per invoice that counts: drafts and void ones are left out.
-- `paid_date` is the day from which it counts as paid: an early date where it is paid and the day is unknown. A
-- deleted one counts until its deleted_date.
with

final as (

    select
        invoice_id,
        account_id,
        issued_at,
        cast(issued_at as date) as issued_date,
        cast(due_at as date) as due_date,
        coalesce(
            cast(paid_at as date),
            case when status = 'paid' then date '0001-01-01' end
        ) as paid_date,
        deleted_date
    from {{ ref('stg_billing__invoices') }}
    where
        status not in ('draft', 'void')
        and {{ not_deleted_by('cast(issued_at as date)') }}

)

select * from final
