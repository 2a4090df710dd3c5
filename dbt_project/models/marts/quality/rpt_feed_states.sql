-- Grain: one row per feed, on the newest as-of date.
with

feed_states as (

    select * from {{ ref('int_feed_states') }}
    where as_of_date = {{ as_of_end() }}

),

feeds as (

    select * from {{ ref('feeds') }}

),

signals as (

    select * from {{ ref('signals') }}

),

hanging as (

    select
        feeds.feed,
        count(*) as signals
    from feeds
    inner join signals
        on ' ' || signals.feeds || ' ' like '% ' || feeds.feed || ' %'
    group by feeds.feed

),

final as (

    select
        feed_states.feed,
        feed_states.as_of_date,
        feed_states.state,
        case feed_states.state
            when 'held' then 1
            when 'stale' then 2
            when 'never_landed' then 3
            when 'known' then 4
            else 5
        end as attention_rank,
        feed_states.last_arrived_at,
        feed_states.newest_fact_date,
        feeds.max_age_days,
        cast(coalesce(hanging.signals, 0) as bigint) as signals
    from feed_states
    inner join feeds
        on feed_states.feed = feeds.feed
    left join hanging
        on feed_states.feed = hanging.feed

)

select * from final
