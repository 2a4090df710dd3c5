-- feed: billing/payments
-- Meanings: https://developer.keap.com/docs/rest/#tag/Transaction.
--
-- payment_id <- id: Keap's number of the transaction
-- invoice_id <- orders: the first order that it pays
-- account_id <- contact: the contact who paid; keap/contacts says which account that is
-- amount_usd <- amount: in units
-- currency <- currency: as it is
-- status <- status, type: a refund is refunded; Approved and Success are succeeded; Declined, Error and the like failed
-- failure_code <- errors: as the gateway writes it
-- attempted_at <- date: when it was attempted
-- is_deleted <- _is_deleted: of loading tools
select
    id as payment_id,
    nullif(trim(regexp_replace(string_split(orders, ',')[1], '[^0-9A-Za-z-]', '', 'g')), '') as invoice_id,
    contact as account_id,
    amount as amount_usd,
    upper(currency) as currency,
    case
        when contains(lower(type), 'refund') then 'refunded'
        when regexp_matches(lower(status), '^(approved|success|succeeded|paid)') then 'succeeded'
        when regexp_matches(lower(status), '^(declined|err|fail|void|rejected)') then 'failed'
        else status
    end as status,
    errors as failure_code,
    vendor_time(date) as attempted_at,
    _is_deleted as is_deleted,
    _row_number
from source
where not is_true(test)
