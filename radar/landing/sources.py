"""Turns a plain file into a `Source`: the SQL that reads it and where the contract's columns are in it.

Headers are checked here, and the rows are counted. A file that cannot be read raises InputError.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from radar.core.errors import InputError, MissingColumnsError
from radar.landing import contents, names, records
from radar.landing.feeds import Feed
from radar.landing.files import ExtractFile
from radar.landing.records import Records

MAX_HEADER_BYTES = 1 << 20
MAX_COLUMNS = 2_000
MAX_LINE_BYTES = 2_000_000  # longer CSV rows are rejected
MAX_OBJECT_BYTES = 16 << 20
# A Parquet file of one repeated value can claim any number of rows; real ones take over a tenth of a byte.
MAX_PARQUET_ROWS_PER_BYTE = 10
PARQUET_ROWS_FREE = 1_000_000
MAX_DEEP_ROWS = 1_000

REJECTED_LINES = "landing_rejected_lines"  # DuckDB's temporary table of CSV rows that it could not split

# for `list_contains` and not `in`, of which DuckDB makes a join, one for each name of the column
_TRUE = "'true', 't', 'yes', 'y', '1', '1.0'"

_SEND_ALL = "send every required column; order and further columns are free"


@dataclass(frozen=True)
class Value:
    """Where a column is: an SQL expression over the source's relation, and its DuckDB type."""

    sql: str
    type: str


@dataclass(frozen=True)
class Source:
    """How to read one plain file. `row_number` counts data rows from 1; `extra` is JSON, or null.

    `records` is what a count of its own found in the file.
    """

    path: Path
    records: Records
    relation: str
    row_number: str
    values: dict[str, Value]
    extra: str = "cast(null as varchar)"
    extra_columns: tuple[str, ...] | None = ()  # None: known only once the rows are read
    columns: tuple[str, ...] | None = None  # known ones of a header; None: only once the rows are read
    is_malformed: str | None = None  # a condition on rows that are no record at all
    has_rejected_lines: bool = False
    is_adapted: bool = False  # an adapter may leave out records, or make several rows of one
    shown: dict[str, str] = field(default_factory=dict)  # the vendor's names of columns, where it has others
    vendor_columns: dict[str, str | None] = field(default_factory=dict)  # the adapter's -> the file's
    ignored_columns: tuple[str, ...] = ()  # of the vendor's, known and not read


def open_source(
    con: duckdb.DuckDBPyConnection,
    file: ExtractFile,
    path: Path,
    feed: Feed,
    folder: Path,
    *,
    needs_line_end: bool = True,
) -> Source:
    """The source for a plain (unpacked) file at `path`; `folder` takes copies. Raises InputError.

    `needs_line_end`: the last row of a delimited file does not land where no line end follows it.
    """
    path = require_content(file, path, folder)
    if file.format == "parquet":
        return _parquet_source(con, file, path, feed)
    if file.format in ("csv", "tsv"):
        return _csv_source(file, path, feed, needs_line_end=needs_line_end)
    return _json_source(file, path, feed, json_layout(file, path))


def require_content(file: ExtractFile, path: Path, folder: Path) -> Path:
    """The file, of JSON without a byte order mark. Raises InputError for one that is empty or blank."""
    if path.stat().st_size == 0:
        raise InputError("is empty, without even a header", "send the file again", file=file.source_file)
    if file.format == "parquet":
        return path
    if records.is_blank(path):
        raise InputError(
            "is blank: it has nothing but spaces, line ends or a byte order mark",
            "send the file again; a feed without rows is a header alone, or [] in JSON",
            file=file.source_file,
        )
    if file.format not in ("csv", "tsv") and contents.begins_with(path, contents.BOM):
        return contents.without_bom(path, folder)
    return path


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


# CSV and TSV


def _csv_source(file: ExtractFile, path: Path, feed: Feed, *, needs_line_end: bool) -> Source:
    header = read_header(file, path)
    _check_header(file, feed, header, csv_hint=True)
    counted = records.count_csv(file, path, feed, header, needs_line_end=needs_line_end)
    columns = {name: f"c{position}" for position, name in enumerate(header)}
    values = {name: Value(columns[name], "VARCHAR") for name in feed.column_names if name in columns}
    values |= aliased(feed, {name: Value(column, "VARCHAR") for name, column in columns.items()})
    extra = {name: column for name, column in columns.items() if name not in known_names(feed)}
    return Source(
        path,
        counted,
        csv_relation(path, len(header), file.separator),
        "_position",
        values,
        _object(extra),
        tuple(extra),
        tuple(values),
        has_rejected_lines=True,
    )


def csv_relation(path: Path, columns: int, delimiter: str) -> str:
    """Every column as text, in the file's order, with the number of each row that could be split."""
    typed = ", ".join(f"c{position}: 'VARCHAR'" for position in range(columns))
    return f"""(
        select *, row_number() over () as _position
        from read_csv(
            {quoted(str(path))}, auto_detect = false, header = true, columns = {{{typed}}},
            delim = {quoted(delimiter)}, quote = '"', escape = '"', strict_mode = true, null_padding = false,
            max_line_size = {MAX_LINE_BYTES}, store_rejects = true, rejects_limit = 0,
            rejects_table = '{REJECTED_LINES}', rejects_scan = '{REJECTED_LINES}_scan'
        )
    )"""


