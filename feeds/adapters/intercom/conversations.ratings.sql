-- feed: feedback/surveys
-- Meanings: https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations/conversation.
--
-- response_id <- id: a conversation has one rating
-- account_id <- contacts, author_id, author_email: as for the conversation
-- kind <- rating: ratings of conversations are csat
-- score <- rating: from 1 to 5, as the contract counts
-- comment <- remark: as it is
-- responded_at <- rated, updated_at: when the rating was asked for, which is close to the answer
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
    id as response_id,
    account_id,
    'csat' as kind,
    rating as score,
    remark as comment,
    vendor_time(coalesce(rated, updated_at)) as responded_at,
    _row_number
from conversations
where rating is not null and account_id is not null
