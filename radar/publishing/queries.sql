-- name: relations
-- The tables and views of one catalogue, the engine's own left out.
select schema_name, table_name as relation_name, 'table' as kind, comment, '' as view_sql
from duckdb_tables()
where database_name = $database and not internal
union all
select schema_name, view_name, 'view', comment, sql
from duckdb_views()
where database_name = $database and not internal
order by all;

-- name: columns
select schema_name, table_name as relation_name, column_name, data_type, comment
from duckdb_columns()
where database_name = $database and not internal
order by schema_name, table_name, column_index;

-- name: record_run
-- What readers of the copy can ask: which run, and which days, they are looking at.
create or replace table {build}.main.published_run as
select
    $format::integer as format,
    $run_id::varchar as run_id,
    $as_of_start::date as as_of_start,
    $as_of_end::date as as_of_end;

-- name: changed_days
-- Days whose number of rows is not the same on both sides.
select as_of_date
from (
    select as_of_date, count(*) as row_count, 0 as side from {source} group by as_of_date
    union all
    select as_of_date, count(*), 1 from {target} group by as_of_date
)
group by as_of_date
having coalesce(sum(row_count) filter (where side = 0), 0)
    <> coalesce(sum(row_count) filter (where side = 1), 0)
order by as_of_date;
