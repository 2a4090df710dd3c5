"""What pages look up by account: drawn once from each published copy into a SQLite file.

The copy is made for questions about all accounts; a page asks about one, many times a second. Belongs here:
how the file is made, next to the one in use, and replaced. What goes into it is in `read_model.sql`.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock

from radar.core.project import PROJECT
from radar.core.queries import named_queries
from radar.core.state_files import move_into_place
from radar.landing.decision_feed import FILE
from radar.panel import files
from radar.panel.labels import Labels, fold
from radar.panel.people import SQLITE_OWNERS, Person, scoped
from radar.panel.published_db import EarlierCopyError, NoDataError, PublishedDatabase

LOG = logging.getLogger("panel")
FORMAT = 14
"""Part of the file's name: another number makes all files again."""

_SCHEMA = """
    create table about (
        version text, as_of text, landed_at text, watch_from real, healthy_from real, without_portfolio text
    );
    create table owners (owner_id text primary key, owner_name text);
    create table accounts (
        account_id text primary key, owner_id text, account_name text, search text, queue_rank integer,
        rank_overall integer, state text, needs_person integer, is_at_risk integer, has_to_approve integer,
        is_ready_to_grow integer, is_spot_check integer, has_overdue integer
    );
    create table bodies (account_id text primary key, body text);
    create table hierarchy (
        account_id text primary key, parent_account_id text, owner_id text, score real, body text
    );
    create table labels (kind text, value text, label text);
    create table missing_data (
        feed text, state text, last_arrived_at text, newest_fact_date text, attention_rank integer,
        owner_id text, accounts integer
    );
    create table approvals (
        action_id text primary key, account_id text, owner_id text, play text, place integer,
        rank_overall integer
    );
    create table portfolio (
        account_id text primary key, account_name text, owner_id text, owner_name text, segment_group text,
        owner_group text, plan_group text, renewal_group text, segment text, plan_id text, arr_usd real,
        score real, score_low real, score_high real, bucket text, decision text, is_overridden integer,
        delta_7d real, days_to_renewal integer, reason_1 text, flags text, healthy integer, watch integer,
        at_risk integer, healthy_arr_usd real, watch_arr_usd real, at_risk_arr_usd real, name_order text,
        owner_order text
    );
    create table portfolio_marks (
        kind text, value text, account_id text, primary key (kind, value, account_id)
    ) without rowid;
    create table states (kind text, verdict text, state text, primary key (kind, verdict));
    create table details (account_id text, piece text, body text);
    create table shared (name text, body text);
"""
_INDEXES = """
    create index details_by_account on details (account_id);
    create index approvals_by_play
        on approvals (play, rank_overall, place, action_id, owner_id, account_id);
    create index portfolio_by_owner on portfolio (owner_id);
    create index portfolio_by_score on portfolio (score, account_id);
    create index hierarchy_by_parent on hierarchy (parent_account_id);
    create index accounts_by_owner on accounts (owner_id, rank_overall);
    create index accounts_by_rank on accounts (rank_overall) where rank_overall is not null;
    create index spot_checks_by_name on accounts (account_name, account_id, owner_id) where is_spot_check;
"""
MEMORY_LIMIT = "1GB"
"""What DuckDB may use while the file is made."""
_EARLIER_COPY = 3
"""With this status the process that makes the file ends where the copy lacks what it is made from."""

_TABLES = (
    "about",
    "owners",
    "accounts",
    "bodies",
    "hierarchy",
    "approvals",
    "portfolio",
    "portfolio_marks",
    "labels",
    "missing_data",
    "states",
    "details",
    "shared",
)
_PIECES = ("ledgers", "changes", "families", "facts", "events", "briefs", "links", "conflicts", "overrides")
BUCKETS, RULES = "marts.rpt_bucket_outcomes", "marts.rpt_rule_audit"
"""What all accounts have in common: how those of a bucket, and those with a rule, did."""
MOST_OBSERVATIONS = 100_000
"""Of rules next to outcomes: with more, the file would be late by minutes; `marts.rpt_rule_audit` answers."""
_DAYS_BACK = {"week_ago": 7, "month_ago": 30, "year_ago": 366}
"""How far back spot checks, the small chart and the page of an account go."""
MOST_FACTS, MOST_EVENTS = 50, 150
"""Of each kind of facts, and of what happened of whatever kind, that the page of an account shows."""
_ACCOUNTS_A_PART = 5_000
_INSERT_ACCOUNT = "insert into accounts values (?, ?, ?, fold(?), ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_BODY = "insert into bodies values (?, ?)"
"""Apart from what accounts are found and counted by: whoever looks through all of them reads little."""
_INSERT_APPROVALS = """
    insert or ignore into approvals
    select
        action.value ->> 'action_id', accounts.account_id, accounts.owner_id, action.value ->> 'play',
        action.key, accounts.rank_overall
    from accounts
    inner join bodies on accounts.account_id = bodies.account_id,
        json_each(bodies.body, '$.actions') as action
    where accounts.has_to_approve and action.value ->> 'needs_approval'
"""
_LABELS = """
    select kind, value, label from labels
    union all
    select 'owner', owner_id, owner_name from owners
"""
_OWNERS = "select owner_id, owner_name from owners order by owner_name, owner_id"
_BATCH = 2_000
_PAUSE_SECONDS = 60  # before a file that could not be made is tried again
_QUERIES = named_queries(Path(__file__).with_suffix(".sql"))


