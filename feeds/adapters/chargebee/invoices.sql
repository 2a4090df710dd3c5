-- feed: billing/invoices
-- Meanings: https://apidocs.chargebee.com/docs/api/invoices#invoice_attributes.
--
-- invoice_id <- id: the invoice's number
-- account_id <- customer: chargebee/customers says which account that is
-- subscription_id <- subscription: empty for an invoice of no subscription, and of several
-- amount_usd <- total: from minor units by currency
-- currency <- currency: as it is
-- status <- status: paid; posted and payment_due are open; not_paid (dunning is over) is uncollectible; voided is
--     void; pending is draft
-- issued_at <- date: the invoice's date
-- due_at <- due_date: as it is
-- paid_at <- paid_at: as it is
-- updated_at <- updated_at, paid_at, voided_at, date: the last change
-- is_deleted <- deleted, _is_deleted: as it is
select
    id as invoice_id,
    customer as account_id,
    subscription as subscription_id,
    from_minor(total, currency) as amount_usd,
    upper(currency) as currency,
    case lower(status)
        when 'posted' then 'open'
        when 'payment_due' then 'open'
        when 'not_paid' then 'uncollectible'
        when 'voided' then 'void'
        when 'pending' then 'draft'
        else lower(status)
    end as status,
    vendor_time(date) as issued_at,
    vendor_time(due_date) as due_at,
    vendor_time(paid_at) as paid_at,
    coalesce(vendor_time(updated_at), _extracted_at, vendor_time(coalesce(voided_at, paid_at, date))) as updated_at,
    coalesce(deleted, _is_deleted) as is_deleted,
    _row_number
from source
