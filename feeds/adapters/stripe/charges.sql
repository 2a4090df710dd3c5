-- feed: billing/payments
-- Meanings: https://docs.stripe.com/api/charges/object, https://docs.stripe.com/declines.
--
-- payment_id <- id: the charge's id; a retried payment is a new charge
-- invoice_id <- invoice: since the API version 2025-03-31 a charge does not name its invoice; it is then empty
-- account_id <- customer: stripe/customers says which account that is. Lossy: a charge without a customer (a guest)
--     is left out
-- amount_usd <- amount, amount_in_units: from minor units by currency; in the Dashboard's export it is in units
-- currency <- currency: as it is
-- status <- status, refunded, dispute_status: refunded where all of it was, or a dispute was lost; a part that was
--     refunded leaves it succeeded; a dispute under way leaves it as it is. Pending charges are left out until they
--     are settled
-- failure_code <- failure_code: Stripe's code, else the reason of the outcome
-- attempted_at <- created: when it was attempted
-- is_deleted <- _is_deleted: of loading tools
select
    id as payment_id,
    invoice as invoice_id,
    customer as account_id,
    coalesce(from_minor(amount, currency), plain_number(amount_in_units)) as amount_usd,
    upper(currency) as currency,
    case
        when lower(status) in ('succeeded', 'paid') and (is_true(refunded) or lower(dispute_status) = 'lost')
            then 'refunded'
        when lower(status) = 'paid' then 'succeeded'
        when lower(status) in ('partial refund', 'partially refunded') then 'succeeded'
        else status
    end as status,
    failure_code,
    vendor_time(created) as attempted_at,
    _is_deleted as is_deleted,
    _row_number
from source
where
    lower(coalesce(livemode, 'true')) <> 'false'
    and lower(coalesce(status, '')) <> 'pending'
    and customer is not null
