"""A day that is typed wrong, or comes from a clock that is ahead: refused, harmless, and taken back."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.runs.radar_run import Place, radar

pytestmark = pytest.mark.slow

NEWEST, NEXT = date(2026, 6, 30), date(2026, 7, 1)
FAR = NEWEST + timedelta(days=60)
"""Over for long by any clock, and far beyond the newest fact of the demo company."""

KEPT = "select count(*), min(activity_date), sum(hash(kept)) from intermediate.int_user_days as kept"
KEYS = "select count(*), min(activity_date), sum(hash(kept)) from intermediate.int_event_keys as kept"
DAYS = """
    select table_schema || '.' || table_name from information_schema.columns
    where column_name = 'as_of_date' and table_schema in ('signals', 'intermediate', 'marts', 'outbound')
        and (table_schema, table_name) in (select (schema_name, table_name) from duckdb_tables())
    order by 1
"""


def copy_of(place: Place, folder: Path) -> Place:
    shutil.copytree(place.folder, folder, symlinks=True)
    return Place(folder)


@pytest.fixture(scope="module")
def place(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The demo company, scored until NEWEST, in a place of its own."""
    return copy_of(demo_run, tmp_path_factory.mktemp("wrong") / "place")


def kept(place: Place) -> list[Any]:
    return [*place.rows(KEPT), *place.rows(KEYS)]


def test_a_day_that_has_not_come_is_wrong_usage(place: Place) -> None:
    day = datetime.now(UTC).date() + timedelta(days=3)
    before = place.warehouse.read_bytes()
    done = place.run(f"--as-of={day}", status=2)
    assert f"{day} has not come" in done.stderr
    assert "--force-day" in done.stderr
    assert place.warehouse.read_bytes() == before


def test_a_day_far_beyond_the_facts_is_refused_before_anything_is_lost(place: Place) -> None:
    before, copy = kept(place), (place.published / "radar.duckdb").read_bytes()
    done = place.run(f"--as-of={FAR}", status=1)
    assert f"the as-of date {FAR} is more than 7 days beyond what is known" in done.stderr
    assert f"newest fact {NEWEST}" in done.stderr
    assert "--force-day" in done.stderr
    assert kept(place) == before
    assert (place.published / "radar.duckdb").read_bytes() == copy
    assert place.rows("select max(as_of_date) from marts.fct_health_history") == [(NEWEST,)]
    assert place.rows(
        f"select status from audit.runs where as_of_end = '{FAR}' and message like '%beyond what is known%'"
    ) == [("failed",)]


def test_feeds_that_stopped_stop_no_run_of_the_next_days(place: Place, tmp_path: Path) -> None:
    """Day by day the newest scored day moves on; only a jump is refused."""
    stalled = copy_of(place, tmp_path / "stalled")
    for days in (7, 14):
        day = NEWEST + timedelta(days=days)
        stalled.run(f"--as-of={day}", "--dry-run")
        assert stalled.rows("select max(as_of_date) from marts.fct_health_history") == [(day,)]


def test_a_forced_day_purges_nothing_and_can_be_taken_back(place: Place, tmp_path: Path) -> None:
    never, back = copy_of(place, tmp_path / "never"), copy_of(place, tmp_path / "back")
    before = kept(back)
    back.run(f"--as-of={FAR}", "--force-day", "--allow-flood")
    assert kept(back) == before
    assert back.rows("select max(as_of_date) from marts.fct_health_history") == [(FAR,)]
    delivered = back.rows(f"select count(*) from audit.deliveries where as_of_date = '{FAR}'")[0][0]

    other = radar("forget-day", str(NEWEST), f"--warehouse={back.warehouse}")
    assert other.returncode == 2
    assert f"days after it, up to {FAR}, were compared with it" in other.stderr
    taken = radar("forget-day", str(FAR), f"--warehouse={back.warehouse}", f"--exports={back.exports}")
    assert taken.returncode == (3 if delivered else 0), taken.stdout + taken.stderr
    assert f"The newest recorded day is {NEWEST}" in taken.stdout
    assert ("Cannot be taken back" in taken.stdout) == bool(delivered)
    assert back.rows(
        f"select state, as_of_date from audit.entries where kind = 'forgotten_day' and subject_id = '{FAR}'"
    ) == [("taken back", FAR)]
    assert "is not recorded" in radar("forget-day", str(FAR), f"--warehouse={back.warehouse}").stderr

    back.run(f"--as-of={NEXT}", "--allow-flood")
    never.run(f"--as-of={NEXT}", "--allow-flood")
    tables = [name for (name,) in never.rows(DAYS)]
    assert len(tables) > 30
    assert {name for name in tables if days_of(back, name) != days_of(never, name)} == set()
    assert back.rows("select max(as_of_date) from audit.sync_runs where status <> 'skipped'") == [(FAR,)]
    published = "select max(as_of_date) from marts.fct_health_history"
    assert readers_see(back, published) == readers_see(never, published) == [(NEXT,)]


def days_of(place: Place, table: str) -> list[Any]:
    return place.rows(f"select count(*), sum(hash(days)) from {table} as days")


def readers_see(place: Place, query: str) -> list[Any]:
    import duckdb  # noqa: PLC0415

    with duckdb.connect(str(place.published / "radar.duckdb"), read_only=True) as con:
        return con.execute(query).fetchall()
