-- Grain: one row per row of seeds/excluded.csv, with how much it leaves out.
-- Guarantees a row where nothing matches, and no value of the file: it may be a person's name or address.
with

-- a seed has the order of its file
excluded as (

    select
        cast(row_number() over () as integer) as seed_row,
        kind,
        lower(trim(value)) as value,
        reason
    from {{ ref('excluded') }}

),

accounts as (

    select
        excluded_accounts.kind,
        excluded_accounts.value,
        count(*) as accounts
    from {{ ref('int_excluded_accounts') }} as excluded_accounts
    inner join {{ ref('int_account_versions') }} as versions
        on
            excluded_accounts.account_id = versions.account_id
            and excluded_accounts.version_at = versions.version_at
    where
        {{ as_of_end() }} between versions.valid_from_date and versions.valid_to_date
        and cast(versions.created_at as date) <= {{ as_of_end() }}
        and not versions.is_deleted
    group by excluded_accounts.kind, excluded_accounts.value

),

users as (

    select
        excluded_users.kind,
        excluded_users.value,
        count(distinct excluded_users.user_id) as users,
        sum(user_days.events) as events
    from {{ ref('int_excluded_users') }} as excluded_users
    inner join {{ ref('int_user_days') }} as user_days
        on
            excluded_users.account_id = user_days.account_id
            and excluded_users.user_id = user_days.user_id
    group by excluded_users.kind, excluded_users.value

),

excluded_contacts as (

    select * from {{ ref('stg_crm__excluded_contacts') }}

),

contacts as (

    select
        kind,
        value,
        count(*) as contacts
    from excluded_contacts
    group by kind, value

),

records as (

    select
        excluded_contacts.kind,
        excluded_contacts.value,
        count(*) as records
    from (
        select distinct
            contact_id,
            touchpoint_id as record_id
        from {{ source('crm', 'touchpoints') }}
        union all
        select distinct
            contact_id,
            ticket_id as record_id
        from {{ source('support', 'tickets') }}
        union all
        select distinct
            contact_id,
            message_id as record_id
        from {{ source('comms', 'messages') }}
        union all
        select distinct
            contact_id,
            response_id as record_id
        from {{ source('feedback', 'surveys') }}
    ) as records_of_contacts
    inner join excluded_contacts
        on records_of_contacts.contact_id = excluded_contacts.contact_id
    group by excluded_contacts.kind, excluded_contacts.value

),

final as (

    select
        excluded.seed_row,
        excluded.kind,
        excluded.reason,
        coalesce(accounts.accounts, 0) as accounts,
        coalesce(users.users, 0) as users,
        cast(coalesce(users.events, 0) as bigint) as events,
        coalesce(contacts.contacts, 0) as contacts,
        coalesce(records.records, 0) as records,
        accounts.accounts is null and users.users is null and contacts.contacts is null as is_unmatched
    from excluded
    left join accounts
        on
            excluded.kind = accounts.kind
            and excluded.value = accounts.value
    left join users
        on
            excluded.kind = users.kind
            and excluded.value = users.value
    left join contacts
        on
            excluded.kind = contacts.kind
            and excluded.value = contacts.value
    left join records
        on
            excluded.kind = records.kind
            and excluded.value = records.value

)

select * from final
