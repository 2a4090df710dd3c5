"""Reads a vendor's file as the rows of a feed: its records, its columns by name, the adapter's select.

Whatever the shape (pages of an API, records one a line, a CSV with the vendor's own headers, the table of a
loading tool), the records go into one Parquet file first, numbered as in the vendor's file. The relation
`source` then gives each column that the object's YAML names, as text, and the adapter selects from it.
It also has `_row_number`, which every adapter gives on; `_extracted_at`, when the record was taken from the
vendor (a loading tool's column, the message around it, or else a date in the file's name); `_is_deleted`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb

from radar.core.errors import MissingColumnsError, UsageError
from radar.core.project import PROJECT
from radar.landing import names, records
from radar.landing.adapters import (
    ADAPTERS,
    FREE_MAIL,
    LOADER_TIMES,
    MACROS,
    Adapter,
    VendorColumn,
    VendorObject,
    folded,
    time_in_name,
)
from radar.landing.feeds import Feed
from radar.landing.files import ExtractFile
from radar.landing.names import LEAST_KNOWN
from radar.landing.records import Records
from radar.landing.sources import (
    MAX_OBJECT_BYTES,
    REJECTED_LINES,
    Source,
    Value,
    aliased,
    check_names,
    check_parquet,
    csv_relation,
    identifier,
    json_layout,
    known_names,
    parquet_names,
    quoted,
    read_header,
)

MAX_PAGE_BYTES = 256 << 20  # a page of an API is one value; a file may be a single one
MAX_KEYS = 5_000
SAMPLE = 10_000  # records in which a nested value is looked for
_NOT_RECORDS = "'SCHEMA', 'STATE', 'ACTIVATE_VERSION', 'CATALOG', 'LOG', 'SPEC'"  # of Singer and Airbyte
_DELETED = "is_deleted"


@dataclass(frozen=True)
class _Base:
    """The records of a file in Parquet: `record` as JSON, or columns `c0`, `c1` ... as `keys` names them."""

    path: Path
    keys: tuple[str, ...]
    is_json: bool
    records: Records
    has_rejected_lines: bool = False

    def value(self, key: str) -> str:
        """A column of a file that has them."""
        return f"c{self.keys.index(key)}"


@dataclass(frozen=True)
class Found:
    """Where a column of the object is in the file: its key there, and the path within that."""

    key: str
    inside: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The name as the file writes it."""
        return ".".join((self.key, *self.inside))


def open_vendor_source(
    con: duckdb.DuckDBPyConnection,
    file: ExtractFile,
    path: Path,
    feed: Feed,
    adapter: Adapter,
    *,
    folder: Path,
    needs_line_end: bool,
) -> Source:
    """The source that reads a plain file through an adapter. Raises InputError for the file."""
    prepare(con)
    base = _base(con, file, path, feed, adapter.object, folder=folder, needs_line_end=needs_line_end)
    found = {column.name: places_of(column, adapter.object, base.keys) for column in adapter.object.columns}
    there = _there(con, base, found)
    _require_columns(file, adapter.object, base, found if base.records.count > SAMPLE else there)
    con.execute(
        f"create or replace temp view source as {_normalised(file, feed, base, adapter.object, found)}"
    )
    types = result_types(con, adapter, feed)
    malformed = _count(con, f"select count(*) from {_parquet(base.path)} where _is_malformed")
    relation = f"({adapter.sql}\n)"
    if malformed:
        relation = (
            f"(select * from {relation} union all by name select _row_number, true as _is_malformed"
            f" from {_parquet(base.path)} where _is_malformed)"
        )
    unread, ignored = unread_keys(adapter.object, base.keys, found, feed)
    if unread:
        relation = (
            f"(select adapted.*, unknown._unread from {relation} as adapted left join"
            f" (select _row_number, {_unread(base, unread)} as _unread from {_parquet(base.path)}) as unknown"
            " on adapted._row_number = unknown._row_number)"
        )
    return Source(
        path,
        base.records,
        relation,
        "_row_number",
        {name: Value(identifier(name), sql_type) for name, sql_type in types.items()},
        extra="_unread" if unread else Source.extra,
        extra_columns=tuple(unread if not base.is_json else map(names.shown_key, unread)),
        is_malformed="coalesce(_is_malformed, false)" if malformed else None,
        has_rejected_lines=base.has_rejected_lines,
        is_adapted=True,
        shown=_shown(adapter, there),
        vendor_columns={name: places[0].shown if places else None for name, places in there.items()},
        ignored_columns=tuple(names.shown(name, words=True) for name in ignored),
    )


