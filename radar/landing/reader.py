"""The process that reads extract files: one file at a time, into a Parquet file of checked rows.

Nothing else in Radar opens an extract with DuckDB or takes it apart: what a file does to its reader, by its
depth, its size or a fault of a library, ends this process and not the run. `readers` starts it and talks to
it in lines of JSON. The result has the columns that `statements.typed_rows` gives.
"""

from __future__ import annotations

import json
import math
import os
import re
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from radar.core.errors import InputError, MissingColumnsError, RadarError, WarehouseError
from radar.landing import contents, dialects, names, notations, records, spreadsheets, statements
from radar.landing.adapters import adapter_named
from radar.landing.feeds import NUMBERS, TIMES, Feed, load_feeds
from radar.landing.files import ExtractFile
from radar.landing.sources import (
    REJECTED_LINES,
    Source,
    known_names,
    open_source,
    quoted,
    require_content,
)
from radar.landing.vendor_files import open_vendor_source, places_of

READY = b"ready\n"
FILE_FREE = 256 << 20  # bytes that a result may have whatever the size of the file
RESERVED_TIMES = 6  # DuckDB reserves far more addresses than it uses; what it uses, `readers` watches
CPU_SECONDS_FREE = 60
CPU_SECONDS_PER_MB = 1  # ten times what slow machines take

# What DuckDB raises about the content of a file.
CONTENT_ERRORS = (
    duckdb.InvalidInputException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.SerializationException,
    duckdb.NotImplementedException,
    duckdb.InvalidTypeException,
    duckdb.IOException,
)
_PATH = re.compile(r"""(?:\bfile )?['"]/[^'"]*['"]""")
_VALUE = re.compile(r'(?:value|Input:) ".*"')  # never a customer's value in a message
_NO_SPACE = ("No space left", "disk full")
_TOO_LARGE = ("File too large",)
_COPY = (
    "format parquet, compression uncompressed, row_group_size 16384, "
    "string_dictionary_page_size_limit 1"  # so that a repeated value has its true size, which is bounded
)


@dataclass(frozen=True)
class Request:
    """What to read: a file of a feed, into `folder`."""

    path: str
    source_file: str
    format: str
    compression: str | None
    feed: str
    folder: str
    payloads_from: str | None
    needs_line_end: bool
    adapter: str | None = None
    date_order: str | None = None

    @property
    def file(self) -> ExtractFile:
        """The file as discovery found it."""
        return ExtractFile(
            Path(self.path), self.source_file, self.format, self.compression, adapter=self.adapter
        )


class _LimitError(Exception):
    """The file asks for more than its reader may use."""


def main() -> None:
    """Answer requests until the input ends. The argument is the memory that reading may take, in bytes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which then ends this process
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # no library writes among the answers
    con = _limited_connection(int(sys.argv[1]))
    answers.write(READY.decode())
    answers.flush()
    for line in sys.stdin:
        answer = answer_to(con, Request(**json.loads(line)))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if "limit" in answer:
            break  # what it holds is not sure to be free again


def _limited_connection(memory: int) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(
        ":memory:",
        config={
            "threads": 1,
            "memory_limit": f"{memory * 3 // 4 >> 20}MiB",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    con.execute("SET TimeZone = 'UTC'")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    statm = Path("/proc/self/statm")
    if statm.exists():  # elsewhere the system does not enforce it either
        pages = int(statm.read_text(encoding="ascii").split()[0])
        _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + RESERVED_TIMES * memory)
    return con


def _limit(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def answer_to(con: duckdb.DuckDBPyConnection, request: Request) -> dict[str, Any]:
    """The result, or what is wrong with the file, or which limit it exceeds; see `readers` for the keys."""
    try:
        return read(con, request)
    except InputError as error:
        return {
            "refusal": [error.problem, error.remedy, error.row, error.column],
            "lacks_columns": isinstance(error, MissingColumnsError),
        }
    except RadarError as error:  # about the folder that it writes to
        return {"stop": [error.problem, error.remedy, str(error.file or "")]}
    except (MemoryError, RecursionError, duckdb.OutOfMemoryException, _LimitError) as error:
        return {"limit": "depth" if isinstance(error, RecursionError) else "memory"}
    except OSError as error:
        return {"refusal": [f"cannot be read ({error.strerror})", "check its permissions", None, None]}
    except Exception as error:
        reason = _reason(error)
        return {"refusal": [f"cannot be read: {reason}", contents.DAMAGED, None, None]}


def read(con: duckdb.DuckDBPyConnection, request: Request) -> dict[str, Any]:
    """Unpack, read and check a file. A second attempt evens out line ends, where mixed ones stop DuckDB."""
    file, folder = request.file, Path(request.folder)
    con.execute(f"SET temp_directory = {quoted(str(folder / 'spill'))}")
    _allow(file.path.stat().st_size)
    path = contents.unpack(file, folder) if file.compression else file.path.resolve()
    _allow(path.stat().st_size)
    if file.format == spreadsheets.FORMAT:
        file, path = spreadsheets.as_csv(file, path, folder)
    plain = dialects.plain(file, path, folder, _known(request))
    try:
        return _Reading(con, request, plain).result()
    except CONTENT_ERRORS as error:
        refusal = unreadable(file, error)
        if file.format not in ("csv", "tsv"):
            raise refusal from error
    try:
        evened = replace(plain, path=contents.with_plain_line_ends(plain.path, folder))
        return _Reading(con, request, evened).result()
    except CONTENT_ERRORS as error:
        raise unreadable(file, error) from error


def _known(request: Request) -> dialects.Known:
    """Knows the columns of the feed, or those of the vendor's object that its adapter reads."""
    if request.adapter is None:
        known = known_names(load_feeds()[request.feed])
        return lambda names: len(known & set(names))
    found = adapter_named(request.adapter).object
    return lambda names: sum(bool(places_of(column, found, names)) for column in found.columns)


