-- feed: crm/touchpoints
-- Meanings: https://developers.pipedrive.com/docs/api/v1/Activities.
--
-- touchpoint_id <- id: as it is
-- account_id <- organization: Lossy: an activity of no organization is left out
-- contact_id <- person: the main person
-- owner_id <- owner: who is responsible
-- channel <- type: call, email and meeting; lunch is a meeting; tasks, deadlines and types of yours are left out,
--     as is what is not done
-- direction <- type: Pipedrive does not say; outbound. A meeting counts as an answer in either direction
-- occurred_at <- done_at, due_date, due_time, created: when it was marked as done, else when it was due, UTC
-- is_deleted <- deleted, active, _is_deleted: active_flag false is deleted
select
    id as touchpoint_id,
    organization as account_id,
    person as contact_id,
    owner as owner_id,
    case lower(type) when 'lunch' then 'meeting' else lower(type) end as channel,
    'outbound' as direction,
    coalesce(vendor_time(done_at), nullif(concat_ws(' ', due_date, due_time), ''), vendor_time(created)) as occurred_at,
    is_true(coalesce(deleted, _is_deleted)) or coalesce(lower(active), 'true') in ('false', '0') as is_deleted,
    _row_number
from source
where
    organization is not null
    and lower(type) in ('call', 'email', 'meeting', 'lunch')
    and (is_true(done) or lower(done) = 'done')
