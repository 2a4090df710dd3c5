-- Every record of a file that was read is a row that landed, was repeated or was refused, and a second count of the
-- file found as many. A file of an earlier release has no second count.
select
    source_file,
    batch_id,
    records_counted,
    rows_read,
    rows_landed,
    rows_repeated,
    rows_rejected
from {{ source('audit', 'loads') }}
where
    rows_read <> rows_landed + rows_repeated + rows_rejected
    or records_counted <> rows_read
