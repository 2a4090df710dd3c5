-- What of the feed got through, and what did not: of this run ("new": batches from $first_batch on), and since the
-- last batch after which it was in order. A file that could not be read counts as as many rows as the feed's files
-- usually have, and as two at least: it is no single bad row.
with

orderly as (

    select coalesce(max(states.batch_id), 0) as batch_id
    from (
        select batch_id
        from audit.feed_states
        where feed = $feed and batch_id < $batch_id
        group by batch_id
        having not bool_or(state = 'held')
    ) as states
    semi join (select batch_id from audit.checks where feed = $feed) as checked
        on states.batch_id = checked.batch_id

),

usual as (

    select cast(median(rows_read) as bigint) as rows_of_file
    from audit.loads
    where feed = $feed and status = 'landed' and rows_read > 0

),

loads as (

    select
        loads.batch_id >= $first_batch as is_new,
        loads.status = 'refused' and coalesce(loads.rows_read, 0) = 0 as is_unreadable,
        coalesce(loads.rows_landed, 0) + coalesce(loads.rows_repeated, 0) as passed,
        coalesce(loads.rows_waiting, 0) as waited,
        coalesce(loads.rows_refused_by_checks, 0) as refused_by_checks,
        case
            when loads.status = 'refused'
                then greatest(2, case when loads.rows_read > 0 then loads.rows_read else usual.rows_of_file end)
            else coalesce(loads.rows_rejected, 0)
        end as refused_at_landing,
        loads.source_file,
        loads.message
    from audit.loads as loads
    cross join orderly
    cross join usual
    where
        loads.feed = $feed
        and loads.batch_id > orderly.batch_id
        and loads.batch_id <= $batch_id

)

select
    orderly.batch_id as last_orderly_batch,
    coalesce(sum(loads.passed) filter (where loads.is_new), 0)::bigint as passed_now,
    coalesce(sum(loads.refused_at_landing) filter (where loads.is_new), 0)::bigint as refused_at_landing,
    coalesce(sum(loads.refused_by_checks) filter (where loads.is_new), 0)::bigint as refused_by_checks,
    coalesce(sum(loads.waited) filter (where loads.is_new), 0)::bigint as waiting_now,
    coalesce(sum(loads.passed + loads.waited), 0)::bigint as passed_or_waited,
    count(*) filter (where loads.is_new)::bigint as files,
    count(*) filter (where loads.is_unreadable)::bigint as unreadable_files,
    min_by(loads.message, loads.source_file) filter (where loads.is_unreadable) as unreadable_message
from orderly
left join loads on true
group by orderly.batch_id
