-- Grain: one row per account and object of seeds/links.csv that is the account itself, in the CRM or in another source.
-- Another source's id is one that crm/identities names: what an e-mail address or a domain led to is no record there.
with

links as (

    select * from {{ ref('links') }}
    where is_used

),

in_the_crm as (

    select
        'account' as object,
        account_id,
        account_id as object_id
    from {{ ref('int_account_versions') }}
    where {{ as_of_end() }} between valid_from_date and valid_to_date

),

in_other_sources as (

    select
        source || '_account' as object,
        account_id,
        min(source_account_id) as object_id
    from {{ ref('dim_account_links') }}
    where
        is_linked
        and rule = 'identity'
    group by source, account_id

),

records as (

    select * from in_the_crm
    union all
    select * from in_other_sources

),

final as (

    select
        records.account_id,
        records.object,
        records.object_id,
        'Open in ' || links.vendor as label,
        replace(links.pattern, '{id}', url_encode(records.object_id)) as url
    from records
    inner join links
        on records.object = links.object

)

select * from final
