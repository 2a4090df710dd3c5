-- Grain: one row per active contact who consented to marketing and interval (valid_from_date to valid_to_date, both
-- included) over which that is known: from the day on which contact and consent exist, until the contact is deleted,
-- and not while a newer row of it was refused. A refused row without its key may be of any contact of the account.
-- The one definition of whose consent is known. Not published: it has e-mail addresses.
with

contacts as (

    select
        contact_id,
        account_id,
        email,
        full_name,
        role,
        language,
        updated_at,
        greatest(
            coalesce(cast(created_at as date), date '0001-01-01'),
            coalesce(cast(consent_updated_at as date), date '0001-01-01')
        ) as first_date,
        coalesce({{ add_days('deleted_date', -1) }}, date '9999-12-31') as last_date
    from {{ ref('stg_crm__contacts') }}
    where
        marketing_consent
        and coalesce(is_active, true)

),

refused as (

    select
        contacts.contact_id,
        unknowns.valid_from_date,
        unknowns.valid_to_date
    from {{ ref('int_account_unknowns') }} as unknowns
    inner join contacts
        on
            unknowns.entity_key = contacts.contact_id
            or (unknowns.entity_key is null and unknowns.account_id = contacts.account_id)
    where unknowns.feed = 'crm/contacts'

),

starts as (

    select
        contact_id,
        first_date as valid_from_date
    from contacts
    union
    select
        contact_id,
        {{ add_days('valid_to_date', 1) }} as valid_from_date
    from refused
    where valid_to_date < date '9999-12-31'

),

intervals as (

    select
        starts.contact_id,
        starts.valid_from_date,
        min({{ add_days('refused.valid_from_date', -1) }}) as last_known_date
    from starts
    left join refused
        on
            starts.contact_id = refused.contact_id
            and starts.valid_from_date <= refused.valid_to_date
    group by starts.contact_id, starts.valid_from_date

),

final as (

    select
        contacts.contact_id,
        contacts.account_id,
        contacts.email,
        contacts.full_name,
        contacts.role,
        contacts.language,
        contacts.updated_at,
        intervals.valid_from_date,
        least(contacts.last_date, intervals.last_known_date) as valid_to_date
    from intervals
    inner join contacts
        on intervals.contact_id = contacts.contact_id
    where
        intervals.valid_from_date >= contacts.first_date
        and intervals.valid_from_date <= least(contacts.last_date, intervals.last_known_date)

)

select * from final
