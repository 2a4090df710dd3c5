-- What the checks took out of each file, counted once: what is left has landed.
update audit.loads as loads
set
    rows_refused_by_checks = coalesce(taken.refused, 0),
    rows_waiting = coalesce(taken.waiting, 0),
    rows_landed = loads.rows_landed - coalesce(taken.refused, 0) - coalesce(taken.waiting, 0)
from (
    select
        counted.batch_id,
        counted.source_file,
        taken_rows.refused,
        taken_rows.waiting
    from audit.loads as counted
    left join (
        select
            failing._batch_id,
            failing._source_file,
            count(distinct failing._row_number) filter (where refused._row_number is not null) as refused,
            count(distinct failing._row_number) filter (where refused._row_number is null) as waiting
        from hygiene.failing as failing
        left join hygiene.refused as refused
            on
                failing._source_file = refused._source_file
                and failing._batch_id = refused._batch_id
                and failing._row_number = refused._row_number
        where list_contains($leaving, failing.number)
        group by failing._batch_id, failing._source_file
    ) as taken_rows
        on counted.batch_id = taken_rows._batch_id and counted.source_file = taken_rows._source_file
    where counted.feed = $feed and counted.batch_id between $first_batch and $last_batch
) as taken
where
    loads.feed = $feed
    and loads.batch_id = taken.batch_id
    and loads.source_file = taken.source_file
    and loads.rows_waiting is null
