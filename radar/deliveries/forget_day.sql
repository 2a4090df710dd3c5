-- name: tables
-- Every table by as-of date of the layers that a build makes; records of what landed or went out are not among them.
select
    tables.table_schema || '.' || tables.table_name as name,
    list(columns.column_name) as columns
from information_schema.tables as tables
inner join information_schema.columns as columns
    using (table_catalog, table_schema, table_name)
where
    tables.table_catalog = current_database()
    and tables.table_type = 'BASE TABLE'
    and tables.table_schema in ('intermediate', 'signals', 'scoring', 'marts', 'outbound')
group by tables.table_schema, tables.table_name
having bool_or(columns.column_name = 'as_of_date')
order by name;

-- name: shorten
update {table}
set
    as_of_date = $first - 1,
    last_open_on = least(last_open_on, $first - 1)
where as_of_date between $first and $last and first_date < $first;

-- name: forget
delete from {table}
where as_of_date between $first and $last;

-- name: forget_released
-- What was released last goes with its day: the flood guard compares with the newest day that is left.
delete from audit.released_buckets
where as_of_date between $first and $last;

-- name: move_window
-- What calls dbt by hand builds the window of the newest run: it must not bring the days back.
update control.run_window
set as_of_start = $newest, as_of_end = $newest
where as_of_end between $first and $last and $newest is not null;

-- name: sets
select distinct profile, folder
from audit.exports
where as_of_date between $first and $last and folder is not null and forgotten_at is null
order by profile, folder;

-- name: forget_exports
update audit.exports
set forgotten_at = $now
where as_of_date between $first and $last and forgotten_at is null;

-- name: delivered
select
    kind,
    coalesce(account_id, 'nobody') as account_id,
    arg_max(carrier, sequence) as carrier,
    arg_max(status, sequence) as last_status
from audit.deliveries
where as_of_date between $first and $last
group by delivery_key, kind, account_id
having list_contains($statuses, arg_max(status, sequence))
order by kind, account_id;
