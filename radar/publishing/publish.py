"""The published copy: one DuckDB file and a few Parquet files that readers may open at any time.

Belongs here: which relations readers get, how the copy follows the warehouse, how one set of files replaces
the other. Does not belong here: any rule about customers, and how the tables are built.

The folder that readers are given looks like this:

    published/
      current        -> .sets/<set>             the one link that moves, in one rename
      radar.duckdb   -> current/radar.duckdb
      parquet        -> current/parquet         <table>.parquet
      manifest.json  -> current/manifest.json   which run, which files
      .sets/<set>/                              the set in use and the one before

So the three always belong together, and a reader that has the old set open keeps it.
"""

from __future__ import annotations

import graphlib
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from radar.core.errors import CheckError, InputError, RadarError, WarehouseError
from radar.core.state_files import replace_file
from radar.core.warehouse import (
    connect,
    cursor_of,
    explain_duckdb_error,
    readable_os_errors,
    require_free_space,
    state_dir,
    writer_lock,
)

FORMAT = 1
"""Of the build file; another number than the one recorded in it rebuilds everything."""

STORAGE_VERSION = "v1.0.0"
"""The file format that every DuckDB client from 1.1 on reads."""

SCHEMAS = ("marts", "scoring", "seeds", "signals")
"""Published whole, tables and views."""

HELPING_SCHEMA = "intermediate"
"""Published only as far as the views of SCHEMAS read it."""

SNAPSHOTS = (
    "marts.fct_actions",
    "marts.fct_rule_set_comparison",
    "marts.fct_score_changes",
    "marts.rpt_account_health",
    "marts.rpt_outreach_times",
    "marts.rpt_override_scoreboard",
    "marts.rpt_review_queue",
    "marts.rpt_spot_checks",
)
"""Tables with an `as_of_date` whose rows change after that day: copied whole on every run."""

RECORDS = ("audit.chain_checks", "audit.checks", "audit.entries", "audit.loads", "audit.runs")
"""What was done, for a run to publish too: who decided what, what runs brought, how their checks came out."""

LEFT_OUT = {
    "audit.checks": ("error", "message", "observed"),
    "audit.loads": ("columns", "extra_columns", "message"),
    "audit.runs": ("message",),
}
"""Columns of RECORDS that stay behind: sentences that may name a value of a row."""

NAMES = "intermediate.int_account_versions"
"""Also published: whom `radar explain` speaks of, on whatever day."""

MAIL_CONTACTS = "intermediate.int_mail_contacts"
"""Also published: to which accounts a mail can go, for whoever reads its draft; nothing of the contact."""

KEPT = {
    "intermediate.int_accounts__as_of": ("account_id", "as_of_date", "segment"),
    NAMES: ("account_id", "name", "owner_name", "valid_from_date", "valid_to_date"),
    MAIL_CONTACTS: ("account_id", "has_name"),
}
"""The only columns of these tables that readers need."""

STAND_INS = {"intermediate.int_accounts__as_of": "marts.fct_health_history"}
"""Tables in whose place the copy has a view of what is kept of them: the other table has the same rows."""

WORDS = {
    "marts.fct_health_evidence": ("rule_set", "rule_version", "rule_id", "result", "flag", "signal"),
    "marts.fct_health_history": (
        "segment", "rule_set", "rule_version",
        "model_bucket", "bucket_low", "bucket_high", "bucket", "decision",
    ),
    "marts.fct_source_conflicts": ("field", "other_source", "used_source", "reason"),
}  # fmt: skip
"""Columns of few words in large tables. The copy keeps such a table in STORED with an ENUM for each of them,
which takes a third of the time to write; in the table's place readers see a view with text."""

STORED = "stored"
"""The schema of the copy that holds what readers see through views alone."""

PARQUET = ("marts.fct_account_flags", "marts.rpt_account_health", "marts.rpt_buckets_daily")
"""Also written as Parquet files, for tools that do not speak DuckDB."""

