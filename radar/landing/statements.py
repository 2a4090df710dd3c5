"""Builds the SQL that lands the rows of one source. Pure functions; `land` decides the order and runs them.

A row travels as: the contract's columns cast, `_extra`, `_row_number`, and `_row_problems`, `_value_problems`
(lists, null where there are none). The process that reads files writes rows in this form to a Parquet file.
Of feeds whose rows all land, clean rows go straight from there into `raw`; what else there is, to the stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from radar.landing import casts, notations
from radar.landing.feeds import CURRENCY, NO_CURRENCY, Column, Feed
from radar.landing.records import (
    MALFORMED_ROW,
    MAX_DEPTH,
    TOO_DEEP,
    UNFINISHED_LINE,
    WRONG_FIELD_COUNT,
)
from radar.landing.sources import REJECTED_LINES, Source, quoted

STAGE = "landing_stage"
MATCHES = "landing_matches"
REPEATS = "landing_repeats"
RELEASED = "landing_released"
SCRATCH = (STAGE, MATCHES, REPEATS)  # made again for every file
REJECTED_NUMBERS = "landing_rejected_numbers"  # CSV rows that could not be split, numbered as data rows
PROBLEMS = "landing_problems"  # rows that were split, and that a second look at the file refuses
DEEP_VALUES = "landing_deep_values"  # rows whose JSON is nested too deep
BLANKS = "landing_blank_lines"

MISSING_REQUIRED = "missing_required"
WRONG_TYPE = "wrong_type"
UNRESOLVED_ACCOUNT = "unresolved_account"

NEWEST_LANDED = "_batch_id desc, _source_file desc, _row_number desc"

_PROBLEM = "struct(column_name varchar, rule varchar, masked_value varchar, message varchar)"
_PROBLEMS = f"{_PROBLEM}[]"
_NONE = f"cast([] as {_PROBLEMS})"
_IS_FRESH = (
    f"anti join {REPEATS} as repeats on staged._row_number = repeats._row_number where _row_problems is null"
)

KNOWN_FILE = """
    select count(*)
    from control.known_files
    where source_file = ? and bytes = ? and mtime_ns = ? and inode = ? and ctime_ns = ?
"""

IS_WANTED_AGAIN = """
    select count(*)
    from quarantine.refused_keys as refused
    where
        refused.feed = $feed
        and refused.superseded_at is null
        and row(
            coalesce(refused.came_last.batch_id, refused.batch_id),
            coalesce(refused.came_last.source_file, refused.source_file)
        ) > (select max(row(batch_id, source_file)) from audit.loads where feed = $feed and sha256 = $sha256)
"""

LANDED_TWIN = """
    select loads.source_file
    from audit.loads as loads
    anti join quarantine.rejected_rows as blocked
        on blocked.rule = 'feed_held'
        and blocked.feed = loads.feed
        and blocked.source_file = loads.source_file
        and blocked.batch_id = loads.batch_id
    where loads.feed = ? and loads.sha256 = ? and loads.status = 'landed'
    limit 1
"""

NEWEST_OF_FOLDER = """
    select sha256
    from audit.loads
    where feed = ? and status = 'landed' and parse_dirpath(source_file) = parse_dirpath(?)
    order by batch_id desc, source_file desc
    limit 1
"""

COUNT_STAGE = f"select count(*), count(_row_problems), count(_value_problems) from {STAGE}"

FILE_BEFORE = """
    select source_file, coalesce(rows_read, 0)
    from audit.loads
    where
        feed = $feed
        and status = 'landed'
        and source_file <> $source_file
        and string_split(source_file, '/')[:2] = string_split($source_file, '/')[:2]
        and (batch_id < $batch_id or source_file < $source_file)
    order by batch_id desc, source_file desc
    limit 1
"""

COUNT_UNFINISHED = f"select count(*) from {STAGE} where _row_problems[1].rule = '{UNFINISHED_LINE}'"

INTO_KNOWN_FILES = """
    insert or replace into control.known_files (source_file, bytes, mtime_ns, inode, ctime_ns, sha256)
"""

INTO_LOADS = """
    insert into audit.loads (
        run_id, batch_id, feed, source_file, sha256, bytes, status, rows_read, rows_landed, rows_repeated,
        rows_rejected, values_rejected, extra_columns, message, loaded_at, records_counted, columns,
        missing_columns
    )
