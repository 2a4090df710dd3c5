-- feed: crm/owners
-- Meanings: the object reference of User.
--
-- owner_id <- id: 18 characters
-- name <- name, first_name, last_name, email: the address where there is no name
-- email <- email: as it is
-- is_active <- active: a user is never deleted, only made inactive
-- updated_at <- updated: SystemModstamp
select
    salesforce_id(id) as owner_id,
    coalesce(name, nullif(concat_ws(' ', first_name, last_name), ''), email) as name,
    email,
    active as is_active,
    coalesce(vendor_time(updated), _extracted_at) as updated_at,
    _row_number
from source
