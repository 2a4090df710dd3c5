-- Rows of the feed that wait since batch $after, and for whom.
select
    count(*) as rows_waiting,
    count(distinct account_id) as ids,
    min(account_id) as example,
    min_by(_source_file, (_source_file, _row_number)) as first_file,
    min_by(_row_number, (_source_file, _row_number)) as first_row
from quarantine.waiting_{table}
where _batch_id > $after
