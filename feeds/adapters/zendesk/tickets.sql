-- feed: support/tickets
-- Meanings: https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/ and
-- https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_metrics/ (include=metric_sets).
--
-- ticket_id <- id: the ticket's number
-- account_id <- organization, requester, requester_email: the organization, which zendesk/organizations says whose
--     account it is; without one the requester, whom zendesk/users gives one, or the address, as its MD5 and domain
-- status <- status: new, open, pending, hold, solved, closed, deleted
-- priority <- priority: low, normal, high, urgent, or empty
-- subject <- subject: as it is
-- body <- description: the first comment
-- opened_at <- created_at: when it was created
-- first_response_at <- reply_minutes, created_at: created_at and the calendar minutes to the first reply; only with
--     metric sets
-- resolved_at <- solved_at: when it was solved last; only with metric sets, and empty while it is open. Without
--     them a solved ticket is closed at an unknown time
-- updated_at <- updated_at: the last change
-- is_deleted <- _is_deleted: of loading tools; Zendesk's own deleted tickets have the status deleted
select
    id as ticket_id,
    coalesce(organization, requester, mail_id(requester_email)) as account_id,
    lower(status) as status,
    lower(priority) as priority,
    subject,
    description as body,
    vendor_time(created_at) as opened_at,
    moment(created_at) + to_seconds(cast(round(try_cast(reply_minutes as double) * 60) as bigint)) as first_response_at,
    case when lower(status) not in ('new', 'open', 'pending', 'hold') then vendor_time(solved_at) end as resolved_at,
    coalesce(vendor_time(updated_at), _extracted_at) as updated_at,
    _is_deleted as is_deleted,
    _row_number
from source
