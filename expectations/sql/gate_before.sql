-- The feed's state after the batch before this one, and how many refused rows nothing had made up for. A warehouse
-- of an earlier release did not count them: there it is every row that arrived with that batch.
with

before as (

    select
        batch_id,
        bool_or(state = 'held') as is_blocked,
        max(rows_missing) as rows_missing
    from audit.feed_states
    where feed = $feed and batch_id < $batch_id
    group by batch_id
    order by batch_id desc
    limit 1

)

select
    is_blocked,
    coalesce(
        rows_missing,
        (
            select greatest(2, sum(coalesce(rows_landed, 0) + coalesce(rows_rejected, 0)))
            from audit.loads
            where feed = $feed and batch_id = before.batch_id
        ),
        2
    )::bigint as rows_missing
from before
