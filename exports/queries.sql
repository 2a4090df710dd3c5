-- name: audit_schema
create schema if not exists audit;

-- name: export_state
-- What each destination was last given, one row per profile and account. The hash before the last change is
-- kept so that a run that is repeated under its own id compares with what stood before it.
create table if not exists audit.export_state (
    profile varchar,
    account_id varchar,
    row_hash varchar,
    previous_row_hash varchar,
    run_id varchar
);

-- name: exports
-- One row per set of files. `sha256` is that of its manifest, which in turn holds those of the files.
create table if not exists audit.exports (
    run_id varchar,
    profile varchar,
    as_of_date date,
    folder varchar,
    rows bigint,
    bytes bigint,
    sha256 varchar,
    exported_at timestamp,
    rule_set varchar,
    rule_version varchar
);
-- Of a warehouse that an earlier release made.
alter table audit.exports add column if not exists rule_set varchar;
alter table audit.exports add column if not exists rule_version varchar;

-- name: rules
-- The rules that the exported rows were scored by.
select
    max(rule_set) as rule_set,
    max(rule_version) as rule_version
from {source};

-- name: columns
select column_name, data_type
from duckdb_columns()
where database_name = current_database() and schema_name = $schema and table_name = $name;

-- name: other_day
select distinct as_of_date
from {source}
where as_of_date is distinct from $as_of
limit 1;

-- name: changed_rows
-- Rows whose hash is not the one that the destination was last given; every cell as the text of the file.
-- `problems` is empty, or holds `<column number>:<code>` for each cell that the machine must not be given.
create or replace temp table changed_rows as
with

cells as (

    select
        {key} as row_key,
        {label} as row_label,
        concat_ws(' ', {problems}) as problems,
        {cells}
    from {source}

),

hashed as (

    select
        *,
        md5(concat_ws(chr(31), {compared})) as row_hash
    from cells

),

known as (

    select
        account_id,
        case when run_id = $run_id then previous_row_hash else row_hash end as base_hash
    from audit.export_state
    where profile = $profile

)

select
    hashed.*,
    known.base_hash
from hashed
left join known
    on hashed.row_key = known.account_id
where known.base_hash is distinct from hashed.row_hash;

-- name: wrong_key
select coalesce(row_key, '') as row_key, count(*) as times
from changed_rows
group by row_key
having count(*) > 1 or coalesce(row_key, '') = ''
order by row_key
limit 1;

-- name: folder_before
select folder
from audit.exports
where profile = $profile and run_id <> $run_id
order by exported_at desc, rowid desc
limit 1;

-- name: forget_state
delete from audit.export_state
where profile = $profile and account_id in (select row_key from changed_rows where problems = '');

-- name: keep_state
insert into audit.export_state
select $profile, row_key, row_hash, base_hash, $run_id
from changed_rows
where problems = '';

-- name: record_export
-- Once per set, also where a run that died after writing it is repeated.
insert into audit.exports
select
    $run_id, $profile, $as_of, $folder, $rows, $bytes, $sha256, now() at time zone 'UTC', $rule_set, $rule_version
where not exists (
    select 1 from audit.exports where profile = $profile and run_id = $run_id and folder = $folder
);
