-- A state for every feed and run in which something arrived and that has none yet, runs that broke off
-- included: held where no file could be read, or where this run blocked the rows that such a run had left.
insert into audit.feed_states (run_id, batch_id, feed, state, reason, recorded_at)
with

arrived as (

    select
        run_id,
        batch_id,
        feed,
        bool_and(status = 'refused') as is_unreadable,
        min_by(message, source_file) as message
    from audit.loads
    where batch_id <= $batch_id
    group by run_id, batch_id, feed

),

blocked as (

    select
        feed,
        reason
    from audit.feed_states
    where
        run_id = $run_id
        and batch_id = $batch_id
        and state = 'held'

)

select
    arrived.run_id,
    arrived.batch_id,
    arrived.feed,
    case when arrived.is_unreadable or blocked.feed is not null then 'held' else 'ok' end,
    case
        when arrived.is_unreadable
            then concat_ws(': ', 'no file that arrived could be read', arrived.message)
        else blocked.reason
    end,
    $now
from arrived
left join blocked
    on arrived.feed = blocked.feed
anti join audit.feed_states as known
    on arrived.feed = known.feed
    and arrived.run_id = known.run_id
    and arrived.batch_id = known.batch_id
order by arrived.batch_id, arrived.feed
