-- A row that comes again as it was refused before: where it came last is what a good one has to follow.
update quarantine.refused_keys as earlier
set came_last = repeated.came_last
from (
    select
        earlier.rowid as earlier_row,
        max({{'batch_id': repeated.batch_id, 'source_file': repeated.source_file, 'row_number': repeated.row_number}})
            as came_last
    from quarantine.refused_keys as earlier
    inner join quarantine.refused_keys as repeated
        on
            earlier.entity_key = repeated.entity_key
            and earlier.fact_at is not distinct from repeated.fact_at
            and (earlier.batch_id, earlier.source_file, earlier.row_number)
            < (repeated.batch_id, repeated.source_file, repeated.row_number)
    where
        earlier.feed = $feed
        and repeated.feed = $feed
        and repeated.batch_id >= $first_batch
        and earlier.superseded_at is null
    group by earlier.rowid
) as repeated
where earlier.rowid = repeated.earlier_row
