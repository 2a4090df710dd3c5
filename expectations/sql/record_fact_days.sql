-- The days of the feed's new facts; of all facts where none was recorded yet.
insert into audit.fact_days (feed, fact_date, batch_id)
select
    $feed,
    facts.fact_date,
    $batch_id
from (
    select distinct cast(fact_at as date) as fact_date
    from ({facts}) as new_facts
    where
        fact_at is not null
        and _batch_id <= $batch_id
        and (_batch_id >= $first_batch or not exists (select 1 from audit.fact_days where feed = $feed))
) as facts
anti join (select fact_date from audit.fact_days where feed = $feed) as known
    on facts.fact_date = known.fact_date
