"""What keeps a run from giving anything to anybody: a flood, and a warehouse older than what went out.

One guard for everything that leaves. What a flood is, is defined once, by the model `int_flood_guard`, before
any action is ready; deliveries and exports ask `blocked` for it. (What a single destination is known to hold
is compared once more where its file is written, by `radar.exports.writer`.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb

from radar.audit.sent_journal import journal_file, read_sent
from radar.core.errors import CheckError
from radar.core.queries import named_queries
from radar.core.state_files import read_json
from radar.exports.files import MANIFEST

QUERIES = named_queries(Path(__file__).with_name("outbound.sql"))
_SET = re.compile(r"(\d{4}-\d{2}-\d{2})_(.+)")
DELIVERIES = "deliveries"


class BlockedError(CheckError):
    """Nothing goes out: a flood."""


class OlderWarehouseError(BlockedError):
    """Nothing goes out: the warehouse is older than what went out."""


def prepare(
    con: duckdb.DuckDBPyConnection, exports: Path, published: Path, *, allow_flood: bool, now: datetime
) -> None:
    """Before a build: pass on whether a flood is allowed, and note runs that this warehouse does not know."""
    create(con)
    con.execute("update control.run_window set allow_flood = ?", [allow_flood])
    note_newer_runs(con, exports, published, now)


def create(con: duckdb.DuckDBPyConnection) -> None:
    """The tables that remember what was released and what was found outside, where they are not there."""
    con.execute(QUERIES["create"])


def note_newer_runs(con: duckdb.DuckDBPyConnection, exports: Path, published: Path, now: datetime) -> None:
    """Write down runs that left something outside the warehouse and that it does not know, each once."""
    known = {run_id for (run_id,) in con.execute(_known_runs(con)).fetchall()}
    found: dict[str, tuple[date, str]] = {}
    for run_id, day, folder in _runs_outside(exports, published):
        if run_id not in known and (run_id not in found or found[run_id][0] < day):
            found[run_id] = (day, folder)
    for run_id, (day, folder) in sorted(found.items(), key=lambda one: one[1]):
        con.execute(QUERIES["note_newer_run"], {"run_id": run_id, "day": day, "place": folder, "now": now})


def _known_runs(con: duckdb.DuckDBPyConnection) -> str:
    """The query of every run that this warehouse knows."""
    tables = con.execute(QUERIES["tables_of_runs"]).fetchall()
    return " union ".join(f"select run_id from {table}" for (table,) in tables)


def _runs_outside(exports: Path, published: Path) -> Iterator[tuple[str, date, str]]:
    """Run, its day and where it is: the published copy, sets of files, the journal of what was sent."""
    run = read_json(
        published / MANIFEST,
        lambda found: (str(found["run_id"]), date.fromisoformat(found["as_of_date"])),
    )
    if run:
        yield (*run, str(published / MANIFEST))
    for manifest in sorted(exports.glob(f"*/*/{MANIFEST}")):
        name = _SET.fullmatch(manifest.parent.name)
        if name:
            yield name[2], date.fromisoformat(name[1]), str(manifest.parent)
    seen = {(sent.run_id, sent.as_of_date) for sent in read_sent(exports)}
    for run_id, day in sorted(seen):
        yield run_id, day, str(journal_file(exports))


def blocked(con: duckdb.DuckDBPyConnection, as_of: date) -> BlockedError | None:
    """Why nothing may go out on this day; None where it may."""
    return _is_older(con) or _is_flood(con, as_of)


def _is_older(con: duckdb.DuckDBPyConnection) -> OlderWarehouseError | None:
    if not _has(con, "audit.newer_runs"):
        return None
    rows = con.execute(QUERIES["newer_runs"]).fetchall()
    if not rows:
        return None
    first, last = min(day for _, day, _ in rows), max(day for _, day, _ in rows)
    run_id, _, folder = rows[-1]
    return OlderWarehouseError(
        f"this warehouse is older than what went out: {len(rows):,} run(s) that it does not know, the last "
        f"of {last} ({run_id}), are in {folder}; nothing goes out, so that nothing goes twice",
        "if a backup was put back or the warehouse was begun again, say until which day what went out counts "
        f"as delivered: radar restore --delivered-until {last} --reason TEXT; then let the days since be "
        f"computed again: radar run --since {first}",
    )


def _is_flood(con: duckdb.DuckDBPyConnection, as_of: date) -> BlockedError | None:
    if not _has(con, "intermediate.int_flood_guard"):
        return None
    rows = con.execute(QUERIES["flood"], {"as_of": as_of}).fetchall()
    if not rows:
        return None
    accounts, changed, pct, is_first, released_on = rows[0]
    what = (
        f"{changed:,} of {accounts:,} accounts are at risk before anything has ever gone out"
        if is_first
        else f"{changed:,} of {accounts:,} accounts change their bucket, leave or are new and at risk at "
        f"once, compared with {released_on}"
    )
    return BlockedError(
        f"{what}, more than {pct:g} %; nothing goes out",
        "look whether rules, sources or names of events changed; if it is right, run again with "
        "--allow-flood (in Dagster: the run tag radar/allow_flood)",
    )


def release(con: duckdb.DuckDBPyConnection, run_id: str, as_of: date) -> None:
    """Keep the buckets of the day as what the next run is compared with."""
    con.execute("begin")
    con.execute(QUERIES["forget_released"])
    con.execute(QUERIES["release"], {"run_id": run_id, "as_of": as_of})
    con.execute("commit")


def record_blocked(
    con: duckdb.DuckDBPyConnection, run_id: str, as_of: date, reason: BlockedError, now: datetime
) -> None:
    """Note that this run delivers nothing, and why."""
    values = {"run_id": run_id, "as_of": as_of, "reason": str(reason), "now": now}
    con.execute(QUERIES["record_blocked"], values)


def blocked_deliveries(con: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, str]:
    """`deliveries` -> why, where this run delivered nothing for it."""
    if not _has(con, "audit.blocked_deliveries"):
        return {}
    rows = con.execute(QUERIES["blocked_deliveries"], {"run_id": run_id}).fetchall()
    return {DELIVERIES: rows[0][0]} if rows else {}


def _has(con: duckdb.DuckDBPyConnection, relation: str) -> bool:
    schema, _, name = relation.partition(".")
    ((count,),) = con.execute(QUERIES["has_relation"], {"schema": schema, "name": name}).fetchall()
    return bool(count)
