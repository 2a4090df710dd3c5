-- feed: product/events
-- Meanings: https://amplitude.com/docs/apis/analytics/export.
--
-- event_id <- id, insert_id, event, user, device, time: Amplitude's uuid of the event; without one a hash
-- account_id <- account_key, email, user: the group account_id, company_id, organization_id ... (of several the
--     first), else such a property of event or user; else the e-mail address, also where the user id is one, as its MD5 and domain.
--     Lossy: events without a user id are left out; an event of a user without an account is refused, so that it
--     does not look as if nothing had happened
-- user_id <- user, amplitude_id, device: the identified user, else Amplitude's own id
-- event_name <- event: as it is; Amplitude's own begin with $ or [Amplitude]
-- occurred_at <- time: UTC
-- properties <- properties: of the event alone
with

events as (

    select
        *,
        coalesce(
            case
                when account_key[1] = '[' and json_valid(account_key) then json_extract_string(account_key, '$[0]')
                else account_key
            end,
            mail_id(email),
            mail_id(user)
        ) as account
    from source

)

select
    coalesce(id, concat_ws('-', insert_id, left(md5(concat_ws('|', event, user, device, time)), 12))) as event_id,
    account as account_id,
    coalesce(user, amplitude_id, device) as user_id,
    event as event_name,
    vendor_time(time) as occurred_at,
    properties,
    _row_number
from events
where account is not null or user is not null
