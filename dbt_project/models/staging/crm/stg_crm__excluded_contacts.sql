-- Grain: one row per contact and row of seeds/excluded.csv that leaves it out.
-- Any version of the contact counts: one whose address was changed or taken away since stays left out.
with

excluded as (

    select distinct
        kind,
        lower(trim(value)) as value
    from {{ ref('excluded') }}
    where kind in ('email', 'email_domain')

),

addresses as (

    select distinct
        contact_id,
        lower(trim(email)) as email
    from {{ source('crm', 'contacts') }}
    where
        email is not null
        and exists (select 1 from excluded)

),

final as (

    select
        addresses.contact_id,
        excluded.kind,
        excluded.value
    from addresses
    inner join excluded
        on
            (excluded.kind = 'email' and addresses.email = excluded.value)
            or (
                excluded.kind = 'email_domain'
                and '.' || split_part(addresses.email, '@', -1) like '%.' || excluded.value
            )
    group by addresses.contact_id, excluded.kind, excluded.value

)

select * from final