def result_types(con: duckdb.DuckDBPyConnection, adapter: Adapter, feed: Feed) -> dict[str, str]:
    """The feed's columns that the select returns, with their types. Raises UsageError for the adapter."""
    try:
        described = con.execute(f"describe {adapter.sql}").fetchall()
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(f"the select does not run: {reason}", "correct it", file=adapter.file) from error
    types = {row[0]: row[1] for row in described}
    if types.pop("_row_number", None) is None:
        raise UsageError("the select does not return _row_number", "give it on as it is", file=adapter.file)
    known = feed.column_names
    unknown = [name for name in types if name not in known]
    missing = [one.name for one in feed.columns if one.required and one.name not in types]
    if unknown or missing:
        what = f"{feed.name} has no column {unknown[0]}" if unknown else f"it returns no {missing[0]}"
        raise UsageError(what, f"return columns of the feed: {', '.join(known)}", file=adapter.file)
    return types


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Make the macros, once for each connection; `is_free_mail` has the shipped list as a constant."""
    if _count(con, "select count(*) from duckdb_functions() where function_name = 'is_free_mail'"):
        return
    with open(PROJECT / "seeds" / FREE_MAIL, encoding="utf-8") as lines:
        domains = ", ".join(quoted(line.strip()) for line in list(lines)[1:] if line.strip())
    con.execute(f"create temp macro is_free_mail(domain) as list_contains([{domains}], domain)")
    con.execute((ADAPTERS / MACROS).read_text(encoding="utf-8"))


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0


def _parquet(path: Path) -> str:
    return f"read_parquet({quoted(str(path))}, hive_partitioning = false)"


# records


def _base(
    con: duckdb.DuckDBPyConnection,
    file: ExtractFile,
    path: Path,
    feed: Feed,
    found: VendorObject,
    *,
    folder: Path,
    needs_line_end: bool,
) -> _Base:
    target = folder / "vendor.parquet"
    if file.format in ("csv", "tsv"):
        base = _csv_base(con, file, path, feed, target, needs_line_end=needs_line_end)
    elif file.format == "parquet":
        base = _parquet_base(con, file, path, target)
    else:
        return _json_base(con, file, path, found, target)
    raw = next((key for key in base.keys if key == "_airbyte_data"), None)
    return _of_raw_column(con, base, raw, folder) if raw else base


def _csv_base(
    con: duckdb.DuckDBPyConnection,
    file: ExtractFile,
    path: Path,
    feed: Feed,
    target: Path,
    *,
    needs_line_end: bool,
) -> _Base:
    header = read_header(file, path)
    check_names(file, feed, header)
    counted = records.count_csv(file, path, feed, header, needs_line_end=needs_line_end)
    relation = csv_relation(path, len(header), file.separator)
    _write(con, f"select * exclude (_position), _position as _row_number, false as _is_malformed"
           f" from {relation}", target)  # fmt: skip
    split = _count(con, f"select count(*) from {_parquet(target)}")
    rejected = _count(con, f"select count(distinct line) from {REJECTED_LINES}")
    if split + rejected != counted.count:
        raise records.not_all_read(file, counted.count, split + rejected)
    return _Base(target, tuple(header), False, counted, has_rejected_lines=True)


def _parquet_base(con: duckdb.DuckDBPyConnection, file: ExtractFile, path: Path, target: Path) -> _Base:
    rows = check_parquet(con, file, path)
    header = parquet_names(con, path)
    reader = f"read_parquet({quoted(str(path))}, binary_as_string = true, hive_partitioning = false)"
    described = con.execute(f"describe select * from {reader}").fetchall()
    values = [f"{_text(identifier(row[0]), row[1])} as c{position}" for position, row in enumerate(described)]
    _write(con, f"select {', '.join(values)}, row_number() over () as _row_number, false as _is_malformed"
           f" from {reader}", target)  # fmt: skip
    return _Base(target, tuple(header), False, Records(rows))


def _text(value: str, sql_type: str) -> str:
    is_nested = sql_type.startswith(("STRUCT", "MAP", "UNION", "JSON")) or sql_type.endswith("]")
    return f"cast({f'to_json({value})' if is_nested else value} as varchar)"


def _json_base(
    con: duckdb.DuckDBPyConnection, file: ExtractFile, path: Path, found: VendorObject, target: Path
) -> _Base:
    layout = json_layout(file, path)
    if layout == "newline_delimited":
        counted = records.count_lines(path)
    else:
        counted = records.count_values(file, path, is_array=layout == "array")
    most = min(max(MAX_OBJECT_BYTES, path.stat().st_size + 1), MAX_PAGE_BYTES)
    is_sound = "json is not null"
    if counted.too_deep:
        is_sound += f" and _position not in ({', '.join(map(str, counted.too_deep))})"
    _write(
        con,
        f"""
        with

        values_of_file as (

            select json, row_number() over () as _position
            from read_json_objects(
                {quoted(str(path))}, format = '{layout}', maximum_object_size = {most},
                ignore_errors = {str(layout == "newline_delimited").lower()}
            )

        ),

        -- each look into JSON takes it apart again: for a record, which most values are, one has to do
        looked_at as (

            select *, coalesce({is_sound} and {_is_record("json", found)}, false) as is_record
            from values_of_file

        ),

        pages as (

            select
                _position,
                is_record,
                case when is_record then [json] else {_records_of("json", found, is_sound)} end as items
            from looked_at

        ),

        items as (

            select _position, is_record as is_whole, unnest(items) as item
            from pages

        ),

        records as (

            select *, is_whole or coalesce({_is_record("item", found)}, false) as is_record
            from items

        ),

        unwrapped as (

            select
                _position,
                is_record,
                case
                    when is_record then {{record: item, time: cast(null as varchar)}}
                    else {_unwrapped("item", found)}
                end as opened
            from records
            where
                is_record
                or not coalesce(list_contains([{_NOT_RECORDS}], json_extract_string(item, '$.type')), false)

        )

        select
            _position,
            opened.record as record,
            opened.time as _time,
            row_number() over () as _row_number,
            not is_record and coalesce(json_type(opened.record) <> 'OBJECT', true) as _is_malformed
        from unwrapped
        """,
        target,
    )
    rows, values = con.execute(
        f"select count(*), count(distinct _position) from {_parquet(target)}"
    ).fetchone() or (0, 0)
    read = _count(
        con,
        f"select count(*) from read_json_objects({quoted(str(path))}, format = '{layout}',"
        f" maximum_object_size = {most}, ignore_errors = {str(layout == 'newline_delimited').lower()})",
    )
    if read != counted.count:
        raise records.not_all_read(file, counted.count, read)
    rules = counted.rows if rows == values == counted.count else {}  # in pages, rows are no lines
    keys = con.execute(
        f"select distinct unnest(json_keys(record)) as key from {_parquet(target)}"
        f" where not _is_malformed order by key limit {MAX_KEYS}"
    ).fetchall()
    return _Base(target, tuple(key for (key,) in keys), True, replace(counted, count=rows, rows=rules))


def _of_raw_column(con: duckdb.DuckDBPyConnection, base: _Base, raw: str, folder: Path) -> _Base:
    """The records that a raw table has as JSON in one column, with the time in the column next to it."""
    target = folder / "vendor_records.parquet"
    time = next((base.value(key) for key in base.keys if key in LOADER_TIMES), "cast(null as varchar)")
    value = base.value(raw)
    _write(
        con,
        f"select case when json_valid({value}) then cast({value} as json) end as record, {time} as _time,"
        f" _row_number, _is_malformed or not coalesce(json_valid({value}), false) as _is_malformed"
        f" from {_parquet(base.path)}",
        target,
    )
    keys = con.execute(
        f"select distinct unnest(json_keys(record)) as key from {_parquet(target)}"
        f" where not _is_malformed order by key limit {MAX_KEYS}"
    ).fetchall()
    return replace(base, path=target, keys=tuple(key for (key,) in keys), is_json=True)


def _records_of(value: str, found: VendorObject, is_sound: str) -> str:
    """The list of records in one value that is none itself: a page's, those of a bare list, or the value."""
    cases = [
        f"when json_type({value}, {_path((key,))}) = 'ARRAY'"
        f" then json_extract({value}, {quoted(_raw_path((key,)) + '[*]')})"
        for key in dict.fromkeys((*found.pages, found.name))
    ]
    return (
        f"case when not ({is_sound}) then [cast(null as json)]"
        f" when json_type({value}) = 'ARRAY' then json_extract({value}, '$[*]')"
        f" {' '.join(cases)} else [{value}] end"
    )


