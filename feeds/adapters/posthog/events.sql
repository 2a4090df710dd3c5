-- feed: product/events
-- Meanings: https://posthog.com/docs/cdp/batch-exports/s3, https://posthog.com/docs/product-analytics/group-analytics.
--
-- event_id <- id: the event's uuid
-- account_id <- account_key, email, distinct_id, identified, profiled: the event's group account, company,
--     organization or workspace, else the first group type, else a property account_id, company_id ...; else the
--     person's e-mail address, as its MD5 and domain. Lossy: events of anonymous visitors ($is_identified or
--     $process_person_profile false) are left out; an event of a user without an account is refused, so that it
--     does not look as if nothing had happened
-- user_id <- distinct_id: a person may have several; PostHog's merging of persons is not followed
-- event_name <- event: as it is; PostHog's own begin with $
-- occurred_at <- timestamp: UTC
-- properties <- properties: as they are
with

events as (

    select
        *,
        coalesce(
            account_key,
            mail_id(email),
            mail_id(distinct_id)
        ) as account
    from source

)

select
    coalesce(id, md5(concat_ws('|', event, distinct_id, timestamp))) as event_id,
    account as account_id,
    distinct_id as user_id,
    event as event_name,
    vendor_time(timestamp) as occurred_at,
    properties,
    _row_number
from events
where
    account is not null
    or not (
        coalesce(lower(identified), 'true') = 'false'
        or coalesce(lower(profiled), 'true') = 'false'
    )
