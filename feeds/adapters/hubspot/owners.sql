-- feed: crm/owners
-- Meanings: https://developers.hubspot.com/docs/api-reference/crm-crm-owners-v3/guide.
--
-- owner_id <- id: what hubspot_owner_id of other records names
-- name <- first_name, last_name, email: the e-mail address where there is no name
-- email <- email: as it is
-- is_active <- archived: an archived owner is a user who was taken out
-- updated_at <- updated: the last change
select
    id as owner_id,
    coalesce(nullif(concat_ws(' ', first_name, last_name), ''), email) as name,
    email,
    not is_true(coalesce(archived, _is_deleted)) as is_active,
    coalesce(vendor_time(updated), _extracted_at) as updated_at,
    _row_number
from source
