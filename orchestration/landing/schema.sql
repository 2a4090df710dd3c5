-- The schemas and the fixed tables of the warehouse. The tables of the feeds are built from feeds.yml.
create schema if not exists raw;
create schema if not exists staging;
create schema if not exists intermediate;
create schema if not exists signals;
create schema if not exists scoring;
create schema if not exists marts;
create schema if not exists seeds;
create schema if not exists quarantine;
create schema if not exists audit;
create schema if not exists control;

-- Grain: one row per row that was refused.
create table if not exists quarantine.rejected_rows (
    feed varchar,
    source_file varchar,
    row_number bigint,
    rule varchar,
    column_name varchar,
    masked_value varchar,
    batch_id bigint,
    message varchar,
    rejected_at timestamp
);

-- Grain: one row per optional value that was set to null; its row landed.
create table if not exists quarantine.rejected_values (
    feed varchar,
    source_file varchar,
    row_number bigint,
    rule varchar,
    column_name varchar,
    masked_value varchar,
    batch_id bigint,
    message varchar,
    rejected_at timestamp
);

create table if not exists audit.runs (
    run_id varchar,
    batch_id bigint,
    started_at timestamp,
    finished_at timestamp,
    as_of_start date,
    as_of_end date,
    status varchar,
    message varchar
);

-- Grain: one row per file and content that a run met for the first time.
create table if not exists audit.loads (
    run_id varchar,
    batch_id bigint,
    feed varchar,
    source_file varchar,
    sha256 varchar,
    bytes bigint,
    status varchar,
    rows_read bigint,
    rows_landed bigint,
    rows_repeated bigint,
    rows_rejected bigint,
    values_rejected bigint,
    extra_columns varchar,
    message varchar,
    loaded_at timestamp
);

create table if not exists audit.feed_states (
    run_id varchar,
    batch_id bigint,
    feed varchar,
    state varchar,
    reason varchar,
    recorded_at timestamp
);

create table if not exists audit.checks (
    run_id varchar,
    batch_id bigint,
    feed varchar,
    check_name varchar,
    expectation_type varchar,
    severity varchar,
    success boolean,
    error varchar,
    observed varchar,
    unexpected_count bigint,
    action varchar,
    message varchar,
    checked_at timestamp
);

-- Grain: one row, the run under way.
create table if not exists control.run_window (
    run_id varchar,
    batch_id bigint,
    as_of_start date,
    as_of_end date,
    loaded_at timestamp
);

-- Grain: one row per file met, so that a file whose size and time are unchanged is not read again.
create table if not exists control.known_files (
    source_file varchar primary key,
    bytes bigint,
    mtime_ns bigint,
    sha256 varchar
);

-- Grain: one row per account, its bucket when something last might go out; see exports/outbound.sql.
create table if not exists audit.released_buckets (
    account_id varchar,
    bucket varchar,
    as_of_date date,
    run_id varchar
);
