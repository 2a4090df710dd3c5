-- The whole batch was taken out.
update audit.loads
set
    rows_refused_by_checks = coalesce(rows_refused_by_checks, 0) + coalesce(rows_waiting, 0) + rows_landed,
    rows_waiting = 0,
    rows_landed = 0
where
    feed = $feed
    and batch_id between $first_batch and $last_batch
