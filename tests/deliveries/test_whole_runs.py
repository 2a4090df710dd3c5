"""Actions of whole runs: one pass over many days, windows and single days come to the same rows."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import dbt as building
from tests.deliveries.sql import MODELS
from tests.frozen import SEEDS
from tests.runs.radar_run import Place, radar

END = date(2026, 6, 30)
DAYS = [END - timedelta(days=age) for age in range(13, -1, -1)]
TABLES = (
    "intermediate.int_episode_days",
    "intermediate.int_action_days",
    "intermediate.int_action_releases",
    "marts.fct_actions",
)
DUE = "select action_id, due_at from marts.fct_actions order by all"


def rows(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    """What stands in TABLES. When an action was handed over, and so is due, is up to the runs."""
    return {
        table: place.rows(f"select columns(name -> name <> 'due_at') from {table} order by all")
        for table in TABLES
    }


@pytest.fixture(scope="module")
def one_pass(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Fourteen days of a small company in one run."""
    from radar.demo import generate  # noqa: PLC0415  only where a test asks for it

    place = Place(tmp_path_factory.mktemp("one_pass"))
    generate(place.extracts, accounts=60, days=120, seed=5, end=END)
    place.run(f"--since={DAYS[0]}", f"--as-of={END}")
    return place


@pytest.mark.slow
def test_runs_of_some_days_tell_what_one_pass_tells(one_pass: Place, tmp_path: Path) -> None:
    place = Place(tmp_path)
    shutil.copytree(one_pass.extracts, place.extracts)
    for first, last in ((0, 7), (8, 8), (9, 13)):
        place.run(f"--since={DAYS[first]}", f"--as-of={DAYS[last]}")
    assert rows(place) == rows(one_pass)
    assert {status for (status,) in place.rows("select distinct status from marts.fct_actions")} >= {
        "ready",
        "to_approve",
        "suppressed",
        "closed",
        "lapsed",
    }
    due = place.rows(DUE)
    place.run(f"--as-of={DAYS[10]}", status=3)
    assert rows(place) == rows(one_pass), "a past day that is run again changes nothing"
    assert place.rows(DUE) == due


@pytest.mark.slow
def test_single_days_tell_what_one_pass_tells(one_pass: Place, tmp_path: Path) -> None:
    place = Place(tmp_path)
    shutil.copy(one_pass.warehouse, place.warehouse)
    with duckdb.connect(str(place.warehouse)) as con:
        for table in TABLES:
            con.execute(f"drop table {table}")
    project = building.prepare(place.warehouse, SEEDS)
    for day in DAYS:
        with duckdb.connect(str(place.warehouse)) as con:
            con.execute("update control.run_window set as_of_start = $day, as_of_end = $day", {"day": day})
        assert building.build(project, MODELS).error is None
    assert rows(place) == rows(one_pass)
    assert place.rows(DUE) == one_pass.rows(DUE), "the same was handed over"


@pytest.mark.slow
def test_history_and_ledger_of_a_past_day_can_be_built_alone(demo_run: Place, tmp_path: Path) -> None:
    """As whoever selects them alone in Dagster does."""
    place = Place(tmp_path)
    shutil.copy(demo_run.warehouse, place.warehouse)
    tables = ("fct_health_history", "fct_health_evidence")
    before = {table: place.rows(f"select * from marts.{table} order by all") for table in tables}
    with duckdb.connect(str(place.warehouse)) as con:
        con.execute("update control.run_window set as_of_start = '2026-06-25', as_of_end = '2026-06-25'")
    assert building.build(building.prepare(place.warehouse, SEEDS), tables).error is None
    assert {table: place.rows(f"select * from marts.{table} order by all") for table in tables} == before


def test_nothing_reaches_a_customer_by_itself(demo_run: Place) -> None:
    customer = "channel in ('mail_draft', 'in_app_guide', 'survey')"
    assert demo_run.rows(f"select count(*) from marts.fct_actions where {customer} and status = 'ready'") == [
        (0,)
    ]
    assert demo_run.rows(f"select count(*) > 0 from marts.fct_actions where {customer}") == [(True,)]


def test_the_next_action_of_an_account_is_that_of_an_open_action(demo_run: Place) -> None:
    without = demo_run.rows(
        """
        select accounts.account_id, accounts.next_action from marts.rpt_account_health as accounts
        where decision = 'decided' and not exists (
            select 1 from marts.fct_actions as actions
            where actions.account_id = accounts.account_id
                and actions.next_action = accounts.next_action
                and actions.as_of_date = accounts.as_of_date
                and actions.status in ('ready', 'to_approve', 'suppressed')
        )
        """
    )
    assert without == []


def _numbers(*texts: object) -> set[str]:
    return {number for text in texts for number in re.findall(r"\d+(?:[.]\d+)?", str(text or ""))}


def test_evidence_holds_no_number_that_the_ledger_does_not_hold(demo_run: Place) -> None:
    found = demo_run.rows("select account_id, evidence from marts.fct_actions")
    ledger: dict[str, list[str]] = {}
    for account, evidence in demo_run.rows("select account_id, evidence from marts.fct_health_evidence"):
        ledger.setdefault(account, []).append(evidence)
    for account, evidence in found:
        assert _numbers(evidence) <= _numbers(*ledger.get(account, [])), evidence


def test_a_run_and_an_explanation_tell_what_is_open(demo_run: Place) -> None:
    said = (demo_run.folder / "first.txt").read_text()
    assert re.search(r"\d+ ready, \d+ to approve, \d+ suppressed \(\w+ \d+", said)
    counts = dict(
        demo_run.rows(
            """
            select account_id, count(*) from marts.fct_actions
            where status in ('ready', 'to_approve', 'suppressed') group by account_id
            """
        )
    )
    account = max(counts, key=lambda one: (counts[one], one))
    told = json.loads(radar("explain", account, "--json", f"--published={demo_run.published}").stdout)
    assert len(told["actions"]) == counts[account]
    text = radar("explain", account, f"--published={demo_run.published}").stdout
    assert all(action["play"] in text for action in told["actions"])


def test_an_explanation_names_what_suppresses_an_action(demo_run: Place) -> None:
    account, suppressed_by = demo_run.rows(
        """
        select account_id, suppressed_by from marts.fct_actions
        where status = 'suppressed' order by length(suppressed_by) desc, action_id limit 1
        """
    )[0]
    text = radar("explain", account, f"--published={demo_run.published}").stdout
    assert f"suppressed by {suppressed_by.replace('_', ' ')}" in text
