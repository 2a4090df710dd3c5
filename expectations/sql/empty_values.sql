update raw.{table} as new_rows
set {column} = null
from hygiene.failing as failing
where
    failing.number = $number
    and failing._source_file = new_rows._source_file
    and failing._batch_id = new_rows._batch_id
    and failing._row_number = new_rows._row_number
