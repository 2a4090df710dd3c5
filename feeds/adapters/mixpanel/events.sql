-- feed: product/events
-- Meanings: https://docs.mixpanel.com/reference/raw-event-export, https://docs.mixpanel.com/reference/import-events.
--
-- event_id <- insert_id, event, distinct_id, time: Mixpanel knows an event again by its $insert_id together with
--     name, user and time, so all four are in it
-- account_id <- account_key, email, distinct_id: the group of the event (a property account_id, company_id,
--     organization_id, workspace_id ..., of several the first); else the user's e-mail address, as its MD5 and
--     domain. Lossy: events of devices that nobody has identified ($device:), such as visitors of a site, are
--     left out; an event of a user without an account is refused, so that it does not look as if nothing had
--     happened
-- user_id <- user, distinct_id: the identified user, else the distinct id
-- event_name <- event: as Mixpanel has it
-- occurred_at <- time: seconds or milliseconds since 1970 in UTC; projects from before 2023 write them in the
--     project's time zone
-- properties <- properties: as they are
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
            mail_id(distinct_id)
        ) as account
    from source

)

select
    concat_ws('-', insert_id, left(md5(concat_ws('|', event, distinct_id, time)), 12)) as event_id,
    account as account_id,
    coalesce(user, distinct_id) as user_id,
    event as event_name,
    vendor_time(time) as occurred_at,
    properties,
    _row_number
from events
where account is not null or user is not null or not starts_with(distinct_id, '$device:')
