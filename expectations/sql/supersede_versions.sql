-- Refused versions that a good one has followed: one that landed, or one that repeated what had landed before. Where the
-- time of one of the two is not known, or the refused one's is after its arrival, the good one has to come in a later
-- batch than the one in which the refused row came last.
update quarantine.refused_keys as refused
set superseded_at = later.superseded_at
from (
    select
        refused.rowid as refused_row,
        {superseded_at} as superseded_at
    from quarantine.refused_keys as refused
    inner join (
        select
            {key} as entity_key,
            updated_at,
            _batch_id as batch_id,
            _source_file as source_file,
            _row_number as row_number
        from raw.{table}
        union all
        select
            entity_key,
            updated_at,
            batch_id,
            source_file,
            row_number
        from control.repeated_keys
        where feed = $feed
    ) as landed
        on refused.entity_key = landed.entity_key
    where
        refused.feed = $feed
        and refused.superseded_at is null
        and case
            when refused.fact_at <= refused.rejected_at + interval 1 day and landed.updated_at is not null
                then
                    landed.updated_at > refused.fact_at
                    or (
                        landed.updated_at = refused.fact_at
                        and {{
                            'batch_id': landed.batch_id,
                            'source_file': landed.source_file,
                            'row_number': landed.row_number
                        }} > {came_last}
                    )
            else landed.batch_id > ({came_last}).batch_id
        end
    group by refused.rowid
) as later
where refused.rowid = later.refused_row