def _unwrapped(value: str, found: VendorObject) -> str:
    """A struct of the record in a value that is none itself, and the time of the message that it came in."""
    cases = []
    for path, time in found.wrappers.items():
        inner = _path(tuple(path.split(".")))
        at = f"json_extract_string({value}, {_path(tuple(time.split('.')))})" if time else "null"
        as_text = f"json_extract_string({value}, {inner})"
        cases += [
            f"when json_type({value}, {inner}) = 'OBJECT' then"
            f" {{record: json_extract({value}, {inner}), time: cast({at} as varchar)}}",
            f"when json_type({value}, {inner}) = 'VARCHAR' and json_valid({as_text}) then"
            f" {{record: cast({as_text} as json), time: cast({at} as varchar)}}",
        ]
    whole = f"{{record: {value}, time: cast(null as varchar)}}"
    return f"case {' '.join(cases)} else {whole} end" if cases else whole


def _is_record(value: str, found: VendorObject) -> str:
    """Whether it is a record itself and no page or message around some: it has every required column."""
    paths: dict[str, None] = {}
    tests = []
    for column in found.required:
        places = [tuple(path.split(".")) for path in column.paths if not path.startswith("=")]
        places += [(prefix.rstrip("._"), *path) for prefix in found.prefixes for path in places]
        some = [_path(keys) for keys in places]
        paths |= dict.fromkeys(some)
        tests.append([list(paths).index(path) + 1 for path in some])
    if not all(tests) or not tests:
        return "false"
    all_of = " and ".join("(" + " or ".join(f"has[{one}]" for one in some) + ")" for some in tests)
    # a list of one, so that the value is taken apart once for all of its paths
    return f"list_transform([json_exists({value}, [{', '.join(paths)}])], lambda has: {all_of})[1]"


