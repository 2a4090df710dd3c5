-- What was released, and what was found outside the warehouse that it does not know.

-- name: create
-- released_buckets: one row per account, its bucket when something last might go out; the flood guard compares with it.
-- newer_runs: one row per run that this warehouse does not know and that left something outside of it, so that the
-- warehouse is older than what went out.
-- blocked_deliveries: one row per run that delivered nothing, and why.
-- restore_decisions: what a person decided about such a run; rows are only ever added.
create schema if not exists audit;
create table if not exists audit.released_buckets (
    account_id varchar,
    bucket varchar,
    as_of_date date,
    run_id varchar
);
create table if not exists audit.newer_runs (
    run_id varchar,
    as_of_date date,
    place varchar,
    found_at timestamp
);
create table if not exists audit.restore_decisions (
    sequence bigint,
    decided_at timestamp,
    run_id varchar,
    as_of_date date,
    delivered_until date,
    delivered bigint,
    reason varchar,
    decided_by varchar
);
create table if not exists audit.blocked_deliveries (
    run_id varchar,
    as_of_date date,
    reason varchar,
    recorded_at timestamp
);
alter table if exists control.run_window add column if not exists allow_flood boolean;

-- name: tables_of_runs
select schema_name || '.' || table_name
from duckdb_columns()
where
    database_name = current_database()
    and column_name = 'run_id'
    and (
        (schema_name = 'control' and table_name = 'run_window')
        or (
            schema_name = 'audit'
            and table_name in ('runs', 'loads', 'exports', 'sync_runs', 'deliveries', 'restore_decisions')
        )
    );

-- name: note_newer_run
insert into audit.newer_runs
select $run_id, $day, $place, $now
where not exists (select 1 from audit.newer_runs where run_id = $run_id);

-- name: newer_runs
select
    run_id,
    as_of_date,
    place
from audit.newer_runs
where run_id not in (select run_id from audit.restore_decisions)
order by as_of_date, run_id;

-- name: flood
select
    accounts,
    accounts_changed,
    limit_pct,
    is_first,
    released_on
from intermediate.int_flood_guard
where is_blocked and as_of_date = $as_of;

-- name: forget_released
delete from audit.released_buckets;

-- name: release
insert into audit.released_buckets
select
    account_id,
    bucket,
    as_of_date,
    $run_id
from marts.fct_health_history
where as_of_date = $as_of;

-- name: record_blocked
insert into audit.blocked_deliveries
values ($run_id, $as_of, $reason, $now);

-- name: blocked_deliveries
select reason
from audit.blocked_deliveries
where run_id = $run_id
order by recorded_at desc
limit 1;

-- name: has_relation
select count(*)
from information_schema.tables
where table_catalog = current_database() and table_schema = $schema and table_name = $name;

-- name: decide
insert into audit.restore_decisions
select
    row_number() over (order by as_of_date, run_id) + (select coalesce(max(sequence), 0) from audit.restore_decisions),
    $now, run_id, as_of_date, $until, $delivered, $reason, $by
from audit.newer_runs
where run_id not in (select run_id from audit.restore_decisions);

-- name: is_delivered
select count(*)
from audit.deliveries
where delivery_key = $key;

-- name: is_exported
select count(*)
from audit.exports
where profile = $profile and run_id = $run_id;

-- name: take_set
insert into audit.exports (run_id, profile, as_of_date, folder, rows, bytes, sha256, exported_at)
values ($run_id, $profile, $day, $folder, $rows, $bytes, $sha256, $now);

-- name: take_key
insert into audit.sync_changes (run_id, profile, row_key, change, status, row_hash, message)
select $run_id, $profile, $key, 'added', 'open', '', 'taken as delivered: radar restore'
where not exists (
    select 1 from audit.sync_changes where profile = $profile and row_key = $key and status <> 'rejected'
);
