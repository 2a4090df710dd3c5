-- Grain: one row per account to which a mail may be written: a contact who consented and has an address,
-- the role champion first. The published copy has no more of it than that there is one, whether the name is known, and
-- the language of the mail: the contact's, else the account's.
with

ranked as (

    select
        account_id,
        contact_id,
        email,
        full_name,
        coalesce(trim(full_name), '') <> '' as has_name,
        nullif(lower(trim(language)), '') as language,
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

-- accounts have a row for each of their versions
accounts as (

    select
        account_id,
        nullif(lower(trim(language)), '') as language,
        row_number() over (
            partition by account_id
            order by version_at desc
        ) as version_rank
    from {{ ref('stg_crm__accounts') }}

),

final as (

    select
        ranked.account_id,
        ranked.contact_id,
        ranked.email,
        ranked.full_name,
        ranked.has_name,
        coalesce(ranked.language, accounts.language) as language
    from ranked
    left join accounts
        on
            ranked.account_id = accounts.account_id
            and accounts.version_rank = 1
    where ranked.contact_rank = 1

)

select * from final
