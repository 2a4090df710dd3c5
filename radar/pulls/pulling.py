"""One pull of one object: from where it goes on, which records are new, and what is written down last."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from radar.core.errors import RadarError, UsageError
from radar.core.runs import utc_now
from radar.landing.files import PULLED_FILE
from radar.pulls.definitions import EXPORT, FILES, TABLE, Cursor, Definition
from radar.pulls.folder import PullFolder, Staged, State

MOST_RESTARTS = 3
INSTALL = 'pip install "radar-customer-health[pull]"'


@dataclass(frozen=True)
class Pulled:
    """What a pull brought. `records`: None for exports, whose records are not counted here."""

    title: str
    files: list[Path]
    records: int | None


def pull(definition: Definition, extracts: Path) -> Pulled:
    """Fetch what is new into the extracts folder. Raises RadarError; nothing is half written then."""
    values = definition.values()
    reading = _reading()
    folder = PullFolder(extracts, definition.title, definition.folder)
    now = utc_now().replace(tzinfo=UTC)
    with folder.locked():
        if definition.kind == EXPORT:
            return _pull_days(definition, folder, values, now, reading)
        if definition.kind == FILES:
            return _pull_files(definition, folder, values, now, reading)
        state = folder.state()
        number = state.number + 1
        name = folder.file_name(now, number)
        with folder.staged(name) as (path, opened):
            writer = _Writer(opened, definition.cursor, state.known, now)
            cursors = {}
            for part in definition.each[1]:
                cursor = _Reader(definition, values, writer, now, reading).read(part, state.cursors.get(part))
                if cursor is not None:
                    cursors[part] = cursor
        staged = [Staged(path, name, writer.written)] if writer.written else []
        files = folder.commit(
            staged,
            State(
                cursors=cursors,
                known=writer.known(cursors.values()),
                number=number if staged else state.number,
                pulled_at=now.isoformat(),
            ),
        )
    return Pulled(definition.title, files, writer.written)


def _reading() -> Any:
    """The module that needs dlt. Raises UsageError where it is not installed."""
    if find_spec("dlt") is None:
        raise UsageError("pulling needs the packages of the extra pull", f"install them: {INSTALL}")
    from radar.pulls import reading  # noqa: PLC0415

    return reading


class _Writer:
    """Writes each record once, and sees how far they go."""

    def __init__(self, opened: BinaryIO, cursor: Cursor | None, known: frozenset[str], now: datetime) -> None:
        self._opened, self._cursor, self._known, self._now = opened, cursor, known, now
        self._seen: dict[str, Any] = {}
        self.written = 0

    def add(self, record: dict[str, Any]) -> Any:
        """Write it, unless it is known; where it is by the cursor (None: nowhere)."""
        try:
            line = json.dumps(record, default=_json_value, allow_nan=False, separators=(",", ":"))
        except ValueError:
            raise RadarError("a record has a number that is none (NaN)", "correct it at the vendor") from None
        ordered = json.dumps(record, default=_json_value, sort_keys=True)
        digest = blake2b(ordered.encode(), digest_size=12).hexdigest()
        where = self._where(record)
        if digest not in self._seen:
            self._seen[digest] = where
            if digest not in self._known:
                self._opened.write(f"{line}\n".encode())
                self.written += 1
        return where

    def _where(self, record: dict[str, Any]) -> Any:
        if self._cursor is None or not self._cursor.path:
            return None
        value: Any = record
        for name in self._cursor.path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if self._cursor.form == "value":
            return value
        time = moment(value)
        return min(time, self._now) if time else None  # a time that is still to come hides nothing

    def known(self, cursors: Any) -> frozenset[str]:
        """What the next pull may meet again: all, or what is not before the cursors and their overlap."""
        if self._cursor is None:
            return frozenset(self._seen)
        if self._cursor.form == "value":
            reached = set(cursors)
            return frozenset(digest for digest, where in self._seen.items() if str(where) in reached)
        times = [datetime.fromisoformat(one) for one in cursors]
        oldest = min(times, default=self._now) - timedelta(minutes=self._cursor.overlap_minutes)
        return frozenset(digest for digest, where in self._seen.items() if where is None or where >= oldest)


class _Reader:
    """Reads one part of an object, also where its pages break off."""

    def __init__(
        self, definition: Definition, values: dict[str, str], writer: _Writer, now: datetime, reading: Any
    ) -> None:
        self._definition, self._values, self._writer = definition, values, writer
        self._now, self._reading = now, reading

    def read(self, part: str, cursor: str | None) -> str | None:
        """Write what is new since the cursor; the new cursor."""
        spec = self._definition.cursor
        since, reached = self._read(part, self._begin(cursor))
        if spec is None:
            return None
        if spec.form == "value":
            return str(reached) if reached is not None else cursor
        if not spec.path or (since is None and self._definition.changes is not None):
            return self._now.isoformat()
        newest = _later(reached, datetime.fromisoformat(cursor) if cursor else None)
        return newest.isoformat() if newest else None

    def _read(self, part: str, since: Any) -> tuple[Any, Any]:
        """Write what is new since then; from when on it was asked for in the end, and the newest there is."""
        reached: Any = None
        restarts = 0
        while True:
            newest, count, is_all = None, 0, True
            try:
                for record in self._records(part, since):
                    newest = _later(newest, self._writer.add(record))
                    count += 1
                    if count == self._definition.most_records and since is not None:
                        is_all = False
                        break
            except self._reading.Interrupted as interruption:
                restarts += 1
                if restarts > MOST_RESTARTS or (interruption.at_start and since == self._first):
                    raise RadarError(
                        f"{self._definition.title}: {interruption}",
                        "nothing was written; pull again later, or correct the pull",
                        file=self._definition.file,
                    ) from None
                if interruption.at_start:  # the cursor is too old for the vendor: everything once more
                    since = self._first
                continue
            reached = _later(reached, newest)
            if is_all:
                return since, reached
            # the vendor answers no question with more: ask again from there, or for everything
            if newest is not None and newest > since:
                since = newest
            elif self._definition.changes is not None:
                since = None
            else:
                raise RadarError(
                    f"{self._definition.title}: more than {count:,} records have one time",
                    "the vendor gives no more of them; pull it in another way",
                    file=self._definition.file,
                )

    def _begin(self, cursor: str | None) -> Any:
        """From where to ask; None for everything."""
        spec = self._definition.cursor
        if spec is None or cursor is None:
            return self._first
        if spec.form == "value":
            return cursor
        time = datetime.fromisoformat(cursor)
        if spec.expires_days is not None and self._now - time > timedelta(days=spec.expires_days):
            return self._first
        return time - timedelta(minutes=spec.overlap_minutes)

    @property
    def _first(self) -> Any:
        """From where the first pull asks."""
        spec = self._definition.cursor
        if spec is None or spec.start is None:
            return None
        return spec.start if spec.form == "value" else moment(spec.start)

    def _records(self, part: str, since: Any) -> Iterator[dict[str, Any]]:
        definition = self._definition
        if definition.kind == TABLE:
            yield from self._reading.rows(definition, since, self._values)
            return
        read = definition.changes if since is not None and definition.changes else definition.read
        form = definition.cursor.form if definition.cursor else "time"
        values = {**self._values, "since": since if since is None else written(since, form)}
        if definition.each[0]:
            values[definition.each[0]] = part
        yield from self._reading.records(definition, read, values)


def _pull_days(
    definition: Definition, folder: PullFolder, values: dict[str, str], now: datetime, reading: Any
) -> Pulled:
    """Fetch the export of each day that has ended, one file a day; the cursor is the last day."""
    export, files = definition.read, []
    suffix = export.get("suffix", "jsonl")
    last = (now - timedelta(days=1, hours=export.get("ready_after_hours", 0))).date()
    state = folder.state()
    if "" in state.cursors:
        reached = date.fromisoformat(state.cursors[""])
        day = reached + timedelta(days=1) - timedelta(days=export.get("again_days", 0))
        if reached >= last:
            day = last + timedelta(days=1)
    else:
        day = last - timedelta(days=export.get("first_days", 30) - 1)
    while day <= last:
        name = f"{PULLED_FILE}{day}.{suffix}"
        with folder.staged(name) as (path, opened):
            asked = {**values, "day": day.isoformat(), "day_digits": f"{day:%Y%m%d}"}
            has_content = _downloaded(reading, definition, asked, opened)
        if has_content:
            reading.require_whole(path, definition.title)
        state = replace(
            state,
            cursors={"": max(day.isoformat(), state.cursors.get("", ""))},
            number=state.number + 1,
            pulled_at=now.isoformat(),
        )
        files += folder.commit([Staged(path, name, None)] if has_content else [], state)
        day += timedelta(days=1)
    return Pulled(definition.title, files, None)


def _pull_files(
    definition: Definition, folder: PullFolder, values: dict[str, str], now: datetime, reading: Any
) -> Pulled:
    """Copy the files of a bucket that are new or have changed, each whole."""
    files: list[Path] = []
    state, found = folder.state(), set()
    for file in reading.files(definition, values):
        digest = blake2b(f"{file.name}\0{file.size}\0{file.changed_at}".encode(), digest_size=12).hexdigest()
        found.add(digest)
        if digest in state.known:
            continue
        with folder.staged(file.name) as (path, opened):
            reading.copy(definition, file, opened)
        state = replace(
            state, known=state.known | {digest}, number=state.number + 1, pulled_at=now.isoformat()
        )
        files += folder.commit([Staged(path, file.name, None)], state)
    folder.commit([], replace(state, known=frozenset(found), pulled_at=now.isoformat()))
    return Pulled(definition.title, files, None)


def _downloaded(reading: Any, definition: Definition, values: dict[str, str], opened: BinaryIO) -> bool:
    for attempt in range(1, MOST_RESTARTS + 1):
        try:
            return bool(reading.download(definition, values, opened))
        except reading.BrokenError:
            if attempt == MOST_RESTARTS:
                raise
            opened.seek(0)
            opened.truncate()
    return False


def _later(one: Any, other: Any) -> Any:
    """The later of two, where there are two."""
    return one if other is None else other if one is None else max(one, other)


def moment(value: Any) -> datetime | None:
    """A vendor's time: seconds, milliseconds or microseconds since 1970, or ISO 8601; None for another."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value.strip())
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        except ValueError:
            value = float(value) if value.replace(".", "", 1).isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    seconds = value / 1e6 if value >= 1e14 else value / 1e3 if value >= 1e11 else value
    return datetime.fromtimestamp(seconds, UTC) if 0 <= seconds < 1e11 else None


def written(since: Any, form: str) -> Any:
    """The cursor as the vendor wants it."""
    forms: dict[str, Callable[[], Any]] = {
        "time": lambda: since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": lambda: int(since.timestamp()),
        "milliseconds": lambda: int(since.timestamp() * 1000),
        "date": lambda: since.astimezone(UTC).date().isoformat(),
        "value": lambda: since,
    }
    return forms[form]()


def _json_value(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
