"""The published copy as the panel reads it: opened read-only, opened again once a run has replaced it.

Belongs here: connections, versions, the age of the data. Does not belong here: any query of a page.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from radar.core.runs import utc_now
from radar.panel.people import Person, scoped
from radar.publishing.file_set import COPY_NAME

Row = dict[str, Any]


class NoDataError(Exception):
    """Nothing has been published yet."""


class EarlierCopyError(NoDataError):
    """A run of an earlier release published the copy: it lacks what a page reads."""


@dataclass(frozen=True)
class About:
    """Which copy it is: `version` changes with each; `as_of` is its newest day, `days_old` before today."""

    version: str
    run_id: str
    as_of: date
    days_old: int
    is_stale: bool


class _Open:
    """One opened copy, closed when it is no longer the newest and nobody reads it."""

    def __init__(self, version: str, file: Path, memory_limit: str) -> None:
        self.version = version
        self.con = duckdb.connect(
            str(file),
            read_only=True,
            config={
                "memory_limit": memory_limit,
                "threads": 2,
                "enable_external_access": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        self.con.execute("SET TimeZone = 'UTC'")
        self.run_id, self.as_of = self.con.execute(
            "select run_id, as_of_end from main.published_run"
        ).fetchall()[0]
        self.readers = 0
        self.is_old = False


class PublishedDatabase:
    """Read-only access for many threads. A reader that a swap overtakes finishes on its old copy."""

    def __init__(self, published: Path, *, stale_days: int = 1, memory_limit: str = "512MB") -> None:
        self._published = published
        self._stale_days = stale_days
        self._memory_limit = memory_limit
        self._lock = threading.Lock()
        self._current: _Open | None = None

    @property
    def file(self) -> Path:
        """The DuckDB file as readers name it."""
        return self._published / COPY_NAME

    def about(self) -> About:
        """Which copy is read now. Raises NoDataError where there is none."""
        with self._opened() as opened:
            days = (utc_now().date() - opened.as_of).days
            return About(opened.version, opened.run_id, opened.as_of, days, days > self._stale_days)

    def rows(self, person: Person, query: str, **parameters: Any) -> list[Row]:
        """What a query of the copy answers this person: see `radar.panel.people.scoped` for its marks.

        Raises EarlierCopyError where the copy has no such relation or column.
        """
        text, owners = scoped(person, query)
        with self._opened() as opened:
            cursor = opened.con.cursor()
            try:
                cursor.execute(text, {**parameters, **owners})
                names = [column[0] for column in cursor.description or []]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                raise EarlierCopyError(str(error)) from error
            finally:
                cursor.close()

    def one(self, person: Person, query: str, **parameters: Any) -> Row | None:
        """The first row, or None."""
        return next(iter(self.rows(person, query, **parameters)), None)

    def newest(self) -> tuple[str, Path]:
        """Version and file of the current copy. Raises NoDataError."""
        version = self._version()
        return version, self._published / ".sets" / version / COPY_NAME

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            if self._current:
                self._retire(self._current)
            self._current = None

    @contextmanager
    def _opened(self) -> Iterator[_Open]:
        with self._lock:
            opened = self._newest()
            opened.readers += 1
        try:
            yield opened
        finally:
            with self._lock:
                opened.readers -= 1
                if opened.is_old and not opened.readers:
                    opened.con.close()

    def _newest(self) -> _Open:
        version = self._version()
        if self._current is None or self._current.version != version:
            file = self._published / ".sets" / version / COPY_NAME
            try:
                opened = _Open(version, file, self._memory_limit)
            except duckdb.IOException:
                if self._current is None:
                    raise NoDataError from None
                return self._current  # replaced twice meanwhile: the next request sees the newer one
            if self._current:
                self._retire(self._current)
            self._current = opened
        return self._current

    def _retire(self, opened: _Open) -> None:
        opened.is_old = True
        if not opened.readers:
            opened.con.close()

    def _version(self) -> str:
        try:
            return Path(os.readlink(self._published / "current")).name
        except OSError:
            if self._current is not None:
                return self._current.version
            raise NoDataError from None
