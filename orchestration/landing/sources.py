"""Turns a plain file into a `Source`: the SQL that reads it and where the contract's columns stand in it.

Headers are checked here, and nothing else about the rows. A file that cannot be read raises InputError.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.landing import contents
from orchestration.landing.feeds import Feed
from orchestration.landing.files import ExtractFile
from radar.errors import InputError

MAX_HEADER_BYTES = 1 << 20
MAX_COLUMNS = 2_000
MAX_LINE_BYTES = 2_000_000  # longer CSV rows are rejected
MAX_OBJECT_BYTES = 16 << 20
# A Parquet file of one repeated value can claim any number of rows; real ones take over a tenth of a byte.
MAX_PARQUET_ROWS_PER_BYTE = 10
PARQUET_ROWS_FREE = 1_000_000

CURRENCY = "currency"
REJECTED_LINES = "landing_rejected_lines"  # DuckDB's temporary table of CSV rows that it could not split

_TRUE = "'true', 't', 'yes', 'y', '1', '1.0'"

_SEND_ALL = "send every required column; order and further columns are free"


@dataclass(frozen=True)
class Value:
    """Where a column stands: an SQL expression over the source's relation, and its DuckDB type."""

    sql: str
    type: str


@dataclass(frozen=True)
class Source:
    """How to read one plain file. `row_number` counts data rows from 1; `extra` is JSON, or null."""

    path: Path
    relation: str
    row_number: str
    values: dict[str, Value]
    extra: str = "cast(null as varchar)"
    extra_columns: tuple[str, ...] | None = ()  # None: known only once the rows are read
    is_malformed: str | None = None  # a condition on rows that are no record at all
    has_rejected_lines: bool = False


def open_source(
    con: duckdb.DuckDBPyConnection, file: ExtractFile, path: Path, feed: Feed, folder: Path
) -> Source:
    """The source for a plain (unpacked) file at `path`; `folder` takes copies. Raises InputError."""
    if path.stat().st_size == 0:
        raise InputError("is empty, without even a header", "send the file again", file=file.source_file)
    if file.format == "parquet":
        return _parquet_source(con, file, path, feed)
    if file.format in ("csv", "tsv"):
        return _csv_source(file, path, feed)
    if contents.begins_with(path, contents.BOM):
        path = contents.without_bom(path, folder)
    return _json_source(path, feed, _json_layout(file, path))


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


# CSV and TSV


def _csv_source(file: ExtractFile, path: Path, feed: Feed) -> Source:
    header = read_header(file, path)
    _check_header(file, feed, header, csv_hint=True)
    columns = {name: f"c{position}" for position, name in enumerate(header)}
    values = {name: Value(columns[name], "VARCHAR") for name in _used(feed) if name in columns}
    values |= _aliased(feed, {name: Value(column, "VARCHAR") for name, column in columns.items()})
    extra = {name: column for name, column in columns.items() if name not in _known(feed)}
    return Source(
        path,
        csv_relation(path, len(header), "\t" if file.format == "tsv" else ","),
        "_position",
        values,
        _object(extra),
        tuple(extra),
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
    """The names in the header, outer spaces cut; a column without a name is called after its place."""
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
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter="\t" if file.format == "tsv" else ",", strict=True
    )
    try:
        names = next(reader, [])
    except csv.Error as error:
        raise InputError(
            f"the header cannot be read: {error}",
            "let the first line name the columns, separated by "
            + ("tabs" if file.format == "tsv" else "commas"),
            file=file.source_file,
        ) from error
    if not any(name.strip() for name in names):
        raise InputError("the first line is empty", "begin the file with its header", file=file.source_file)
    return [name.strip() or f"column_{place}" for place, name in enumerate(names, start=1)]


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
    rows = con.execute(f"select sum(num_rows) from parquet_file_metadata({quoted(str(path))})").fetchone()
    size = path.stat().st_size
    if rows and rows[0] > max(PARQUET_ROWS_FREE, MAX_PARQUET_ROWS_PER_BYTE * size):
        raise InputError(
            f"claims {rows[0]:,} rows in {size / 1e6:,.1f} MB", contents.DAMAGED, file=file.source_file
        )
    names = _parquet_names(con, path)
    described = con.execute(f"describe select * from {reader})").fetchall()
    _check_header(file, feed, names)
    columns = {name: Value(identifier(row[0]), row[1]) for name, row in zip(names, described, strict=True)}
    values = {name: columns[name] for name in _used(feed) if name in columns} | _aliased(feed, columns)
    extra = {name: value.sql for name, value in columns.items() if name not in _known(feed)}
    if "file_row_number" in (name.lower() for name in names):
        relation = f"(select *, row_number() over () as _position from {reader}))"
        return Source(path, relation, "_position", values, _object(extra), tuple(extra))
    relation = f"{reader}, file_row_number = true)"
    return Source(path, relation, "file_row_number + 1", values, _object(extra), tuple(extra))