def _allow(size: int) -> None:
    """Bound what reading a file of this size may write and compute."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = CPU_SECONDS_FREE + CPU_SECONDS_PER_MB * size / 1e6
    _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + seconds))
    _limit(resource.RLIMIT_FSIZE, max(FILE_FREE, contents.MAX_RATIO * size))


def unreadable(file: ExtractFile, error: duckdb.Error) -> InputError:
    """The error for a file that DuckDB cannot read. An error about the disk is raised as one."""
    text = str(error)
    if isinstance(error, duckdb.IOException) and any(sign in text for sign in _NO_SPACE):
        raise WarehouseError("the disk is full", "free some space and run again") from error
    if isinstance(error, duckdb.IOException) and any(sign in text for sign in _TOO_LARGE):
        raise _LimitError from error
    return InputError(f"cannot be read: {_reason(error)}", contents.DAMAGED, file=file.source_file)


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    reason = _PATH.sub("the file", lines[0].split("Error: ", 1)[-1] if lines else type(error).__name__)
    reason = _VALUE.sub("a value", reason)
    return "its quotes or line ends are broken" if "state machine" in reason else reason


class _Reading:
    """The rows of one plain file on their way into a Parquet file."""

    def __init__(self, con: duckdb.DuckDBPyConnection, request: Request, plain: dialects.Plain) -> None:
        self._con, self._file, self._folder = con, plain.file, Path(request.folder)
        self._left_out = plain.left_out
        self._feed: Feed = load_feeds()[request.feed]
        day = request.payloads_from
        self._date_order = request.date_order
        self._payloads_from = date.fromisoformat(day) if day and self._feed.lands_every_row else None
        self._forget_rejected_lines()
        self._source = self._opened(plain.path, needs_line_end=request.needs_line_end)

    def _opened(self, path: Path, *, needs_line_end: bool) -> Source:
        con, file, feed, folder = self._con, self._file, self._feed, self._folder
        if file.adapter is None:
            return open_source(con, file, path, feed, folder, needs_line_end=needs_line_end)
        path = require_content(file, path, folder)
        adapter = adapter_named(file.adapter)
        return open_vendor_source(
            con, file, path, feed, adapter, folder=folder, needs_line_end=needs_line_end
        )

    def result(self) -> dict[str, Any]:
        """Write the rows; raises InputError where the file is cut, or not every record of it was read."""
        rows = self._folder / "read.parquet"
        self._copy(statements.typed_rows(self._feed, self._source, self._payloads_from), rows)
        written = self._notations(rows)
        if written is not None:
            if not self._source.is_adapted:
                self._forget_rejected_lines()
            self._copy(statements.typed_rows(self._feed, self._source, self._payloads_from, written), rows)
        with self._problems(rows) as found:
            if found:
                corrected = self._folder / "rows.parquet"
                self._copy(statements.corrected_rows(self._feed, str(rows)), corrected)
                rows.unlink()
                rows = corrected
        row = self._con.execute(f"select count(*) from read_parquet({quoted(str(rows))})").fetchone()
        read_rows = int(row[0]) if row else 0
        counted = self._source.records.count
        if counted != read_rows and not self._source.is_adapted:
            raise records.not_all_read(self._file, counted, read_rows)
        return {
            "rows": str(rows),
            "records": counted,
            "extra_columns": self._extra_columns(rows),
            "columns": self._known_columns(rows),
            "vendor_columns": self._source.vendor_columns,
            "ignored_columns": self._source.ignored_columns,
            "left_out": self._left_out,
        }

    def _forget_rejected_lines(self) -> None:
        """Each scan of a CSV writes them; an adapted one is scanned once, when its records are taken."""
        for table in (REJECTED_LINES, f"{REJECTED_LINES}_scan"):
            self._con.execute(f"drop table if exists {table}")

    def _notations(self, rows: Path) -> dict[str, str] | None:
        """The columns whose values are of the wrong type because they are written in another notation.

        None where there is no such value; the file is scanned again to look at all of them.
        """
        wrong = {
            name for (name,) in self._con.execute(statements.columns_of_wrong_type(str(rows))).fetchall()
        }
        columns = [
            column
            for column in self._feed.columns
            if column.type in (*TIMES, *NUMBERS)
            and self._source.shown.get(column.name, column.name) in wrong
            and self._source.values[column.name].type == "VARCHAR"
        ]
        if not columns:
            return None
        if not self._source.is_adapted:
            self._forget_rejected_lines()
        query = statements.evidence_of_notations(self._source, columns)
        found = list(self._con.execute(query).fetchone() or ())
        written = {}
        for column in columns:
            size = len(notations.evidence(column.type, ""))
            of_column, found = found[:size], found[size:]
            notation = notations.chosen(column.type, of_column, self._date_order)
            if notation:
                written[column.name] = notation
        return written

    def _copy(self, query: str, target: Path) -> None:
        self._con.execute(f"copy ({query}) to {quoted(str(target))} ({_COPY})")

    @contextmanager
    def _problems(self, rows: Path) -> Iterator[bool]:
        """Tables of the rows that could not be split, and of those that the second look found."""
        broken = self._number_broken_lines()
        found = list(self._source.records.problems())
        deep = self._deep_values(rows)
        if not (broken or found or deep):
            yield False
            return
        con = self._con
        con.execute(statements.EMPTY_PROBLEMS)
        con.execute(
            statements.FILL_PROBLEMS,
            [[row for row, _, _ in found], [rule for _, rule, _ in found], [text for _, _, text in found]],
        )
        con.execute(statements.FILL_DEEP, [deep])
        yield True

    def _number_broken_lines(self) -> bool:
        """Number the CSV rows that could not be split by the rows of the file; whether there are any."""
        con = self._con
        con.execute(statements.EMPTY_REJECTED_NUMBERS)
        if not self._source.has_rejected_lines or not self._count(REJECTED_LINES):
            return False
        self._refuse_broken_file()
        con.execute(f"create or replace temp table {statements.BLANKS} (byte_offset bigint)")
        blanks = contents.blank_lines(self._source.path)
        con.execute(f"insert into {statements.BLANKS} select unnest(?::bigint[])", [blanks])
        con.execute(statements.number_rejected_lines())
        return True

    def _count(self, table: str) -> int:
        row = self._con.execute(f"select count(*) from {table}").fetchone()
        return int(row[0]) if row else 0

    def _refuse_broken_file(self) -> None:
        """Raise InputError for a quoted value that never ends."""
        path = self._source.path
        for row_begins, value_begins in self._con.execute(statements.BROKEN_FILE).fetchall():
            if contents.is_cut_in_quotes(path, row_begins):
                raise InputError(
                    f"ends inside a quoted value of line {contents.line_at(path, value_begins)}",
                    f"{contents.DAMAGED}, or a quote in a text is not doubled",
                    file=self._file.source_file,
                )

    def _deep_values(self, rows: Path) -> list[int]:
        """The rows, as read, whose JSON text has brackets nested too deep for those who take it apart."""
        deep = []
        for column in self._feed.columns:
            if column.type == "json":
                query = statements.many_brackets(column, str(rows), records.MAX_DEPTH)
                for number, text in self._con.execute(query).fetchall():
                    if records.is_too_deep(text.encode()):
                        deep.append(number)
        return deep

    def _extra_columns(self, rows: Path) -> list[str]:
        """The unknown columns, as they may be shown."""
        extra = self._source.extra_columns
        if extra is not None:
            return [names.shown(name, words=True) for name in extra]
        found = self._con.execute(statements.extra_names(str(rows))).fetchall()
        return sorted({names.shown_key(name) for (name,) in found})

    def _known_columns(self, rows: Path) -> dict[str, int | None]:
        """The known columns of a header, without counts; of JSON those that rows fill, and how many do."""
        if self._source.columns is not None:
            return dict.fromkeys(self._source.columns)
        counts = self._con.execute(statements.filled_columns(self._feed, str(rows))).fetchone() or ()
        return {name: count for name, count in zip(self._feed.column_names, counts, strict=True) if count}


if __name__ == "__main__":
    main()
