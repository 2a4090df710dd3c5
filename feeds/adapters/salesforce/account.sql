-- feed: crm/accounts
-- Meanings: the object reference of Account, and of system fields
-- (https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/system_fields.htm).
--
-- account_id <- id: 18 characters; the 15 of reports are completed
-- name <- name: as it is
-- domain <- website: without www and path
-- owner_id <- owner: an id of salesforce/user. Lossy: reports have the owner's name unless the column Owner ID is
--     added
-- segment <- segment: Salesforce has no field for it; one of yours that is called Segment__c or so
-- industry <- industry: as it is
-- country <- country: of the billing address
-- parent_account_id <- parent: 18 characters
-- arr_usd <- arr: Salesforce has no field for it (AnnualRevenue is the company's own turnover); one of yours,
--     ARR__c or so
-- lifecycle_stage <- type: Prospect, Customer and the like; seeds/not_customers.csv says which are no customers
-- plan_id <- plan: a field of yours
-- created_at <- created: when the record was created
-- updated_at <- updated: SystemModstamp, which also changes without a person
-- is_deleted <- deleted, _is_deleted: also the losing record of a merge, which salesforce/account names in
--     crm/identities
select
    salesforce_id(id) as account_id,
    name,
    domain_of(website) as domain,
    salesforce_id(owner) as owner_id,
    segment,
    industry,
    country,
    salesforce_id(parent) as parent_account_id,
    plain_number(arr) as arr_usd,
    type as lifecycle_stage,
    plan as plan_id,
    vendor_time(created) as created_at,
    coalesce(vendor_time(updated), _extracted_at) as updated_at,
    coalesce(deleted, _is_deleted) as is_deleted,
    _row_number
from source
