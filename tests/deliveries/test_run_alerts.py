"""Slack hears once that runs fail, and once that they are done again."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from radar.core.warehouse import state_dir
from radar.deliveries.run_alerts import run_done, run_failed
from radar.deliveries.settings import Destinations
from tests.deliveries.vendors import Vendors

DAY = date(2026, 3, 13)
FULL = "warehouse.duckdb: the disk is full\n  What to do: free some space and run again"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    state_dir(path).mkdir()
    return path


@pytest.fixture
def settings(vendors: Vendors) -> Destinations:
    return Destinations(slack_webhook_url=f"{vendors.url}/slack/hook")


def test_a_failure_is_reported_once_and_its_end_once(
    warehouse: Path, settings: Destinations, vendors: Vendors
) -> None:
    for _ in range(3):
        run_failed(warehouse, FULL, settings)
    for _ in range(3):
        run_done(warehouse, DAY, settings)
    first, second = vendors.posts
    assert "the disk is full" in json.dumps(first)
    assert "What to do: free some space" in json.dumps(first)
    assert "Scored as of 13 Mar 2026" in json.dumps(second)
    run_failed(warehouse, FULL, settings)
    assert len(vendors.posts) == 3


def test_another_problem_is_reported_and_another_number_is_not_another_problem(
    warehouse: Path, settings: Destinations, vendors: Vendors
) -> None:
    locked = "another Radar run (process {}) is writing this warehouse\n  What to do: wait"
    for text in (FULL, locked.format(17), locked.format(4711), FULL):
        run_failed(warehouse, text, settings)
    assert len(vendors.posts) == 3


def test_done_runs_say_nothing_where_nothing_had_failed(
    warehouse: Path, settings: Destinations, vendors: Vendors
) -> None:
    assert run_done(warehouse, DAY, settings) is None
    assert vendors.calls == []


@pytest.mark.parametrize(("fault", "calls", "posts"), [("500", 2, 1), ("429", 2, 1), ("lose", 1, 1)])
def test_a_message_that_did_not_come_through_is_tried_with_the_next_run_unless_in_doubt(
    fault: str, calls: int, posts: int, warehouse: Path, settings: Destinations, vendors: Vendors
) -> None:
    vendors.fail("/slack/hook", fault)
    for _ in range(3):
        run_failed(warehouse, FULL, settings)
    assert (len(vendors.calls), len(vendors.posts)) == (calls, posts)
    vendors.fail("/slack/hook", fault)
    for _ in range(3):
        run_done(warehouse, DAY, settings)
    assert (len(vendors.calls), len(vendors.posts)) == (calls * 2, posts * 2)


def test_an_end_is_not_reported_where_the_failure_was_not(
    warehouse: Path, settings: Destinations, vendors: Vendors
) -> None:
    vendors.fail("/slack/hook", "500")
    run_failed(warehouse, FULL, settings)
    run_done(warehouse, DAY, settings)
    assert vendors.posts == []
    assert not (state_dir(warehouse) / "run_alert.json").exists()


def test_without_a_secret_nothing_is_reported_or_kept(warehouse: Path) -> None:
    assert run_failed(warehouse, FULL, Destinations()) is None
    assert run_done(warehouse, DAY, Destinations()) is None
    assert list(state_dir(warehouse).iterdir()) == []


def test_a_first_run_that_fails_before_there_is_a_folder_is_reported_too(
    tmp_path: Path, settings: Destinations, vendors: Vendors
) -> None:
    run_failed(tmp_path / "new" / "warehouse.duckdb", FULL, settings)
    assert len(vendors.posts) == 1


def test_nobodys_address_is_reported(warehouse: Path, settings: Destinations, vendors: Vendors) -> None:
    run_failed(warehouse, "row 3: jo@corp.example is no number", settings)
    assert "jo@" not in json.dumps(vendors.posts)