def read_header(file: ExtractFile, path: Path) -> list[str]:
    """The names in the header, outer spaces cut; a column without a name is called after its position."""
    with open(path, "rb") as stream:
        start = stream.read(MAX_HEADER_BYTES)
    # cut at the last line end, so that a character is not cut in two
    whole = start if len(start) < MAX_HEADER_BYTES else start[: max(start.rfind(b"\n"), start.rfind(b"\r"))]
    try:
        text = whole.decode("utf-8-sig", errors="strict")
    except UnicodeDecodeError as error:
        if b"\n" not in whole[: error.start]:
            raise contents.not_utf8(file.source_file, 1) from error
        text = whole[: error.start].decode("utf-8-sig")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=file.separator, strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise InputError(
            f"the header cannot be read: {error}",
            "let the first line name the columns, separated by "
            + ("tabs" if file.format == "tsv" else "commas"),
            file=file.source_file,
        ) from error
    if not any(name.strip() for name in header):
        raise InputError("the first line is empty", "begin the file with its header", file=file.source_file)
    return [name.strip() or f"column_{number}" for number, name in enumerate(header, start=1)]


def _object(columns: dict[str, str]) -> str:
    """A JSON object of the columns (name -> expression), null where all of them are null."""
    if not columns:
        return "cast(null as varchar)"
    pairs = ", ".join(f"{quoted(name)}, {column}" for name, column in columns.items())
    return (
        f"case when coalesce({', '.join(_texts(columns))}) is not null"
        f" then cast(json_object({pairs}) as varchar) end"
    )


def _texts(columns: dict[str, str]) -> Iterator[str]:
    return (f"cast({column} as varchar)" for column in columns.values())


# Parquet


def _parquet_source(con: duckdb.DuckDBPyConnection, file: ExtractFile, path: Path, feed: Feed) -> Source:
    reader = f"read_parquet({quoted(str(path))}, binary_as_string = true, hive_partitioning = false"
    counted = Records(check_parquet(con, file, path))
    header = parquet_names(con, path)
    described = con.execute(f"describe select * from {reader})").fetchall()
    _check_header(file, feed, header)
    columns = {name: Value(identifier(row[0]), row[1]) for name, row in zip(header, described, strict=True)}
    values = {name: columns[name] for name in feed.column_names if name in columns} | aliased(feed, columns)
    extra = {name: value.sql for name, value in columns.items() if name not in known_names(feed)}
    if "file_row_number" in (name.lower() for name in header):
        relation = f"(select *, row_number() over () as _position from {reader}))"
        return Source(
            path, counted, relation, "_position", values, _object(extra), tuple(extra), tuple(values)
        )
    relation = f"{reader}, file_row_number = true)"
    return Source(
        path, counted, relation, "file_row_number + 1", values, _object(extra), tuple(extra), tuple(values)
    )


def check_parquet(con: duckdb.DuckDBPyConnection, file: ExtractFile, path: Path) -> int:
    """The rows that it says it has. Raises InputError where it claims more than a real file can hold."""
    row = con.execute(f"select sum(num_rows) from parquet_file_metadata({quoted(str(path))})").fetchone()
    rows, size = int(row[0] or 0) if row else 0, path.stat().st_size
    if rows > max(PARQUET_ROWS_FREE, MAX_PARQUET_ROWS_PER_BYTE * size):
        raise InputError(
            f"claims {rows:,} rows in {size / 1e6:,.1f} MB", contents.DAMAGED, file=file.source_file
        )
    _check_unpacked_size(con, file, path)
    return rows


def _check_unpacked_size(con: duckdb.DuckDBPyConnection, file: ExtractFile, path: Path) -> None:
    """Raise InputError where the pages, dictionaries included, unpack to more than a real file's do."""
    query = f"select coalesce(sum(total_uncompressed_size), 0) from parquet_metadata({quoted(str(path))})"
    row = con.execute(query).fetchone()
    size, unpacked = path.stat().st_size, int(row[0]) if row else 0
    if unpacked > max(contents.UNPACKED_FREE, contents.MAX_RATIO * size):
        raise contents.unpacks_to_too_much(file, unpacked, size)


