-- Grain: one row per source, id that its feeds have for an account, and account that it may be.
-- An id is linked where it can be one account alone; of one that can be several none counts until a person chooses.
-- Ids that are accounts themselves have no row. An e-mail address is its MD5 and its domain.
with

links as (

    select * from {{ source('crm', 'account_links') }}
    where is_of_own_source

),

accounts as (

    select
        account_id,
        name,
        owner_id
    from {{ ref('int_account_versions') }}
    where {{ as_of_end() }} between valid_from_date and valid_to_date

),

waiting as (

    select
        source,
        account_id,
        sum(rows_waiting) as rows_waiting
    from {{ source('quarantine', 'unresolved_ids') }}
    group by source, account_id

),

final as (

    select
        -- ids
        links.source,
        links.account_id as source_account_id,
        links.resolved_account_id as account_id,

        -- attributes
        accounts.name as account_name,
        accounts.owner_id,
        links.rule,
        case links.rule when 'identity' then 'high' when 'email' then 'medium' else 'low' end as confidence,
        links.is_linked,

        -- measures
        count(*) over (partition by links.source, links.account_id) as candidates,
        cast(coalesce(waiting.rows_waiting, 0) as bigint) as rows_waiting
    from links
    left join accounts
        on links.resolved_account_id = accounts.account_id
    left join waiting
        on
            links.source = waiting.source
            and links.account_id = waiting.account_id

)

select * from final
