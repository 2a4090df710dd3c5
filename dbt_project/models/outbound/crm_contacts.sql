-- Grain: one row per contact who may be written to, with what campaigns go by.
-- Not published: it holds e-mail addresses.
-- Guarantees that the contact is active, has consented to marketing by the day, belongs to an account that is scored on
-- the newest as-of date, and that nobody else has the address: of two contacts with one address the newer one counts.
with

accounts as (

    select * from {{ ref('rpt_account_health') }}

),

reachable as (

    select
        contact_id,
        account_id,
        lower(trim(email)) as email,
        row_number() over (
            partition by lower(trim(email))
            order by updated_at desc, contact_id asc
        ) as place
    from {{ ref('stg_crm__contacts') }}
    where
        email is not null
        and marketing_consent
        and coalesce(is_active, true)
        and coalesce(cast(consent_updated_at as date), cast('0001-01-01' as date)) <= {{ as_of_end() }}
        and {{ not_deleted_by(as_of_end()) }}

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
