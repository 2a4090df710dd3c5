"""The panel's own SQLite file: write-ahead log, full synchronisation, so that what was answered is kept.

Belongs here: connections and the schema. What is written: `decisions`, `rule_set_decisions`,
`saved_views`, `users`, `sessions`, `tokens`, and the calls of agents (`radar.mcp.calls`).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from radar.core.errors import InputError

_SCHEMA = Path(__file__).with_suffix(".sql")
_BUSY_MS = 10_000


class Store:
    """One SQLite file, one connection a thread. Safe for many processes at once.

    Raises InputError where the file cannot be opened or is none of SQLite's.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._local = threading.local()
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        with self._readable(), self.writing() as con:
            earlier = _set_earlier_decisions_aside(con)
            _add_slack_ids(con)
            for statement in _statements(_SCHEMA.read_text(encoding="utf-8")):
                con.execute(statement)
            if earlier:
                con.execute(f"insert into decisions ({earlier}) select {earlier} from earlier_decisions")
                con.execute("drop table earlier_decisions")

    def check(self) -> None:
        """Look through the whole file. Raises InputError where it is damaged."""
        with self._readable():
            found = self.con.execute("pragma quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError("it is damaged")

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise InputError(
                f"the panel's store cannot be used ({error})",
                "put back the newest backup of it, or name another file with RADAR_PANEL_STORE",
                file=self.file,
            ) from error

    @property
    def con(self) -> sqlite3.Connection:
        """The connection of this thread, for reading."""
        con: sqlite3.Connection | None = getattr(self._local, "con", None)
        if con is None:
            con = sqlite3.connect(self.file, isolation_level=None, timeout=_BUSY_MS / 1000)
            con.row_factory = sqlite3.Row
            con.execute("pragma journal_mode = wal")
            con.execute("pragma synchronous = full")
            self._local.con = con
        return con

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the writer's lock from its start; an error rolls it back."""
        con = self.con
        con.execute("begin immediate")
        try:
            yield con
        except BaseException:
            con.execute("rollback")
            raise
        con.execute("commit")


def _set_earlier_decisions_aside(con: sqlite3.Connection) -> str:
    """Rename a table of an earlier release, whose check knows fewer kinds; its columns, empty for none."""
    columns = [row["name"] for row in con.execute("pragma table_info(decisions)")]
    made = con.execute("select sql from sqlite_master where name = 'decisions'").fetchone()
    if not columns or "'note'" in made["sql"]:
        return ""
    con.execute("alter table decisions rename to earlier_decisions")
    for kind, name in (
        ("trigger", "decisions_stay"), ("trigger", "decisions_remain"), ("index", "decisions_by_account"),
    ):  # fmt: skip
        con.execute(f"drop {kind} if exists {name}")
    return ", ".join(columns)


def _add_slack_ids(con: sqlite3.Connection) -> None:
    """The column of users that a table of an earlier release lacks."""
    columns = [row["name"] for row in con.execute("pragma table_info(users)")]
    if columns and "slack_user_id" not in columns:
        con.execute("alter table users add column slack_user_id text")


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