"""

BROKEN_FILE = f"""
    select line_byte_position - 1, byte_position - 1
    from {REJECTED_LINES}
    where error_type = 'UNQUOTED VALUE'
    order by line_byte_position
"""

FIRST_REJECTED = """
    select row_number, column_name, message
    from quarantine.rejected_rows
    where feed = $feed and source_file = $source_file and batch_id = $batch_id
    order by row_number
    limit 1
"""


def typed_rows(
    feed: Feed, source: Source, payloads_from: date | None = None, by_column: dict[str, str] | None = None
) -> str:
    """The query that reads the source, casts every column and says what is wrong with each row.

    `by_column`: in which notation columns are written that have another one than Radar's (`notations`).
    Payloads (JSON) of rows older than `payloads_from` are left out: they would be purged when the run ends.
    """
    present = [column for column in feed.columns if column.name in source.values]
    read = [
        f"{casts.clean(column, source.values[column.name].sql, source.values[column.name].type)}"
        f" as s_{column.name}"
        for column in present
    ]
    if source.is_malformed:
        read.append(f"{source.is_malformed} as _is_malformed")
    written = by_column or {}
    cast = [
        casts.as_type(
            column,
            notations.rewritten(written.get(column.name), f"s_{column.name}"),
            source.values[column.name].type,
        )
        + f" as t_{column.name}"
        for column in present
    ]
    bounded = [f"{casts.within_years(column, 't_' + column.name)} as v_{column.name}" for column in present]
    landing = [
        f"{_landing_value(feed, column, source, payloads_from)} as {column.name}" for column in feed.columns
    ]
    row_problems, value_problems = _problems(feed, source, written)
    return f"""
        select
            {_lines(landing)},
            _extra,
            _row_number,
            {row_problems} as _row_problems,
            {value_problems} as _value_problems
        from (
            select *, {_lines(bounded)}
            from (
                select *, {_lines(cast)}
                from (
                    select {_lines(read)}, {source.extra} as _extra, {source.row_number} as _row_number
                    from {source.relation}
                )
            )
        )
    """


def evidence_of_notations(source: Source, columns: list[Column]) -> str:
    """One row: for each of the columns what `notations.chosen` decides by, over all values of the file."""
    read = ", ".join(
        f"{casts.clean(column, source.values[column.name].sql, 'VARCHAR')} as s_{column.name}"
        for column in columns
    )
    found = [one for column in columns for one in notations.evidence(column.type, f"s_{column.name}")]
    return f"select {_lines(found)} from (select {read} from {source.relation})"


def columns_of_wrong_type(rows: str) -> str:
    """The columns, as they are shown, of which values are of the wrong type."""
    return f"""
        select distinct problem.column_name
        from (
            select unnest(list_concat(_row_problems, _value_problems)) as problem
            from read_parquet({quoted(rows)})
        )
        where problem.rule = '{WRONG_TYPE}'
    """


def _lines(expressions: list[str]) -> str:
    return ",\n            ".join(expressions)


def _landing_value(feed: Feed, column: Column, source: Source, payloads_from: date | None) -> str:
    if column.name not in source.values:
        return f"cast(null as {column.sql_type})"
    if column.format == CURRENCY:
        return f"case when s_{column.name} is not null then coalesce(v_{column.name}, '{NO_CURRENCY}') end"
    if column.type == "json" and payloads_from is not None:
        happened_at = next(
            other.name for other in feed.columns if other.required and other.type == "timestamp"
        )
        return f"case when v_{happened_at} >= date '{payloads_from}' then v_{column.name} end"
    return f"v_{column.name}"


def _problems(feed: Feed, source: Source, written: dict[str, str]) -> tuple[str, str]:
    """The two lists: what costs the row, and what costs only a value."""
    of_row: list[tuple[str, str]] = []
    of_value: list[tuple[str, str]] = []
    if source.is_malformed:
        of_row.append(("_is_malformed", _problem(None, MALFORMED_ROW, None, quoted("not a JSON object"))))
    for column in feed.columns:
        if column.name not in source.values:
            continue
        raw, value = f"s_{column.name}", f"v_{column.name}"
        shown = source.shown.get(column.name, column.name)
        masked = casts.masked(casts.as_text(raw, source.values[column.name].type))
        if column.required:
            of_row.append(
                (
                    f"{raw} is null",
                    _problem(shown, MISSING_REQUIRED, None, quoted("required, and empty")),
                )
            )
        if casts.can_be_wrong(column):
            text = casts.as_text(raw, source.values[column.name].type)
            open_end = casts.is_open_end(column, f"t_{column.name}")
            wrong = (
                f"{raw} is not null and {value} is null" + (f" and not {open_end}" if open_end else ""),
                _problem(shown, WRONG_TYPE, masked, casts.expected(column, text, written.get(column.name))),
            )
            (of_row if column.refuses_row else of_value).append(wrong)
    return _list(of_row), _list(of_value)


def _problem(column: str | None, rule: str, masked: str | None, message: str) -> str:
    name = quoted(column) if column else "null"
    return (
        f"[cast({{column_name: {name}, rule: {quoted(rule)}, masked_value: {masked or 'null'},"
        f" message: {message}}} as {_PROBLEM})]"
    )


def _list(problems: list[tuple[str, str]]) -> str:
    """Built only for a row on which some condition is true."""
    if not problems:
        return f"cast(null as {_PROBLEMS})"
    guard = " or ".join(f"({condition})" for condition, _ in problems)
    parts = " || ".join(
        f"case when {condition} then {problem} else {_NONE} end" for condition, problem in problems
    )
    return f"case when {guard} then {parts} end"


def land_clean(feed: Feed, rows: str, whole_ids: Sequence[str]) -> str:
    """Insert the clean rows of a file that was read. Parameters: loaded_at, batch_id, source_file."""
    names = ", ".join(feed.column_names)
    return f"""
        insert into {feed.raw_table} ({names}, _extra, _loaded_at, _batch_id, _source_file, _row_number)
        select {names}, _extra, $loaded_at, $batch_id, $source_file, _row_number
        from {_with_whole_ids(rows, whole_ids)}
        where _row_problems is null and _value_problems is null
    """


def stage_rows(feed: Feed, rows: str, whole_ids: Sequence[str]) -> str:
    """Take the rows of a file that was read into the stage; of feeds whose rows all land, those not clean."""
    condition = "_row_problems is not null or _value_problems is not null" if feed.lands_every_row else "true"
    source = _with_whole_ids(rows, whole_ids)
    return f"create or replace temp table {STAGE} as select * from {source} where {condition}"


def _with_whole_ids(rows: str, columns: Sequence[str]) -> str:
    """The rows of a file that was read, with 12 for 12.0 in these columns."""
    if not columns:
        return _parquet(rows)
    whole = ", ".join(f"{casts.whole_id(column)} as {column}" for column in columns)
    return f"(select * replace ({whole}) from {_parquet(rows)})"


def _parquet(path: str) -> str:
    return f"read_parquet({quoted(path)}, hive_partitioning = false)"


EMPTY_PROBLEMS = f"""
    create or replace temp table {PROBLEMS} (row_number bigint, rule varchar, message varchar);
    create or replace temp table {DEEP_VALUES} (row_number bigint);