COPY_NAME = "radar.duckdb"
_BUILD = "_build"  # the name under which the build file is attached
_SPARE_BYTES = 64_000_000
_MANY_ROWS = 10_000  # what is smaller is written in no time
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\W\d][\w$]*|\s+|.""", re.DOTALL)
_QUERIES: dict[str, str] = dict(
    re.findall(
        r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)",
        Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
)


@dataclass(frozen=True)
class PublishReport:
    """What one publish did. `rows` holds tables by `schema.name`; `rebuilt` says why, or is empty."""

    rows: Mapping[str, int]
    views: tuple[str, ...]
    bytes: int
    seconds: float
    rebuilt: str


@dataclass(frozen=True)
class Column:
    """A column as the catalogue has it."""

    name: str
    type: str
    comment: str | None


@dataclass(frozen=True)
class Relation:
    """A table or view as the catalogue has it."""

    schema: str
    name: str
    kind: str
    comment: str | None
    view_sql: str
    rows: int
    columns: tuple[Column, ...]

    @property
    def key(self) -> str:
        """`schema.name`, as the contract writes it."""
        return f"{self.schema}.{self.name}"

    @property
    def signature(self) -> tuple[tuple[str, str], ...]:
        """Names and types of the columns, in order; an ENUM stands for text."""
        return tuple((column.name, re.sub(r"^ENUM\(.*", "VARCHAR", column.type)) for column in self.columns)

    @property
    def words(self) -> tuple[str, ...]:
        """Those of its columns that the copy keeps as ENUMs."""
        return tuple(column.name for column in self.columns if column.name in WORDS.get(self.key, ()))

    @property
    def stored(self) -> Relation:
        """The table of the copy that has its rows."""
        return replace(self, schema=STORED) if self.words else self

    def inside(self, database: str) -> str:
        """The quoted name in the given catalogue."""
        return f"{_quoted(database)}.{_quoted(self.schema)}.{_quoted(self.name)}"


@dataclass(frozen=True)
class Contents:
    """What goes into the copy: tables, and views in an order in which they can be created."""

    tables: tuple[Relation, ...]
    views: tuple[tuple[Relation, str], ...]

    @property
    def relations(self) -> tuple[Relation, ...]:
        """Tables, then views."""
        return (*self.tables, *(view for view, _ in self.views))


Beside = Callable[[duckdb.DuckDBPyConnection], object]
"""What is done in another thread while tables are copied, on a connection to the warehouse for it alone."""


@dataclass(frozen=True)
class _Days:
    first: date
    last: date


@dataclass(frozen=True)
class _Task:
    windows: tuple[_Days, ...]
    record: Mapping[str, Any]
    also: tuple[str, ...]
    snapshots: frozenset[str]
    beside: Beside


@dataclass(frozen=True)
class _Built:
    contents: Contents
    rows: dict[str, int]
    parquet_rows: dict[str, int]
    reason: str


def publish(
    warehouse: Path,
    published: Path,
    *,
    run_id: str,
    as_of_start: date,
    as_of_end: date,
    also: Collection[str] = (),
    snapshots: Collection[str] = SNAPSHOTS,
    rebuild: bool = False,
    beside: Beside = lambda con: None,
) -> PublishReport:
    """Replace the published set by one that shows the warehouse as it is now.

    Day-grained tables (those with an `as_of_date`, `snapshots` left out) are brought up to date for the days
    of this run and of runs that were announced and never published; other tables are copied whole. `also`
    names relations of other schemas to publish; they are copied last, after `beside`, which may write them
    and no others, and comes to the same when it is done again. `rebuild` copies everything anew, which also
    erases what deleted rows leave behind in a file. Raises RadarError, and what `beside` raises; the set that
    stood before then still stands.
    """
    started = time.monotonic()
    with writer_lock(warehouse), readable_os_errors(published), _readable_engine_errors(published):
        _require_warehouse(warehouse)
        with _new_set(published) as folder:
            build = _build_file(warehouse)
            reason = "asked for" if rebuild else _reason_to_rebuild(build, published_run(published))
            task = _Task(
                windows=tuple({_Days(as_of_start, as_of_end), *_announced(warehouse)}),
                record={"run_id": run_id, "as_of_start": as_of_start, "as_of_end": as_of_end},
                also=tuple(also),
                snapshots=frozenset(snapshots),
                beside=beside,
            )
            built = _bring_up_to_date(warehouse, build, folder, task, reason)
            _copy_build(build, folder)
            _check_copy(folder / COPY_NAME, built.contents)
            _write_manifest(folder, run_id, as_of_end, built)
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            _switch(published, folder)
        _forget_announced(warehouse)
    return PublishReport(
        rows=built.rows,
        views=tuple(view.key for view, _ in built.contents.views),
        bytes=size,
        seconds=time.monotonic() - started,
        rebuilt=built.reason,
    )


@contextmanager
def _readable_engine_errors(published: Path) -> Iterator[None]:
    """What the warehouse's own border lets through, a full disk at commit above all."""
    try:
        yield
    except duckdb.Error as error:
        raise explain_duckdb_error(published, str(error)) from error


