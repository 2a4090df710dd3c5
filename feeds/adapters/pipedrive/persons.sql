-- feed: crm/contacts
-- Meanings: https://developers.pipedrive.com/docs/api/v1/Persons.
--
-- contact_id <- id: as it is
-- account_id <- organization: Lossy: a person of no organization is left out
-- email <- emails: the first of the list
-- full_name <- name: as it is
-- created_at <- created: when the record was created
-- updated_at <- updated, created: the last change
-- is_active <- active, deleted: Pipedrive does not say who left
-- is_deleted <- deleted, active, _is_deleted: active_flag false is deleted
with

persons as (

    select
        *,
        is_true(coalesce(deleted, _is_deleted)) or coalesce(lower(active), 'true') in ('false', '0') as is_gone
    from source

)

select
    id as contact_id,
    organization as account_id,
    case
        when emails[1] = '[' and json_valid(emails)
            then coalesce(json_extract_string(emails, '$[0].value'), json_extract_string(emails, '$[0]'))
        else emails
    end as email,
    name as full_name,
    not is_gone as is_active,
    vendor_time(created) as created_at,
    coalesce(vendor_time(coalesce(updated, created)), _extracted_at) as updated_at,
    is_gone as is_deleted,
    _row_number
from persons
where organization is not null
