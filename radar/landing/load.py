"""Lands one file: known, repeated, refused or landed, with its record, in one transaction.

The rows themselves are dealt with by the SQL of `statements`; nothing here looks into a value.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from radar.core.errors import InputError, MissingColumnsError
from radar.landing import contents, statements
from radar.landing.adapters import adapter_named, time_in_name
from radar.landing.feeds import Feed
from radar.landing.file_rules import FileRules
from radar.landing.files import PULLED_FILE, RECEIVED_FILE, ExtractFile
from radar.landing.readers import Readers, Reading, UnreadableError
from radar.landing.tables import FOLDER, Table

LANDED, REPEATED, REFUSED = "landed", "repeated", "refused"

ROWS_COMPARED = 100  # a file with fewer rows says nothing about how many the next one has

# Within this time of its last change a file is hashed by every run: clocks of file systems are coarse, and
# copying programs set times back.
STABLE_SECONDS = 2 * 24 * 3600


@dataclass(frozen=True)
class Landing:
    """The landing under way. `now` is naive UTC; `spill` takes what is read of files.

    Payloads of rows older than `payloads_from` are not kept, so they are not written.
    """

    con: duckdb.DuckDBPyConnection
    run_id: str
    batch_id: int
    now: datetime
    spill: Path
    readers: Readers
    payloads_from: date | None = None
    file_rules: FileRules = field(default_factory=FileRules)
    tables: tuple[Table, ...] = ()


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
    records_counted: int | None = None
    columns: str | None = None
    is_unended: bool = False
    warning: str | None = None
    vendor_columns: dict[str, str | None] = field(default_factory=dict)
    ignored_columns: tuple[str, ...] = ()
    missing_columns: str | None = None


@dataclass(frozen=True)
class Stamp:
    """What shows that a file is as it was: another file of its name differs in one of these."""

    bytes: int = 0
    mtime_ns: int = 0
    inode: int = 0
    ctime_ns: int = 0

    @property
    def is_stable(self) -> bool:
        """Whether it last changed so long ago that a later change must show."""
        return time.time() - max(self.mtime_ns, self.ctime_ns) / 1e9 > STABLE_SECONDS


@dataclass(frozen=True)
class _Arrival:
    """A file as it was met. `sha256` is empty for one that was not opened."""

    landing: Landing
    feed: Feed
    file: ExtractFile
    stamp: Stamp = Stamp()
    sha256: str = ""

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        return self.landing.con

    def load(self, status: str, message: str | None = None) -> Load:
        return Load(status, self.sha256, self.stamp.bytes, message=message)

    def require_unchanged(self) -> None:
        """Raise NotNowError where the file is no longer as it was met."""
        if _stamp(self.file) != self.stamp:
            raise NotNowError(f"{self.file.source_file} changed while it was read: the next run takes it")


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
    if twin and not _is_wanted_again(arrival):
        message = f"{file.source_file}: its content has landed before, as {twin}"
        return _record_alone(arrival, arrival.load(REPEATED, message))
    try:
        return _read(arrival)
    except UnreadableError as error:
        arrival.require_unchanged()
        arrival = replace(arrival, sha256="")  # so that the next run tries it again
        return _record_alone(arrival, arrival.load(REFUSED, str(error)))
    except InputError as error:
        arrival.require_unchanged()
        missing = error.column if isinstance(error, MissingColumnsError) else None
        return _record_alone(arrival, replace(arrival.load(REFUSED, str(error)), missing_columns=missing))


def refuse(landing: Landing, feed: Feed, file: ExtractFile, message: str) -> Load:
    """Record what could not even be opened; the next run tries it again."""
    arrival = _Arrival(landing, feed, file)
    return _record_alone(arrival, arrival.load(REFUSED, message))


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

    A file older than `STABLE_SECONDS` whose size, times and inode are as they were is not hashed again.
    """
    if file.refusal:
        return (
            None if _is_recorded(landing.con, feed, file, "") else _Arrival(landing, feed, file)
        ), file.refusal
    stamp = _stamp(file)
    if stamp.is_stable and count(
        landing.con,
        statements.KNOWN_FILE,
        [_known_as(feed, file), stamp.bytes, stamp.mtime_ns, stamp.inode, stamp.ctime_ns],
    ):
        return None, None
    try:
        sha256, problem = contents.fingerprint(file)
    except OSError as error:
        sha256, problem = (
            "",
            InputError(f"cannot be read ({error.strerror})", "check its permissions", file=file.source_file),
        )
    arrival = _Arrival(landing, feed, file, stamp, sha256)
    if _is_recorded(landing.con, feed, file, sha256) and not (
        _had_other_content(arrival) and _is_wanted_again(arrival)
    ):
        _remember(arrival)
        return None, None
    return arrival, problem


