-- feed: crm/identities
-- Meanings: https://segment.com/docs/connections/spec/group/.
--
-- source <- group_key: groups use the product
-- source_account_id <- group_key: the group's id, the account_id of track calls with a group
-- account_id <- account_key, website: the trait account_id, crm_id, hubspot_id or salesforce_id; else the domain of
--     its website. Not needed where the group's id is the account's id in the CRM
select distinct on (group_key)
    'product' as source,
    group_key as source_account_id,
    coalesce(account_key, domain_of(website)) as account_id,
    _row_number
from source
where
    coalesce(lower(type), 'group') = 'group'
    and group_key is not null
    and coalesce(account_key, domain_of(website)) is not null
order by group_key asc, _row_number desc
