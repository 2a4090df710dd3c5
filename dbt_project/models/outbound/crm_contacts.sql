-- Grain: one row per contact who may be written to, with what campaigns go by.
-- Not published: it holds e-mail addresses.
-- Guarantees that the contact is active, has consented to marketing by the day and no newer row of it was refused, that
-- it belongs to an account that is scored on the newest as-of date, and that nobody else has the address: of two
-- contacts with one address the newer one counts.
with

accounts as (

    select * from {{ ref('rpt_account_health') }}

),

unknown_contacts as (

    select * from {{ ref('int_account_unknowns') }}
    where
        feed = 'crm/contacts'
        and {{ as_of_end() }} between valid_from_date and valid_to_date

),

reachable as (

    select
        contacts.contact_id,
        contacts.account_id,
        lower(trim(contacts.email)) as email,
        row_number() over (
            partition by lower(trim(contacts.email))
            order by contacts.updated_at desc, contacts.contact_id asc
        ) as place
    from {{ ref('stg_crm__contacts') }} as contacts
    where
        contacts.email is not null
        and contacts.marketing_consent
        and coalesce(contacts.is_active, true)
        and coalesce(cast(contacts.consent_updated_at as date), cast('0001-01-01' as date)) <= {{ as_of_end() }}
        and {{ not_deleted_by(as_of_end(), 'contacts') }}
        and contacts.contact_id not in (
            select entity_key from unknown_contacts
            where entity_key is not null
        )
        and contacts.account_id not in (
            select account_id from unknown_contacts
            where entity_key is null
        )

),

final as (

    select
        -- ids
        reachable.contact_id,
        reachable.account_id,
        reachable.email,

        -- what campaigns go by
        accounts.bucket,
        accounts.decision,
        accounts.flags,
        accounts.as_of_date
    from reachable
    inner join accounts
        on reachable.account_id = accounts.account_id
    where reachable.place = 1

)

select * from final
