-- Grain: one row per contact who may be written to, with what campaigns go by.
-- Not published: it has e-mail addresses.
-- Guarantees that the contact is active, has consented to marketing by the day and no newer row of it was refused, that
-- it belongs to an account that is scored on the newest as-of date, and that nobody else has the address: of two
-- contacts with one address the newer one counts.
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
        ) as email_rank
    from {{ ref('int_contact_consents') }}
    where
        email is not null
        and {{ as_of_end() }} between valid_from_date and valid_to_date

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
    where reachable.email_rank = 1

)

select * from final
