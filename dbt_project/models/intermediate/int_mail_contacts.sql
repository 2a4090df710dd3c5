-- Grain: one row per account to which a mail may be written: an active contact who consented and has an address, the
-- champion first. The published copy holds no more of it than that there is one, and whether the name is known.
with

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

),

-- whose newest row was refused: nobody knows whether they still consent; without its key it may be any of the account
unknown_contacts as (

    select * from {{ ref('int_account_unknowns') }}
    where
        feed = 'crm/contacts'
        and {{ as_of_end() }} between valid_from_date and valid_to_date

),

ranked as (

    select
        account_id,
        contact_id,
        email,
        full_name,
        coalesce(trim(full_name), '') <> '' as has_name,
        row_number() over (
            partition by account_id
            order by
                case role
                    when 'champion' then 1
                    when 'sponsor' then 2
                    when 'admin' then 3
                    when 'user' then 4
                    else 5
                end,
                contact_id
        ) as place
    from contacts
    where
        marketing_consent
        and coalesce(deleted_date > {{ as_of_end() }}, true)
        and coalesce(is_active, true)
        and email is not null
        and coalesce(cast(consent_updated_at as date), {{ as_of_end() }}) <= {{ as_of_end() }}
        and coalesce(cast(created_at as date), {{ as_of_end() }}) <= {{ as_of_end() }}
        and contact_id not in (
            select entity_key from unknown_contacts
            where entity_key is not null
        )
        and account_id not in (
            select account_id from unknown_contacts
            where entity_key is null
        )

),

final as (

    select
        account_id,
        contact_id,
        email,
        full_name,
        has_name
    from ranked
    where place = 1

)

select * from final
