-- feed: billing/invoices
-- Meanings: https://developer.keap.com/docs/restv2/#tag/Orders.
--
-- invoice_id <- id: Keap's number of the order
-- account_id <- contact: the contact who ordered; keap/contacts says which account that is
-- amount_usd <- total: in units
-- currency <- currency: as it is
-- status <- status, paid, total: DRAFT; PAID, also where all of it is paid; SENT and VIEWED are open
-- issued_at <- ordered: the date of the order
-- due_at <- due: where the order has one
-- paid_at <- updated: Lossy: Keap has no time of payment in the order; the last change of one that is paid
-- updated_at <- updated, ordered: the last change
-- is_deleted <- _is_deleted: of loading tools
with

orders as (

    select
        *,
        case
            when lower(status) = 'paid' then 'paid'
            when
                lower(status) in ('sent', 'viewed')
                and try_cast(total as decimal(18, 6)) > 0
                and try_cast(paid as decimal(18, 6)) >= try_cast(total as decimal(18, 6))
                then 'paid'
            when lower(status) in ('sent', 'viewed') then 'open'
            else lower(status)
        end as state
    from source

)

select
    id as invoice_id,
    contact as account_id,
    total as amount_usd,
    upper(currency) as currency,
    state as status,
    vendor_time(ordered) as issued_at,
    vendor_time(due) as due_at,
    case when state = 'paid' then vendor_time(coalesce(updated, ordered)) end as paid_at,
    coalesce(vendor_time(coalesce(updated, ordered)), _extracted_at) as updated_at,
    _is_deleted as is_deleted,
    _row_number
from orders
