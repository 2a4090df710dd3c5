-- The median of the feed's last 30 batches that brought rows; no row while there are fewer than three.
with

batches as (

    select
        batch_id,
        sum(rows_landed) as landed
    from audit.loads
    where
        feed = $feed
        and batch_id < $first_batch
        and status = 'landed'
    group by batch_id
    having sum(rows_landed) > 0
    order by batch_id desc
    limit 30

)

select median(landed)
from batches
having count(*) >= 3
