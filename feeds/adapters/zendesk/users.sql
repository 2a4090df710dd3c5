-- feed: crm/identities
-- Meanings: https://developer.zendesk.com/api-reference/ticketing/users/users/.
--
-- source <- id: users ask for support
-- source_account_id <- id: the user's id, the account_id of tickets without an organization and of satisfaction
--     ratings
-- account_id <- organization, email: the user's organization, which zendesk/organizations says whose account it is;
--     else the e-mail address, as its MD5 and domain. Agents and admins are left out
select
    'support' as source,
    id as source_account_id,
    coalesce(organization, mail_id(email)) as account_id,
    _row_number
from source
where
    coalesce(organization, mail_id(email)) is not null
    and coalesce(lower(role), 'end-user') not in ('agent', 'admin')
