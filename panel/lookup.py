"""What My day and Account look up: drawn once from each published copy into a SQLite file, found by account in no time.

The copy is made for questions about all accounts; a page asks about one, many times a second. Belongs here: how
the file is made, beside the one in use, and replaced. What goes into it is in `lookup.sql`.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from panel.copy import NoDataError, PublishedCopy
from panel.people import SQLITE_OWNERS, Person, scoped

LOG = logging.getLogger("panel")
FORMAT = 1
"""Part of the file's name: another number makes all anew."""

_SCHEMA = """
    create table about (version text, as_of text);
    create table owners (owner_id text primary key, owner_name text);
    create table accounts (
        account_id text primary key, owner_id text, account_name text, search text, rank_overall integer,
        rank_for_owner integer, body text
    );
    create table details (account_id text, piece text, body text, primary key (account_id, piece)) without rowid;
"""
_INDEXES = """
    create index accounts_by_owner on accounts (owner_id, rank_overall);
    create index accounts_by_rank on accounts (rank_overall) where rank_overall is not null;
"""
_PIECES = ("ledgers", "years", "changes", "facts", "conflicts", "overrides")
_ROWS_A_PART = 3_000_000
_BATCH = 2_000
_QUERIES: dict[str, str] = dict(
    re.findall(
        r"^-- name: (\w+)\n(.*?);\n(?=\n-- name: |\Z)",
        Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
)


class Lookup:
    """The file of the copy in use. A newer copy's is made in the background while the old one answers."""

    def __init__(self, copy: PublishedCopy, folder: Path) -> None:
        self._copy, self._folder = copy, folder
        self._local = threading.local()
        self._making = threading.Lock()
        self._version: str | None = None

    def rows(self, person: Person, query: str, **parameters: Any) -> list[sqlite3.Row]:
        """What a query answers this person: `panel.people.scoped` says whose rows."""
        text, owners = scoped(person, query, SQLITE_OWNERS)
        return self._connection().execute(text, {**parameters, **owners}).fetchall()

    def as_of(self) -> date:
        """The newest day of what is looked up. Raises NoDataError."""
        row = self._connection().execute("select as_of from about").fetchone()
        return date.fromisoformat(row["as_of"])

    def prepare(self) -> None:
        """Make the file of the copy that stands, if there is one; the application does this as it starts."""
        with self._making:
            try:
                self._make()
            except NoDataError:
                return

    def _connection(self) -> sqlite3.Connection:
        wanted = self._copy.about().version
        if wanted != self._version:
            self._renew(wanted)
        held: tuple[str, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is None or held[0] != self._version:
            if held:
                held[1].close()
            version = self._version
            assert version is not None
            con = sqlite3.connect(f"{self._file(version).as_uri()}?mode=ro&immutable=1", uri=True)
            con.row_factory = sqlite3.Row
            held = self._local.held = (version, con)
        return held[1]

    def _renew(self, wanted: str) -> None:
        """Have the newer file made: at once where there is none, else beside."""
        if self._version is None:
            with self._making:
                if self._version is None:
                    self._make()
        elif self._making.acquire(blocking=False):
            threading.Thread(target=self._make_beside, name="lookup", daemon=True).start()

    def _make_beside(self) -> None:
        try:
            self._make()
        except Exception as error:
            LOG.error("what is looked up could not be made anew: %s", type(error).__name__)
        finally:
            self._making.release()

    def _make(self) -> None:
        with self._copy.connection() as (version, con):
            file = self._file(version)
            if not file.exists():
                self._folder.mkdir(parents=True, exist_ok=True)
                with _alone(self._folder / "lock"):
                    if not file.exists():
                        temporary = self._folder / f"{os.getpid()}.tmp"
                        temporary.unlink(missing_ok=True)
                        try:
                            _fill(con, temporary, version)
                            temporary.chmod(0o600)
                            temporary.replace(file)
                        finally:
                            temporary.unlink(missing_ok=True)
        before, self._version = self._version, version
        for old in self._folder.glob("*.sqlite"):
            if old not in (file, before and self._file(before)):
                old.unlink(missing_ok=True)  # who has it open keeps it

    def _file(self, version: str) -> Path:
        return self._folder / f"{version}.{FORMAT}.sqlite"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Of many processes one makes the file; the others wait for it."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fill(con: duckdb.DuckDBPyConnection, file: Path, version: str) -> None:
    as_of = con.execute("select as_of_end from main.published_run").fetchall()[0][0]
    known = {f"{schema}.{name}" for schema, name in con.execute(
        "select schema_name, table_name from duckdb_tables()"
    ).fetchall()}  # fmt: skip
    with closing(sqlite3.connect(file, isolation_level=None)) as out:
        out.execute("pragma journal_mode = off")
        out.execute("pragma synchronous = off")
        out.executescript(_SCHEMA)
        out.execute("begin")
        out.execute("insert into about values (?, ?)", [version, as_of.isoformat()])
        _move(
            con,
            out,
            _QUERIES["accounts"],
            {"as_of": as_of},
            "insert into accounts values (?, ?, ?, ?, ?, ?, ?)",
        )
        _move(con, out, _QUERIES["owners"], {}, "insert or ignore into owners values (?, ?)")
        for piece in _PIECES:
            if any(read not in known for read in re.findall(r"\b(?:marts)\.\w+", _QUERIES[piece])):
                continue  # published by an earlier release
            for parameters in _parts(con, piece, as_of):
                insert = f"insert into details values (?, '{piece}', ?)"
                _move(con, out, _QUERIES[piece], parameters, insert)
        out.execute("commit")
        out.executescript(_INDEXES)


def _parts(con: duckdb.DuckDBPyConnection, piece: str, as_of: date) -> list[dict[str, Any]]:
    query = _QUERIES[piece]
    named: dict[str, Any] = {"as_of": as_of} if "$as_of" in query else {}
    if "$parts" not in query:
        return [named]
    rows = con.execute("select count(*) from marts.fct_health_history").fetchall()[0][0]
    parts = 1 + rows // _ROWS_A_PART
    return [{**named, "parts": parts, "part": part} for part in range(parts)]


def _move(
    con: duckdb.DuckDBPyConnection,
    out: sqlite3.Connection,
    query: str,
    parameters: dict[str, Any],
    insert: str,
) -> None:
    con.execute(query, parameters)
    while rows := con.fetchmany(_BATCH):
        out.executemany(insert, rows)


def read(body: str | None) -> Any:
    """A JSON text of the file; None stays None."""
    return None if body is None else json.loads(body)
