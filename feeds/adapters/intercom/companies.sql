-- feed: crm/identities
-- Meanings: https://developers.intercom.com/docs/references/rest-api/api.intercom.io/companies/company.
--
-- source <- id: companies ask for support
-- source_account_id <- id: Intercom's id, which contacts name
-- account_id <- account_key, company_id, website: a custom attribute account_id, crm_id, hubspot_id or
--     salesforce_id; else company_id, the id that your product gave; else the domain of its website
select distinct on (id)
    'support' as source,
    id as source_account_id,
    coalesce(account_key, company_id, domain_of(website)) as account_id,
    _row_number
from source
where coalesce(account_key, company_id, domain_of(website)) is not null and id is not null
order by id asc, _row_number desc
