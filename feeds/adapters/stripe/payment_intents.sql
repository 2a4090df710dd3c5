-- feed: billing/payments
-- Meanings: https://docs.stripe.com/api/payment_intents/object,
-- https://docs.stripe.com/payments/paymentintents/lifecycle.
--
-- payment_id <- latest_charge, id: the last charge, so that it is the same payment as that of stripe/charges.
--     Lossy: earlier attempts of the same intent
-- invoice_id <- invoice: empty in newer API versions
-- account_id <- customer: stripe/customers says which account that is
-- amount_usd <- amount: from minor units by currency
-- currency <- currency: as it is
-- status <- status, error_code: succeeded; failed where it needs a payment method after an error; others are under
--     way and left out. Lossy: refunds, which only charges have
-- failure_code <- error_code: the issuer's code for the decline, else Stripe's
-- attempted_at <- created: when the intent was created; later attempts have no time of their own
-- is_deleted <- _is_deleted: of loading tools
select
    coalesce(latest_charge, id) as payment_id,
    invoice as invoice_id,
    customer as account_id,
    from_minor(amount, currency) as amount_usd,
    upper(currency) as currency,
    case when lower(status) = 'requires_payment_method' then 'failed' else status end as status,
    error_code as failure_code,
    vendor_time(created) as attempted_at,
    _is_deleted as is_deleted,
    _row_number
from source
where
    lower(coalesce(livemode, 'true')) <> 'false'
    and customer is not null
    and (lower(status) = 'succeeded' or (lower(status) = 'requires_payment_method' and error_code is not null))