def _stamp(file: ExtractFile) -> Stamp:
    try:
        status = file.path.stat()
    except FileNotFoundError as error:
        raise NotNowError(f"{file.source_file} went away before it was read") from error
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)


def _is_recorded(con: duckdb.DuckDBPyConnection, feed: Feed, file: ExtractFile, sha256: str) -> bool:
    query = "select count(*) from audit.loads where source_file = ? and sha256 = ? and feed = ?"
    return count(con, query, [file.source_file, sha256, feed.name]) > 0


def _known_as(feed: Feed, file: ExtractFile) -> str:
    """What `control.known_files` calls the file: a vendor's may be read for several feeds."""
    return f"{file.source_file} as {feed.name}" if file.adapter else file.source_file


def _had_other_content(arrival: _Arrival) -> bool:
    """Whether the path had another content when a run last read it: this one was put back."""
    query = "select count(*) from control.known_files where source_file = ? and sha256 <> ?"
    return count(arrival.con, query, [_known_as(arrival.feed, arrival.file), arrival.sha256]) > 0


def _is_wanted_again(arrival: _Arrival) -> bool:
    """Whether rows of the feed were refused since this content came last: it may say what is true again."""
    values = {"feed": arrival.feed.name, "sha256": arrival.sha256}
    return count(arrival.con, statements.IS_WANTED_AGAIN, values) > 0


def _landed_as(arrival: _Arrival) -> str | None:
    """The file of the feed that landed with this content, unless its rows were taken out again.

    A vendor's file with a date in its name says what was true on that day: it is no repeat where another
    content of the same object has landed since.
    """
    file = arrival.file
    if file.adapter and time_in_name(file.path.name):
        values = [arrival.feed.name, file.source_file]
        newest = arrival.con.execute(statements.NEWEST_OF_FOLDER, values).fetchone()
        if newest and newest[0] != arrival.sha256:
            return None
    row = arrival.con.execute(statements.LANDED_TWIN, [arrival.feed.name, arrival.sha256]).fetchone()
    return str(row[0]) if row else None


def _read(arrival: _Arrival) -> Load:
    """Have the file read by a process of its own, and land what that gives."""
    landing = arrival.landing
    day = landing.payloads_from.isoformat() if landing.payloads_from else None
    with tempfile.TemporaryDirectory(dir=landing.spill) as name:
        reading = landing.readers.read(
            arrival.file, arrival.feed, Path(name), day, needs_line_end=landing.file_rules.needs_line_end
        )
        with transaction(arrival.con):
            load = _Rows(arrival, reading).land()
            arrival.require_unchanged()
            _record(arrival, load)
            for table in statements.SCRATCH:
                arrival.con.execute(f"drop table {table}")
    return load


