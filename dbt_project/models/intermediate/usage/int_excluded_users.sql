-- Grain: one row per account, user whose events do not count, and row of seeds/excluded.csv that leaves the user out.
-- Not published: user ids may be e-mail addresses.
with

-- an asterisk of a bot's pattern is any text; what LIKE would read as a sign of its own is escaped
excluded as (

    select distinct
        kind,
        lower(trim(value)) as value,
        replace(
            replace(replace(replace(lower(trim(value)), '!', '!!'), '%', '!%'), '_', '!_'), '*', '%'
        ) as pattern
    from {{ ref('excluded') }}
    where kind in ('user_id', 'email', 'email_domain', 'bot')

),

users as (

    select distinct
        account_id,
        user_id,
        lower(trim(user_id)) as folded_id
    from {{ ref('int_user_days') }}
    where
        user_id is not null
        and exists (select 1 from excluded)

),

final as (

    select
        users.account_id,
        users.user_id,
        excluded.kind,
        excluded.value
    from users
    inner join excluded
        on
            (excluded.kind in ('user_id', 'email') and users.folded_id = excluded.value)
            or (
                excluded.kind = 'email_domain'
                and users.user_id like '%@%'
                and '.' || trim(split_part(users.folded_id, '@', 2)) like '%.' || excluded.value
            )
            or (excluded.kind = 'bot' and users.folded_id like excluded.pattern escape '!')

)

select * from final
