-- feed: crm/accounts
-- Meanings: https://developers.pipedrive.com/docs/api/v1/Organizations.
--
-- account_id <- id: as it is
-- name <- name: as it is
-- domain <- website: a field of yours that is called website or domain; Pipedrive's own is not always filled
-- owner_id <- owner: an id of pipedrive/users
-- country <- country: of the address
-- segment <- label: the organization's label
-- created_at <- created: when the record was created
-- updated_at <- updated, created: the last change
-- is_deleted <- deleted, active, _is_deleted: active_flag false is deleted
select
    id as account_id,
    name,
    domain_of(website) as domain,
    owner as owner_id,
    country,
    label as segment,
    vendor_time(created) as created_at,
    coalesce(vendor_time(coalesce(updated, created)), _extracted_at) as updated_at,
    is_true(coalesce(deleted, _is_deleted)) or coalesce(lower(active), 'true') in ('false', '0') as is_deleted,
    _row_number
from source