"""
FILL_PROBLEMS = (
    f"insert into {PROBLEMS} select unnest(?::bigint[]), unnest(?::varchar[]), unnest(?::varchar[])"
)
FILL_DEEP = f"insert into {DEEP_VALUES} select unnest(?::bigint[])"
EMPTY_REJECTED_NUMBERS = f"""
    create or replace temp table {REJECTED_NUMBERS} (row_number bigint, rule varchar, message varchar)
"""


def many_brackets(column: Column, rows: str, depth: int) -> str:
    """Row number and text of the JSON values with so many brackets that they may be nested too deep."""
    brackets = " + ".join(f"length({column.name}) - length(replace({column.name}, '{b}', ''))" for b in "[{")
    return f"""
        select _row_number, {column.name}
        from {_parquet(rows)}
        where strlen({column.name}) > {2 * depth} and {brackets} > {depth}
    """


def decimal_ids(feed: Feed, rows: str) -> str:
    """Whether each id column of a file that was read has values like 12.0 and nothing but whole numbers."""
    tests = ", ".join(
        f"coalesce(bool_or(ends_with({column}, '.0')) and bool_and({casts.is_whole_id(column)}), false)"
        for column in feed.id_columns
    )
    return f"select {tests} from {_parquet(rows)}"


def number_rejected_lines() -> str:
    """Data-row numbers of the CSV rows that could not be split; DuckDB counts header and empty lines too.

    What it takes for the beginning of a row includes empty lines before it, so its end is compared.
    """
    return f"""
        create or replace temp table {REJECTED_NUMBERS} as
        select
            line - 1 - count({BLANKS}.byte_offset) as row_number,
            rule,
            message
        from (
            select
                line,
                max({REJECTED_LINES}.byte_position) as byte_position,
                case
                    when bool_or(error_type like '% COLUMNS') then '{WRONG_FIELD_COUNT}'
                    else '{MALFORMED_ROW}'
                end as rule,
                min_by(error_message, {REJECTED_LINES}.byte_position) as message
            from {REJECTED_LINES}
            group by line
        ) as lines
        left join {BLANKS} on {BLANKS}.byte_offset < lines.byte_position
        group by line, rule, message
    """


def corrected_rows(feed: Feed, rows: str) -> str:
    """The rows as read, with the numbers that they have in the file, and with the rows that do not land.

    The k-th row that was split comes after those rejected rows whose number, less their rank, is below k.
    """
    values = [
        f"case when deep.row_number is null then {column.name} end as {column.name}"
        if column.type == "json"
        else column.name
        for column in feed.columns
    ]
    payload = next((column.name for column in feed.columns if column.type == "json"), None)
    problem = (
        f"[cast({{{{column_name: {{}}, rule: {{}}, masked_value: null, message: {{}}}}}} as {_PROBLEM})]"
    )
    deep = problem.format(
        quoted(payload) if payload else "null",
        quoted(WRONG_TYPE),
        quoted(f"{TOO_DEEP}: at most {MAX_DEPTH} are read"),
    )
    of_split = problem.format("null", "problems.rule", "problems.message")
    of_broken = problem.format(
        "null", "coalesce(problems.rule, rejected.rule)", "coalesce(problems.message, rejected.message)"
    )
    return f"""
        with

        shifts as (

            select
                row_number - rank + 1 as first_number,
                max(rank) as shift
            from (
                select row_number, row_number() over (order by row_number) as rank
                from {REJECTED_NUMBERS}
            )
            group by first_number

        ),

        numbered as (

            select
                split.* exclude (_row_number),
                split._row_number as _read_number,
                split._row_number + coalesce(shifts.shift, 0) as _row_number
            from {_parquet(rows)} as split
            asof left join shifts on split._row_number >= shifts.first_number

        )

        select
            {_lines(values)},
            _extra,
            _row_number,
            case when problems.row_number is null then _row_problems else {of_split} end as _row_problems,
            case
                when deep.row_number is null then _value_problems
                else coalesce(_value_problems, {_NONE}) || {deep}
            end as _value_problems
        from numbered
        left join {PROBLEMS} as problems on numbered._row_number = problems.row_number
        left join {DEEP_VALUES} as deep on numbered._read_number = deep.row_number
        union all by name
        select rejected.row_number as _row_number, {of_broken} as _row_problems
        from {REJECTED_NUMBERS} as rejected
        left join {PROBLEMS} as problems on rejected.row_number = problems.row_number
    """


def match_landed(feed: Feed) -> str:
    """Collect the rows that landed or wait and have the key and updated_at of a row in the stage.

    By rowid, so that of a long history only the columns of the key are read.
    """
    names = ", ".join(feed.column_names)
    same = _same(feed.version_key, "landed", "staged")
    matches = [
        f"""
        select {names}, _batch_id, _source_file, _row_number
        from {table}
        where rowid in (select landed.rowid from {table} as landed semi join {STAGE} as staged on {same})
        """
        for table in (feed.raw_table, feed.waiting_table)
        if table and not feed.lands_every_row
    ]
    nothing = f"select {names}, 0::bigint as _batch_id, '' as _source_file, _row_number from {STAGE} limit 0"
    return f"create or replace temp table {MATCHES} as {' union all '.join(matches) or nothing}"


def find_repeats(feed: Feed) -> str:
    """Collect the numbers of the stage's good rows that say nothing new; needs `match_landed`.

    A row is a repeat where its columns equal those of the row before it, in this file or else among those
    that landed or wait, with the same key and updated_at: so A, then B, then A again ends with A.
    Where neither the file nor what landed has two rows for a key, that is one join.
    """
    key, names = ", ".join(feed.version_key), ", ".join(feed.column_names)
    if feed.lands_every_row:
        return f"create or replace temp table {REPEATS} as select _row_number from {STAGE} limit 0"
    return f"""
        create or replace temp table {REPEATS} as
        with

        good as (

            select * from {STAGE} where _row_problems is null

        ),

        repeated_versions as (

            select {key} from good group by all having count(*) > 1
            union
            select {key} from {MATCHES} group by all having count(*) > 1

        ),

        incoming as (

            select
                {key},
                _row_number,
                row({names}) as content,
                row_number() over versions = 1 as is_first,
                lag(row({names})) over versions as content_before
            from good
            semi join repeated_versions on {_same(feed.version_key, "good", "repeated_versions")}
            window versions as (partition by {key} order by _row_number)

        ),

        newest_landed as (

            select {key}, row({names}) as content
            from {MATCHES} as landed
            semi join repeated_versions on {_same(feed.version_key, "landed", "repeated_versions")}
            qualify row_number() over (partition by {key} order by {NEWEST_LANDED}) = 1

        )

        select good._row_number
        from good
        semi join {MATCHES} as landed on {_same(feed.column_names, "good", "landed")}
        anti join repeated_versions on {_same(feed.version_key, "good", "repeated_versions")}
        union all
        select incoming._row_number
        from incoming
        left join newest_landed on {_same(feed.version_key, "incoming", "newest_landed")}
        where
            incoming.content is not distinct from
            case when incoming.is_first then newest_landed.content else incoming.content_before end
    """


def _same(columns: tuple[str, ...], left: str, right: str) -> str:
    return " and ".join(f"{left}.{column} is not distinct from {right}.{column}" for column in columns)


def land_fresh(feed: Feed) -> str:
    """Insert the good rows of the stage that are no repeats. Parameters: loaded_at, batch_id, source_file."""
    names = ", ".join(feed.column_names)
    return f"""
        insert into {feed.raw_table} ({names}, _extra, _loaded_at, _batch_id, _source_file, _row_number)
        select {names}, _extra, $loaded_at, $batch_id, $source_file, _row_number
        from {STAGE} as staged
        {_IS_FRESH}
    """


def record_row_problems() -> str:
    """One line for each row of the stage that does not land. Parameters: feed and those of `land_fresh`."""
    return f"""
        {_into("rejected_rows")}
        select
            $feed, $source_file, _row_number, first.rule, first.column_name, first.masked_value, $batch_id,
            first.message || case when more > 0 then ' (and ' || more || ' more in this row)' else '' end,
            $loaded_at
        from (
            select _row_number, _row_problems[1] as first, len(_row_problems) - 1 as more
            from {STAGE}
            where _row_problems is not null
        )
        order by _row_number
    """


def record_refused_keys(feed: Feed) -> str:
    """One line for each of those rows whose key or account can be read. Parameters as above."""
    return f"""
        insert into quarantine.refused_keys
            (feed, account_id, entity_key, fact_at, batch_id, source_file, row_number, rejected_at)
        select $feed, {account_of(feed)}, {entity_key(feed)}, {fact_time(feed)},
            $batch_id, $source_file, _row_number, $loaded_at
        from {STAGE}
        where _row_problems is not null and ({entity_key(feed)} is not null or {account_of(feed)} is not null)
    """


def entity_key(feed: Feed, table: str = "") -> str:
    """The key of a row's thing as one text, null where a part of it is empty that has to be there."""
    prefix = f"{table}." if table else ""
    required = {column.name for column in feed.columns if column.required}
    parts = [(name, f"cast({prefix}{name} as varchar)") for name in feed.entity_key]
    return " || ' ' || ".join(part if name in required else f"coalesce({part}, '')" for name, part in parts)


