-- Grain: one row per signal and as-of date.
-- A signal is known where every feed that it needs is; it is in use where none of them is switched off;
-- has_never_landed is true where one that it needs has not come yet.
with

signals as (

    select * from {{ ref('signals') }}

),

feed_states as (

    select * from {{ ref('int_feed_states') }}

),

final as (

    select
        signals.signal,
        feed_states.as_of_date,
        bool_and(feed_states.state = 'known') as is_known,
        bool_and(feed_states.state <> 'not_used') as is_used,
        bool_or(feed_states.state = 'never_landed') as has_never_landed,
        min(feed_states.feed || ' ' || case feed_states.state
            when 'never_landed' then 'never landed'
            when 'held' then 'was held back by a check'
            when 'stale' then 'is stale' || coalesce(': ' || feed_states.reason, '')
            when 'not_used' then 'is not used'
        end) filter (where feed_states.state <> 'known') as unknown_because,
        min(feed_states.last_arrived_at) as observed_at
    from signals
    inner join feed_states
        on ' ' || signals.feeds || ' ' like '% ' || feed_states.feed || ' %'
    group by signals.signal, feed_states.as_of_date

)

select * from final
