-- feed: billing/invoices
-- Meanings: https://docs.stripe.com/api/invoices/object, https://docs.stripe.com/invoicing/overview#workflow-overview.
--
-- invoice_id <- id: the invoice's own id
-- account_id <- customer: the customer that was billed; stripe/customers says which account that is
-- subscription_id <- subscription: empty for an invoice written by hand
-- amount_usd <- total, amount_due, total_in_units: the total, tax included, from minor units by currency; in the
--     Dashboard's export it is in units. A credit note's invoice below 0 is refused by the contract
-- currency <- currency: as it is
-- status <- status: draft, open, paid, void, uncollectible, as in the contract
-- issued_at <- finalized_at, effective_at, created: a draft is not issued, and has its creation here
-- due_at <- due_date: empty for invoices that are charged automatically
-- paid_at <- paid_at: also where it was marked as paid outside of Stripe
-- updated_at <- finalized_at, paid_at, voided_at, created: the event's or the loading tool's time, or the latest
--     transition
-- is_deleted <- _is_deleted: drafts can be deleted
select
    id as invoice_id,
    customer as account_id,
    subscription as subscription_id,
    coalesce(from_minor(coalesce(total, amount_due), currency), plain_number(total_in_units)) as amount_usd,
    upper(currency) as currency,
    status,
    vendor_time(coalesce(finalized_at, effective_at, created)) as issued_at,
    vendor_time(due_date) as due_at,
    vendor_time(paid_at) as paid_at,
    greatest(
        moment(_extracted_at),
        moment(created),
        moment(finalized_at),
        moment(paid_at),
        moment(voided_at),
        moment(uncollectible_at)
    ) as updated_at,
    _is_deleted as is_deleted,
    _row_number
from source
where lower(coalesce(livemode, 'true')) <> 'false'
