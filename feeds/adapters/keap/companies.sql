-- feed: crm/accounts
-- Meanings: https://developer.keap.com/docs/restv2/#tag/Company.
--
-- account_id <- id: Keap's number of the company
-- name <- name: as it is
-- domain <- website, email: of the website, else of the company's address where it is no free one
-- owner_id <- owner: the user who owns it
-- country <- country: of the address
-- segment <- type: the company's type
-- created_at <- created: when the record was created
-- updated_at <- updated, created: the last change
-- is_deleted <- _is_deleted: of loading tools
select
    id as account_id,
    name,
    coalesce(domain_of(website), case when not is_free_mail(domain_of(email)) then domain_of(email) end) as domain,
    owner as owner_id,
    country,
    type as segment,
    vendor_time(created) as created_at,
    coalesce(vendor_time(coalesce(updated, created)), _extracted_at) as updated_at,
    _is_deleted as is_deleted,
    _row_number
from source
