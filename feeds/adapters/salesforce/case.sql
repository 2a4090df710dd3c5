-- feed: support/tickets
-- Meanings: the object reference of Case.
--
-- ticket_id <- id: 18 characters
-- account_id <- account: 18 characters; a case of no account is refused, so that the feed does not look as if it
--     had fewer
-- contact_id <- contact: 18 characters
-- status <- is_closed, status: closed where the case is, else the word of your picklist; seeds/ticket_statuses.csv
--     says which words are open
-- priority <- priority: Low, Medium (normal), High; Critical and Urgent are urgent; other words are left out
-- subject <- subject: as it is
-- body <- description: as it is
-- opened_at <- created: when it was opened
-- resolved_at <- closed: when it was closed last
-- updated_at <- updated: SystemModstamp
-- is_deleted <- deleted, _is_deleted: also of loading tools
select
    salesforce_id(id) as ticket_id,
    salesforce_id(account) as account_id,
    salesforce_id(contact) as contact_id,
    case when is_true(is_closed) then 'closed' else lower(status) end as status,
    case lower(priority) when 'medium' then 'normal' when 'critical' then 'urgent' else lower(priority) end as priority,
    subject,
    description as body,
    vendor_time(created) as opened_at,
    vendor_time(closed) as resolved_at,
    coalesce(vendor_time(updated), _extracted_at) as updated_at,
    coalesce(deleted, _is_deleted) as is_deleted,
    _row_number
from source