def announce_window(warehouse: Path, *, as_of_start: date, as_of_end: date) -> None:
    """Note, before a run changes these days in the warehouse, that the copy must follow them.

    Should that run fail before it publishes, the next publish still brings these days up to date.
    """
    file = _announcements(warehouse)
    with readable_os_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"{as_of_start.isoformat()} {as_of_end.isoformat()}\n")
            lines.flush()
            os.fsync(lines.fileno())


def _announcements(warehouse: Path) -> Path:
    return state_dir(warehouse) / "publish" / "announced.txt"


def _announced(warehouse: Path) -> list[_Days]:
    file = _announcements(warehouse)
    if not file.exists():
        return []
    found = re.findall(
        r"^(\d{4}-\d\d-\d\d) (\d{4}-\d\d-\d\d)$", file.read_text(encoding="utf-8"), re.MULTILINE
    )
    return [_Days(date.fromisoformat(first), date.fromisoformat(last)) for first, last in sorted(set(found))]


def _forget_announced(warehouse: Path) -> None:
    _announcements(warehouse).unlink(missing_ok=True)


# --- what goes into the copy ---------------------------------------------------------------------------


def read_catalogue(con: duckdb.DuckDBPyConnection, database: str) -> dict[str, Relation]:
    """All tables and views of an attached database, by `schema.name`."""
    columns: dict[tuple[str, str], list[Column]] = {}
    for schema, name, column, kind, comment in con.execute(
        _QUERIES["columns"], {"database": database}
    ).fetchall():
        columns.setdefault((schema, name), []).append(Column(column, kind, comment))
    return {
        f"{schema}.{name}": Relation(
            schema, name, kind, comment, sql, rows, tuple(columns.get((schema, name), ()))
        )
        for schema, name, kind, comment, sql, rows in con.execute(
            _QUERIES["relations"], {"database": database}
        ).fetchall()
    }


def choose_contents(
    con: duckdb.DuckDBPyConnection, catalogue: Mapping[str, Relation], also: Collection[str] = ()
) -> Contents:
    """Everything of SCHEMAS and `also`, and what their views read in HELPING_SCHEMA, views rewritten."""
    catalogue = {key: _narrowed(relation) for key, relation in catalogue.items()}
    wanted = [key for key, relation in catalogue.items() if relation.schema in SCHEMAS]
    wanted += [_known(key, catalogue) for key in also]
    reads: dict[str, set[str]] = {}
    texts: dict[str, str] = {}
    while wanted:
        key = wanted.pop()
        if key in reads:
            continue
        relation = catalogue[key]
        reads[key] = set()
        if relation.kind == "view":
            select = select_of(relation.view_sql)
            references = references_of(con, select, relation)
            texts[key] = without_catalogue(select, references)
            reads[key] = {f"{schema}.{name}" for _, schema, name in references if schema}
            _refuse_what_is_not_published(relation, reads[key], also)
            wanted += [_known(read, catalogue) for read in reads[key]]
    order = [key for key in graphlib.TopologicalSorter(reads).static_order() if key in texts]
    return Contents(
        tables=tuple(catalogue[key] for key in sorted(reads) if key not in texts),
        views=tuple((catalogue[key], texts[key]) for key in order),
    )


