-- Grain: one row per account, feed, refused thing and interval (both ends included) over which rows of it are missing
-- that were refused: what the feed has about the account on these days is not known.
-- entity_key: the key of what was refused, such as a contact_id; null where it could not be read. A contact that
-- seeds/excluded.csv leaves out makes nothing unknown.
-- From when the refused version was made or the fact happened, or from the first version on where there is no other;
-- until a later version landed, or enough other facts did. Where the time cannot be read it is the day of arrival, or
-- the first day of this build where the rows arrived after it.
with

refused as (

    select * from {{ source('quarantine', 'refused_keys') }}

),

aliases as (

    select * from {{ source('crm', 'account_aliases') }}

),

bounded as (

    select
        coalesce(aliases.resolved_account_id, refused.account_id) as account_id,
        refused.feed,
        refused.entity_key,
        case
            when not coalesce(refused.has_earlier_version, true) then date '0001-01-01'
            when refused.fact_at < refused.rejected_at + interval '1 day' then cast(refused.fact_at as date)
            else least(cast(refused.rejected_at as date), {{ as_of_start() }})
        end as valid_from_date,
        case
            when refused.superseded_at is null then date '9999-12-31'
            when refused.superseded_at > coalesce(refused.fact_at, refused.rejected_at)
                then {{ add_days('cast(refused.superseded_at as date)', -1) }}
        end as valid_to_date
    from refused
    left join aliases
        on
            refused.account_id = aliases.account_id
            and aliases.source = split_part(refused.feed, '/', 1)
    left join {{ ref('stg_crm__excluded_contacts') }} as excluded_contacts
        on
            refused.feed = 'crm/contacts'
            and refused.entity_key = excluded_contacts.contact_id
    where excluded_contacts.contact_id is null

),

final as (

    select distinct
        account_id,
        feed,
        entity_key,
        valid_from_date,
        valid_to_date
    from bounded
    where
        account_id is not null
        and valid_from_date <= valid_to_date

)

select * from final
