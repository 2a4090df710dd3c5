-- The account of a refused version is that of the versions before it where it could not be read itself; where there
-- are none, the refused one is all that ever came.
update quarantine.refused_keys as refused
set
    account_id = coalesce(refused.account_id, earlier.account_id),
    has_earlier_version = earlier.refused_row is not null
from (
    select
        new_keys.rowid as refused_row_of_key,
        matched.refused_row,
        matched.account_id
    from quarantine.refused_keys as new_keys
    left join (
        select
            keys.rowid as refused_row,
            max_by({account}, (landed._batch_id, landed._source_file, landed._row_number)) as account_id
        from quarantine.refused_keys as keys
        inner join raw.{table} as landed
            on keys.entity_key = {landed_key}
        where keys.feed = $feed and keys.has_earlier_version is null
        group by keys.rowid
    ) as matched
        on new_keys.rowid = matched.refused_row
    where new_keys.feed = $feed and new_keys.has_earlier_version is null
) as earlier
where refused.rowid = earlier.refused_row_of_key
