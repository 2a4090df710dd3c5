-- Rows that had waited for their account and came back with this batch: their files landed in an earlier one.
insert into hygiene.failing
select
    0,
    new_rows._source_file,
    new_rows._batch_id,
    new_rows._row_number
from hygiene.{table} as new_rows
semi join (
    select source_file
    from audit.loads
    where feed = $feed
    group by source_file
    having max(batch_id) < $first_batch
) as earlier
    on new_rows._source_file = earlier.source_file
