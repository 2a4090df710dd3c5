-- feed: crm/identities
-- Meanings: https://segment.com/docs/connections/spec/identify/.
--
-- source <- user: users use the product
-- source_account_id <- user: the user's id, the account_id of track calls without a group
-- account_id <- account_key, email: the trait account_id, company.id, company_id or organization_id; else the
--     e-mail address, as its MD5 and domain
select distinct on (user)
    'product' as source,
    user as source_account_id,
    coalesce(account_key, mail_id(email)) as account_id,
    _row_number
from source
where
    coalesce(lower(type), 'identify') = 'identify'
    and user is not null
    and coalesce(account_key, mail_id(email)) is not null
order by user asc, _row_number desc
