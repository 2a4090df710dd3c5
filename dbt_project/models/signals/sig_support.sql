-- Grain: one row per scored account and as_of_date, also for accounts that never opened a ticket.
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

dates as (

    select * from {{ ref('int_as_of_dates') }}

),

tickets as (

    select
        *,
        cast(opened_at as date) as opened_date,
        cast(resolved_at as date) as resolved_date,
        {{ seconds_between('opened_at', 'resolved_at') }} as resolution_seconds
    from {{ ref('stg_support__tickets') }}

),

mentions as (

    select * from {{ ref('int_competitor_mentions') }}

),

opened_tickets as (

    select
        tickets.account_id,
        dates.as_of_date,
        count(*) as open_tickets,
        count(*) filter (where tickets.priority = 'urgent') as open_urgent_tickets
    from dates
    inner join tickets
        on
            dates.as_of_date >= tickets.opened_date
            and (tickets.resolved_date is null or dates.as_of_date < tickets.resolved_date)
    group by tickets.account_id, dates.as_of_date

),

recent_tickets as (

    select
        tickets.account_id,
        dates.as_of_date,
        count(*) as tickets_30d,
        cast(sum(tickets.sentiment) as double) / count(tickets.sentiment) as ticket_sentiment_30d
    from dates
    inner join tickets
        on {{ in_window('tickets.opened_date', 30) }}
    group by tickets.account_id, dates.as_of_date

),

resolved_tickets as (

    select
        tickets.account_id,
        dates.as_of_date,
        count(*) filter (
            where
            tickets.resolution_seconds <= 24 * 60 * 60
            and {{ in_window('tickets.resolved_date', 30) }}
        ) as fast_resolutions_30d,
        cast(median(tickets.resolution_seconds) as double) / 3600 as median_resolution_90d_hours
    from dates
    inner join tickets
        on
            {{ in_window('tickets.resolved_date', 90) }}
            and dates.as_of_date >= tickets.opened_date
    group by tickets.account_id, dates.as_of_date

),

recent_mentions as (

    select
        mentions.account_id,
        dates.as_of_date,
        count(*) as competitor_mentions_30d
    from dates
    inner join mentions
        on {{ in_window('mentions.mentioned_date', 30) }}
    group by mentions.account_id, dates.as_of_date

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('open_tickets', 'coalesce(opened_tickets.open_tickets, 0)') }},
        {{ if_known('open_urgent_tickets', 'coalesce(opened_tickets.open_urgent_tickets, 0)') }},
        {{ if_known('tickets_30d', 'coalesce(recent_tickets.tickets_30d, 0)') }},
        {{ if_known('fast_resolutions_30d', 'coalesce(resolved_tickets.fast_resolutions_30d, 0)') }},
        {{ if_known('median_resolution_90d_hours', 'resolved_tickets.median_resolution_90d_hours') }},
        {{ if_known('ticket_sentiment_30d', 'recent_tickets.ticket_sentiment_30d') }},
        {{ if_known('competitor_mentions_30d', 'coalesce(recent_mentions.competitor_mentions_30d, 0)') }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    left join opened_tickets
        on
            accounts.account_id = opened_tickets.account_id
            and accounts.as_of_date = opened_tickets.as_of_date
    left join recent_tickets
        on
            accounts.account_id = recent_tickets.account_id
            and accounts.as_of_date = recent_tickets.as_of_date
    left join resolved_tickets
        on
            accounts.account_id = resolved_tickets.account_id
            and accounts.as_of_date = resolved_tickets.as_of_date
    left join recent_mentions
        on
            accounts.account_id = recent_mentions.account_id
            and accounts.as_of_date = recent_mentions.as_of_date

)

select * from final