def _narrowed(relation: Relation) -> Relation:
    """The relation with those of its columns that are published, or the view in its place."""
    left_out, kept = LEFT_OUT.get(relation.key, ()), KEPT.get(relation.key)
    narrowed = replace(
        relation,
        columns=tuple(
            column
            for column in relation.columns
            if column.name not in left_out and (kept is None or column.name in kept)
        ),
    )
    if relation.key not in STAND_INS:
        return narrowed
    names = ", ".join(_quoted(column.name) for column in narrowed.columns)
    select = f"select {names} from {STAND_INS[relation.key]}"
    return replace(narrowed, kind="view", view_sql=f"create view stands_in as {select}")


def _known(key: str, catalogue: Mapping[str, Relation]) -> str:
    if key not in catalogue:
        raise InputError(
            f"{key} is to be published and is not in the warehouse",
            "build the models again (radar run), then publish",
        )
    return key


def _refuse_what_is_not_published(view: Relation, reads: Iterable[str], also: Collection[str]) -> None:
    for read in sorted(reads):
        if read.split(".")[0] not in (*SCHEMAS, HELPING_SCHEMA) and read not in also:
            raise InputError(
                f"the view {view.key} reads {read}, which is not published: readers could not open the view",
                f"materialize {view.key} as a table",
            )


def select_of(view_sql: str) -> str:
    """The query of a `create view` statement as DuckDB keeps it."""
    depth = position = 0
    for word in _TOKEN.findall(view_sql):
        position += len(word)
        depth += (word == "(") - (word == ")")
        if depth == 0 and word.upper() == "AS":
            return view_sql[position:].strip().rstrip(";")
    raise InputError(f"cannot read the view {view_sql[:80]}", "materialize it as a table")


def references_of(con: duckdb.DuckDBPyConnection, select: str, view: Relation) -> list[tuple[str, str, str]]:
    """(catalogue, schema, name) of every relation that a query names; empty text where it names no part."""
    row = con.execute("select json_serialize_sql($sql)", {"sql": select}).fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        raise InputError(
            f"cannot read the view {view.key}: {tree.get('error_message', '')}", "materialize it as a table"
        )
    return sorted(set(_named_relations(tree)))


