-- On the contact store, `radar.publishing.contact_store`.
-- name: contacts
select contact_id, full_name, email
from contacts
where account_id = $account_id and [[mine owner_id]];

-- name: texts
select kind, object_id, title, text
from texts
where account_id = $account_id and [[mine owner_id]];
