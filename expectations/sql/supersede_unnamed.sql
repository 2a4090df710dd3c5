-- Refused versions whose key could not be read, so that no other row is known to be of the same thing: the file came
-- again, with them corrected or refused again, or as many rows of the account landed later.
update quarantine.refused_keys as refused
set superseded_at = coalesce(refused.fact_at, refused.rejected_at)
where
    refused.feed = $feed
    and refused.superseded_at is null
    and refused.entity_key is null
    and (
        exists (
            select 1
            from audit.loads as loads
            where
                loads.feed = $feed
                and loads.source_file = refused.source_file
                and loads.batch_id > refused.batch_id
                and loads.status = 'landed'
        )
        or refused.account_id in (
            select missing.account_id
            from (
                select
                    account_id,
                    count(*) as rows_missing,
                    max(batch_id) as last_batch
                from quarantine.refused_keys
                where feed = $feed and superseded_at is null and entity_key is null
                group by account_id
            ) as missing
            inner join raw.{table} as landed
                on missing.account_id = landed.account_id and landed._batch_id > missing.last_batch
            group by missing.account_id, missing.rows_missing
            having count(*) >= missing.rows_missing
        )
    )
