-- feed: crm/accounts
-- Meanings: https://developers.hubspot.com/docs/api-reference/crm-companies-v3/guide and
-- https://knowledge.hubspot.com/properties/hubspots-default-company-properties.
--
-- account_id <- id: the record id, which HubSpot keeps where companies are merged
-- name <- name: the company's name, or its domain where it has none
-- domain <- domain: without www and path
-- owner_id <- hubspot_owner_id: an id of hubspot/owners. Lossy: HubSpot's own CSV export has the owner's name only,
--     in a column that is not read
-- segment <- segment: HubSpot has no property for it; a property of yours that is called segment or so
-- industry <- industry: HubSpot's word
-- country <- country: as it is written
-- parent_account_id <- parent: the parent company
-- arr_usd <- arr: HubSpot has no property for it (annualrevenue is the company's own turnover); a property of yours
--     that is called arr or so
-- lifecycle_stage <- lifecyclestage: seeds/not_customers.csv says which stages are no customers
-- plan_id <- plan: a property of yours
-- created_at <- createdate: when the record was created, which may be before the company bought
-- updated_at <- updated: the last change of any property
-- is_deleted <- archived, _is_deleted: also of loading tools
select
    id as account_id,
    coalesce(name, domain_of(domain)) as name,
    domain_of(domain) as domain,
    hubspot_owner_id as owner_id,
    segment,
    industry,
    country,
    parent as parent_account_id,
    plain_number(arr) as arr_usd,
    lifecyclestage as lifecycle_stage,
    plan as plan_id,
    vendor_time(createdate) as created_at,
    coalesce(vendor_time(updated), _extracted_at) as updated_at,
    coalesce(archived, _is_deleted) as is_deleted,
    _row_number
from source