@dataclass(frozen=True)
class Drawn:
    """The copy that answers, while a newer one is drawn the one before it.

    `landed_at`: when the newest decisions of its data landed, as `decided_at` is written; empty for never.
    `bounds`: the scores from which on the champion rule set has watch and healthy.
    `without_portfolio`: what a copy of an earlier release lacks of the list of accounts; None for nothing.
    """

    version: str
    landed_at: str
    bounds: tuple[float, float]
    without_portfolio: str | None


@dataclass(frozen=True)
class _Shared:
    """What is the same for all accounts, read once a copy. Nobody may change it."""

    drawn: Drawn
    work_states: Mapping[tuple[str, str], str]
    labels: Labels
    owners: Mapping[str, str]


class ReadModel:
    """The file of the copy in use. A newer copy's is made in the background while the old one answers."""

    def __init__(self, published_db: PublishedDatabase, folder: Path) -> None:
        self._published_db, self._folder = published_db, folder
        self._local = threading.local()
        self._making = threading.Lock()
        self._version: str | None = None
        self._not_before = 0.0
        self._refused: tuple[str, str] | None = None
        self._shared: tuple[str, _Shared] | None = None

    def rows(self, person: Person, query: str, **parameters: Any) -> list[sqlite3.Row]:
        """What a query answers this person: `radar.panel.people.scoped` decides whose rows."""
        text, owners = scoped(person, query, SQLITE_OWNERS)
        return self._ask(text, {**parameters, **owners})

    def about(self) -> Drawn:
        """What the file was drawn from."""
        return self._of_all().drawn

    def work_states(self) -> Mapping[tuple[str, str], str]:
        """The state that an account has after an act, by kind and verdict."""
        return self._of_all().work_states

    def labels(self) -> Labels:
        """What people read for ids."""
        return self._of_all().labels

    def owners(self) -> Mapping[str, str]:
        """The name of every owner by id, in the order of the names."""
        return self._of_all().owners

    def _of_all(self) -> _Shared:
        version = self._connection()[0]
        if self._shared is None or self._shared[0] != version:
            about = self._ask("select * from about", {})[0]
            bounds = about["watch_from"], about["healthy_from"]
            states = self._ask("select * from states", {})
            owners = self._ask(_OWNERS, {})
            self._shared = (
                version,
                _Shared(
                    Drawn(about["version"], about["landed_at"], bounds, about["without_portfolio"]),
                    {(kind, verdict): state for kind, verdict, state in states},
                    Labels(tuple(row) for row in self._ask(_LABELS, {})),
                    {row["owner_id"]: row["owner_name"] or row["owner_id"] for row in owners},
                ),
            )
        return self._shared[1]

    def is_ready(self) -> bool:
        """Whether the file of the newest copy is there, whole. Raises NoDataError."""
        version = self._published_db.newest()[0]
        return _is_whole(self._file(version), version)

    def _ask(self, query: str, parameters: dict[str, Any]) -> list[sqlite3.Row]:
        """The rows; a file that turns out to be damaged is made again, once."""
        version, con = self._connection()
        try:
            return con.execute(query, parameters).fetchall()
        except sqlite3.DatabaseError as error:
            self._discard(version, error)
        return self._connection()[1].execute(query, parameters).fetchall()

    def _discard(self, version: str, error: sqlite3.Error) -> None:
        """Take a damaged file away, unless another thread has made it again meanwhile."""
        with self._making:
            file = self._file(version)
            with self._lock():
                if not _is_whole(file, version, thoroughly=True):
                    LOG.warning("%s is damaged (%s) and made again", file, error)
                    files.remove(file)
            self._local = threading.local()
            self._make()

    def prepare(self) -> None:
        """Make the file of the current copy, if there is one; the application does this as it starts."""
        with self._making:
            try:
                self._make()
            except NoDataError:
                return

    def _connection(self) -> tuple[str, sqlite3.Connection]:
        wanted = self._published_db.newest()[0]
        if wanted != self._version:
            self._renew(wanted)
        opened: tuple[str, sqlite3.Connection] | None = getattr(self._local, "opened", None)
        if opened is None or opened[0] != self._version:
            if opened:
                opened[1].close()
            version = self._version or wanted
            con = sqlite3.connect(f"{self._file(version).as_uri()}?mode=ro&immutable=1", uri=True)
            con.row_factory = sqlite3.Row
            opened = self._local.opened = (version, con)
        return opened

    def _renew(self, wanted: str) -> None:
        """Have the newer file made: at once where there is none, else in the background."""
        if self._version is None:
            with self._making:
                if self._version is None:
                    self._make()
        elif time.monotonic() >= self._not_before and self._making.acquire(blocking=False):
            threading.Thread(target=self._make_in_background, name="read model", daemon=True).start()

    def _make_in_background(self) -> None:
        try:
            self._make()
        except Exception as error:
            self._not_before = time.monotonic() + _PAUSE_SECONDS
            LOG.error("the read model could not be made again: %s", type(error).__name__)
        finally:
            self._making.release()

    def _make(self) -> None:
        """Raises EarlierCopyError where the copy lacks what the file is made from, found out once a copy."""
        version, published_db = self._published_db.newest()
        if self._refused and self._refused[0] == version:
            raise EarlierCopyError(self._refused[1])
        file = self._file(version)
        if not _is_whole(file, version):
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._lock():
                if not _is_whole(file, version):
                    if file.exists():
                        LOG.warning("%s is not what the panel drew there, and is made again", file)
                        files.remove(file)
                    try:
                        _make_apart(published_db, file)
                    except EarlierCopyError as error:
                        self._refused = version, str(error)
                        raise
        before, self._version = self._version, version
        for old in self._folder.glob("*.sqlite"):
            if old not in (file, before and self._file(before)):
                old.unlink(missing_ok=True)  # who has it open keeps it

    def _lock(self) -> FileLock:
        """Of many processes one makes the file; the others wait for it."""
        return FileLock(self._folder / "lock")

    def _file(self, version: str) -> Path:
        return self._folder / f"{version}.{FORMAT}.sqlite"


