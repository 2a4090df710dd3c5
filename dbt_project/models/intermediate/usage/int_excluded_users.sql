-- Grain: one row per account and user whose events do not count, with the reason that seeds/excluded.csv gives.
-- Not published: user ids may be e-mail addresses.
with

excluded as (

    select
        kind,
        lower(trim(value)) as value,
        reason
    from {{ ref('excluded') }}
    where kind in ('user_id', 'email_domain')

),

users as (

    select distinct
        account_id,
        user_id
    from {{ ref('int_user_days') }}
    where
        user_id is not null
        and exists (select 1 from excluded)

),

final as (

    select
        users.account_id,
        users.user_id,
        min(excluded.reason) as reason
    from users
    inner join excluded
        on
            (excluded.kind = 'user_id' and lower(users.user_id) = excluded.value)
            or (
                excluded.kind = 'email_domain'
                and users.user_id like '%@%'
                and '.' || lower(trim(split_part(users.user_id, '@', 2))) like '%.' || excluded.value
            )
    group by users.account_id, users.user_id

)

select * from final