def _parquet_names(con: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The names of the outermost columns as the file has them: DuckDB renames those that come twice."""
    tree = con.execute(f"select name, num_children from parquet_schema({quoted(str(path))})").fetchall()
    names, position = [], 1
    while position < len(tree):
        names.append(tree[position][0])
        inside = 1
        while inside:  # pass over the parts of a nested column
            inside += (tree[position][1] or 0) - 1
            position += 1
    return names


# JSON


def _json_layout(file: ExtractFile, path: Path) -> str:
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
    except ValueError:
        return "unstructured"
    return "newline_delimited"


def _json_source(path: Path, feed: Feed, layout: str) -> Source:
    named = dict.fromkeys([*_used(feed), *sorted(_known(feed) - set(feed.column_names))], "VARCHAR")
    structure = json.dumps(named)
    without = json.dumps(dict.fromkeys(sorted(_known(feed))))
    fields = {name: Value(f"record.{identifier(name)}", "VARCHAR") for name in named}
    is_record = "json_type(json) = 'OBJECT'"
    relation = f"""(
        select
            json,
            {is_record} as is_record,
            case when {is_record} then from_json(json, {quoted(structure)}) end as record,
            row_number() over () as _position
        from read_json_objects(
            {quoted(str(path))}, format = '{layout}', maximum_object_size = {MAX_OBJECT_BYTES},
            ignore_errors = {str(layout == "newline_delimited").lower()}
        )
    )"""
    # patching with nulls takes the contract's keys away
    rest = f"nullif(cast(json_merge_patch(json, {quoted(without)}) as varchar), '{{}}')"
    extra = f"case when is_record then {rest} end"
    return Source(
        path,
        relation,
        "_position",
        {name: fields[name] for name in _used(feed)} | _aliased(feed, fields),
        extra,
        None,
        is_malformed="is_record is not true",
    )


# what all have in common


def _used(feed: Feed) -> list[str]:
    """The columns that are read by name: the contract's, and the currency where there are amounts."""
    has_amounts = any(name.endswith("_usd") for name in feed.column_names)
    return [*feed.column_names, *([CURRENCY] if has_amounts and CURRENCY not in feed.column_names else [])]


def _known(feed: Feed) -> set[str]:
    """Every name under which a column of the contract may come."""
    return {name for column in feed.columns for name in (column.name, *column.aliases)}


def _aliased(feed: Feed, columns: dict[str, Value]) -> dict[str, Value]:
    """The columns of the contract that came, also or only, under a name that a loading tool gives them.

    Of several the one that says true decides. A time says true where it is filled.
    """
    values = {}
    for column in feed.columns:
        names = [name for name in column.aliases if name in columns]
        if not names:
            continue
        own = [column.name] if column.name in columns else []
        texts = [_as_flag(name, columns[name]) for name in (*own, *names)]
        is_true = " or ".join(f"lower(trim({text})) in ({_TRUE})" for text in texts)
        values[column.name] = Value(
            f"case when {is_true} then 'true' else coalesce({', '.join(texts)}) end", "VARCHAR"
        )
    return values


def _as_flag(name: str, value: Value) -> str:
    text = f"nullif(cast({value.sql} as varchar), '')"
    return f"case when trim({text}) <> '' then 'true' end" if name.endswith("_at") else text


def _check_header(file: ExtractFile, feed: Feed, header: list[str], *, csv_hint: bool = False) -> None:
    """Raise InputError for a column that comes twice, and for a required one that does not come."""
    if len(header) > MAX_COLUMNS:
        raise InputError(
            f"has {len(header):,} columns, more than {MAX_COLUMNS:,}",
            "send fewer columns; those outside the contract are only kept aside",
            file=file.source_file,
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(
            "the header names a column twice", "rename one of them", file=file.source_file, column=twice[0]
        )
    missing = [column.name for column in feed.columns if column.required and column.name not in header]
    if missing:
        raise InputError(
            f"required but not in the header, which has: {_shortened(header)}",
            _remedy(header, missing[0], csv_hint=csv_hint),
            file=file.source_file,
            column=", ".join(missing),
        )


def _shortened(header: list[str]) -> str:
    text = ", ".join(header)
    return text if len(text) <= 300 else text[:300] + " ..."


def _remedy(header: list[str], missing: str, *, csv_hint: bool) -> str:
    alike = next((name for name in header if name.lower() == missing), None)
    if alike:
        return f"write {missing} instead of {alike}: names are in lower case"
    if csv_hint and len(header) == 1:
        return "separate the columns by commas in .csv and by tabs in .tsv, and name them in the first line"
    return _SEND_ALL
