"""What became of the rows that were sent. Moves `audit.sync_*`, writes no files.

What a person decides about them is an entry of the audit chain: where that is broken, nothing is moved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from radar.audit.chain import open_chain
from radar.audit.entries import record_decisions
from radar.core.errors import InputError, UsageError
from radar.core.warehouse import connect, writer_lock
from radar.exports.profiles import load_profiles
from radar.exports.results import Results, read_results
from radar.exports.writer import ACKNOWLEDGED, FAILED, QUERIES, create_tables, move_state

LAST = "last"


@dataclass(frozen=True)
class Outcome:
    """What one call of `acknowledge` did to a profile's set: rows acknowledged, rows that go again."""

    profile: str
    run_id: str
    acknowledged: int
    failed: int


@dataclass(frozen=True)
class Status:
    """The state of a destination: its newest run, and its rows by what became of them."""

    profile: str
    run_id: str
    as_of_date: date
    status: str
    message: str | None
    delivered: int
    open: int
    failed: int
    given_up: int
    settled_at: datetime | None


@dataclass(frozen=True)
class TroubledRow:
    """A row that failed or was given up, with the destination's words or a person's reason."""

    profile: str
    key: str
    status: str
    message: str | None


def acknowledge(
    warehouse: Path,
    run: str,
    *,
    by: str,
    profile: str | None = None,
    results: Sequence[Path] = (),
    was_imported: bool = True,
) -> list[Outcome]:
    """Say what became of a run's files: all of it imported, none of it, or what the result files say.

    `run` is a run id, the beginning of one, or `last`. What is refused goes again with the next run, and so
    does what nobody has acknowledged. Raises UsageError for an unknown run, InputError for a file of another
    set, AuditError where the chain is broken.
    """
    with writer_lock(warehouse), connect(warehouse) as con:
        con.execute("set threads = 1")  # as in `radar.exports.writer`
        open_chain(con, warehouse)
        create_tables(con)
        run_id = _run_id(con, run, profile)
        names = {"run_id": run_id, "profile": profile}
        chosen = [name for (name,) in con.execute(QUERIES["profiles_of_run"], names).fetchall()]
        if not chosen:
            raise UsageError(
                f"run {run_id} has no files for {profile}", "see `radar sync status` for what went out"
            )
        if results and len(chosen) > 1:
            raise UsageError(
                f"run {run_id} wrote files for {', '.join(chosen)}",
                "say whose results these are with --profile",
            )
        found = read_results(load_profiles(chosen)[0], list(results)) if results else None
        con.execute("begin")
        outcomes = [
            _record_outcome(con, name, run_id, by=by, results=found, was_imported=was_imported)
            for name in chosen
        ]
        files = [
            {"name": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()} for file in results
        ]
        for done in outcomes:
            _decide(
                con,
                done.profile,
                run_id,
                "acknowledged" if was_imported else "not_imported",
                by=by,
                acknowledged=done.acknowledged,
                failed=done.failed,
                results=json.dumps(files) if files else None,
            )
        con.execute("commit")
        record_decisions(con, warehouse, "sync_decisions")
    return outcomes


def _decide(
    con: duckdb.DuckDBPyConnection, profile: str, run_id: str, decision: str, *, by: str, **values: Any
) -> None:
    """Record who decided what; columns of `audit.sync_decisions` that are not given are null."""
    names = ("row_key", "account_id", "acknowledged", "failed", "results", "reason")
    decided = {name: values.get(name) for name in names}
    con.execute(
        QUERIES["record_decision"],
        {"profile": profile, "run_id": run_id, "decision": decision, "by": by, **decided},
    )


