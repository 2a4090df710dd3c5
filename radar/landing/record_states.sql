-- Every feed and run in which something arrived and that has no state yet.
insert into audit.feed_states (run_id, batch_id, feed, state, reason, recorded_at)
select
    arrived.run_id,
    arrived.batch_id,
    arrived.feed,
    case when arrived.is_refused then 'held' else 'ok' end,
    case when arrived.is_refused then 'no file of it that arrived could be read: ' || arrived.first_message end,
    $now
from (
    select
        run_id,
        batch_id,
        feed,
        bool_and(status = 'refused') as is_refused,
        min_by(message, source_file) as first_message
    from audit.loads
    group by run_id, batch_id, feed
) as arrived
anti join audit.feed_states as known
    on arrived.run_id = known.run_id
    and arrived.batch_id = known.batch_id
    and arrived.feed = known.feed
order by arrived.batch_id, arrived.feed;
