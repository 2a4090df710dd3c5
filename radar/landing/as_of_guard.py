"""How far the facts reach: an as-of date that is far beyond them is refused before it does harm.

Such a day (a typed year, a clock ahead) shows customers who do nothing, replaces the newest day in
every destination, and would purge what is kept for some time.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import duckdb

from radar.core.errors import InputError
from radar.core.runs import Window
from radar.landing.feeds import load_feeds

EVENTS = "product/events"
BY_THIS_CLOCK = ("crm/overrides", "crm/reviews")
"""Feeds that the panel writes: their times say what this machine's clock says, right or wrong."""

_SUMMARIES, _HISTORY = "intermediate.int_user_days", "marts.fct_health_history"


def require_near_facts(
    con: duckdb.DuckDBPyConnection, window: Window, *, seeds: Path, force_day: bool
) -> None:
    """Refuse a day that is too far beyond what is known. Raises InputError.

    What is known reaches to the newest fact, or to the newest scored day where that is later: feeds that stop
    coming stop no daily run (they become stale), a jump does. Product events come every day. Where there are
    none, a gap says nothing before the first score, and later less than the feeds' own max_age_days.
    """
    facts, events, scored = newest_fact(con), newest_event(con), newest_scored_day(con)
    if force_day or facts is None or (events is None and scored is None):
        return
    known = max(facts, scored or facts)
    most = _setting(seeds, "as_of_days_beyond_facts") if events else _longest_silence(seeds)
    if most is None or (window.end - known).days <= most:
        return
    reach = f"newest fact {facts}" + (f", newest scored day {scored}" if scored else "")
    raise InputError(
        f"the as-of date {window.end} is more than {most} days beyond what is known ({reach}); "
        "what arrived has landed, nothing was scored, purged, published or sent",
        f"run again with --as-of {known} or a day until {known + timedelta(days=most)}; look at this "
        "machine's clock, and why no newer facts arrive; a day that is meant needs --force-day "
        "(in Dagster the run tag radar/force_day)",
    )


def newest_event(con: duckdb.DuckDBPyConnection) -> date | None:
    """The day of the newest product event, purged ones included; None where none ever landed."""
    newest = [_day(con, load_feeds()[EVENTS].raw_table, ["occurred_at"])]
    newest.append(_day(con, _SUMMARIES, ["activity_date"]))
    return max((day for day in newest if day), default=None)


def newest_fact(con: duckdb.DuckDBPyConnection) -> date | None:
    """The day of the newest fact of any feed by its own time; None where nothing with a time has landed."""
    newest = [newest_event(con)]
    for feed in load_feeds().values():
        times = [column.name for column in feed.columns if column.required and column.type == "timestamp"]
        if times and feed.name not in (EVENTS, *BY_THIS_CLOCK):
            newest.append(_day(con, feed.raw_table, times))
    return max((day for day in newest if day), default=None)


def newest_scored_day(con: duckdb.DuckDBPyConnection) -> date | None:
    """The newest as-of date that is recorded; None before the first."""
    return _day(con, _HISTORY, ["as_of_date"])


def first_event(con: duckdb.DuckDBPyConnection) -> date | None:
    """The day of the first product event that is known; None where none ever landed."""
    first = [_day(con, load_feeds()[EVENTS].raw_table, ["occurred_at"], "min")]
    first.append(_day(con, _SUMMARIES, ["activity_date"], "min"))
    return min((day for day in first if day), default=None)


def first_scored_day(con: duckdb.DuckDBPyConnection) -> date | None:
    """The first as-of date that is recorded."""
    return _day(con, _HISTORY, ["as_of_date"], "min")


def _day(con: duckdb.DuckDBPyConnection, table: str, columns: list[str], end: str = "max") -> date | None:
    newest = ", ".join(f"{end}({name})::date" for name in columns)
    try:
        values = con.execute(f"select {newest} from {table}").fetchone()
    except duckdb.CatalogException:  # not built yet
        return None
    found = [day for day in values or () if day]
    return (max(found) if end == "max" else min(found)) if found else None


def _longest_silence(seeds: Path) -> int | None:
    """The greatest max_age_days of the feeds in use; None where no feed says."""
    with (seeds / "feeds.csv").open(encoding="utf-8", newline="") as file:
        feeds = [row for row in csv.DictReader(file) if row["is_used"].strip().lower() == "true"]
    return max((int(row["max_age_days"]) for row in feeds if row["max_age_days"].strip()), default=None)


def _setting(seeds: Path, name: str) -> int:
    """From the file: before the first build the warehouse has no settings."""
    with (seeds / "settings.csv").open(encoding="utf-8", newline="") as file:
        return next(int(row["value"]) for row in csv.DictReader(file) if row["setting"] == name)