def record_repeated_keys(feed: Feed) -> str:
    """One line for each repeat of the stage whose key was refused, or may be by the checks that are to come.

    Those have not seen the rows of later batches than the newest that they recorded. Parameters as above.
    """
    unchecked = "select coalesce(max(batch_id), 0) from audit.checks where feed = $feed"
    updated_at = "updated_at" if feed.has_versions else "cast(null as timestamp)"
    return f"""
        insert into control.repeated_keys (feed, entity_key, updated_at, batch_id, source_file, row_number)
        select $feed, {entity_key(feed)}, {updated_at}, $batch_id, $source_file, _row_number
        from {STAGE} as staged
        semi join {REPEATS} as repeats on staged._row_number = repeats._row_number
        where {entity_key(feed)} in (
            select entity_key from quarantine.refused_keys where feed = $feed and superseded_at is null
            union all
            select {entity_key(feed)} from {feed.raw_table} where _batch_id > ({unchecked})
        )
    """


def account_of(feed: Feed) -> str:
    """The column that names a row's account, null where the feed has none."""
    return "account_id" if "account_id" in feed.column_names else "cast(null as varchar)"


def fact_time(feed: Feed) -> str:
    """When a row's version was made, or its fact happened."""
    if feed.has_versions:
        return "updated_at"
    return feed.event_times[0] if feed.event_times else "cast(null as timestamp)"


