-- feed: crm/identities
-- Meanings: the object reference of Account (MasterRecordId: the record that is left of a merge).
--
-- source <- id: an id of the CRM, followed from every source; for a domain the word domain, so that two accounts of
--     one domain are no contradiction, only no answer
-- source_account_id <- id, website: the losing record of a merge; the 15 characters of an id, as reports and other
--     tools write it; and the account's domain, where no other account of the file has it
-- account_id <- master, id: the record that is left
with

accounts as (

    select
        salesforce_id(id) as account_id,
        salesforce_id(master) as master_id,
        company_domain(website) as domain,
        count(distinct salesforce_id(id)) filter (where not is_true(coalesce(deleted, _is_deleted)))
            over (partition by company_domain(website)) as accounts_of_domain,
        is_true(coalesce(deleted, _is_deleted)) as is_deleted,
        _row_number
    from source

)

select
    'crm' as source,
    account_id as source_account_id,
    master_id as account_id,
    _row_number
from accounts
where master_id is not null and master_id <> account_id

union all

select
    'crm' as source,
    left(account_id, 15) as source_account_id,
    account_id,
    _row_number
from accounts
where length(account_id) = 18 and not is_deleted

union all

select
    'domain' as source,
    domain as source_account_id,
    account_id,
    _row_number
from accounts
where domain is not null and accounts_of_domain = 1 and not is_deleted
