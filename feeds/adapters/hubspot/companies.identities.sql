-- feed: crm/identities
-- Meanings: https://knowledge.hubspot.com/records/merge-records (the merged ids stay in hs_merged_object_ids).
--
-- source <- id: an id of the CRM, followed from every source; for a domain the word domain, so that two companies
--     of one domain are no contradiction, only no answer
-- source_account_id <- merged, domain: ids of companies that were merged into this one; and its domain, where no
--     other company of the file has it, so that whoever is known by e-mail address alone (Stripe, Mixpanel,
--     Zendesk) is found
-- account_id <- id: the company
with

merged_ids as (

    select
        trim(part) as other_id,
        id,
        _row_number
    from source, unnest(string_split(merged, ';')) as parts (part)

),

domains as (

    select
        company_domain(domain) as other_id,
        id,
        _row_number,
        count(distinct id) over (partition by company_domain(domain)) as companies
    from source
    where not is_true(coalesce(archived, _is_deleted))

)

select
    'crm' as source,
    other_id as source_account_id,
    id as account_id,
    _row_number
from merged_ids
where other_id not in ('', id)

union all

select
    'domain' as source,
    other_id as source_account_id,
    id as account_id,
    _row_number
from domains
where other_id is not null and companies = 1
