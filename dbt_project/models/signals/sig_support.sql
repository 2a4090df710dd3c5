-- Grain: one row per scored account and as_of_date, also for accounts that never opened a ticket.
{% set measures = [
    'open_tickets', 'open_urgent_tickets', 'tickets_30d', 'fast_resolutions_30d', 'sentiment', 'sentiments', 'mentions'
] %}
{% set is_urgent = "case when priority = 'urgent' then 1 else 0 end" %}
{% set has_sentiment = 'case when sentiment is null then 0 else 1 end' %}
{# what enters or leaves a count, on which day -#}
{% set changes = [
    {
        'from': 'tickets', 'day': 'opened_date',
        'open_tickets': '1', 'open_urgent_tickets': is_urgent, 'tickets_30d': '1',
        'sentiment': 'coalesce(sentiment, 0)', 'sentiments': has_sentiment,
    },
    {
        'from': 'tickets', 'day': 'least(' ~ add_days('opened_date', 30) ~ ', deleted_date)',
        'tickets_30d': '-1', 'sentiment': '-1 * coalesce(sentiment, 0)', 'sentiments': '-1 * ' ~ has_sentiment,
    },
    {
        'from': 'tickets', 'day': 'open_until_date', 'where': 'open_until_date is not null',
        'open_tickets': '-1', 'open_urgent_tickets': '-1 * ' ~ is_urgent,
    },
    {
        'from': 'fast_resolutions', 'day': 'resolved_from_date', 'fast_resolutions_30d': '1',
    },
    {
        'from': 'fast_resolutions', 'day': 'resolved_to_date', 'fast_resolutions_30d': '-1',
    },
    {'from': 'mentions', 'day': 'mentioned_date', 'mentions': '1'},
    {'from': 'mentions', 'day': 'least(' ~ add_days('mentioned_date', 30) ~ ', deleted_date)', 'mentions': '-1'},
] -%}
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals([
        'open_tickets', 'open_urgent_tickets', 'tickets_30d', 'fast_resolutions_30d',
        'median_resolution_90d_hours', 'ticket_sentiment_30d', 'competitor_mentions_30d'
    ]) }}

),

tickets as (

    select * from {{ ref('int_tickets') }}

),

fast_resolutions as (

    select
        account_id,
        greatest(opened_date, resolved_date) as resolved_from_date,
        least(greatest(opened_date, {{ add_days('resolved_date', 30) }}), deleted_date) as resolved_to_date
    from tickets
    where
        resolution_seconds <= 24 * 60 * 60
        and {{ not_deleted_by('greatest(opened_date, resolved_date)') }}

),

mentions as (

    select * from {{ ref('int_competitor_mentions') }}

),

changes as (

    {{ changes_of(changes, measures) }}

),

intervals as (

    {{ intervals_of_changes('changes', sums=measures) }}

),

-- a median does not run up: it is computed again on each day on which a ticket enters or leaves the window
resolution_days as (

    select
        account_id,
        greatest(opened_date, resolved_date, {{ signals_start() }}) as day
    from tickets
    where greatest(opened_date, resolved_date) <= {{ as_of_end() }}
    union
    select
        account_id,
        greatest(deleted_date, {{ signals_start() }}) as day
    from tickets
    where deleted_date <= {{ as_of_end() }}
    union
    select
        account_id,
        {{ add_days('resolved_date', 90) }} as day
    from tickets
    where {{ add_days('resolved_date', 90) }} between {{ signals_start() }} and {{ as_of_end() }}

),

resolution_intervals as (

    select
        account_id,
        day as valid_from_date,
        coalesce(
            {{ add_days('lead(day) over (partition by account_id order by day)', -1) }},
            {{ as_of_end() }}
        ) as valid_to_date
    from resolution_days

),

resolutions as (

    select
        account_intervals.account_id,
        account_intervals.valid_from_date,
        account_intervals.valid_to_date,
        cast(median(tickets.resolution_seconds) as double) / 3600 as median_resolution_90d_hours
    from resolution_intervals as account_intervals
    inner join tickets
        on
            account_intervals.account_id = tickets.account_id
            and tickets.resolved_date > {{ add_days('account_intervals.valid_from_date', -90) }}
            and account_intervals.valid_from_date >= tickets.resolved_date
            and account_intervals.valid_from_date >= tickets.opened_date
            and {{ not_deleted_by('account_intervals.valid_from_date', 'tickets') }}
    group by account_intervals.account_id, account_intervals.valid_from_date, account_intervals.valid_to_date

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('open_tickets', 'cast(coalesce(intervals.open_tickets, 0) as bigint)') }},
        {{ if_known('open_urgent_tickets', 'cast(coalesce(intervals.open_urgent_tickets, 0) as bigint)') }},
        {{ if_known('tickets_30d', 'cast(coalesce(intervals.tickets_30d, 0) as bigint)') }},
        {{ if_known('fast_resolutions_30d', 'cast(coalesce(intervals.fast_resolutions_30d, 0) as bigint)') }},
        {{ if_known('median_resolution_90d_hours', 'resolutions.median_resolution_90d_hours') }},
        {{ if_known('ticket_sentiment_30d', 'cast(intervals.sentiment as double) / nullif(intervals.sentiments, 0)') }},
        {{ if_known('competitor_mentions_30d', 'cast(coalesce(intervals.mentions, 0) as bigint)') }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    left join intervals
        on {{ in_interval('intervals') }}
    left join resolutions
        on {{ in_interval('resolutions') }}

)

select * from final
