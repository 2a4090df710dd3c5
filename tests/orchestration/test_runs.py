"""Whose run it is: batches, windows, runs that broke off, and steps that are started alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.steps import window_of, window_tags
from radar.core import runs
from radar.core.errors import UsageError, WarehouseError
from radar.core.runs import Run, Window
from radar.landing import schema

NOW = datetime(2026, 3, 14, 5, 0)
DAY = Window(date(2026, 3, 13), date(2026, 3, 13))
MONTH = Window(date(2026, 2, 12), date(2026, 3, 13))


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as con:
        schema.create(con)
        yield con


def land_something(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    con.execute("INSERT INTO audit.loads (run_id, batch_id) VALUES (?, ?)", [run.run_id, run.batch_id])


def begin(con: duckdb.DuckDBPyConnection, run_id: str, window: Window = DAY) -> Run:
    return runs.begin(con, run_id=run_id, window=window, now=NOW)


def resume(con: duckdb.DuckDBPyConnection, run_id: str, *earlier: str, window: Window = DAY) -> Run:
    return runs.resume(con, run_id=run_id, earlier_runs=earlier, window=window, now=NOW)


def statuses(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return con.execute("SELECT run_id, status FROM audit.runs ORDER BY batch_id").fetchall()


def test_every_run_has_the_next_batch_and_the_one_row(con: duckdb.DuckDBPyConnection) -> None:
    first = begin(con, "one")
    runs.record(con, first, runs.DONE, "", NOW)
    second = begin(con, "two", MONTH)
    assert (first.batch_id, second.batch_id) == (1, 2)
    assert con.execute("SELECT run_id, batch_id, as_of_start FROM control.run_window").fetchall() == [
        ("two", 2, MONTH.start)
    ]


def test_a_step_that_is_repeated_keeps_the_runs_batch(con: duckdb.DuckDBPyConnection) -> None:
    assert begin(con, "one") == begin(con, "one")
    assert statuses(con) == []


def test_a_run_that_vanished_is_recorded_as_failed_and_its_batch_is_not_used_again(
    con: duckdb.DuckDBPyConnection,
) -> None:
    land_something(con, begin(con, "one"))
    assert begin(con, "two").batch_id == 2
    assert statuses(con) == [("one", "failed")]


def test_later_steps_belong_to_the_run_that_began(con: duckdb.DuckDBPyConnection) -> None:
    run = begin(con, "one")
    assert resume(con, "one") == run


def test_a_step_of_another_run_is_refused_while_rows_are_unchecked(con: duckdb.DuckDBPyConnection) -> None:
    land_something(con, begin(con, "one"))
    with pytest.raises(WarehouseError, match=r"\(one\) landed has not been checked"):
        resume(con, "two")
    assert runs.current(con) == Run("one", 1, DAY, NOW)


def test_a_step_may_start_alone_once_everything_is_checked(con: duckdb.DuckDBPyConnection) -> None:
    run = begin(con, "one")
    land_something(con, run)
    runs.mark_checked(con, run)
    runs.record(con, run, runs.FAILED, "a table could not be built", NOW)
    assert resume(con, "two", window=MONTH) == Run("two", 2, MONTH, NOW)
    begin(con, "three")
    assert statuses(con) == [("one", "failed"), ("two", "partial")]


def test_a_repeated_run_takes_over_the_landing_of_the_one_that_failed(
    con: duckdb.DuckDBPyConnection,
) -> None:
    land_something(con, begin(con, "one"))
    assert resume(con, "again", "one") == Run("again", 1, DAY, NOW)
    with pytest.raises(WarehouseError):
        resume(con, "other", "one")


def test_nothing_is_built_before_anything_landed(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(WarehouseError, match="nothing has landed"):
        resume(con, "one")


def test_the_end_of_a_run_is_recorded_once(con: duckdb.DuckDBPyConnection) -> None:
    run = begin(con, "one")
    runs.record(con, run, runs.BLOCKED, "billing/payments: late", NOW)
    runs.record(con, run, runs.FAILED, "too late to say so", NOW)
    assert statuses(con) == [("one", "held")]


@pytest.mark.parametrize(
    ("as_of", "since", "expected"),
    [
        (None, None, Window(date(2026, 3, 14), date(2026, 3, 14))),
        ("2026-03-13", None, DAY),
        ("2026-03-13", "2026-02-12", MONTH),
        (None, "2026-03-14", Window(date(2026, 3, 14), date(2026, 3, 14))),
        ("2026-03-15", None, Window(date(2026, 3, 15), date(2026, 3, 15))),
    ],
)
def test_windows(as_of: str | None, since: str | None, expected: Window) -> None:
    assert runs.parse_window(as_of, since, today=NOW.date()) == expected


@pytest.mark.parametrize(
    ("as_of", "since"),
    [("2026-03-16", None), ("2009-12-31", None), ("20260313", None), ("2026-03-13", "2026-03-14"), ("", "x")],
)
def test_windows_that_cannot_be(as_of: str, since: str | None) -> None:
    with pytest.raises(UsageError):
        runs.parse_window(as_of, since, today=NOW.date())


def test_a_day_ahead_is_forced_and_not_further_than_a_year() -> None:
    assert runs.parse_window("2027-03-15", None, today=NOW.date(), force_day=True).end == date(2027, 3, 15)
    with pytest.raises(UsageError, match="has not come"):
        runs.parse_window("2027-03-15", None, today=NOW.date())
    with pytest.raises(UsageError, match="366 days ahead"):
        runs.parse_window("2027-03-16", None, today=NOW.date(), force_day=True)


@pytest.mark.parametrize("is_recorded", [True, False])
@pytest.mark.parametrize("window", [DAY, MONTH])
def test_the_tags_of_a_window_name_it(window: Window, is_recorded: bool) -> None:
    tags = window_tags(window, is_recorded=is_recorded)
    assert window_of(tags, NOW.date()) == window


def test_a_partition_is_a_window_and_no_tag_is_today() -> None:
    assert window_of({"dagster/partition": "2026-03-13"}, NOW.date()) == DAY
    assert window_of({"owner": "me"}, NOW.date()) == Window(NOW.date(), NOW.date())