def record_value_problems() -> str:
    """One line for each value that was left out of a row that landed. Parameters as above."""
    return f"""
        {_into("rejected_values")}
        select
            $feed, $source_file, _row_number, problem.rule, problem.column_name, problem.masked_value,
            $batch_id, problem.message, $loaded_at
        from (
            select _row_number, unnest(_value_problems) as problem
            from {STAGE} as staged
            {_IS_FRESH} and _value_problems is not null
        )
        order by _row_number
    """


def _into(table: str) -> str:
    columns = "feed, source_file, row_number, rule, column_name, masked_value, batch_id, message, rejected_at"
    return f"insert into quarantine.{table} ({columns})"


def filled_columns(feed: Feed, rows: str) -> str:
    """Of each column of the contract, in its order, how many of the rows that were read fill it."""
    return f"select {', '.join(f'count({name})' for name in feed.column_names)} from {_parquet(rows)}"


def extra_names(rows: str) -> str:
    """Up to 100 unknown columns of the rows that were read."""
    return f"""
        select distinct unnest(json_keys(_extra)) as name
        from {_parquet(rows)}
        where _row_problems is null and _extra is not null
        order by name
        limit 100
    """


def collect_released(feed: Feed) -> str:
    """The rows that waited and whose account has arrived, or whose id an account has claimed."""
    return f"""
        create or replace temp table {RELEASED} as
        select waiting.*
        from {feed.waiting_table} as waiting
        semi join (
            select account_id from raw.crm_accounts
            union all
            select account_id from raw.account_aliases where source = {quoted(feed.source)}
        ) as accounts
            on waiting.account_id = accounts.account_id
    """


