-- feed: crm/identities
-- Meanings: https://docs.stripe.com/api/customers/object.
--
-- source <- id: customers pay, so their ids are those of the feeds of billing
-- source_account_id <- id: the customer's id, the account_id of stripe/subscriptions, invoices and charges
-- account_id <- account_key, email: the account's id in the CRM from metadata (account_id, crm_id, company_id,
--     hubspot_company_id, salesforce_account_id ...); else the e-mail address, as its MD5 and domain. Lossy: a
--     customer with neither is named by nobody, and its rows wait
select
    'billing' as source,
    id as source_account_id,
    coalesce(account_key, mail_id(email)) as account_id,
    _row_number
from source
where
    coalesce(account_key, mail_id(email)) is not null
    and lower(coalesce(livemode, 'true')) <> 'false'
    and not is_true(coalesce(deleted, _is_deleted))
