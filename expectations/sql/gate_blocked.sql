-- Why a check blocked the feed's rows since batch $after: the reason that it recorded.
select reason
from audit.feed_states
where
    feed = $feed
    and state = 'held'
    and reason is not null
    and batch_id < $batch_id
    and batch_id >= (
        select min(batch_id)
        from quarantine.rejected_rows
        where feed = $feed and rule = 'feed_held' and batch_id > $after
    )
order by batch_id
limit 1
