-- feed: crm/touchpoints
-- Meanings: https://developers.hubspot.com/docs/api-reference/crm-calls-v3/guide, and the guides of
-- emails, meetings and notes.
--
-- touchpoint_id <- id: the engagement's id
-- account_id <- companies, company: the first company that is associated. Lossy: an engagement of no company is
--     left out
-- contact_id <- contacts, contact: the first contact that is associated
-- owner_id <- owner: who logged it
-- channel <- type, email_direction, call_direction, meeting, note: the engagement's type, else by which properties
--     it has. Left out: tasks, and messages by SMS, WhatsApp, LinkedIn and post, for which the contract has no word
-- direction <- email_direction, call_direction, type: INCOMING_EMAIL and INBOUND are inbound, everything else
--     outbound; a meeting counts as an answer in either direction
-- is_automated <- sequence: e-mails of a sequence are sent by HubSpot itself. Lossy: other automatic e-mails look
--     like a person's
-- occurred_at <- timestamp: when it happened
-- is_deleted <- archived, _is_deleted: also of loading tools
with

engagements as (

    select
        *,
        coalesce(
            case
                when json_valid(companies)
                    then coalesce(json_extract_string(companies, '$[0].id'), json_extract_string(companies, '$[0]'))
            end,
            trim(string_split(company, ';')[1])
        ) as company_id,
        coalesce(
            case
                when json_valid(contacts)
                    then coalesce(json_extract_string(contacts, '$[0].id'), json_extract_string(contacts, '$[0]'))
            end,
            trim(string_split(contact, ';')[1])
        ) as contact_id,
        lower(coalesce(
            type,
            case
                when email_direction is not null then 'email'
                when coalesce(call_direction, call_title) is not null then 'call'
                when meeting is not null then 'meeting'
                when note is not null then 'note'
            end
        )) as kind
    from source

)

select
    id as touchpoint_id,
    company_id as account_id,
    contact_id,
    owner as owner_id,
    case
        when kind in ('email', 'incoming_email', 'forwarded_email') then 'email'
        when kind in ('call', 'meeting', 'note') then kind
    end as channel,
    case
        when kind = 'incoming_email' or lower(email_direction) = 'incoming_email' then 'inbound'
        when lower(call_direction) = 'inbound' then 'inbound'
        else 'outbound'
    end as direction,
    sequence is not null as is_automated,
    vendor_time(timestamp) as occurred_at,
    coalesce(archived, _is_deleted) as is_deleted,
    _row_number
from engagements
where
    company_id is not null
    and kind in ('email', 'incoming_email', 'forwarded_email', 'call', 'meeting', 'note')
