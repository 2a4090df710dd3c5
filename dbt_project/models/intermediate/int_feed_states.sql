-- Grain: one row per feed and as-of date.
-- `state` says what scoring may take from the feed on that day: known, stale, never_landed, held or not_used.
-- Arrival is the day on which a file landed. A feed whose files all arrived after the day is being backfilled.
with

dates as (

    select * from {{ ref('int_as_of_dates') }}

),

feeds as (

    select * from {{ ref('feeds') }}

),

arrivals as (

    select
        feed,
        cast(loaded_at as date) as arrival_date,
        loaded_at
    from {{ source('audit', 'loads') }}
    where status in ('landed', 'repeated')

),

arrivals_by_date as (

    select
        feeds.feed,
        dates.as_of_date,
        count(arrivals.arrival_date) as files,
        min(arrivals.arrival_date) as first_arrival_date,
        max(arrivals.arrival_date) filter (where arrivals.arrival_date <= dates.as_of_date) as last_arrival_date,
        coalesce(
            max(arrivals.loaded_at) filter (where arrivals.arrival_date <= dates.as_of_date),
            max(arrivals.loaded_at)
        ) as last_arrived_at
    from feeds
    cross join dates
    left join arrivals
        on feeds.feed = arrivals.feed
    group by feeds.feed, dates.as_of_date

),

-- a feed that any check held in a run is held, whatever else was recorded of it in that run
decisions as (

    select
        feed,
        batch_id,
        case when bool_or(state = 'held') then 'held' else 'ok' end as state,
        max(reason) filter (where state = 'held') as reason,
        cast(max(recorded_at) as date) as decision_date
    from {{ source('audit', 'feed_states') }}
    group by feed, batch_id

),

-- the newest decision by the day, or the newest of all where the feed arrived only later
decisions_by_date as (

    select
        decisions.feed,
        dates.as_of_date,
        coalesce(
            max_by(decisions.state, decisions.batch_id) filter (
                where decisions.decision_date <= dates.as_of_date
            ),
            max_by(decisions.state, decisions.batch_id)
        ) as decision,
        coalesce(
            max_by(decisions.reason, decisions.batch_id) filter (
                where decisions.decision_date <= dates.as_of_date
            ),
            max_by(decisions.reason, decisions.batch_id)
        ) as reason
    from decisions
    cross join dates
    group by decisions.feed, dates.as_of_date

),

final as (

    select
        feeds.feed,
        arrivals_by_date.as_of_date,
        case
            when not feeds.is_used then 'not_used'
            when decisions_by_date.decision = 'held' then 'held'
            when arrivals_by_date.files = 0 then 'never_landed'
            when
                arrivals_by_date.first_arrival_date < arrivals_by_date.as_of_date
                and feeds.max_age_days is not null
                and arrivals_by_date.last_arrival_date
                <= {{ add_days('arrivals_by_date.as_of_date', '-1 * feeds.max_age_days') }}
                then 'stale'
            else 'known'
        end as state,
        case when decisions_by_date.decision = 'held' then decisions_by_date.reason end as reason,
        arrivals_by_date.last_arrived_at
    from feeds
    inner join arrivals_by_date
        on feeds.feed = arrivals_by_date.feed
    left join decisions_by_date
        on
            arrivals_by_date.feed = decisions_by_date.feed
            and arrivals_by_date.as_of_date = decisions_by_date.as_of_date

)

select * from final
