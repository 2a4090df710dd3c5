-- name: audit_schema
create schema if not exists audit;

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
-- When the day was taken back (`radar forget-day`): what the destination was given stays given.
alter table audit.exports add column if not exists forgotten_at timestamp;

-- name: sync_runs
-- One row per run and profile. `status`: written (files are there, nobody has acknowledged them),
-- acknowledged, partly (some rows failed or are still open), held (a guard fired), failed (files could not be
-- written), skipped (it was given a later day before). Counts are rows of the files, but for `rejected`; `again` of them had gone out before unacknowledged.
create table if not exists audit.sync_runs (
    run_id varchar,
    profile varchar,
    as_of_date date,
    status varchar,
    folder varchar,
    added bigint,
    changed bigint,
    removed bigint,
    again bigint,
    rejected bigint,
    message varchar,
    written_at timestamp,
    settled_at timestamp,
    settled_by varchar
);

-- name: sync_changes
-- One row per run, profile and key. `status`: open (written, not acknowledged), acknowledged, failed (the
-- destination refused it: it goes again), given_up (by name: it goes no more), superseded (went again with the
-- run superseded_by), rejected (by us: see rejected.csv). `cells`, a JSON list, is kept only of what is
-- not resolved.
create table if not exists audit.sync_changes (
    run_id varchar,
    profile varchar,
    row_key varchar,
    change varchar,
    status varchar,
    row_hash varchar,
    cells varchar,
    message varchar,
    superseded_by varchar,
    settled_at timestamp,
    settled_by varchar
);

-- name: sync_state
-- What each destination is known to hold, one row per profile and key: the cells last acknowledged, a JSON list.
-- Those before are kept so that a run repeated under its own id compares with the state before it. A row that left keeps its
-- place without a hash until the next run.
create table if not exists audit.sync_state (
    profile varchar,
    row_key varchar,
    row_hash varchar,
    cells varchar,
    previous_row_hash varchar,
    previous_cells varchar,
    run_id varchar,
    acknowledged_at timestamp
);

