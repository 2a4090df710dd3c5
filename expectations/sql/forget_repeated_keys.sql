-- A row that comes again as it was refused before brings nothing new.
delete from quarantine.refused_keys as repeated
using quarantine.refused_keys as earlier
where
    repeated.feed = $feed
    and repeated.batch_id >= $first_batch
    and earlier.feed = $feed
    and earlier.entity_key = repeated.entity_key
    and earlier.fact_at is not distinct from repeated.fact_at
    and (earlier.fact_at is not null or earlier.superseded_at is null)
    and (earlier.batch_id, earlier.source_file, earlier.row_number)
    < (repeated.batch_id, repeated.source_file, repeated.row_number)
