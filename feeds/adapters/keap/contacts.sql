-- feed: crm/contacts
-- Meanings: https://developer.keap.com/docs/restv2/#tag/Contact.
--
-- contact_id <- id: Keap's number of the contact
-- account_id <- company: Lossy: a contact of no company is left out
-- email <- emails: the first of the list
-- full_name <- given_name, family_name: joined
-- is_active <- _is_deleted: Keap does not say who left the company
-- created_at <- created: when the record was created
-- updated_at <- updated, created: the last change
-- is_deleted <- _is_deleted: of loading tools
select
    id as contact_id,
    company as account_id,
    case when emails[1] = '[' and json_valid(emails) then json_extract_string(emails, '$[0].email') else emails end
        as email,
    nullif(concat_ws(' ', given_name, family_name), '') as full_name,
    not is_true(_is_deleted) as is_active,
    vendor_time(created) as created_at,
    coalesce(vendor_time(coalesce(updated, created)), _extracted_at) as updated_at,
    _is_deleted as is_deleted,
    _row_number
from source
where company is not null
