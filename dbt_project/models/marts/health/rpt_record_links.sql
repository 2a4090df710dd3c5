-- Grain: one row per record of a scored account that seeds/links.csv has an address for: the account itself, in the CRM
-- and in other sources, and its contacts, tickets, invoices and milestones in rpt_account_facts.
with

links as (

    select * from {{ ref('links') }}
    where is_used

),

accounts as (

    select account_id from {{ ref('rpt_account_health') }}

),

of_accounts as (

    select urls.*
    from {{ ref('int_account_urls') }} as urls
    inner join accounts
        on urls.account_id = accounts.account_id

),

of_facts as (

    select
        facts.account_id,
        facts.kind as object,
        facts.fact_id as object_id,
        'Open in ' || links.vendor as label,
        replace(links.pattern, '{id}', url_encode(facts.fact_id)) as url
    from {{ ref('rpt_account_facts') }} as facts
    inner join links
        on facts.kind = links.object

),

final as (

    select
        account_id,
        object,
        object_id,
        label,
        url
    from of_accounts
    union all
    select
        account_id,
        object,
        object_id,
        label,
        url
    from of_facts

)

select * from final
