-- Refused facts that came again and were good, and those of accounts of which enough got through: rows that landed later
-- make up for as many refused ones, and what is then missing is no more than the share that blocks a feed.
update quarantine.refused_keys as refused
set superseded_at = coalesce(refused.fact_at, refused.rejected_at)
where
    refused.feed = $feed
    and refused.superseded_at is null
    and (
        exists (
            select 1 from raw.{table} as landed
            where refused.entity_key = {landed_key} and landed._batch_id > ({came_last}).batch_id
        )
        or exists (
            select 1 from control.repeated_keys as repeated
            where
                repeated.feed = $feed
                and refused.entity_key = repeated.entity_key
                and repeated.batch_id > ({came_last}).batch_id
        )
        or refused.account_id in (
            select missing.account_id
            from (
                select
                    account_id,
                    count(distinct coalesce(entity_key, source_file || ' ' || row_number)) as rows_missing,
                    min(batch_id) as first_batch,
                    max(batch_id) as last_batch
                from quarantine.refused_keys
                where feed = $feed and superseded_at is null and account_id is not null
                group by account_id
            ) as missing
            inner join raw.{table} as landed
                on missing.account_id = landed.account_id and landed._batch_id >= missing.first_batch
            group by missing.account_id, missing.rows_missing, missing.last_batch
            having
                100 * greatest(missing.rows_missing - count(*) filter (where landed._batch_id > missing.last_batch), 0)
                <= $blocked_share_pct * (
                    greatest(missing.rows_missing - count(*) filter (where landed._batch_id > missing.last_batch), 0)
                    + count(*)
                )
        )
    )
