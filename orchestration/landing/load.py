"""Lands one file: known, repeated, refused or landed, with its record, in one transaction.

The rows themselves are dealt with by the SQL of `statements`; nothing here looks into a value.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.landing import contents, statements
from orchestration.landing.feeds import Feed
from orchestration.landing.files import ExtractFile
from orchestration.landing.sources import REJECTED_LINES, Source, open_source
from radar.errors import InputError

LANDED, REPEATED, REFUSED = "landed", "repeated", "refused"

# What DuckDB raises about the content of a file; an IOException may also be about the warehouse.
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
_ABOUT_THE_WAREHOUSE = ("No space left", "disk full", "lock", "Could not write", "Cannot write")


@dataclass(frozen=True)
class Landing:
    """The landing under way. `now` is naive UTC; `spill` takes unpacked files.

    Payloads of rows older than `payloads_from` are not kept, so they are not written.
    """

    con: duckdb.DuckDBPyConnection
    run_id: str
    batch_id: int
    now: datetime
    spill: Path
    payloads_from: date | None = None


@dataclass(frozen=True)
class Load:
    """What became of one file: a row of `audit.loads`."""

    status: str
    sha256: str = ""
    bytes: int = 0
    rows_read: int = 0
    rows_landed: int = 0
    rows_repeated: int = 0
    rows_rejected: int = 0
    values_rejected: int = 0
    extra_columns: tuple[str, ...] = ()
    message: str | None = None


@dataclass(frozen=True)
class _Arrival:
    """A file as it was met. `sha256` is empty for one that was not opened."""

    landing: Landing
    feed: Feed
    file: ExtractFile
    bytes: int = 0
    mtime_ns: int = 0
    sha256: str = ""

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        return self.landing.con

    def load(self, status: str, message: str | None = None) -> Load:
        return Load(status, self.sha256, self.bytes, message=message)


class NotNowError(Exception):
    """A file that went away or changed while it was read: nothing is recorded, the next run takes it."""


def land_file(landing: Landing, feed: Feed, file: ExtractFile) -> Load | None:
    """Land one file and record it; None where a run has met this path with this content before."""
    arrival, problem = _met(landing, feed, file)
    if arrival is None:
        return None
    if problem:
        return _record_alone(arrival, arrival.load(REFUSED, str(problem)))
    twin = _landed_as(arrival)
    if twin:
        message = f"{file.source_file}: its content has landed before, as {twin}"
        return _record_alone(arrival, arrival.load(REPEATED, message))
    try:
        return _read(arrival)
    except InputError as error:
        return _record_alone(arrival, arrival.load(REFUSED, str(error)))


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what is done inside, or none of it."""
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()


def count(con: duckdb.DuckDBPyConnection, query: str, parameters: Any = None) -> int:
    """The number that a query gives, or that an insert counted."""
    row = con.execute(query, parameters).fetchone() if parameters else con.execute(query).fetchone()
    return int(row[0]) if row else 0


def _met(landing: Landing, feed: Feed, file: ExtractFile) -> tuple[_Arrival | None, InputError | None]:
    """The file with its hash and what speaks against opening it; no arrival where it is known.

    A file whose size and time are as they were is not hashed again.
    """
    if file.refusal:
        return (None if _is_recorded(landing.con, file, "") else _Arrival(landing, feed, file)), file.refusal
    size, mtime_ns = _stamp(file)
    if count(landing.con, statements.KNOWN_FILE, [file.source_file, size, mtime_ns]):
        return None, None
    try:
        sha256, problem = contents.fingerprint(file)
    except OSError as error:
        sha256, problem = (
            "",
            InputError(f"cannot be read ({error.strerror})", "check its permissions", file=file.source_file),
        )
    arrival = _Arrival(landing, feed, file, size, mtime_ns, sha256)
    if _is_recorded(landing.con, file, sha256):
        _remember(arrival)
        return None, None
    return arrival, problem


def _stamp(file: ExtractFile) -> tuple[int, int]:
    try:
        status = file.path.stat()
    except FileNotFoundError as error:
        raise NotNowError(f"{file.source_file} went away before it was read") from error
    return status.st_size, status.st_mtime_ns


def _is_recorded(con: duckdb.DuckDBPyConnection, file: ExtractFile, sha256: str) -> bool:
    query = "select count(*) from audit.loads where source_file = ? and sha256 = ?"
    return count(con, query, [file.source_file, sha256]) > 0


