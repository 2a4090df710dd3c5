-- feed: crm/owners
-- Meanings: https://developers.pipedrive.com/docs/api/v1/Users.
--
-- owner_id <- id: as it is
-- name <- name: as it is
-- email <- email: as it is
-- is_active <- active: as it is
-- updated_at <- updated: the last change
select
    id as owner_id,
    name,
    email,
    active as is_active,
    coalesce(vendor_time(updated), _extracted_at) as updated_at,
    _row_number
from source