-- name: sync_decisions
-- One row per decision of a person, only ever added. `decision`: acknowledged, not_imported (of a run's rows;
-- `acknowledged` and `failed` count them, `results` are name and sha256 of the CRM's result files), given_up,
-- taken_up (of one row).
create table if not exists audit.sync_decisions (
    sequence bigint,
    decided_at timestamp,
    run_id varchar,
    profile varchar,
    as_of_date date,
    decision varchar,
    row_key varchar,
    account_id varchar,
    acknowledged bigint,
    failed bigint,
    results varchar,
    reason varchar,
    decided_by varchar
);

-- name: has_earlier_state
select count(*)
from duckdb_tables()
where database_name = current_database() and schema_name = 'audit' and table_name = 'export_state';

-- name: take_earlier_state
-- Of an earlier release, which kept hashes alone: what was in those rows cannot be undone by a file.
insert into audit.sync_state
select profile, account_id, row_hash, null, previous_row_hash, null, run_id, null
from audit.export_state;
drop table audit.export_state;

-- name: rules
-- The rules that the exported rows were scored by.
select
    max(rule_set) as rule_set,
    max(rule_version) as rule_version
from {source};

-- name: columns
select column_name, column_type
from (describe {source});

-- name: other_day
select distinct as_of_date
from {source}
where as_of_date is distinct from $as_of
limit 1;

-- name: newest_day
select max(as_of_date)
from audit.exports
where profile = $profile and run_id <> $run_id and forgotten_at is null;

-- name: snapshot
-- Every row that the destination should hold, each cell as the text of the file. `problems` is empty, or holds
-- `<column number>:<code>` for each cell that the machine must not be given.
create or replace temp table snapshot as
with

written as (

    select
        {key} as row_key,
        {label} as row_label,
        concat_ws(' ', {problems}) as problems,
        {emptied} as emptied,
        {cells} as cell_list
    from {source}

)

select
    row_key,
    row_label,
    concat_ws(' ', nullif(problems, ''), {repeated}) as problems,
    emptied,
    to_json(cell_list)::varchar as cells,
    md5(concat_ws(chr(31), {compared})) as row_hash
from written;

-- name: wrong_key
select coalesce(row_key, '') as row_key, count(*) as times
from snapshot
group by row_key
having count(*) > 1 or coalesce(row_key, '') = ''
order by row_key
limit 1;

-- name: known
-- What the destination held before this run, and what it was given since that nobody has acknowledged: hashes
-- alone, as the cells of many accounts are large.
create or replace temp table known as
with

acknowledged as (

    select
        row_key,
        case when run_id = $run_id then previous_row_hash else row_hash end as base_hash
    from audit.sync_state
    where profile = $profile

),

unresolved as (

    select
        row_key,
        max(row_hash) as open_hash,
        bool_or(status = 'failed') as has_failed
    from audit.sync_changes
    where
        profile = $profile
        and run_id <> $run_id
        and (status in ('open', 'failed') or superseded_by = $run_id)
    group by row_key

),

given_up as (

    select distinct row_key
    from audit.sync_changes
    where profile = $profile and status = 'given_up'

)

select
    row_key,
    acknowledged.base_hash,
    unresolved.open_hash,
    coalesce(unresolved.has_failed, false) as has_failed,
    given_up.row_key is not null as is_given_up
from (
    select row_key from acknowledged where base_hash is not null
    union
    select row_key from unresolved
    union
    select row_key from given_up
) as row_keys
left join acknowledged
    using (row_key)
left join unresolved
    using (row_key)
left join given_up
    using (row_key);

-- name: delta
-- What goes out: a row is sent where it is not what was last acknowledged, or not what was last given.
create or replace temp table delta as
select
    snapshot.row_key,
    case when snapshot.problems <> '' or snapshot.emptied <> '' then snapshot.row_label end as row_label,
    snapshot.problems,
    snapshot.emptied,
    case when known.base_hash is null then 'added' else 'changed' end as change,
    snapshot.cells,
    snapshot.row_hash,
    known.base_hash,
    known.open_hash is not null as is_again
from snapshot
left join known
    on snapshot.row_key = known.row_key
where
    not coalesce(known.is_given_up, false)
    and (
        known.base_hash is distinct from snapshot.row_hash
        or known.open_hash <> snapshot.row_hash
    )
    and not (
        $create_only
        and (known.base_hash is not null or (known.open_hash is not null and not known.has_failed))
    )
union all
select
    row_key,
    null as row_label,
    '' as problems,
    '' as emptied,
    'removed' as change,
    null as cells,
    '' as row_hash,
    base_hash,
    open_hash is not null as is_again
from known
where
    row_key not in (select row_key from snapshot)
    and not is_given_up
    and not $create_only
    and (base_hash is not null or open_hash is not null);

-- name: drop_cells
-- Those that go out are in `delta`; the cells of many accounts are large.
alter table snapshot drop column cells;

-- name: drop_inputs
drop table snapshot;
drop table known;

-- name: removed_rows
-- The cells for rows that left.
create or replace temp table removed_rows as
with

last_known as (

    select
        delta.row_key,
        coalesce(
            max(case when state.run_id = $run_id then state.previous_cells else state.cells end),
            max(changes.cells)
        ) as old_cells
    from delta
    left join audit.sync_state as state
        on state.profile = $profile and delta.row_key = state.row_key
    left join audit.sync_changes as changes
        on
            changes.profile = $profile
            and changes.run_id <> $run_id
            and changes.status in ('open', 'failed')
            and delta.row_key = changes.row_key
    where delta.change = 'removed'
    group by delta.row_key

)

select
    row_key,
    {removed_cells} as cells
from last_known;

-- name: counts
select
    count(*) filter (where change = 'added' and problems = '') as added,
    count(*) filter (where change = 'changed' and problems = '') as changed,
    count(*) filter (where change = 'removed') as removed,
    count(*) filter (where is_again and problems = '') as again,
    count(*) filter (where problems <> '') as rejected
from delta;

-- name: first_rows
select
    delta.change,
    coalesce(delta.cells, removed_rows.cells) as cells
from delta
left join removed_rows
    using (row_key)
where delta.problems = ''
order by row_key
limit $most;

-- name: to_write
select
    delta.row_key,
    delta.row_label,
    delta.problems,
    delta.emptied,
    coalesce(delta.cells, removed_rows.cells) as cells
from delta
left join removed_rows
    on delta.row_key = removed_rows.row_key
where delta.change <> 'removed' or $tells_removed
order by delta.row_key;

-- name: to_undo
-- The rows that take the delta back: the state before, and for what is new the row for one that left.
-- A row of an earlier release, whose cells nobody kept, cannot be taken back.
with

new_rows as (

    select
        row_key,
        cells as known_cells
    from delta
    where change = 'added' and problems = ''

),

all_rows as (

    select
        delta.row_key,
        case when state.run_id = $run_id then state.previous_cells else state.cells end as cells
    from delta
    left join audit.sync_state as state
        on state.profile = $profile and delta.row_key = state.row_key
    where
        delta.problems = ''
        and (delta.change = 'changed' or (delta.change = 'removed' and $tells_removed))
    union all
    select
        row_key,
        {removed_cells} as cells
    from new_rows

)

select
    row_key,
    cells
from all_rows
order by row_key;

-- name: bucket_changes
-- Accounts that the destination knows, and those of them that leave or change their bucket now.
select
    (select count(*) from known where base_hash is not null) as accounts,
    count(*) filter (
        where
            delta.change = 'removed'
            or json_extract_string(
                case when state.run_id = $run_id then state.previous_cells else state.cells end, '$[{number}]'
            ) <> json_extract_string(delta.cells, '$[{number}]')
    ) as moved
from delta
inner join audit.sync_state as state
    on state.profile = $profile and delta.row_key = state.row_key
where delta.base_hash is not null and delta.problems = '';

-- name: folder_before
select folder
from audit.exports
where profile = $profile and run_id <> $run_id
order by exported_at desc, rowid desc
limit 1;

-- name: is_recorded
select count(*)
from audit.sync_runs
where profile = $profile and run_id = $run_id and status not in ('held', 'failed', 'skipped');

-- name: forget_run
delete from audit.sync_runs
where profile = $profile and run_id = $run_id;

-- name: record_run
insert into audit.sync_runs
select
    $run_id, $profile, $as_of, $status, $folder, $added, $changed, $removed, $again, $rejected, $message,
    now() at time zone 'UTC',
    case when $status = 'acknowledged' then now() at time zone 'UTC' end,
    case when $status = 'acknowledged' then 'radar' end;

-- name: supersede
update audit.sync_changes
set status = 'superseded', superseded_by = $run_id, cells = null
where
    profile = $profile
    and run_id <> $run_id
    and status in ('open', 'failed')
    and row_key in (select row_key from delta where problems = '');

-- name: record_changes
insert into audit.sync_changes
select
    $run_id, $profile, delta.row_key, delta.change,
    case
        when delta.problems <> '' then 'rejected'
        when $is_acknowledged or (delta.change = 'removed' and not $tells_removed) then 'acknowledged'
        else 'open'
    end as status,
    delta.row_hash,
    case
        when not $is_acknowledged and delta.problems = '' and (delta.change <> 'removed' or $tells_removed)
            then coalesce(delta.cells, removed_rows.cells)
    end as cells,
    nullif(delta.problems, ''),
    null, null, null
from delta
left join removed_rows
    on delta.row_key = removed_rows.row_key;

-- name: moved_on_write
create or replace temp view moved as
select
    delta.row_key,
    nullif(delta.row_hash, '') as row_hash,
    delta.cells,
    delta.base_hash,
    state.cells as base_cells
from delta
left join audit.sync_state as state
    on
        state.profile = {profile}
        and delta.row_key = state.row_key
        and hash(state.row_key) % {parts} = {part}
where
    delta.problems = ''
    and hash(delta.row_key) % {parts} = {part}
    and ({is_acknowledged} or (delta.change = 'removed' and not {tells_removed}));

-- name: last_state
select coalesce(max(rowid), -1)
from audit.sync_state;

-- name: keep_state
insert into audit.sync_state
select $profile, row_key, row_hash, cells, base_hash, base_cells, $run_id, now() at time zone 'UTC'
from moved;

-- name: forget_state
-- The state before, and rows that left before this run.
delete from audit.sync_state
where
    profile = $profile
    and rowid <= $last
    and (
        row_key in (select row_key from audit.sync_state where profile = $profile and rowid > $last)
        or (row_hash is null and run_id <> $run_id)
    );

-- name: record_export
-- Once per set, also where a run that died after writing it is repeated.
insert into audit.exports (
    run_id, profile, as_of_date, folder, rows, bytes, sha256, exported_at, rule_set, rule_version
)
select
    $run_id, $profile, $as_of, $folder, $rows, $bytes, $sha256, now() at time zone 'UTC', $rule_set, $rule_version
where not exists (
    select 1 from audit.exports where profile = $profile and run_id = $run_id and folder = $folder
);

-- name: runs_like
select distinct run_id
from audit.sync_runs
where starts_with(run_id, $run) and status not in ('held', 'failed', 'skipped');

-- name: newest_run
select run_id
from audit.sync_runs
where status not in ('held', 'failed', 'skipped') and ($profile is null or profile = $profile)
order by written_at desc, rowid desc
limit 1;

-- name: profiles_of_run
select profile
from audit.sync_runs
where run_id = $run_id and status not in ('held', 'failed', 'skipped') and ($profile is null or profile = $profile)
order by profile;

-- name: result_keys
create or replace temp table results (row_key varchar, outcome varchar, message varchar);

-- name: unknown_result_key
select results.row_key
from results
where not exists (
    select 1 from audit.sync_changes
    where profile = $profile and run_id = $run_id and sync_changes.row_key = results.row_key
)
order by results.row_key
limit 1;

-- name: match_results
-- The outcomes of the run's rows: a key that the result files name, or all that is left. A row of the run
-- that went again since with the same cells is resolved where it went last.
create or replace temp table resolved as
select
    changes.rowid as change_rowid,
    changes.run_id,
    changes.row_key,
    changes.change,
    changes.row_hash,
    changes.cells,
    changes.status as status_before,
    coalesce(results.outcome, $rest) as outcome,
    results.message
from audit.sync_changes as asked
inner join audit.sync_changes as changes
    on
        asked.profile = changes.profile
        and asked.row_key = changes.row_key
        and (
            asked.rowid = changes.rowid
            or (asked.status = 'superseded' and changes.status = 'open' and asked.row_hash = changes.row_hash)
        )
left join results
    on asked.row_key = results.row_key
where
    asked.profile = $profile
    and asked.run_id = $run_id
    and changes.status in ('open', 'failed', 'acknowledged')
    and coalesce(results.outcome, $rest) is not null;

-- name: moved_on_ack
create or replace temp view moved as
select
    resolved.row_key,
    nullif(resolved.row_hash, '') as row_hash,
    case when resolved.change <> 'removed' then resolved.cells end as cells,
    state.row_hash as base_hash,
    state.cells as base_cells
from resolved
left join audit.sync_state as state
    on
        state.profile = {profile}
        and resolved.row_key = state.row_key
        and hash(state.row_key) % {parts} = {part}
where
    resolved.outcome = 'acknowledged'
    and resolved.status_before in ('open', 'failed')
    and hash(resolved.row_key) % {parts} = {part};

-- name: take_back
-- What counted as delivered when it was written, and was refused: the destination has the values from before.
update audit.sync_state
set row_hash = previous_row_hash, cells = previous_cells
where
    profile = $profile
    and run_id = $run_id
    and row_key in (
        select row_key from resolved where outcome = 'failed' and status_before = 'acknowledged'
    );

-- name: resolve_changes
update audit.sync_changes
set
    status = resolved.outcome,
    message = resolved.message,
    cells = case when resolved.outcome = 'failed' then sync_changes.cells end,
    settled_at = now() at time zone 'UTC',
    settled_by = $by
from resolved
where
    sync_changes.rowid = resolved.change_rowid
    and (resolved.status_before <> 'acknowledged' or resolved.outcome = 'failed');

-- name: resolve_runs
-- Every run of the profile whose rows have an outcome.
update audit.sync_runs
set
    status = case
        when exists (
            select 1 from audit.sync_changes as changes
            where
                changes.run_id = sync_runs.run_id
                and changes.profile = sync_runs.profile
                and changes.status in ('open', 'failed')
        ) then 'partly'
        else 'acknowledged'
    end,
    settled_at = now() at time zone 'UTC',
    settled_by = $by
where profile = $profile and run_id in (select run_id from resolved);

-- name: resolved_counts
select
    count(*) filter (where outcome = 'acknowledged' and status_before <> 'acknowledged') as acknowledged,
    count(*) filter (where outcome = 'failed') as failed
from resolved;

-- name: dismiss
update audit.sync_changes
set status = 'given_up', message = $reason, cells = null, settled_at = now() at time zone 'UTC', settled_by = $by
where profile = $profile and row_key = $key and status in ('open', 'failed');

-- name: take_up
update audit.sync_changes
set status = 'failed', message = $reason, settled_at = now() at time zone 'UTC', settled_by = $by
where profile = $profile and row_key = $key and status = 'given_up';

-- name: keys_like
select distinct row_key
from audit.sync_changes
where profile = $profile and row_key = $key and status in ('open', 'failed', 'given_up');

-- name: run_of_key
select run_id
from audit.sync_changes
where profile = $profile and row_key = $key
order by rowid desc
limit 1;

-- name: record_decision
insert into audit.sync_decisions
select
    (select coalesce(max(sequence), 0) + 1 from audit.sync_decisions),
    now() at time zone 'UTC', $run_id, $profile,
    (select max(as_of_date) from audit.sync_runs where run_id = $run_id and profile = $profile),
    $decision, $row_key, $account_id, $acknowledged, $failed, $results, $reason, $by;

-- name: status
with

newest as (

    select
        profile,
        max_by(run_id, written_at) as run_id,
        max_by(as_of_date, written_at) as as_of_date,
        max_by(status, written_at) as status,
        max_by(message, written_at) as message,
        max(settled_at) as settled_at
    from audit.sync_runs
    where status <> 'skipped'
    group by profile

),

changes as (

    select
        profile,
        count(*) filter (where status = 'open') as open,
        count(*) filter (where status = 'failed') as failed,
        count(*) filter (where status = 'given_up') as given_up
    from audit.sync_changes
    group by profile

),

known_rows as (

    select
        profile,
        count(*) as delivered
    from audit.sync_state
    where row_hash is not null
    group by profile

)

select
    newest.profile,
    newest.run_id,
    newest.as_of_date,
    newest.status,
    newest.message,
    coalesce(known_rows.delivered, 0) as delivered,
    coalesce(changes.open, 0) as open,
    coalesce(changes.failed, 0) as failed,
    coalesce(changes.given_up, 0) as given_up,
    newest.settled_at
from newest
left join changes
    using (profile)
left join known_rows
    using (profile)
order by newest.profile;

-- name: status_rows
select
    profile,
    row_key,
    status,
    message
from audit.sync_changes
where status in ('failed', 'given_up')
order by profile, status, row_key
limit 20;

-- name: not_exported
select profile, message
from audit.sync_runs
where run_id = $run_id and status in ('held', 'failed')
order by profile;