def _landed_as(arrival: _Arrival) -> str | None:
    """The file of the feed that landed with this content, unless its rows were taken out again."""
    row = arrival.con.execute(statements.LANDED_TWIN, [arrival.feed.name, arrival.sha256]).fetchone()
    return str(row[0]) if row else None


def _read(arrival: _Arrival) -> Load:
    """Unpack, read and land. A second attempt evens out line ends, where mixed ones stop DuckDB."""
    file = arrival.file
    with tempfile.TemporaryDirectory(dir=arrival.landing.spill) as name:
        folder = Path(name)
        path = contents.unpack(file, folder) if file.compression else file.path.resolve()
        try:
            return _load(arrival, path, folder)
        except CONTENT_ERRORS as error:
            refusal = _unreadable(file, error)
            if file.format not in ("csv", "tsv"):
                raise refusal from error
        try:
            return _load(arrival, contents.with_plain_line_ends(path, folder), folder)
        except CONTENT_ERRORS as error:
            raise _unreadable(file, error) from error


def _unreadable(file: ExtractFile, error: duckdb.Error) -> InputError:
    """What to tell about a file that DuckDB cannot read. An error about the warehouse is raised as it is."""
    text = str(error)
    if isinstance(error, duckdb.IOException) and any(sign in text for sign in _ABOUT_THE_WAREHOUSE):
        raise error
    reason = _PATH.sub("the file", text.strip().splitlines()[0].split("Error: ", 1)[-1])
    reason = _VALUE.sub("a value", reason)
    if "state machine" in reason:
        reason = "its quotes or line ends are broken"
    return InputError(f"cannot be read: {reason}", contents.DAMAGED, file=file.source_file)


def _load(arrival: _Arrival, path: Path, folder: Path) -> Load:
    for table in (REJECTED_LINES, f"{REJECTED_LINES}_scan"):
        arrival.con.execute(f"drop table if exists {table}")
    source = open_source(arrival.con, arrival.file, path, arrival.feed, folder)
    with transaction(arrival.con):
        load = _Rows(arrival, source).land()
        if _stamp(arrival.file) != (arrival.bytes, arrival.mtime_ns):
            raise NotNowError(f"{arrival.file.source_file} changed while it was read: the next run takes it")
        _record(arrival, load)
        for table in statements.SCRATCH:
            arrival.con.execute(f"drop table {table}")
    return load


