"""The run under way: its number, its window of as-of dates, and how it ended.

`control.run_window` holds the run under way in one row; `audit.runs` gets one row when a run has ended.
Belongs here: who may write on whose behalf. Does not belong here: what the steps do, and Dagster.
"""

from __future__ import annotations

import resource
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from radar.core.errors import RadarError, UsageError, WarehouseError

DONE, BLOCKED, PARTIAL, FAILED = "done", "held", "partial", "failed"
"""How a run ended. Blocked: done, but a feed was blocked. Partial: some steps, started alone, none failed."""

FURTHEST_DAYS_AHEAD = 366
"""How far ahead a day may lie that is asked for on purpose; any other may be tomorrow at the latest."""

FIRST_DATE = date(2010, 1, 1)
"""No as-of date is before it. Dagster lists every day since, so it is no earlier than anyone needs."""

RESERVED_STEMS = {
    "raw", "staging", "intermediate", "signals", "scoring", "marts", "outbound", "seeds", "quarantine",
    "audit", "control", "main", "system", "temp", "memory", "information_schema", "pg_catalog",
}  # fmt: skip
"""Names that DuckDB would take for a schema or a catalogue of its own in `raw.crm_accounts`."""


_STATE = """
    CREATE TABLE IF NOT EXISTS control.run_state (checked_batch_id BIGINT, is_partial BOOLEAN);
    INSERT INTO control.run_state SELECT 0, false WHERE NOT EXISTS (FROM control.run_state)
"""


@dataclass(frozen=True)
class Window:
    """The as-of dates of a run, both ends included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many dates these are."""
        return (self.end - self.start).days + 1

    def __str__(self) -> str:
        """One day, or first to last."""
        return str(self.end) if self.start == self.end else f"{self.start} to {self.end}"


@dataclass(frozen=True)
class Run:
    """The run under way. `now` is when it began, UTC without an offset."""

    run_id: str
    batch_id: int
    window: Window
    now: datetime


def utc_now() -> datetime:
    """The time, UTC without an offset, as the warehouse keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


def parse_window(as_of: str | None, since: str | None, *, today: date, force_day: bool = False) -> Window:
    """The window that `--as-of` and `--since` ask for; `force_day`: see `require_day`. Raises UsageError."""
    end = parse_day("--as-of", as_of) if as_of else today
    start = parse_day("--since", since) if since else end
    if start > end:
        raise UsageError(
            f"--since {start} is after the as-of date {end}", "give --since a day on or before --as-of"
        )
    if start < FIRST_DATE:
        raise UsageError(f"{start} is before {FIRST_DATE}", f"give a day from {FIRST_DATE} on")
    window = Window(start, end)
    require_day(window, today=today, force_day=force_day)
    return window


def require_day(window: Window, *, today: date, force_day: bool) -> None:
    """Refuse a day later than tomorrow; with `force_day`, one later than a year from now. Raises UsageError.

    A day that has not come shows customers who do nothing, and what is kept for some time is purged by it.
    Tomorrow is allowed for clocks that are slow.
    """
    end = window.end
    if end > today + timedelta(days=FURTHEST_DAYS_AHEAD):
        raise UsageError(
            f"the as-of date {end} is more than {FURTHEST_DAYS_AHEAD} days ahead of today ({today})",
            "give a day nearer to today, or correct this machine's clock",
        )
    if end > today + timedelta(days=1) and not force_day:
        raise UsageError(
            f"the as-of date {end} has not come: today is {today} in UTC",
            "correct the date or this machine's clock; a day ahead that is meant needs --force-day",
        )


def parse_day(option: str, text: str) -> date:
    """The day that an option names. Raises UsageError."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise UsageError(
            f"{option} {text} is not a day", "write it as YYYY-MM-DD, for example 2026-03-13"
        ) from None


def begin(
    con: duckdb.DuckDBPyConnection,
    *,
    run_id: str,
    window: Window,
    now: datetime,
    is_partial: bool = False,
) -> Run:
    """Make this the run under way. Called again for the same run, it returns the recorded run.

    A run that was under way and never ended is recorded as failed: the writer's lock, which the caller
    holds, shows that it is gone. `is_partial`: steps started alone, without landing.
    """
    con.execute(_STATE)
    before = current(con)
    if before and before.run_id == run_id:
        return before
    if before and outcome(con, before.run_id) is None:
        if con.execute("SELECT is_partial FROM control.run_state").fetchone() == (True,):
            record(con, before, PARTIAL, "some steps, started alone", None)
        else:
            record(con, before, FAILED, "ended without a record: stopped, or the machine went down", None)
    run = Run(run_id, _next_batch(con), window, now)
    _write(con, run, is_partial)
    return run


