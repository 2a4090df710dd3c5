-- Rows of an account that has not arrived, refused ones left out.
insert into quarantine.waiting_{table} by name
select new_rows.*
from raw.{table} as new_rows
semi join hygiene.failing as failing
    on list_contains($numbers, failing.number)
    and failing._source_file = new_rows._source_file
    and failing._batch_id = new_rows._batch_id
    and failing._row_number = new_rows._row_number
anti join hygiene.refused as refused
    on refused._source_file = new_rows._source_file
    and refused._batch_id = new_rows._batch_id
    and refused._row_number = new_rows._row_number
