-- feed: product/events
-- Meanings: https://segment.com/docs/connections/spec/track/, https://segment.com/docs/connections/spec/common/.
--
-- event_id <- id, event, user, timestamp: the message's id; where a file has none, a hash of event, user and time
-- account_id <- group_key, account_key, email, user: the group of the call, which segment/group says whose account
--     it is; else a property account_id, company_id, organization_id ...; else the e-mail address, as its MD5 and
--     domain; of a free mail address only where there is no user, whom segment/identify gives an account. Lossy: calls of nobody are left out
-- user_id <- user, anonymous: the user's id, else the anonymous one
-- event_name <- event: as it was called; in a warehouse table that is event_text
-- occurred_at <- timestamp: Segment's corrected time of the client
-- properties <- properties: as they are; a warehouse table has them in columns, which are not read
select
    coalesce(id, md5(concat_ws('|', event, coalesce(user, anonymous), timestamp))) as event_id,
    coalesce(group_key, account_key, company_mail_id(email), user, mail_id(email)) as account_id,
    coalesce(user, anonymous) as user_id,
    event as event_name,
    vendor_time(timestamp) as occurred_at,
    properties,
    _row_number
from source
where
    coalesce(lower(type), 'track') = 'track'
    and coalesce(group_key, account_key, company_mail_id(email), user, mail_id(email)) is not null
