"""`radar forget-day`: take recorded days back, so that the next run goes on from the day before them.

What was computed for the days goes: signals, evidence, history, plays, actions. What has been delivered stays
as it is: destinations and people were given it, and the ledgers remember that. Facts that landed stay too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from getpass import getuser
from pathlib import Path

import duckdb

from radar.audit.chain import Entry, canonical, open_chain
from radar.audit.delivery_ledger import DELIVERED, IN_DOUBT
from radar.core.errors import UsageError
from radar.core.queries import named_queries
from radar.core.runs import Window, utc_now
from radar.core.warehouse import connect, writer_lock
from radar.deliveries.retries import next_attempt, note_next_attempt
from radar.exports import outbound
from radar.exports.writer import create_tables
from radar.landing.as_of_guard import newest_scored_day
from radar.publishing.windows import announce_window

FORGOTTEN_DAY = "forgotten_day"
MOST_NAMED = 20
_QUERIES = named_queries(Path(__file__).with_suffix(".sql"))


@dataclass(frozen=True)
class Forgotten:
    """What was taken back, and what cannot be.

    `rows`: by table; `newest`: the newest recorded day now; `delivered`: kind, account, carrier and status of
    messages that people or systems have; `sets`: profile and folder of files that were written.
    """

    window: Window
    rows: dict[str, int]
    newest: date | None
    delivered: Sequence[tuple[str, str, str, str]]
    sets: Sequence[tuple[str, str]]

    def text(self, exports: Path) -> str:
        """For the person who asked."""
        lines = [f"Taken back: {self.window}, {sum(self.rows.values()):,} rows of {len(self.rows)} tables."]
        if self.sets:
            lines.append("Files that were written; destinations that imported them get the difference next:")
            lines += [f"  {profile}: {exports / folder}" for profile, folder in self.sets]
        if self.delivered:
            lines.append(f"Cannot be taken back: {len(self.delivered):,} messages that were delivered:")
            for kind, account, carrier, status in self.delivered[:MOST_NAMED]:
                lines.append(f"  {kind} of {account} through {carrier}: {status.replace('_', ' ')}")
            if len(self.delivered) > MOST_NAMED:
                lines.append(f"  and {len(self.delivered) - MOST_NAMED:,} more in audit.deliveries")
        newest = f"The newest recorded day is {self.newest}" if self.newest else "No day is recorded"
        lines.append(f"{newest}. Readers see the change with the next run: radar run")
        return "\n".join(lines)


def forget_day(warehouse: Path, day: date, *, since: date | None = None) -> Forgotten:
    """Take back `day`, or all days from `since` to it. Raises UsageError where later days build on them."""
    window = Window(since or day, day)
    with writer_lock(warehouse), connect(warehouse) as con:
        _require_newest(con, window)
        create_tables(con)
        outbound.create(con)
        names = {"first": window.start, "last": window.end}
        tables = _tables(con)
        announce_window(warehouse, as_of_start=window.start, as_of_end=window.end)
        con.begin()
        rows = {table: _forget(con, table, columns, names) for table, columns in tables.items()}
        rows = {table: count for table, count in rows.items() if count}
        newest = newest_scored_day(con)
        con.execute(_QUERIES["forget_released"], names)
        con.execute(_QUERIES["move_window"], {**names, "newest": newest})
        sets = con.execute(_QUERIES["sets"], names).fetchall()
        con.execute(_QUERIES["forget_exports"], {**names, "now": utc_now()})
        con.commit()
        delivered = _delivered(con, window)
        found = {"rows": rows, "newest_before": str(newest or ""), "delivered": len(delivered)}
        open_chain(con, warehouse).append([_entry(window, canonical(found))])
        waiting = next_attempt(warehouse)
        if waiting and window.start <= waiting.as_of <= window.end:
            note_next_attempt(warehouse, waiting.as_of, None)
    return Forgotten(window, rows, newest, delivered, sets)


def _require_newest(con: duckdb.DuckDBPyConnection, window: Window) -> None:
    newest = newest_scored_day(con)
    if newest is None:
        raise UsageError("no day is recorded in this warehouse", "there is nothing to take back")
    query = "select count(*) from marts.fct_health_history where as_of_date between $first and $last"
    recorded = con.execute(query, {"first": window.start, "last": window.end}).fetchone()
    if recorded == (0,):
        raise UsageError(f"{window} is not recorded", f"the newest recorded day is {newest}")
    if newest > window.end:
        raise UsageError(
            f"{window.end} cannot be taken back alone: days after it, up to {newest}, were compared with it",
            f"take them back too (radar forget-day {newest} --since {window.start}), then score those "
            "that were right again: radar run --since DAY",
        )


def _tables(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """The tables by as-of date that a build makes, each with its columns."""
    return {name: set(columns) for name, columns in con.execute(_QUERIES["tables"]).fetchall()}


def _forget(con: duckdb.DuckDBPyConnection, table: str, columns: set[str], names: dict[str, date]) -> int:
    """The days' rows of one table; an interval that began before them ends with the day before."""
    if {"first_date", "last_open_on"} <= columns:
        con.execute(_QUERIES["shorten"].format(table=table), names)
    found = con.execute(_QUERIES["forget"].format(table=table), names).fetchone()
    return int(found[0]) if found else 0


def _delivered(con: duckdb.DuckDBPyConnection, window: Window) -> list[tuple[str, str, str, str]]:
    try:
        found = con.execute(
            _QUERIES["delivered"],
            {"first": window.start, "last": window.end, "statuses": [DELIVERED, IN_DOUBT, "written"]},
        )
    except duckdb.CatalogException:  # nothing was ever delivered
        return []
    return [
        (str(kind), str(account), str(carrier), str(status))
        for kind, account, carrier, status in found.fetchall()
    ]


def _entry(window: Window, evidence: str) -> Entry:
    """The audit's entry: who took the days back, and their content."""
    return Entry(
        recorded_at=utc_now(),
        run_id=None,
        kind=FORGOTTEN_DAY,
        subject_id=str(window),
        account_id=None,
        as_of_date=window.end,
        rule_set=None,
        rule_version=None,
        state="taken back",
        evidence=evidence,
        actor=getuser(),
    )
