insert into quarantine.rejected_rows (
    feed, source_file, row_number, rule, column_name, masked_value, batch_id, message, rejected_at
)
select
    $feed,
    new_rows._source_file,
    null,
    'feed_held',
    null,
    null,
    max(new_rows._batch_id),
    $message,
    $now
from hygiene.{table} as new_rows
group by new_rows._source_file
