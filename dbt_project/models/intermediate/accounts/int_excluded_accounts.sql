-- Grain: one row per account, version and row of seeds/excluded.csv that leaves it out, with the reason given there.
with

excluded as (

    select
        kind,
        lower(trim(value)) as value,
        min(reason) as reason
    from {{ ref('excluded') }}
    where kind in ('account_id', 'domain')
    group by kind, lower(trim(value))

),

final as (

    select
        accounts.account_id,
        accounts.version_at,
        excluded.kind,
        excluded.value,
        excluded.reason
    from {{ ref('stg_crm__accounts') }} as accounts
    inner join excluded
        on
            (excluded.kind = 'account_id' and lower(accounts.account_id) = excluded.value)
            or (
                excluded.kind = 'domain'
                and '.' || lower(trim(accounts.domain)) like '%.' || excluded.value
            )

)

select * from final
