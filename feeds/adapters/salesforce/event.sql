-- feed: crm/touchpoints
-- Meanings: the object reference of Event.
--
-- touchpoint_id <- id: 18 characters
-- account_id <- account: the account that Salesforce derives from what the event is about. Lossy: an event of no
--     account is left out
-- contact_id <- who: a contact (003); a lead is none
-- owner_id <- owner: whose calendar it is
-- channel <- id: an event is a meeting
-- direction <- id: a meeting counts as an answer in either direction
-- occurred_at <- start: when it begins; invitees have copies (IsChild), which are left out, as are meetings still
--     to come
-- is_deleted <- deleted, _is_deleted: also of loading tools
select
    salesforce_id(id) as touchpoint_id,
    salesforce_id(account) as account_id,
    case when starts_with(who, '003') then salesforce_id(who) end as contact_id,
    salesforce_id(owner) as owner_id,
    'meeting' as channel,
    'outbound' as direction,
    vendor_time(start) as occurred_at,
    coalesce(deleted, _is_deleted) as is_deleted,
    _row_number
from source
where
    account is not null
    and not is_true(child)
    and (_extracted_at is null or moment(start) is null or moment(start) <= moment(_extracted_at) + interval 1 day)
