-- Grain: one row per scored account and as_of_date, also for accounts that nobody ever spoke with.
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals(['days_since_reply', 'days_since_contact', 'active_stakeholders_90d', 'has_active_champion']) }}

),

touchpoints as (

    select
        account_id,
        contact_id,
        cast(occurred_at as date) as occurred_date,
        direction = 'inbound' or channel = 'meeting' as is_heard_from,
        not coalesce(is_automated, false) and (direction = 'inbound' or channel = 'meeting') as is_reply,
        {{ is_personal_contact() }} as is_contact
    from {{ ref('stg_crm__touchpoints') }}

),

-- a contact counts from a day until 90 days later or until the next such day takes over
stakeholder_intervals as (

    select
        account_id,
        occurred_date as entered_date,
        least(
            {{ add_days('occurred_date', 90) }},
            lead(occurred_date) over (
                partition by account_id, contact_id
                order by occurred_date
            )
        ) as left_date
    from (
        select distinct
            account_id,
            contact_id,
            occurred_date
        from touchpoints
        where
            is_heard_from
            and contact_id is not null
            and occurred_date between {{ add_days(signals_start(), -89) }} and {{ as_of_end() }}
    ) as days_of_contacts

),

champions as (

    select
        account_id,
        coalesce(cast(created_at as date), date '0001-01-01') as created_date,
        deleted_date
    from {{ ref('stg_crm__contacts') }}
    where
        role in ('champion', 'sponsor')
        and coalesce(is_active, true)
        and {{ not_deleted_by("coalesce(cast(created_at as date), date '0001-01-01')") }}

),

changes as (

    select
        account_id,
        occurred_date as day,
        case when is_reply then occurred_date end as last_reply_date,
        case when is_contact then occurred_date end as last_contact_date
    from touchpoints
    union all by name
    select
        account_id,
        entered_date as day,
        1 as stakeholders
    from stakeholder_intervals
    union all by name
    select
        account_id,
        left_date as day,
        -1 as stakeholders
    from stakeholder_intervals
    union all by name
    select
        account_id,
        created_date as day,
        1 as champions
    from champions
    union all by name
    select
        account_id,
        deleted_date as day,
        -1 as champions
    from champions
    where deleted_date is not null

),

intervals as (

    {{ intervals_of_changes(
        'changes', sums=['stakeholders', 'champions'], latest=['last_reply_date', 'last_contact_date']
    ) }}

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('days_since_reply', dbt.datediff(
            'coalesce(intervals.last_reply_date, accounts.created_date)', 'accounts.as_of_date', 'day'
        )) }},
        {{ if_known('days_since_contact', dbt.datediff(
            'coalesce(intervals.last_contact_date, accounts.created_date)', 'accounts.as_of_date', 'day'
        )) }},
        {{ if_known('active_stakeholders_90d', 'cast(coalesce(intervals.stakeholders, 0) as bigint)') }},
        {{ if_known(
            'has_active_champion', 'case when intervals.champions > 0 then 1 else 0 end'
        ) }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    left join intervals
        on {{ in_interval('intervals') }}

)

select * from final
