-- feed: crm/identities
-- Meanings: https://apidocs.chargebee.com/docs/api/customers#customer_attributes.
--
-- source <- id: customers pay
-- source_account_id <- id: the customer's id, the account_id of subscriptions and invoices
-- account_id <- account_key, email: a custom field cf_account_id, cf_crm_id, cf_hubspot_id, cf_salesforce_id or
--     cf_company_id, or such a key of meta_data; else the e-mail address, as its MD5 and domain
select distinct on (id)
    'billing' as source,
    id as source_account_id,
    coalesce(account_key, mail_id(email)) as account_id,
    _row_number
from source
where
    coalesce(account_key, mail_id(email)) is not null
    and id is not null
    and not is_true(coalesce(deleted, _is_deleted))
order by id asc, _row_number desc
