-- Grain: one row per account to which a mail may be written: a contact who consented and has an address,
-- the role champion first. The published copy has no more of it than that there is one, and whether the name is known.
with

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
        ) as contact_rank
    from {{ ref('int_contact_consents') }}
    where
        email is not null
        and {{ as_of_end() }} between valid_from_date and valid_to_date

),

final as (

    select
        account_id,
        contact_id,
        email,
        full_name,
        has_name
    from ranked
    where contact_rank = 1

)

select * from final