def parquet_names(con: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The names of the outermost columns as the file has them: DuckDB renames those that come twice."""
    tree = con.execute(f"select name, num_children from parquet_schema({quoted(str(path))})").fetchall()
    header, position = [], 1
    while position < len(tree):
        header.append(tree[position][0])
        inside = 1
        while inside:  # pass over the parts of a nested column
            inside += (tree[position][1] or 0) - 1
            position += 1
    return header


# JSON


def json_layout(file: ExtractFile, path: Path) -> str:
    """DuckDB's name for how the records lie: one a line, in an array, or spread over lines."""
    if file.format != "json":
        return "newline_delimited"
    with open(path, "rb") as stream:
        first_line = next(
            (line for line in iter(lambda: stream.readline(MAX_OBJECT_BYTES), b"") if line.strip()), b""
        )
    if first_line.lstrip().startswith(b"["):
        return "array"
    try:
        json.loads(first_line)
    except (ValueError, RecursionError):  # a line that is too deep for Python has its brackets counted
        return "unstructured"
    return "newline_delimited"


def _json_source(file: ExtractFile, path: Path, feed: Feed, layout: str) -> Source:
    if layout == "newline_delimited":
        counted = records.count_lines(path)
    else:
        counted = records.count_values(file, path, is_array=layout == "array")
    if len(counted.too_deep) > MAX_DEEP_ROWS:
        raise InputError(
            f"has {len(counted.too_deep):,} rows with {records.TOO_DEEP}",
            "send records that are less deep",
            file=file.source_file,
        )
    named = dict.fromkeys(
        [*feed.column_names, *sorted(known_names(feed) - set(feed.column_names))], "VARCHAR"
    )
    structure = json.dumps(named)
    without = json.dumps(dict.fromkeys(sorted(known_names(feed))))
    fields = {name: Value(f"record.{identifier(name)}", "VARCHAR") for name in named}
    is_record = "json_type(json) = 'OBJECT'"
    if counted.too_deep:
        is_record += f" and _position not in ({', '.join(map(str, counted.too_deep))})"
    relation = f"""(
        select
            json,
            {is_record} as is_record,
            case when {is_record} then from_json(json, {quoted(structure)}) end as record,
            _position
        from (
            select json, row_number() over () as _position
            from read_json_objects(
                {quoted(str(path))}, format = '{layout}', maximum_object_size = {MAX_OBJECT_BYTES},
                ignore_errors = {str(layout == "newline_delimited").lower()}
            )
        )
    )"""
    # patching with nulls takes the contract's keys away
    rest = f"nullif(cast(json_merge_patch(json, {quoted(without)}) as varchar), '{{}}')"
    extra = f"case when is_record then {rest} end"
    return Source(
        path,
        counted,
        relation,
        "_position",
        {name: fields[name] for name in feed.column_names} | aliased(feed, fields),
        extra,
        None,
        is_malformed="is_record is not true",
    )


# what all have in common


def known_names(feed: Feed) -> set[str]:
    """Every name under which a column of the contract may come."""
    return {name for column in feed.columns for name in (column.name, *column.aliases)}


def aliased(feed: Feed, columns: dict[str, Value]) -> dict[str, Value]:
    """The columns of the contract that came, also or only, under a name that a loading tool gives them.

    Of several, one that is true decides. A time counts as true where it is filled.
    """
    values = {}
    for column in feed.columns:
        names = [name for name in column.aliases if name in columns]
        if not names:
            continue
        own = [column.name] if column.name in columns else []
        texts = [_as_flag(name, columns[name]) for name in (*own, *names)]
        is_true = " or ".join(f"list_contains([{_TRUE}], lower(trim({text})))" for text in texts)
        values[column.name] = Value(
            f"case when {is_true} then 'true' else coalesce({', '.join(texts)}) end", "VARCHAR"
        )
    return values


def _as_flag(name: str, value: Value) -> str:
    text = f"nullif(cast({value.sql} as varchar), '')"
    return f"case when trim({text}) <> '' then 'true' end" if name.endswith("_at") else text


def _check_header(file: ExtractFile, feed: Feed, header: list[str], *, csv_hint: bool = False) -> None:
    """Raise InputError for a column that comes twice, and for a required one that does not come."""
    check_names(file, feed, header)
    missing = [column.name for column in feed.columns if column.required and column.name not in header]
    if missing:
        raise MissingColumnsError(
            f"required but not in the header, which has: {_shortened(_shown(feed, header, header))}",
            _remedy(header, missing[0], csv_hint=csv_hint),
            file=file.source_file,
            column=", ".join(missing),
        )


def check_names(file: ExtractFile, feed: Feed, header: list[str]) -> None:
    """Raise InputError for a column that comes twice, and for more columns than a file may have."""
    if len(header) > MAX_COLUMNS:
        raise InputError(
            f"has {len(header):,} columns, more than {MAX_COLUMNS:,}",
            "send fewer columns; those outside the contract are only kept aside",
            file=file.source_file,
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(
            "the header names a column twice",
            "rename one of them",
            file=file.source_file,
            column=_shown(feed, header, twice)[0],
        )


def _shown(feed: Feed, header: list[str], some: list[str]) -> list[str]:
    """Some names of a header as they may be shown; a file may have none, and begin with a customer."""
    is_header = names.is_header(feed, header)
    return [names.shown(name, words=is_header) for name in some]


def _shortened(header: list[str]) -> str:
    text = ", ".join(header)
    return text if len(text) <= 300 else text[:300] + " ..."


def _remedy(header: list[str], missing: str, *, csv_hint: bool) -> str:
    alike = next((name for name in header if name.lower() == missing), None)
    if alike:
        return f"write {missing} instead of {alike}: names are in lower case"
    if csv_hint and len(header) == 1:
        return "separate the columns by commas, semicolons, tabs or |, and name them in the first line"
    return _SEND_ALL
