-- The commonest values that break rule number $number.
select cast(new_rows.{column} as varchar) as value
from hygiene.failing as failing
inner join raw.{table} as new_rows
    on failing._source_file = new_rows._source_file
    and failing._batch_id = new_rows._batch_id
    and failing._row_number = new_rows._row_number
where failing.number = $number
group by all
order by count(*) desc, value
limit $most
