-- Grain: one row per vocabulary and as-of date: whether any of the company's words was recognised by then.
-- `is_known` is false where words have come and none of them has the meaning: what is counted by it is unknown, not
-- zero. Where no word has come there is nothing to mistake. `is_used` is false where the reference data gives no word
-- the meaning: the company has nothing of the kind.
-- Event names are those of the summaries that outlive raw events, of whatever account.
with

dates as (

    select * from {{ ref('int_as_of_dates') }}

),

vocabularies as (

    select distinct
        vocabulary,
        feed,
        is_used
    from {{ ref('int_vocabularies') }}

),

event_meanings as (

    select * from {{ ref('int_event_meanings') }}

),

event_names as (

    select
        event_bounds.event_name,
        min(event_bounds.first_date) as first_date,
        bool_or(event_meanings.is_recognized) as is_in_seed
    from {{ ref('int_event_bounds') }} as event_bounds
    inner join event_meanings
        on event_bounds.event_name = event_meanings.event_name
    where event_bounds.first_date is not null
    group by event_bounds.event_name

),

-- which plans were live on which days, whoever had them
live_plans as (

    select distinct
        plan_id,
        is_plan_paid is not null as is_recognised,
        greatest(valid_from_date, started_date) as valid_from_date,
        valid_to_date
    from {{ ref('int_subscription_versions') }}
    where has_live_status

),

tickets as (

    select
        opened_date,
        priority,
        is_status_known,
        resolved_date,
        coalesce(deleted_date, date '9999-12-31') as deleted_date
    from {{ ref('int_tickets') }}

),

roles as (

    select
        coalesce(cast(created_at as date), date '0001-01-01') as created_date,
        coalesce(deleted_date, date '9999-12-31') as deleted_date
    from {{ ref('stg_crm__contacts') }}
    where role is not null

),

-- a word that is none of ours was taken out of its row when it came
refused_words as (

    select
        feed,
        column_name,
        count(*) as words
    from {{ source('quarantine', 'rejected_values') }}
    where rule = 'unknown_value'
    group by feed, column_name

),

-- from when on a word that was recognised is there, and words that were not; of what can go again, until when
words as (

    select
        unnest(event_meanings.measures) as vocabulary,
        event_names.first_date as valid_from_date,
        date '9999-12-31' as valid_to_date,
        true as is_recognised,
        0 as strange_words
    from event_names
    inner join event_meanings
        on event_names.event_name = event_meanings.event_name
    union all
    select
        vocabularies.vocabulary,
        event_names.first_date as valid_from_date,
        date '9999-12-31' as valid_to_date,
        false as is_recognised,
        case when event_names.is_in_seed then 0 else 1 end as strange_words
    from event_names
    inner join vocabularies
        on vocabularies.feed = 'product/events'
    union all
    select
        'plan' as vocabulary,
        valid_from_date,
        valid_to_date,
        is_recognised,
        case when is_recognised then 0 else 1 end as strange_words
    from live_plans
    union all
    select distinct
        'ticket_status' as vocabulary,
        opened_date as valid_from_date,
        {{ add_days('deleted_date', -1) }} as valid_to_date,
        is_status_known as is_recognised,
        case when is_status_known then 0 else 1 end as strange_words
    from tickets
    where is_status_known is not null
    union all
    -- without a word that is recognised a time of resolution decides what is open
    select distinct
        'ticket_status' as vocabulary,
        greatest(opened_date, resolved_date) as valid_from_date,
        {{ add_days('deleted_date', -1) }} as valid_to_date,
        true as is_recognised,
        0 as strange_words
    from tickets
    where resolved_date is not null
    union all
    select distinct
        'ticket_priority' as vocabulary,
        opened_date as valid_from_date,
        {{ add_days('deleted_date', -1) }} as valid_to_date,
        true as is_recognised,
        0 as strange_words
    from tickets
    where priority is not null
    union all
    select distinct
        'contact_role' as vocabulary,
        created_date as valid_from_date,
        {{ add_days('deleted_date', -1) }} as valid_to_date,
        true as is_recognised,
        0 as strange_words
    from roles
    union all
    select
        case column_name when 'role' then 'contact_role' else 'ticket_priority' end as vocabulary,
        date '0001-01-01' as valid_from_date,
        date '9999-12-31' as valid_to_date,
        false as is_recognised,
        words as strange_words
    from refused_words
    where
        (feed = 'crm/contacts' and column_name = 'role')
        or (feed = 'support/tickets' and column_name = 'priority')

),

final as (

    select
        vocabularies.vocabulary,
        dates.as_of_date,
        vocabularies.feed,
        vocabularies.is_used,
        coalesce(bool_or(words.is_recognised), true) as is_known,
        coalesce(sum(words.strange_words), 0) > 0 as has_strange_words
    from vocabularies
    cross join dates
    left join words
        on
            vocabularies.vocabulary = words.vocabulary
            and dates.as_of_date between words.valid_from_date and words.valid_to_date
    group by
        vocabularies.vocabulary,
        dates.as_of_date,
        vocabularies.feed,
        vocabularies.is_used

)

select * from final
