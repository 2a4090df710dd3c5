-- feed: support/tickets
-- Meanings: https://developers.hubspot.com/docs/api-reference/crm-tickets-v3/guide.
--
-- ticket_id <- id: the record id
-- account_id <- company, companies: the primary company, else the first that is associated. A ticket of no company
--     is refused, so that the feed does not look as if it had fewer
-- contact_id <- contacts: the first contact that is associated
-- status <- closed, stage: closed where it has a close date; the stages 1 to 4 of the default pipeline are new,
--     pending (waiting on contact), open (waiting on us) and closed; other stages are ids of your pipelines, and
--     open
-- priority <- priority: LOW, MEDIUM (normal), HIGH, URGENT
-- subject <- subject: as it is
-- body <- content: the description
-- opened_at <- createdate: when the record was created
-- first_response_at <- first_reply: the first e-mail of an agent
-- resolved_at <- closed: when it was closed last
-- updated_at <- updated: the last change of any property
-- is_deleted <- archived, _is_deleted: also of loading tools
with

tickets as (

    select
        *,
        coalesce(
            trim(string_split(company, ';')[1]),
            case when json_valid(companies) then json_extract_string(companies, '$[0].id') end
        ) as company_id
    from source

)

select
    id as ticket_id,
    company_id as account_id,
    case when json_valid(contacts) then json_extract_string(contacts, '$[0].id') end as contact_id,
    case
        when closed is not null then 'closed'
        when stage in ('1', '2', '3', '4') then ['new', 'pending', 'open', 'closed'][cast(stage as integer)]
        when regexp_full_match(stage, '[0-9]+') or stage is null then 'open'
        else stage
    end as status,
    case lower(priority) when 'medium' then 'normal' else lower(priority) end as priority,
    subject,
    content as body,
    vendor_time(createdate) as opened_at,
    vendor_time(first_reply) as first_response_at,
    vendor_time(closed) as resolved_at,
    coalesce(vendor_time(updated), _extracted_at) as updated_at,
    coalesce(archived, _is_deleted) as is_deleted,
    _row_number
from tickets