def _record_outcome(
    con: duckdb.DuckDBPyConnection,
    profile: str,
    run_id: str,
    *,
    by: str,
    results: Results | None,
    was_imported: bool,
) -> Outcome:
    names = {"profile": profile, "run_id": run_id}
    con.execute(QUERIES["result_keys"])
    if results is None:
        rest: str | None = ACKNOWLEDGED if was_imported else FAILED
    else:
        rest = ACKNOWLEDGED if results.rest_was_taken else None
        rows = [
            *((key, ACKNOWLEDGED, None) for key in sorted(results.taken)),
            *((key, FAILED, message) for key, message in sorted(results.refused.items())),
        ]
        if rows:
            con.executemany("insert into results values (?, ?, ?)", rows)
        unknown = con.execute(QUERIES["unknown_result_key"], names).fetchall()
        if unknown:
            raise InputError(
                f"the result file names {unknown[0][0]!r}, which run {run_id} did not send to {profile}",
                "give the result file of this run's import, or name its run",
            )
    con.execute(QUERIES["match_results"], {**names, "rest": rest})
    ((acknowledged, failed),) = con.execute(QUERIES["resolved_counts"]).fetchall()
    move_state(con, profile, run_id, QUERIES["moved_on_ack"], rows=acknowledged)
    con.execute(QUERIES["take_back"], names)
    con.execute(QUERIES["resolve_changes"], {"by": by})
    con.execute(QUERIES["resolve_runs"], {"profile": profile, "by": by})
    return Outcome(profile, run_id, acknowledged, failed)


def dismiss(
    warehouse: Path, profile: str, keys: Sequence[str], *, by: str, reason: str, undo: bool = False
) -> int:
    """Send these rows no more, whatever they come to say, or with `undo` again; how many rows that were.

    Raises UsageError for a key that waits for nothing, AuditError where the chain is broken.
    """
    (chosen,) = load_profiles([profile])
    with writer_lock(warehouse), connect(warehouse) as con:
        open_chain(con, warehouse)
        create_tables(con)
        con.execute("begin")
        for key in keys:
            names = {"profile": chosen.name, "key": key}
            if not con.execute(QUERIES["keys_like"], names).fetchall():
                raise UsageError(
                    f"{chosen.name} has no row {key} that failed or is not acknowledged",
                    "see `radar sync status` for rows that failed",
                )
            con.execute(QUERIES["take_up" if undo else "dismiss"], {**names, "by": by, "reason": reason})
            ((run_id,),) = con.execute(QUERIES["run_of_key"], names).fetchall()
            account_id = key if chosen.key == "account_id" else None
            decision = "taken_up" if undo else "given_up"
            _decide(
                con,
                chosen.name,
                run_id,
                decision,
                by=by,
                row_key=key,
                account_id=account_id,
                reason=reason,
            )
        con.execute("commit")
        record_decisions(con, warehouse, "sync_decisions")
    return len(keys)


def status(warehouse: Path) -> tuple[list[Status], list[TroubledRow]]:
    """The state of every destination, and the first rows that failed or were dismissed."""
    with writer_lock(warehouse), connect(warehouse) as con:
        create_tables(con)
        found = [Status(*row) for row in con.execute(QUERIES["status"]).fetchall()]
        return found, [TroubledRow(*row) for row in con.execute(QUERIES["status_rows"]).fetchall()]


def not_exported(con: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, str]:
    """Destination -> reason, for each that this run gave nothing: a guard blocked it, or its files failed."""
    create_tables(con)
    return dict(con.execute(QUERIES["not_exported"], {"run_id": run_id}).fetchall())


def _run_id(con: duckdb.DuckDBPyConnection, run: str, profile: str | None) -> str:
    if run == LAST:
        found = con.execute(QUERIES["newest_run"], {"profile": profile}).fetchall()
    else:
        found = con.execute(QUERIES["runs_like"], {"run": run}).fetchall()
        found = [(run,)] if (run,) in found else found
    if len(found) != 1:
        what = f"no run {run} has written files" if not found else f"more than one run begins with {run}"
        raise UsageError(what, "give the id from the manifest, or see `radar sync status`")
    return str(found[0][0])