class _Rows:
    """The rows of one file on their way into raw, within one transaction."""

    def __init__(self, arrival: _Arrival, source: Source) -> None:
        self._arrival, self._source = arrival, source
        self._con, self._feed = arrival.con, arrival.feed
        self._of_file = {"batch_id": arrival.landing.batch_id, "source_file": arrival.file.source_file}
        self._landing = {**self._of_file, "loaded_at": arrival.landing.now}
        self._told = {**self._landing, "feed": arrival.feed.name}

    def land(self) -> Load:
        """Insert, record what was refused, count. Raises InputError where the file is cut or not UTF-8."""
        con, feed = self._con, self._feed
        clean, broken = self._take_in()
        staged, bad, partly_bad = con.execute(statements.COUNT_STAGE).fetchone() or (0, 0, 0)
        if bad:
            con.execute(statements.record_row_problems(), self._told)
            con.execute(statements.record_refused_keys(feed), self._told)
        con.execute(statements.match_landed(feed))
        con.execute(statements.find_repeats(feed))
        fresh = count(con, statements.land_fresh(feed), self._landing)
        values = count(con, statements.record_value_problems(), self._told) if partly_bad else 0
        load = replace(
            self._arrival.load(LANDED),
            rows_read=clean + staged + broken,
            rows_landed=clean + fresh,
            rows_repeated=staged - bad - fresh,
            rows_rejected=bad + broken,
            values_rejected=values,
            extra_columns=self._extra_columns(),
        )
        if load.rows_read and load.rows_rejected == load.rows_read:
            return replace(load, status=REFUSED, message=str(self._no_good_row(load.rows_read)))
        return load

    def _take_in(self) -> tuple[int, int]:
        """Read the file, whole or what is not clean, into the stage; how many clean rows, broken lines."""
        con, feed = self._con, self._feed
        if not feed.every_row:
            con.execute(statements.stage_rows(feed, self._source))
            self._make_ids_whole(statements.STAGE)
            return 0, self._broken_lines()
        payloads_from = self._arrival.landing.payloads_from
        landed = count(con, statements.land_marked(feed, self._source, payloads_from), self._landing)
        self._make_ids_whole(feed.raw_table, self._of_file)
        broken = self._broken_lines()
        con.execute(statements.stage_marked(feed), self._of_file)
        return landed - count(con, statements.delete_marked(feed), self._of_file), broken

    def _make_ids_whole(self, table: str, of_file: dict[str, Any] | None = None) -> None:
        """Take the `.0` off ids in columns that are numeric throughout the file."""
        ids = [column for column in self._feed.id_columns if column in self._source.values]
        query = statements.columns_of_decimals(table, ids, is_raw=of_file is not None)
        found = self._con.execute(query, of_file).fetchone() if ids else None
        for column in (name for name, is_decimal in zip(ids, found or (), strict=bool(found)) if is_decimal):
            statement = statements.make_ids_whole(table, column, is_raw=of_file is not None)
            self._con.execute(statement, of_file)

    def _broken_lines(self) -> int:
        """Record the CSV rows that could not be split and number the others by the file; how many."""
        con = self._con
        if not self._source.has_rejected_lines or not count(con, f"select count(*) from {REJECTED_LINES}"):
            return 0
        self._refuse_broken_file()
        con.execute(f"create or replace temp table {statements.BLANKS} (byte_offset bigint)")
        blanks = contents.blank_lines(self._source.path)
        con.execute(f"insert into {statements.BLANKS} select unnest(?::bigint[])", [blanks])
        con.execute(statements.number_rejected_lines())
        if self._feed.every_row:
            con.execute(statements.renumber(self._feed.raw_table, is_raw=True), self._of_file)
        else:
            con.execute(statements.renumber(statements.STAGE, is_raw=False))
        return count(con, statements.record_rejected_lines(), self._told)

    def _refuse_broken_file(self) -> None:
        """Raise InputError for text that is not UTF-8 and for a quoted value that never ends."""
        file, path = self._arrival.file.source_file, self._source.path
        for row_begins, value_begins, kind in self._con.execute(statements.BROKEN_FILE).fetchall():
            if kind == "INVALID ENCODING":
                raise contents.not_utf8(file, contents.line_at(path, value_begins))
            if contents.is_cut_in_quotes(path, row_begins):
                raise InputError(
                    f"ends inside a quoted value of line {contents.line_at(path, value_begins)}",
                    f"{contents.DAMAGED}, or a quote in a text is not doubled",
                    file=file,
                )

    def _no_good_row(self, rows: int) -> InputError:
        first = self._con.execute(
            statements.FIRST_REJECTED, {**self._of_file, "feed": self._feed.name}
        ).fetchone()
        number, column, message = first or (None, None, "")
        return InputError(
            f"not one of its {rows:,} rows is good; of the first: {message}",
            "correct the file, or what writes it",
            file=self._arrival.file.source_file,
            row=number,
            column=column,
        )

    def _extra_columns(self) -> tuple[str, ...]:
        if self._source.extra_columns is not None:
            return self._source.extra_columns
        query = statements.extra_names(self._feed)
        parameters = self._of_file if self._feed.every_row else None
        rows = self._con.execute(query, parameters).fetchall()
        return tuple(name for (name,) in rows)


def _record_alone(arrival: _Arrival, load: Load) -> Load:
    with transaction(arrival.con):
        _record(arrival, load)
    return load


def _record(arrival: _Arrival, load: Load) -> None:
    values = [
        arrival.landing.run_id,
        arrival.landing.batch_id,
        arrival.feed.name,
        arrival.file.source_file,
        load.sha256,
        load.bytes,
        load.status,
        load.rows_read,
        load.rows_landed,
        load.rows_repeated,
        load.rows_rejected,
        load.values_rejected,
        ", ".join(load.extra_columns) or None,
        load.message,
        arrival.landing.now,
    ]
    arrival.con.execute(f"{statements.INTO_LOADS} values ({', '.join('?' * len(values))})", values)
    if arrival.sha256:
        _remember(arrival)


def _remember(arrival: _Arrival) -> None:
    values = [arrival.file.source_file, arrival.bytes, arrival.mtime_ns, arrival.sha256]
    arrival.con.execute(f"{statements.INTO_KNOWN_FILES} values (?, ?, ?, ?)", values)