def resume(
    con: duckdb.DuckDBPyConnection,
    *,
    run_id: str,
    earlier_runs: Sequence[str],
    window: Window,
    now: datetime,
) -> Run:
    """The run that a later step belongs to; `earlier_runs` are those whose steps this one repeats.

    A step that is started alone, without landing, is fine where everything that landed has been checked.
    Else it would build on rows that nobody has looked at: WarehouseError.
    """
    con.execute(_STATE)
    before = current(con)
    if before is None:
        raise WarehouseError("nothing has landed in this warehouse", "run the whole job first: radar run")
    if before.run_id == run_id:
        return before
    if before.run_id in earlier_runs and before.window == window:
        run = replace(before, run_id=run_id)
        _write(con, run, False)
        return run
    if _is_unchecked(con):
        raise WarehouseError(
            f"what the run before ({before.run_id}) landed has not been checked to the end",
            "run the whole job (radar run, or the job daily in Dagster), which checks it first",
        )
    return begin(con, run_id=run_id, window=window, now=now, is_partial=True)


def mark_checked(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Note that everything up to this run's batch has been checked."""
    con.execute("UPDATE control.run_state SET checked_batch_id = ?", [run.batch_id])


def _is_unchecked(con: duckdb.DuckDBPyConnection) -> bool:
    query = """
        SELECT coalesce(max(batch_id), 0) > (SELECT checked_batch_id FROM control.run_state) FROM audit.loads
    """
    return bool(con.execute(query).fetchone() == (True,))


class StoppedError(RadarError):
    """Somebody, or the system, stopped the run: Ctrl-C, or the signal that ends a process (SIGTERM)."""

    def __init__(self) -> None:
        """The same text for both: the run ends in the same way."""
        super().__init__("stopped", "run it again: it goes on from what landed")


class FailedRunError(RadarError):
    """A run that failed under way: its error, and what of the run has happened all the same."""

    def __init__(self, error: RadarError, happened: str) -> None:
        """`happened`: what readers see and what may have gone out."""
        self.happened, self.exit_status = happened, error.exit_status
        super().__init__(error.problem, error.remedy, file=error.file, row=error.row, column=error.column)

    def __str__(self) -> str:
        """What to do comes last."""
        problem, mark, remedy = super().__str__().rpartition("\n  What to do: ")
        return f"{problem}\n  What has happened: {self.happened}{mark}{remedy}"


def current(con: duckdb.DuckDBPyConnection) -> Run | None:
    """The run that `control.run_window` holds; it may have ended."""
    row = con.execute(
        "SELECT run_id, batch_id, as_of_start, as_of_end, loaded_at FROM control.run_window"
    ).fetchone()
    return Run(row[0], row[1], Window(row[2], row[3]), row[4]) if row else None


def outcome(con: duckdb.DuckDBPyConnection, run_id: str) -> str | None:
    """How the run ended; None where it has not."""
    row = con.execute(
        "SELECT status FROM audit.runs WHERE run_id = ? ORDER BY finished_at DESC NULLS LAST", [run_id]
    ).fetchone()
    return str(row[0]) if row else None


def record(
    con: duckdb.DuckDBPyConnection, run: Run, status: str, message: str, finished_at: datetime | None
) -> None:
    """Note the end of a run, once."""
    if outcome(con, run.run_id) is not None:
        return
    con.execute(
        "INSERT INTO audit.runs "
        "(run_id, batch_id, started_at, finished_at, as_of_start, as_of_end, status, message, cpu_seconds) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *(run.run_id, run.batch_id, run.now, finished_at, run.window.start, run.window.end),
            *(status, message, _cpu_seconds() if status in {DONE, BLOCKED} else None),
        ],
    )


def _cpu_seconds() -> float:
    """What this process and those that it started have used: a run is a process of its own."""
    own, started = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + started.ru_utime + started.ru_stime


def _next_batch(con: duckdb.DuckDBPyConnection) -> int:
    query = """
        SELECT greatest(
            coalesce((SELECT max(batch_id) FROM audit.runs), 0),
            coalesce((SELECT max(batch_id) FROM audit.loads), 0),
            coalesce((SELECT max(batch_id) FROM control.run_window), 0)
        ) + 1
    """
    row: tuple[Any, ...] = con.execute(query).fetchone() or (1,)
    return int(row[0])


def _write(con: duckdb.DuckDBPyConnection, run: Run, is_partial: bool) -> None:
    con.begin()
    con.execute("UPDATE control.run_state SET is_partial = ?", [is_partial])
    con.execute("DELETE FROM control.run_window")
    con.execute(
        "INSERT INTO control.run_window (run_id, batch_id, as_of_start, as_of_end, loaded_at) "
        "VALUES (?, ?, ?, ?, ?)",
        [run.run_id, run.batch_id, run.window.start, run.window.end, run.now],
    )
    con.commit()


def check_warehouse_name(warehouse: Path) -> None:
    """Raise UsageError for a file name that makes `raw.crm_accounts` ambiguous."""
    if warehouse.stem.lower() in RESERVED_STEMS:
        raise UsageError(
            f"a warehouse cannot be called {warehouse.name}: {warehouse.stem} is the name of a schema",
            "give the file another name, for example warehouse.duckdb",
            file=warehouse,
        )
