"""The first day of the installation: where its as-of dates begin in Dagster.

Definitions are loaded often, also while a run has the warehouse open, so a small file next to it has the day.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb

from radar.core.errors import RadarError
from radar.core.runs import FIRST_DATE
from radar.core.state_files import read_json, replace_file
from radar.core.warehouse import state_dir
from radar.landing.as_of_guard import first_event, first_scored_day

_FILE, _KEY = "first_day.json", "first_day"


def first_day(warehouse: Path) -> date:
    """The first day with product events or scores; FIRST_DATE before anything has landed."""
    return _read(warehouse) or FIRST_DATE


def note_landed(con: duckdb.DuckDBPyConnection, warehouse: Path, as_of_start: date) -> None:
    """Note the first day, once product events have landed. It only ever moves back: summaries are purged."""
    event = first_event(con)
    if event is None and _read(warehouse) is None:
        return
    days = (event, first_scored_day(con), as_of_start, _read(warehouse))
    _write(warehouse, min(day for day in days if day))


def note_asked(warehouse: Path, as_of_start: date) -> None:
    """Make room for a run of days before the first: Dagster refuses dates that are not defined."""
    known = _read(warehouse)
    if known and as_of_start < known:
        _write(warehouse, as_of_start)


def _read(warehouse: Path) -> date | None:
    """None where the file is missing or cannot be read: the next landing writes it again."""
    try:
        return read_json(
            state_dir(warehouse) / _FILE, lambda found: max(date.fromisoformat(found[_KEY]), FIRST_DATE)
        )
    except RadarError:  # no right to read it, or to put it aside
        return None


def _write(warehouse: Path, day: date) -> None:
    if _read(warehouse) != day:
        replace_file(state_dir(warehouse) / _FILE, json.dumps({_KEY: day.isoformat()}))