def _is_whole(file: Path, version: str, *, thoroughly: bool = False) -> bool:
    """Whether the panel drew it from this version of the copy, to its end; `thoroughly` reads all of it."""
    if not file.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as con:
            drawn = con.execute("select version from about").fetchall()
            tables = {name for (name,) in con.execute("select name from sqlite_master where type = 'table'")}
            is_sound = not thoroughly or con.execute("pragma quick_check(1)").fetchall() == [("ok",)]
    except sqlite3.Error:
        return False
    return is_sound and drawn == [(version,)] and tables.issuperset(_TABLES)


def _make_apart(published_db: Path, file: Path) -> None:
    """Make the file in a process of its own: requests go on meanwhile, and its memory is given back.

    Raises EarlierCopyError.
    """
    temporary = file.with_suffix(".tmp")
    for left in (*file.parent.glob("*.tmp"), *file.parent.glob("spill-*")):
        files.remove(left)  # by one that was killed: nobody else makes a file now
    try:
        made = subprocess.run(
            [sys.executable, "-m", "radar.panel.read_model", str(published_db), str(temporary)],
            check=False, cwd=PROJECT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if made.returncode == _EARLIER_COPY:
            raise EarlierCopyError(made.stdout.strip())
        made.check_returncode()
        move_into_place(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def main(published_db: Path, file: Path) -> None:
    """Draw `file` from `copy`."""
    os.nice(10)
    os.umask(0o077)
    file.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix="spill-") as spill:
        config = {"memory_limit": MEMORY_LIMIT, "temp_directory": spill, "preserve_insertion_order": "false"}
        with closing(duckdb.connect(str(published_db), read_only=True, config=config)) as con:
            con.execute("set enable_progress_bar = false")
            _fill(con, file, published_db.parent.name)


def _fill(con: duckdb.DuckDBPyConnection, file: Path, version: str) -> None:
    as_of = con.execute("select as_of_end from main.published_run").fetchall()[0][0]
    known = {f"{schema}.{name}" for schema, name in con.execute(
        "select table_schema, table_name from information_schema.tables"
    ).fetchall()}  # fmt: skip
    days = {"as_of": as_of} | {name: as_of - timedelta(days=back) for name, back in _DAYS_BACK.items()}
    with closing(sqlite3.connect(file, isolation_level=None)) as out:
        out.execute("pragma journal_mode = off")
        out.execute("pragma synchronous = off")
        out.executescript(_SCHEMA)
        out.create_function("fold", 1, fold, deterministic=True)
        out.execute("begin")
        landed_at = None
        if "audit.loads" in known:
            landed_at = con.execute(_QUERIES["landed_at"], {"file": f"%/{FILE}"}).fetchall()[0][0]
        landed = f"{landed_at:%Y-%m-%dT%H:%M:%S.%fZ}" if landed_at else ""
        bounds = con.execute(_QUERIES["bounds"], {"status": "champion"}).fetchall()[0]
        lacking = _move_portfolio(con, out)
        out.execute(
            "insert into about values (?, ?, ?, ?, ?, ?)",
            [version, as_of.isoformat(), landed, *bounds, lacking],
        )
        _move(con, out, "owners", {}, "insert or ignore into owners values (?, ?)")
        con.execute(_QUERIES["kept_days"], {"year_ago": days["year_ago"]})
        _move(con, out, "years", {}, "insert into details values (?, 'years', ?)")
        con.execute("drop table kept_days")
        for name in ("open_actions", "mail_facts", "work_list"):
            con.execute(_QUERIES[_of_copy(name, known)])
        _move(con, out, _of_copy("work_states", known), {}, "insert into states values (?, ?, ?)")
        if "marts.rpt_labels" in known:
            _move(con, out, "labels", {}, "insert into labels values (?, ?, ?)")
        if "marts.rpt_missing_data" in known:
            _move(con, out, "missing_data", {}, "insert into missing_data values (?, ?, ?, ?, ?, ?, ?)")
        if "marts.rpt_account_hierarchy" in known:
            _move(con, out, "hierarchy", {}, "insert into hierarchy values (?, ?, ?, ?, ?)")
        for first, last in con.execute(_QUERIES["parts"], {"accounts": _ACCOUNTS_A_PART}).fetchall():
            shared = {**days, "first": first, "last": last, "most": MOST_FACTS, "newest": MOST_EVENTS}
            for rows in _batches(con, "accounts", shared):
                out.executemany(_INSERT_ACCOUNT, [row[:-1] for row in rows])
                out.executemany(_INSERT_BODY, [(row[0], row[-1]) for row in rows])
            for piece in _PIECES:
                if known.issuperset(re.findall(r"\bmarts\.\w+", _QUERIES[piece])):
                    _move(con, out, piece, shared, f"insert into details values (?, '{piece}', ?)")
        out.execute(_INSERT_APPROVALS)
        if BUCKETS in known:
            _share(out, BUCKETS, _rows_of(con, BUCKETS))
        if RULES in known and _rows_of(con, "marts.rpt_backtest")[0]["observations"] <= MOST_OBSERVATIONS:
            _share(out, RULES, _rows_of(con, RULES))
        out.execute("commit")
        out.executescript(_INDEXES)


def _move_portfolio(con: duckdb.DuckDBPyConnection, out: sqlite3.Connection) -> str | None:
    """What is listed in Portfolio; what the copy lacks of it, where an earlier release published it."""
    try:
        _move(con, out, "portfolio", {}, f"insert into portfolio values ({', '.join('?' * 29)})")
        _move(con, out, "portfolio_marks", {}, "insert into portfolio_marks values (?, ?, ?)")
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        return str(error)
    return None


def _of_copy(query: str, known: Collection[str]) -> str:
    """The query of this name, or the one for a copy of an earlier release that has no such relation."""
    return query if f"marts.rpt_{query}" in known else f"no_{query}"


def _rows_of(con: duckdb.DuckDBPyConnection, mart: str) -> list[dict[str, Any]]:
    result = con.execute(f"select * from {mart} order by all")
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _share(out: sqlite3.Connection, mart: str, rows: list[dict[str, Any]]) -> None:
    """What all accounts have in common."""
    out.execute("insert into shared values (?, ?)", [mart, json.dumps(rows, default=str)])


def _move(
    con: duckdb.DuckDBPyConnection,
    out: sqlite3.Connection,
    query: str,
    parameters: dict[str, Any],
    insert: str,
) -> None:
    for rows in _batches(con, query, parameters):
        out.executemany(insert, rows)


def _batches(
    con: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any]
) -> Iterator[list[tuple[Any, ...]]]:
    text = _QUERIES[query]
    con.execute(text, {name: value for name, value in parameters.items() if f"${name}" in text})
    while rows := con.fetchmany(_BATCH):
        yield rows


def read(body: str | None) -> Any:
    """A JSON text of the file; None stays None."""
    return None if body is None else json.loads(body)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except (duckdb.CatalogException, duckdb.BinderException) as lacking:
        print(lacking)
        sys.exit(_EARLIER_COPY)
