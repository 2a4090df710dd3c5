-- Refused versions that a good one has followed. Where the time of the refused one is not known, or lies ahead of its
-- arrival, the good one is that of a later batch.
update quarantine.refused_keys as refused
set superseded_at = later.superseded_at
from (
    select
        refused.rowid as refused_row,
        {superseded_at} as superseded_at
    from quarantine.refused_keys as refused
    inner join raw.{table} as landed
        on refused.entity_key = {landed_key}
    where
        refused.feed = $feed
        and refused.superseded_at is null
        and case
            when refused.fact_at <= refused.rejected_at + interval 1 day and landed.updated_at is not null
                then
                    landed.updated_at > refused.fact_at
                    or (
                        landed.updated_at = refused.fact_at
                        and (landed._batch_id, landed._source_file, landed._row_number)
                        > (refused.batch_id, refused.source_file, refused.row_number)
                    )
            else landed._batch_id > refused.batch_id
        end
    group by refused.rowid
) as later
where refused.rowid = later.refused_row
