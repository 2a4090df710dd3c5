-- The columns of the files of a feed that no check has seen, and of those in the batch before them: JSON files and
-- files with a header have each their own batch before.
with files as (
    select
        batch_id,
        source_file,
        rows_read,
        columns,
        extra_columns,
        regexp_matches(lower(source_file), '[.](ndjson|jsonl|json)([.](gz|zst))?$') as is_json,
        -- through an adapter: its columns have the vendor's names, which are not compared with the feed's
        not starts_with(source_file, $feed || '/') as is_of_vendor
    from audit.loads
    where
        feed = $feed
        and status = 'landed'
        and columns is not null
        and batch_id <= $batch_id
)

select files.*
from files
left join (
    select
        is_json,
        max(batch_id) as batch_id
    from files
    where batch_id < $first_batch
    group by is_json
) as before on files.is_json = before.is_json
where
    files.batch_id >= $first_batch
    or files.batch_id = before.batch_id
order by files.batch_id, files.source_file
