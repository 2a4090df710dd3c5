delete from raw.{table} as new_rows
using (
    select distinct
        _source_file,
        _batch_id,
        _row_number
    from hygiene.failing
    where list_contains($numbers, number)
) as leaving
where
    leaving._source_file = new_rows._source_file
    and leaving._batch_id = new_rows._batch_id
    and leaving._row_number = new_rows._row_number
