-- What the feed's rows were refused for since batch $after, the most frequent first.
select
    column_name,
    rule,
    count(*) as rows_refused,
    min_by(masked_value, (source_file, row_number)) as example,
    min_by(source_file, (source_file, row_number)) as first_file,
    min_by(row_number, (source_file, row_number)) as first_row
from quarantine.rejected_rows
where
    feed = $feed
    and batch_id > $after
    and batch_id <= $batch_id
    and row_number is not null
    and rule not in ('unresolved_account', 'too_late')
group by column_name, rule
order by rows_refused desc, column_name, rule
limit 3
