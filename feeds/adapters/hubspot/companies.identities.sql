-- feed: crm/identities
-- Meanings: https://knowledge.hubspot.com/records/merge-records (the merged ids stay in hs_merged_object_ids).
--
-- source <- id: an id of the CRM, followed from every source
-- source_account_id <- merged: ids of companies that were merged into this one
-- account_id <- id: the company that is left
with

merged_ids as (

    select
        trim(part) as other_id,
        id,
        _row_number
    from source, unnest(string_split(merged, ';')) as parts (part)

)

select
    'crm' as source,
    other_id as source_account_id,
    id as account_id,
    _row_number
from merged_ids
where other_id not in ('', id)
