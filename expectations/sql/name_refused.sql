-- Rows that leave, each once, however many rules they break.
insert into hygiene.refused
select distinct
    failing._source_file,
    failing._batch_id,
    failing._row_number
from hygiene.failing as failing
where list_contains($numbers, failing.number)
