-- Whose row it was: what is known of them otherwise is not the newest.
insert into quarantine.refused_keys
    (feed, account_id, entity_key, fact_at, batch_id, source_file, row_number, rejected_at)
select
    $feed,
    {account},
    {key},
    {fact_time},
    new_rows._batch_id,
    new_rows._source_file,
    new_rows._row_number,
    $now
from raw.{table} as new_rows
semi join hygiene.{refused} as refused
    on
        new_rows._source_file = refused._source_file
        and new_rows._batch_id = refused._batch_id
        and new_rows._row_number = refused._row_number
