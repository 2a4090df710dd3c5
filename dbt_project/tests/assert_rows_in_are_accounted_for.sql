-- Every record of a file that was read is a row that landed, was repeated, was refused as it landed or by a check, or
-- waited for its account, and a second count of the file found as many. A file of an earlier release has no second
-- count; of a vendor's file an adapter may make fewer rows than there are records, or more.
select
    source_file,
    batch_id,
    records_counted,
    rows_read,
    rows_landed,
    rows_repeated,
    rows_rejected,
    rows_refused_by_checks,
    rows_waiting
from {{ source('audit', 'loads') }}
where
    rows_read - rows_landed - rows_repeated - rows_rejected
    <> coalesce(rows_refused_by_checks, 0) + coalesce(rows_waiting, 0)
    or (records_counted <> rows_read and source_file like feed || '/%')