def _raw_path(keys: Sequence[str]) -> str:
    return "$" + "".join('."' + key.replace('"', '\\"') + '"' for key in keys)


def _path(keys: Sequence[str]) -> str:
    return quoted(_raw_path(keys))


def _write(con: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    # it is read at once and thrown away: packing it takes longer
    options = "format parquet, compression uncompressed, row_group_size 16384"
    con.execute(f"copy ({query}) to {quoted(str(target))} ({options})")


# columns


def places_of(column: VendorColumn, found: VendorObject, keys: Iterable[str]) -> list[Found]:
    """Where the column is in the file, the vendor's own name first: whole keys, and paths inside of keys."""
    by_fold: dict[str, list[str]] = {}
    for key in keys:
        if key not in found.exact_names:
            by_fold.setdefault(folded(key), []).append(key)
    places: dict[Found, None] = {}
    for path in column.paths:
        if path.startswith("="):
            places |= {Found(key): None for key in keys if key == path[1:]}
            continue
        for prefix in ("", *found.prefixes):
            parts = [part for part in (prefix.rstrip("._"), *path.split(".")) if part]
            for length in range(len(parts), 0, -1):
                for key in by_fold.get(folded("".join(parts[:length])), ()):
                    places[Found(key, tuple(parts[length:]))] = None
    return list(places)


def _there(
    con: duckdb.DuckDBPyConnection, base: _Base, found: dict[str, list[Found]]
) -> dict[str, list[Found]]:
    """Of the places of each column those that the file has, nested ones by its first records."""
    nested = list(dict.fromkeys(one for places in found.values() for one in places if one.inside))
    if not nested:
        return found
    tests = []
    for spot in nested:
        if base.is_json:
            test = f"json_exists(record, {_path((spot.key, *spot.inside))})"
        else:
            value = base.value(spot.key)
            test = f"case when json_valid({value}) then json_exists({value}, {_path(spot.inside)}) end"
        tests.append(f"coalesce(bool_or({test}), false)")
    query = (
        f"select {', '.join(tests)} from (from {_parquet(base.path)} where not _is_malformed limit {SAMPLE})"
    )
    row = con.execute(query).fetchone() or ()
    missing = {spot for spot, is_there in zip(nested, row, strict=True) if not is_there}
    return {name: [one for one in places if one not in missing] for name, places in found.items()}


def unread_keys(
    found: VendorObject, keys: Sequence[str], places: dict[str, list[Found]], feed: Feed
) -> tuple[list[str], list[str]]:
    """The columns of the file that nothing reads: those that are not known, and those that are."""
    read = {spot.key for some in places.values() for spot in some} | _deleted_names(feed)
    unread = [key for key in keys if key not in read]
    return [key for key in unread if not found.is_ignored(key)], [
        key for key in unread if found.is_ignored(key)
    ]


def _unread(base: _Base, keys: Sequence[str]) -> str:
    """A JSON object of columns that nothing reads, which is kept with the row; null where all are empty."""
    if base.is_json:
        values = {key: f"json_extract(record, {_path((key,))})" for key in keys}
        filled = [f"nullif(cast({value} as varchar), 'null')" for value in values.values()]
    else:
        values = {key: base.value(key) for key in keys}
        filled = [f"nullif({value}, '')" for value in values.values()]
    pairs = ", ".join(f"{quoted(key)}, {value}" for key, value in values.items())
    return (
        f"case when coalesce({', '.join(filled)}, null) is not null"
        f" then cast(json_object({pairs}) as varchar) end"
    )


def _deleted_names(feed: Feed) -> set[str]:
    column = next(one for one in feed.columns if one.name == _DELETED)
    return known_names(replace(feed, columns=(column,)))


def _require_columns(
    file: ExtractFile, found: VendorObject, base: _Base, places: dict[str, list[Found]]
) -> None:
    """Raise InputError for the columns without which there is no row; a file without a record lacks none."""
    if base.is_json and not base.keys:
        return
    titles = {column.name: column.title for column in found.columns}
    missing = [(column.title, column.where) for column in found.required if not places[column.name]]
    missing += [
        (" or ".join(titles[name] for name in some), where)
        for some, where in found.any_of
        if not any(places[name] for name in some)
    ]
    if missing:
        is_header = sum(map(bool, places.values())) >= LEAST_KNOWN  # else it may be a row of customers
        show = names.shown_key if base.is_json and is_header else partial(names.shown, words=is_header)
        header = ", ".join(map(show, base.keys[:20]))
        where = " ".join(where for _, where in missing if where)
        raise MissingColumnsError(
            f"{found.vendor}/{found.name} needs it, and it is not in the file, which has {header}",
            where or f"export it again with this column; what it means: {found.reference}",
            file=file.source_file,
            column=", ".join(title for title, _ in missing),
        )


def _normalised(
    file: ExtractFile, feed: Feed, base: _Base, found: VendorObject, places: dict[str, list[Found]]
) -> str:
    """The select that gives every column of the object as text, empty where the file has none."""
    paths: dict[tuple[str, ...], int] = {}

    def value(spot: Found) -> str:
        if base.is_json:
            position = paths.setdefault((spot.key, *spot.inside), len(paths) + 1)
            return f"_values[{position}]"
        column = base.value(spot.key)
        if not spot.inside:
            return column
        return f"case when json_valid({column}) then json_extract_string({column}, {_path(spot.inside)}) end"

    def filled(some: Iterable[str]) -> str:
        expressions = [f"nullif(trim({one}), '')" for one in some]
        return f"coalesce({', '.join(expressions)}, null)" if expressions else "cast(null as varchar)"

    columns = [
        f"{filled(value(spot) for spot in places[column.name])} as {column.name}" for column in found.columns
    ]
    deleted = {
        name: Value(value(Found(name)), "VARCHAR") for name in base.keys if name in _deleted_names(feed)
    }
    is_deleted = aliased(feed, deleted).get(_DELETED) or deleted.get(_DELETED)
    times = [value(Found(key)) for key in LOADER_TIMES if key in base.keys]
    times += ["_time"] if base.is_json else []
    named = time_in_name(file.path.name)
    at = [f"vendor_time({filled(times)})"] if times else []
    at += [quoted(named)] if named else []
    columns += [
        f"coalesce({', '.join((*at, 'null', 'null'))})::varchar as _extracted_at",
        f"cast({is_deleted.sql if is_deleted else 'null'} as varchar) as _is_deleted",
        "_row_number",
    ]
    relation = _parquet(base.path)
    if base.is_json and paths:
        listed = ", ".join(_path(path) for path in paths)
        relation = f"(select *, json_extract_string(record, [{listed}]) as _values from {relation})"
    lines = ",\n            ".join(columns)
    return f"select {lines} from {relation} where not _is_malformed"


def _shown(adapter: Adapter, found: dict[str, list[Found]]) -> dict[str, str]:
    """The feed's columns by the names that the vendor's file has for what they are made of."""
    titles = {column.name: column.title for column in adapter.object.columns}
    shown = {}
    for name, made_of in adapter.made_of.items():
        places = [found[one][0].shown for one in made_of if found.get(one)]
        known = [titles[one] for one in made_of if one in titles]
        if places or known:
            shown[name] = (places or known)[0]
    return shown
