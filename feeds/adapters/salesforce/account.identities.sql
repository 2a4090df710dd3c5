-- feed: crm/identities
-- Meanings: the object reference of Account (MasterRecordId: the record that is left of a merge).
--
-- source <- id: an id of the CRM, followed from every source
-- source_account_id <- id: the losing record of a merge; and the 15 characters of an id, as reports and other tools
--     write it
-- account_id <- master, id: the record that is left
with

accounts as (

    select
        salesforce_id(id) as account_id,
        salesforce_id(master) as master_id,
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
