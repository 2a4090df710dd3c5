-- The schemas and the fixed tables of the warehouse. The tables of the feeds are built from their contracts.
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

-- Grain: one row per feed and id for which rows wait, as of the last run. An e-mail address is its MD5 and domain.
create table if not exists quarantine.unresolved_ids (
    feed varchar,
    source varchar,
    account_id varchar,
    rows_waiting bigint,
    users_waiting bigint,
    first_waiting_at timestamp
);

-- Grain: one row per row that was refused and whose key or account could be read. Ids alone, no other value.
-- has_earlier_version: whether another version of the same thing has landed before.
-- superseded_at: from when on a later row makes up for it; where that is its fact_at or earlier, it is as if it had
-- not been refused. Null while nothing does.
create table if not exists quarantine.refused_keys (
    feed varchar,
    account_id varchar,
    entity_key varchar,
    fact_at timestamp,
    batch_id bigint,
    source_file varchar,
    row_number bigint,
    rejected_at timestamp,
    has_earlier_version boolean,
    superseded_at timestamp
);

-- came_last: where the same refused row was delivered last; null where it came once.
alter table quarantine.refused_keys add column if not exists
came_last struct(batch_id bigint, source_file varchar, row_number bigint);

-- row_key: of rows of a relation, the key there; null for those of files, which are found by their number.
alter table quarantine.rejected_rows add column if not exists row_key varchar;
alter table quarantine.rejected_values add column if not exists row_key varchar;

create table if not exists audit.runs (
    run_id varchar,
    batch_id bigint,
    started_at timestamp,
    finished_at timestamp,
    as_of_start date,
    as_of_end date,
    status varchar,
    message varchar,
    cpu_seconds double  -- of the process, until the row is written; null where the run did not end by itself
);
alter table audit.runs add column if not exists cpu_seconds double;

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
    loaded_at timestamp,
    records_counted bigint  -- by a second count of the file; null where it was not read
);
alter table audit.loads add column if not exists records_counted bigint;

-- The known columns that the file has, a JSON object: of a file with a header each name with null, of a JSON file each
-- name that is filled with the number of its rows. Null: it did not land, or landed in an earlier release.
alter table audit.loads add column if not exists columns varchar;

-- Of a refused file: the required columns that it lacks, with commas between.
alter table audit.loads add column if not exists missing_columns varchar;

-- What the checks took out of the rows that had landed, written when they ran; rows_landed is then what is left.
-- Null: a file of an earlier release, or one that is not checked yet.
alter table audit.loads add column if not exists rows_refused_by_checks bigint;
alter table audit.loads add column if not exists rows_waiting bigint;

-- Grain: one row per batch, feed and finding about a column of its files; see radar/quality/columns.py.
-- column_name: as it may be shown. nearest_name: the known column that it resembles. source_file: the newest of the
-- files of the batch that show it.
create table if not exists audit.column_findings (
    run_id varchar,
    batch_id bigint,
    feed varchar,
    source_file varchar,
    column_name varchar,
    finding varchar,  -- unknown, misnamed or gone
    nearest_name varchar,
    files bigint,
    found_at timestamp
);

create table if not exists audit.feed_states (
    run_id varchar,
    batch_id bigint,
    feed varchar,
    state varchar,
    reason varchar,
    recorded_at timestamp
);

-- rows_missing: refused rows for which no later row has made up.
alter table audit.feed_states add column if not exists rows_missing bigint;

-- Grain: one row per feed and day on which something of it happened, by the feed's own times.
create table if not exists audit.fact_days (
    feed varchar,
    fact_date date,
    batch_id bigint
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

-- Grain: one row per feed whose key seeds/feeds.csv names: the columns of it, separated by blanks.
create table if not exists control.feed_keys (
    feed varchar,
    key varchar
);

-- Grain: one row per file met, so that a file of which nothing changed is not read again.
create table if not exists control.known_files (
    source_file varchar primary key,
    bytes bigint,
    mtime_ns bigint,
    sha256 varchar,
    inode bigint,
    ctime_ns bigint
);
alter table control.known_files add column if not exists inode bigint;
alter table control.known_files add column if not exists ctime_ns bigint;

-- Grain: one row per relation of tables.yml and feed that it is read as, as it was when it last landed.
-- watermark: the newest loaded_at that has come; null where none is named. rows_unread: those before the overlap, which
-- are not read again. columns: name and type, a JSON object.
create table if not exists control.table_states (
    feed varchar,
    source_file varchar,
    loaded_at_column varchar,
    watermark timestamp,
    rows_unread bigint,
    rows_total bigint,
    columns varchar,
    read_at timestamp,
    primary key (feed, source_file)
);

-- Grain: one row per source and id by which its feeds name an account, where the id is an e-mail address or has a domain
-- in it: a contact or a domain may say whose it is.
create table if not exists control.ids_by_domain (
    source varchar,
    account_id varchar
);

-- Grain: one row per good row that repeated what had landed and whose key was refused, or may yet be by the checks of
-- this run; read by the checks, and gone after them. Ids and times alone.
create table if not exists control.repeated_keys (
    feed varchar,
    entity_key varchar,
    updated_at timestamp,
    batch_id bigint,
    source_file varchar,
    row_number bigint
);

-- Grain: one row per account, its bucket when something last might go out; see radar/exports/outbound.sql.
create table if not exists audit.released_buckets (
    account_id varchar,
    bucket varchar,
    as_of_date date,
    run_id varchar
);
