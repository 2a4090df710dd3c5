-- Rows that leave, each once, however many rules they break: under the first of these.
insert into hygiene.refused
select
    failing._source_file,
    failing._batch_id,
    failing._row_number,
    min(failing.number) as number,
    count(distinct failing.number) as rules
from hygiene.failing as failing
where list_contains($numbers, failing.number)
group by failing._source_file, failing._batch_id, failing._row_number
