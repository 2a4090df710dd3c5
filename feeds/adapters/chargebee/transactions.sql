-- feed: billing/payments
-- Meanings: https://apidocs.chargebee.com/docs/api/transactions#transaction_attributes.
--
-- payment_id <- id: as it is
-- invoice_id <- invoices: the first invoice that it pays
-- account_id <- customer: chargebee/customers says which account that is
-- amount_usd <- amount: from minor units by currency
-- currency <- currency: as it is
-- status <- status, refunds: success is succeeded, and refunded where a refund is linked (lossy: also a part);
--     failure and timeout are failed; in_progress, needs_attention and voided are left out
-- failure_code <- error_code: of the gateway
-- attempted_at <- date: when it was attempted
select
    id as payment_id,
    case when json_valid(invoices) then json_extract_string(invoices, '$[0].invoice_id') end as invoice_id,
    customer as account_id,
    from_minor(amount, currency) as amount_usd,
    upper(currency) as currency,
    case
        when
            lower(status) = 'success'
            and case when json_valid(refunds) then json_array_length(refunds) end > 0
            then 'refunded'
        when lower(status) = 'success' then 'succeeded'
        when lower(status) in ('failure', 'timeout') then 'failed'
        else status
    end as status,
    error_code as failure_code,
    vendor_time(date) as attempted_at,
    _row_number
from source
where
    coalesce(lower(type), 'payment') = 'payment'
    and customer is not null
    and coalesce(lower(status), '') not in ('in_progress', 'needs_attention', 'voided')