def land_released(feed: Feed) -> str:
    """Insert them into raw as the batch $batch_id.

    One that a later row of the same key and updated_at has superseded, here or in raw, is left out: it would
    come back newer than what replaced it.
    """
    names = ", ".join(feed.column_names)
    key, landed = ", ".join(feed.version_key), "_batch_id, _source_file, _row_number"
    superseded = f"""
        anti join (
            select {key}, {landed} from {feed.raw_table}
            union all
            select {key}, {landed} from {RELEASED}
        ) as later
            on {_same(feed.version_key, "later", "released")}
            and row(later._batch_id, later._source_file, later._row_number)
            > row(released._batch_id, released._source_file, released._row_number)
    """
    return f"""
        insert into {feed.raw_table} ({names}, _extra, _loaded_at, _batch_id, _source_file, _row_number)
        select {names}, _extra, _loaded_at, $batch_id, _source_file, _row_number
        from {RELEASED} as released
        {"" if feed.lands_every_row else superseded}
    """


def forget_waiting() -> str:
    """Remove the lines of the released rows from quarantine. Parameter: feed."""
    return f"""
        delete from quarantine.rejected_rows as rejected
        using {RELEASED} as released
        where
            rejected.feed = $feed
            and rejected.rule = '{UNRESOLVED_ACCOUNT}'
            and rejected.source_file = released._source_file
            and rejected.batch_id = released._batch_id
            and rejected.row_number = released._row_number
    """


def delete_released(feed: Feed) -> str:
    """Remove the released rows from where they waited."""
    identity = ("_source_file", "_batch_id", "_row_number")
    return f"""
        delete from {feed.waiting_table} as waiting
        using {RELEASED} as released
        where {_same(identity, "waiting", "released")}
    """
