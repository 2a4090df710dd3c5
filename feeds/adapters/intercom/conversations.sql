-- feed: support/tickets
-- Meanings: https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations/conversation.
--
-- ticket_id <- id: the conversation's id
-- account_id <- contacts, author_id, author_email: the first contact, whom intercom/contacts gives an account; else
--     who began it; else the address, as its MD5 and domain. Conversations that a teammate or a bot began with nobody are
--     left out
-- status <- state: open and closed; snoozed is pending
-- priority <- priority: priority is high, not_priority normal; Intercom has no others
-- subject <- subject: as it is, with the markup of the mail
-- body <- body: the first message, with its markup
-- opened_at <- created_at: when it began
-- first_response_at <- answered: the first reply of a teammate
-- resolved_at <- closed: when it was closed last, where it is closed
-- updated_at <- updated_at: the last change
with

conversations as (

    select
        *,
        coalesce(
            case when json_valid(contacts) then json_extract_string(contacts, '$[0].id') end,
            case when coalesce(author_type, 'user') in ('user', 'lead', 'contact') then author_id end,
            mail_id(author_email)
        ) as account_id
    from source

)

select
    id as ticket_id,
    account_id,
    case lower(state) when 'snoozed' then 'pending' else lower(state) end as status,
    case
        when lower(priority) in ('priority', 'true') then 'high'
        when lower(priority) in ('not_priority', 'false') then 'normal'
        else priority
    end as priority,
    subject,
    body,
    vendor_time(created_at) as opened_at,
    vendor_time(answered) as first_response_at,
    case when lower(state) = 'closed' then vendor_time(closed) end as resolved_at,
    coalesce(vendor_time(updated_at), _extracted_at) as updated_at,
    _row_number
from conversations
where account_id is not null
