-- Grain: one row per feed and as-of date.
-- `state` is what scoring may take from the feed on that day: known, stale, never_landed, held (blocked) or not_used.
-- Arrival is the day on which a file landed. A feed whose files all arrived after the day is being backfilled.
-- It is stale where no file has come for max_age_days, and where what is in the files is old: the newest fact by the
-- day, by the feed's own times, is older than max_age_days and than the longest pause between two days with facts so
-- far. A feed with facts on few days has shown no pace yet: its facts may be as old as settings.quiet_feed_days. Facts
-- that happened after the day do not count; feeds of states have no such times.
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

-- a feed that any check blocked in a run is blocked, whatever else was recorded of it in that run
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

fact_days as (

    select
        feed,
        fact_date,
        {{ dbt.datediff('lag(fact_date) over (partition by feed order by fact_date)', 'fact_date', 'day') }}
            as pause_days
    from {{ source('audit', 'fact_days') }}

),

facts_by_date as (

    select
        fact_days.feed,
        dates.as_of_date,
        max(fact_days.fact_date) as newest_fact_date,
        count(*) as days_with_facts,
        max(fact_days.pause_days) filter (
            where fact_days.fact_date > {{ add_days('dates.as_of_date', '-1 * ' ~ setting('usual_gap_days')) }}
        ) as longest_pause_days
    from dates
    inner join fact_days
        on dates.as_of_date >= fact_days.fact_date
    group by fact_days.feed, dates.as_of_date

),

judged as (

    select
        feeds.feed,
        arrivals_by_date.as_of_date,
        arrivals_by_date.last_arrived_at,
        decisions_by_date.reason,
        facts_by_date.newest_fact_date,
        not feeds.is_used as is_not_used,
        coalesce(decisions_by_date.decision = 'held', false) as is_blocked,
        arrivals_by_date.files = 0 as has_never_landed,
        coalesce(
            arrivals_by_date.first_arrival_date < arrivals_by_date.as_of_date
            and arrivals_by_date.last_arrival_date
            <= {{ add_days('arrivals_by_date.as_of_date', '-1 * feeds.max_age_days') }},
            false
        ) as has_old_files,
        coalesce(
            feeds.max_age_days is not null
            and {{ dbt.datediff('facts_by_date.newest_fact_date', 'arrivals_by_date.as_of_date', 'day') }}
            >= greatest(
                feeds.max_age_days,
                coalesce(facts_by_date.longest_pause_days, 0) + 1,
                case
                    when facts_by_date.days_with_facts < {{ setting('pace_least_days') }}
                        then {{ setting('quiet_feed_days') }}
                    else 0
                end
            ),
            false
        ) as has_old_facts
    from feeds
    inner join arrivals_by_date
        on feeds.feed = arrivals_by_date.feed
    left join decisions_by_date
        on
            arrivals_by_date.feed = decisions_by_date.feed
            and arrivals_by_date.as_of_date = decisions_by_date.as_of_date
    left join facts_by_date
        on
            arrivals_by_date.feed = facts_by_date.feed
            and arrivals_by_date.as_of_date = facts_by_date.as_of_date

),

final as (

    select
        feed,
        as_of_date,
        case
            when is_not_used then 'not_used'
            when is_blocked then 'held'
            when has_never_landed then 'never_landed'
            when has_old_files or has_old_facts then 'stale'
            else 'known'
        end as state,
        case
            when is_not_used then null
            when is_blocked then reason
            when has_never_landed then null
            when has_old_files then 'no file has arrived since ' || cast(cast(last_arrived_at as date) as varchar)
            when has_old_facts then 'its newest fact is of ' || cast(newest_fact_date as varchar)
        end as reason,
        last_arrived_at,
        newest_fact_date
    from judged

)

select * from final
