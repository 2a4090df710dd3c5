-- New rows whose key identifies more than one thing; what a key may have only one of is constant_per_key of the contract.
create table hygiene.{table}_key_conflicts as
with

new_versions as (

    select
        *,
        {of_file} as of_file
    from hygiene.{table}

),

earlier_versions as (

    select
        *,
        {of_file} as of_file
    from raw.{table} as earlier
    where
        _batch_id <= $checked
        and earlier.{first_key} in (select new_rows.{first_key} from hygiene.{table} as new_rows)

),

versions as (

    select {key}, {one}, of_file from new_versions
    union all
    select {key}, {one}, of_file from earlier_versions

),

taken as (

    select
        {key},
        of_file
    from versions
    group by all
    having {differs}

)

select
    new_rows._source_file,
    new_rows._batch_id,
    new_rows._row_number
from new_versions as new_rows
semi join taken
    on new_rows.of_file is not distinct from taken.of_file
    and {same_key}