def _named_relations(node: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE":
            yield node["catalog_name"], node["schema_name"], node["table_name"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _named_relations(child)


def without_catalogue(select: str, references: Collection[tuple[str, str, str]]) -> str:
    """The query with `catalogue.schema.name` cut to `schema.name`: it then holds in any file, by any alias.

    Only names that `references` tells of are cut; text literals and longer paths are left alone.
    """
    full = {tuple(part.casefold() for part in reference) for reference in references if reference[0]}
    tokens = _TOKEN.findall(select)
    kept: list[str] = []
    position = 0
    while position < len(tokens):
        path = tokens[position : position + 5]
        starts_a_path = not kept or kept[-1] != "."
        if starts_a_path and path[1::2] == [".", "."] and tuple(map(_plain, path[::2])) in full:
            position += 2
        kept.append(tokens[position])
        position += 1
    return "".join(kept)


def _plain(identifier: str) -> str:
    if identifier.startswith('"'):
        identifier = identifier[1:-1].replace('""', '"')
    return identifier.casefold()


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# --- the build file: the copy before it is copied ---------------------------------------------------------


def _build_file(warehouse: Path) -> Path:
    build = state_dir(warehouse) / "publish" / "build.duckdb"
    build.parent.mkdir(parents=True, exist_ok=True)
    return build


def _require_warehouse(warehouse: Path) -> None:
    if not warehouse.is_file():
        raise WarehouseError("there is no warehouse here", "run `radar run` first", file=warehouse)


def _reason_to_rebuild(build: Path, published_run: str) -> str:
    """Why the build file cannot be carried on from; empty where it can."""
    if not build.exists():
        return "no build file"
    try:
        with duckdb.connect(str(build), read_only=True) as con:
            record = con.execute("select format, run_id from main.published_run").fetchone()
    except duckdb.Error:
        return "the build file cannot be read"
    if record is None or record[0] != FORMAT:
        return "the build file has another format"
    if record[1] != published_run:
        return "the build file is not the one that was published last"
    return ""


def _remove_build(build: Path) -> None:
    for file in (build, build.with_name(build.name + ".wal")):
        file.unlink(missing_ok=True)


def _bring_up_to_date(warehouse: Path, build: Path, folder: Path, task: _Task, reason: str) -> _Built:
    """Make the build file follow the warehouse; a damaged one is made anew, a half-made one removed."""
    finished = False
    try:
        built = _follow(warehouse, build, folder / "parquet", task, reason)
        finished = True
    except (WarehouseError, duckdb.Error) as error:
        if reason or "Corrupt database file" not in str(error):
            raise
        _remove_build(build)
        shutil.rmtree(folder / "parquet", ignore_errors=True)
        built = _follow(warehouse, build, folder / "parquet", task, "the build file is damaged")
        finished = True
    finally:
        if not finished:
            _remove_build(build)
    return built


def _follow(warehouse: Path, build: Path, parquet: Path, task: _Task, reason: str) -> _Built:
    """Carry the warehouse over into the build file, write the Parquet files, close it checkpointed."""
    with connect(warehouse) as con, cursor_of(con) as other, ThreadPoolExecutor(1) as other_thread:
        beside = other_thread.submit(task.beside, other)
        database = _text(con, "select current_database()")
        contents = choose_contents(con, read_catalogue(con, database), task.also)
        for key in PARQUET:
            _known(key, {relation.key: relation for relation in contents.relations})
        if not reason:
            _attach(con, build)
            if _columns_changed(contents.tables, read_catalogue(con, _BUILD)):
                reason = "columns changed"
                con.execute(f"detach {_BUILD}")
        if reason:
            _remove_build(build)
            _attach(con, build)
        con.execute(f"use {_BUILD}")
        con.execute("begin")
        standing = read_catalogue(con, _BUILD)
        _drop_what_is_gone(con, standing, contents)
        for table in contents.tables:
            if table.key not in task.also:
                _carry_over(con, table, database, standing.get(table.stored.key), task)
        con.execute("commit")  # also where the run then dies: the next one follows its days again
        beside.result()
        con.execute("begin")
        for table in contents.tables:
            if table.key in task.also:
                _carry_over(con, table, database, standing.get(table.stored.key), task)
        _create_views(con, contents)
        con.execute(_QUERIES["record_run"].format(build=_BUILD), {"format": FORMAT, **task.record})
        con.execute("commit")
        _carry_comments(con, contents)
        rows = {table.key: _count(con, table.inside(_BUILD)) for table in contents.tables}
        parquet_rows = _write_parquet(con, parquet)
        con.execute(f"use {_quoted(database)}")
        con.execute(f"checkpoint {_BUILD}")
        con.execute(f"detach {_BUILD}")
    return _Built(contents, rows, parquet_rows, reason)


def _carry_over(
    con: duckdb.DuckDBPyConnection, table: Relation, database: str, standing: Relation | None, task: _Task
) -> None:
    """Make a table of the build file as it is in the warehouse."""
    names = ", ".join(_quoted(column.name) for column in table.columns)
    source, target = f"(select {names} from {table.inside(database)})", table.stored.inside(_BUILD)
    known = standing is not None and standing.kind == "table"
    by_day = ("as_of_date", "DATE") in table.signature and table.key not in task.snapshots
    if not (known and by_day and _follow_days(con, source, target, table.words, task.windows)):
        types = {column: _enum(words) for column, words in _words_of(con, source, table.words).items()}
        con.execute(f"create or replace table {target} ({_column_list(con, table, database, types)})")
        con.execute(f"insert into {target} select * from {source}")


def _attach(con: duckdb.DuckDBPyConnection, build: Path) -> None:
    options = f"read_write, storage_version {_literal(STORAGE_VERSION)}"
    con.execute(f"attach {_literal(str(build))} as {_BUILD} ({options})")


def _columns_changed(tables: Iterable[Relation], standing: Mapping[str, Relation]) -> bool:
    return any(
        key in standing and standing[key].kind == "table" and standing[key].signature != table.signature
        for table in tables
        for key in (table.stored.key,)
    )


def _drop_what_is_gone(
    con: duckdb.DuckDBPyConnection, standing: Mapping[str, Relation], contents: Contents
) -> None:
    """Drop the views, which are made anew each time, and tables that the warehouse no longer has."""
    tables = {table.stored.key for table in contents.tables}
    for relation in standing.values():
        if relation.kind == "view" or (relation.key not in tables and relation.schema != "main"):
            con.execute(f"drop {relation.kind} {relation.inside(_BUILD)}")
    for schema in sorted({STORED, *(relation.schema for relation in contents.relations)}):
        con.execute(f"create schema if not exists {_BUILD}.{_quoted(schema)}")


def _words_of(
    con: duckdb.DuckDBPyConnection, source: str, columns: Collection[str]
) -> dict[str, frozenset[str]]:
    """The words that stand in each of these columns."""
    if not columns:
        return {}
    names = [_quoted(column) for column in columns]
    lists = ", ".join(f"list(distinct {name}) filter (where {name} is not null)" for name in names)
    found = con.execute(f"select {lists} from {source}").fetchall()[0]
    return {column: frozenset(words or ()) for column, words in zip(columns, found, strict=True)}


def _enum(words: Collection[str]) -> str:
    return f"enum({', '.join(map(_literal, sorted(words) or ['']))})"


def _learn_words(con: duckdb.DuckDBPyConnection, source: str, target: str, columns: Collection[str]) -> None:
    """Widen the ENUMs of a table that stands by the words of the source that are new to it."""
    for column, words in _words_of(con, source, columns).items():
        name = _quoted(column)
        kind = _text(con, f"select typeof(any_value({name})) from (select {name} from {target} limit 1)")
        known = con.execute(f"select unnest(enum_range(cast(null as {kind})))").fetchall()
        if not words.issubset(word for (word,) in known):
            everything = words.union(word for (word,) in known)
            con.execute(f"alter table {target} alter column {name} type {_enum(everything)}")


def _column_list(
    con: duckdb.DuckDBPyConnection, table: Relation, database: str, types: Mapping[str, str]
) -> str:
    """Its columns for a `create table`.

    They are compressed in the way that the warehouse has found best for nearly all of a column: to try every
    way again for each part of a large table takes a quarter of the time that it takes to write it.
    """
    compressed: dict[str, str] = {}
    if table.rows >= _MANY_ROWS:
        found = con.execute(_QUERIES["compressions"].format(table=_literal(table.inside(database))))
        compressed = {name: f" using compression {method}" for name, method in found.fetchall()}
    return ", ".join(
        f"{_quoted(column.name)} {types.get(column.name) or column.type + compressed.get(column.name, '')}"
        for column in table.columns
    )


def _follow_days(
    con: duckdb.DuckDBPyConnection,
    source: str,
    target: str,
    words: Collection[str],
    windows: Collection[_Days],
) -> bool:
    """Replace the days of the windows, then any other day with another number of rows.

    False where the table is better copied whole: it holds one day (and may be a snapshot that nobody
    listed), or the windows cover all of it, or a row has no day.
    """
    first, last = con.execute(f"select min(as_of_date), max(as_of_date) from {source}").fetchall()[0]
    if first == last or any(days.first <= first and last <= days.last for days in windows):
        return False
    _replace_days(con, source, target, words, windows)
    if _count(con, source) == _count(con, target):
        return True
    changed = con.execute(_QUERIES["changed_days"].format(source=source, target=target)).fetchall()
    if (None,) in changed:
        return False
    _replace_days(con, source, target, words, [_Days(day, day) for (day,) in changed])
    return True


def _replace_days(
    con: duckdb.DuckDBPyConnection,
    source: str,
    target: str,
    words: Collection[str],
    windows: Collection[_Days],
) -> None:
    """Replace all these days. Nothing is inserted where there is nothing to insert: behind such an insert,
    DuckDB 1.5.5 loses a large one into the same table in the same transaction, without a word.
    """
    where = "where " + " or ".join(
        f"as_of_date between date '{days.first}' and date '{days.last}'" for days in windows
    )
    _learn_words(con, f"{source} {where}", target, words)
    con.execute(f"delete from {target} {where}")
    if con.execute(f"select 1 from {source} {where} limit 1").fetchone():
        con.execute(f"insert into {target} select * from {source} {where}")


def _create_views(con: duckdb.DuckDBPyConnection, contents: Contents) -> None:
    for table in contents.tables:
        if table.words:
            columns = ", ".join(
                f"cast({_quoted(column.name)} as {column.type}) as {_quoted(column.name)}"
                if column.name in table.words
                else _quoted(column.name)
                for column in table.columns
            )
            con.execute(f"create view {table.inside(_BUILD)} as select {columns} from {table.stored.key}")
    for view, select in contents.views:
        names = ", ".join(_quoted(column.name) for column in view.columns)
        try:
            con.execute(f"create view {_quoted(view.schema)}.{_quoted(view.name)} ({names}) as {select}")
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
            raise InputError(
                f"the view {view.key} does not hold in the published copy: {str(error).splitlines()[0]}",
                "materialize it as a table",
            ) from error


def _carry_comments(con: duckdb.DuckDBPyConnection, contents: Contents) -> None:
    """Descriptions of relations and columns, where the warehouse has them."""
    standing = read_catalogue(con, _BUILD)
    con.execute("begin")
    for relation in contents.relations:
        copied = standing[relation.key]
        if relation.comment and relation.comment != copied.comment:
            name = relation.inside(_BUILD)
            con.execute(f"comment on {copied.kind} {name} is {_literal(relation.comment)}")
        for column, there in zip(relation.columns, copied.columns, strict=True):
            if column.comment and column.comment != there.comment:
                name = f"{relation.inside(_BUILD)}.{_quoted(column.name)}"
                con.execute(f"comment on column {name} is {_literal(column.comment)}")
    con.execute("commit")


def _write_parquet(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    """One file per relation of PARQUET; returns their rows."""
    folder.mkdir()
    rows = {}
    for key in PARQUET:
        target = folder / f"{key.split('.')[1]}.parquet"
        options = "format parquet, compression zstd"
        rows[key] = int(_text(con, f"copy (select * from {key}) to {_literal(str(target))} ({options})"))
    return rows


def _text(con: duckdb.DuckDBPyConnection, query: str) -> str:
    return str((con.execute(query).fetchone() or ("",))[0])


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(_text(con, f"select count(*) from {relation}"))


# --- the set of files --------------------------------------------------------------------------------------


def copy_command(source: Path, target: Path) -> list[str]:
    """The command that copies a file, sharing its blocks where the file system can."""
    share = ["-c"] if sys.platform == "darwin" else ["--reflink=auto"]
    return ["cp", *share, "--", str(source), str(target)]


def _copy_build(build: Path, folder: Path) -> None:
    """Copy in a child process: a handle of our own on a DuckDB file, once closed, drops DuckDB's lock."""
    require_free_space(folder, build.stat().st_size + _SPARE_BYTES)
    done = subprocess.run(
        copy_command(build, folder / COPY_NAME),
        capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    if done.returncode != 0:
        raise explain_duckdb_error(folder / COPY_NAME, done.stderr or "the copy was not made")


def _check_copy(copy: Path, contents: Contents) -> None:
    """Open the copy as a reader would and see that every view holds."""
    try:
        with duckdb.connect(str(copy), read_only=True) as con:
            for view, _ in contents.views:
                con.execute(f"select * from {_quoted(view.schema)}.{_quoted(view.name)} limit 0")
    except duckdb.Error as error:
        raise CheckError(
            f"the new copy cannot be read: {str(error).splitlines()[0]}",
            "run again; the copy published before still stands",
            file=copy,
        ) from error


def _write_manifest(folder: Path, run_id: str, as_of: date, built: _Built) -> None:
    contents = built.contents
    copy = folder / COPY_NAME
    files: list[dict[str, Any]] = [{"name": COPY_NAME, "bytes": copy.stat().st_size}]
    columns = {relation.key: [column.name for column in relation.columns] for relation in contents.relations}
    for key in PARQUET:
        file = folder / "parquet" / f"{key.split('.')[1]}.parquet"
        files.append(
            {
                "name": f"parquet/{file.name}",
                "rows": built.parquet_rows[key],
                "bytes": file.stat().st_size,
                "sha256": _sha256(file),
                "columns": columns[key],
            }
        )
    manifest = {
        "run_id": run_id,
        "as_of_date": as_of.isoformat(),
        "files": files,
        "tables": built.rows,
        "views": [view.key for view, _ in contents.views],
    }
    replace_file(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
    for path in sorted(folder.rglob("*"), reverse=True):
        _sync(path)
    _sync(folder)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def published_run(published: Path) -> str:
    """The run id of the set that stands; empty where there is none."""
    try:
        manifest = json.loads((published / "manifest.json").read_text(encoding="utf-8"))
        return str(manifest["run_id"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ""


@contextmanager
def _new_set(published: Path) -> Iterator[Path]:
    """An empty folder for the next set; removed again unless it has become the current one."""
    sets = published / ".sets"
    sets.mkdir(parents=True, exist_ok=True)
    current = _current_set(published)
    number = 1 + int(current.name.split("-")[0]) if current else 1
    folder = sets / f"{number:06d}-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        if _current_set(published) != folder:
            shutil.rmtree(folder, ignore_errors=True)


def _current_set(published: Path) -> Path | None:
    link = published / "current"
    if not link.is_symlink():
        return None
    name = Path(os.readlink(link)).name
    return published / ".sets" / name if re.fullmatch(r"\d{6,}-[0-9a-f]{8}", name) else None


def _switch(published: Path, folder: Path) -> None:
    """Make `folder` the set that readers see, in one rename; keep the set before it, drop older ones."""
    before = _current_set(published)
    _sync(folder.parent)
    _link(published / "current", Path(".sets") / folder.name)
    for name in (COPY_NAME, "parquet", "manifest.json"):
        if not (published / name).is_symlink():
            _link(published / name, Path("current") / name)
    _sync(published)
    for old in folder.parent.iterdir():
        if old not in (folder, before):
            shutil.rmtree(old, ignore_errors=True)


def _link(link: Path, target: Path) -> None:
    if link.is_dir() and not link.is_symlink():
        raise RadarError(
            "a folder stands where the published copy needs its link",
            "move it away, or publish into another folder (--published)",
            file=link,
        )
    temporary = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    temporary.symlink_to(target)
    temporary.replace(link)
