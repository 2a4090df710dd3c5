-- Grain: one row per scored account and as_of_date, also for accounts that nobody ever spoke with.
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals(['days_since_reply', 'days_since_contact', 'active_stakeholders_90d', 'has_active_champion']) }}

),

dates as (

    select * from {{ ref('int_as_of_dates') }}

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

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

),

touchpoint_days as (

    select
        account_id,
        greatest(occurred_date, {{ as_of_start() }}) as as_of_date,
        max(occurred_date) filter (where is_reply) as last_reply_date,
        max(occurred_date) filter (where is_contact) as last_contact_date
    from touchpoints
    where occurred_date <= {{ as_of_end() }}
    group by account_id, greatest(occurred_date, {{ as_of_start() }})

),

last_days as (

    select
        account_days.account_id,
        account_days.as_of_date,
        max(touchpoint_days.last_reply_date) over running as last_reply_date,
        max(touchpoint_days.last_contact_date) over running as last_contact_date
    from (
        select
            accounts_touched.account_id,
            dates.as_of_date
        from (select distinct account_id from touchpoint_days) as accounts_touched
        cross join dates
    ) as account_days
    left join touchpoint_days
        on
            account_days.account_id = touchpoint_days.account_id
            and account_days.as_of_date = touchpoint_days.as_of_date
    window running as (
        partition by account_days.account_id
        order by account_days.as_of_date
        rows between unbounded preceding and current row
    )

),

-- a contact counts from a day until 90 days later or until the next such day takes over
stakeholder_spells as (

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
            and occurred_date between {{ add_days(as_of_start(), -89) }} and {{ as_of_end() }}
    ) as days_of_contacts

),

stakeholders as (

    select
        stakeholder_spells.account_id,
        dates.as_of_date,
        count(*) as active_stakeholders_90d
    from dates
    inner join stakeholder_spells
        on
            dates.as_of_date >= stakeholder_spells.entered_date
            and dates.as_of_date < stakeholder_spells.left_date
    group by stakeholder_spells.account_id, dates.as_of_date

),

champions as (

    select
        account_id,
        min(coalesce(cast(created_at as date), cast('0001-01-01' as date))) as first_champion_date
    from contacts
    where
        role in ('champion', 'sponsor')
        and coalesce(is_active, true)
    group by account_id

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('days_since_reply', days_between(
            'coalesce(last_days.last_reply_date, accounts.created_date)', 'accounts.as_of_date'
        )) }},
        {{ if_known('days_since_contact', days_between(
            'coalesce(last_days.last_contact_date, accounts.created_date)', 'accounts.as_of_date'
        )) }},
        {{ if_known('active_stakeholders_90d', 'coalesce(stakeholders.active_stakeholders_90d, 0)') }},
        {{ if_known(
            'has_active_champion', 'case when champions.first_champion_date <= accounts.as_of_date then 1 else 0 end'
        ) }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    left join last_days
        on
            accounts.account_id = last_days.account_id
            and accounts.as_of_date = last_days.as_of_date
    left join stakeholders
        on
            accounts.account_id = stakeholders.account_id
            and accounts.as_of_date = stakeholders.as_of_date
    left join champions
        on accounts.account_id = champions.account_id

)

select * from final