class _Rows:
    """The rows of one file on their way into raw, within one transaction."""

    def __init__(self, arrival: _Arrival, reading: Reading) -> None:
        self._arrival, self._reading = arrival, reading
        self._con, self._feed = arrival.con, arrival.feed
        self._of_file = {"batch_id": arrival.landing.batch_id, "source_file": arrival.file.source_file}
        self._landing = {**self._of_file, "loaded_at": arrival.landing.now}
        self._of_feed = {**self._landing, "feed": arrival.feed.name}

    def land(self) -> Load:
        """Insert, record what was refused, count."""
        con, feed, rows = self._con, self._feed, str(self._reading.rows)
        ids = self._whole_ids(rows)
        clean = (
            count(con, statements.land_clean(feed, rows, ids), self._landing) if feed.lands_every_row else 0
        )
        con.execute(statements.stage_rows(feed, rows, ids))
        staged, bad, partly_bad = con.execute(statements.COUNT_STAGE).fetchone() or (0, 0, 0)
        if bad:
            con.execute(statements.record_row_problems(), self._of_feed)
            con.execute(statements.record_refused_keys(feed), self._of_feed)
        con.execute(statements.match_landed(feed))
        con.execute(statements.find_repeats(feed))
        fresh = count(con, statements.land_fresh(feed), self._landing)
        if staged - bad > fresh:
            con.execute(statements.record_repeated_keys(feed), {**self._of_file, "feed": feed.name})
        values = count(con, statements.record_value_problems(), self._of_feed) if partly_bad else 0
        load = replace(
            self._arrival.load(LANDED),
            rows_read=clean + staged,
            rows_landed=clean + fresh,
            rows_repeated=staged - bad - fresh,
            rows_rejected=bad,
            values_rejected=values,
            extra_columns=self._reading.extra_columns,
            records_counted=self._reading.records,
            columns=json.dumps(self._reading.columns),
            vendor_columns=self._reading.vendor_columns,
            ignored_columns=self._reading.ignored_columns,
            message=self._reading.left_out or None,
        )
        if bad and count(con, statements.COUNT_UNFINISHED):
            load = replace(load, is_unended=self._is_delimited, message=str(self._unfinished(load.rows_read)))
        if load.rows_read and load.rows_rejected == load.rows_read:
            return replace(load, status=REFUSED, message=str(self._no_good_row(load.rows_read)))
        return replace(load, warning=self._no_row(load) or self._fewer_rows(load.rows_read))

    def _whole_ids(self, rows: str) -> list[str]:
        """The id columns that are numeric throughout the file, and that some tool wrote as 12.0."""
        columns = self._feed.id_columns
        found = self._con.execute(statements.decimal_ids(self._feed, rows)).fetchone() or ()
        return [column for column, is_decimal in zip(columns, found, strict=True) if is_decimal]

    def _no_row(self, load: Load) -> str | None:
        """A warning where a vendor's file has records and none of them became a row of the object's feed."""
        file = self._arrival.file
        if load.rows_read or not load.records_counted or not file.adapter:
            return None
        adapter = adapter_named(file.adapter)
        if not adapter.is_main:
            return None
        return (
            f"{file.source_file}: not one of its {load.records_counted:,} records became a row of "
            f"{self._feed.name}; which are left out says feeds/adapters/{adapter.object.folder}.sql"
        )

    def _fewer_rows(self, rows: int) -> str | None:
        """A warning where the file has far fewer rows than the one before it, as if cut between two rows.

        That is of the same folder: another vendor's file of the feed says nothing about this one.
        Not for relations: of those come the new rows alone, and who shrank is reported by `land_tables`. Not
        for what Radar itself has written: it is whole.
        """
        file = self._arrival.file
        if file.source_file.startswith(f"{FOLDER}/") or file.path.name.startswith(
            (PULLED_FILE, RECEIVED_FILE)
        ):
            return None
        least = self._arrival.landing.file_rules.least_rows_pct
        row = self._con.execute(statements.FILE_BEFORE, {**self._of_file, "feed": self._feed.name}).fetchone()
        if row is None or row[1] < ROWS_COMPARED or rows * 100 >= row[1] * least:
            return None
        return (
            f"{self._arrival.file.source_file} has {rows:,} rows, and {row[0]} before it {row[1]:,}: "
            "if it is no extract of changes alone, it is cut, and has to be sent again"
        )

    def _unfinished(self, rows: int) -> InputError:
        remedy = "send the file again with a line end after its last row"
        if self._is_delimited:
            remedy += (
                "; where the system that writes it never ends the last line, "
                "set accept_unended_last_row to 1 in seeds/settings.csv"
            )
        return InputError(
            "has no line end and may be cut, so it did not land",
            remedy,
            file=self._arrival.file.source_file,
            row=rows,
        )

    @property
    def _is_delimited(self) -> bool:
        return self._arrival.file.format in ("csv", "tsv")

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
        load.records_counted,
        load.columns,
        load.missing_columns,
    ]
    arrival.con.execute(f"{statements.INTO_LOADS} values ({', '.join('?' * len(values))})", values)
    if arrival.sha256:
        _remember(arrival)


def _remember(arrival: _Arrival) -> None:
    stamp = arrival.stamp
    values = [
        _known_as(arrival.feed, arrival.file),
        stamp.bytes,
        stamp.mtime_ns,
        stamp.inode,
        stamp.ctime_ns,
        arrival.sha256,
    ]
    arrival.con.execute(f"{statements.INTO_KNOWN_FILES} values ({', '.join('?' * len(values))})", values)
