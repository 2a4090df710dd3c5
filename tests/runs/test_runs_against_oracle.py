"""Whole runs on random companies, held against the plain-Python reading of the contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.oracle.company import random_company, write
from tests.oracle.compare import compare, compare_snapshot
from tests.oracle.contract import Seeds
from tests.oracle.reference import Book, default_seeds, write_seeds
from tests.runs.radar_run import Place

AS_OF = date(2026, 3, 1)
SINCE = AS_OF - timedelta(days=9)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A company whose facts came in two batches: two thirds, then the rest with the first files again."""
    home = Place(tmp_path_factory.mktemp("oracle"))
    feeds = random_company(11, 150, AS_OF, changed_events=True)
    seeds = home.folder / "seeds"
    seeds.mkdir()
    write_seeds(default_seeds(), seeds)
    whole = ("crm/accounts", "crm/identities")
    first = {feed: rows if feed in whole else rows[: 2 * len(rows) // 3] for feed, rows in feeds.items()}
    rest = {feed: rows[2 * len(rows) // 3 :] for feed, rows in feeds.items() if feed not in whole}
    write(first, home.extracts)
    home.run(f"--seeds={seeds}", f"--as-of={SINCE}")
    for path in sorted(home.extracts.rglob("part-*")):
        path.rename(path.with_name(f"again-{path.name}"))
    write(rest, home.extracts)
    home.run(f"--seeds={seeds}", f"--since={SINCE}", f"--as-of={AS_OF}", "--allow-flood")
    return home


@pytest.mark.parametrize("age", [0, 1, 4, 9])
def test_every_signal_rule_and_score_is_what_the_contract_says(place: Place, age: int) -> None:
    feeds = random_company(11, 150, AS_OF, changed_events=True)
    differences = compare(place.warehouse, feeds, place.folder / "seeds", AS_OF - timedelta(days=age))
    assert differences == []


def test_the_snapshot_has_overrides_and_flags_as_the_contract_says(place: Place) -> None:
    feeds = random_company(11, 150, AS_OF, changed_events=True)
    assert compare_snapshot(place.warehouse, feeds, place.folder / "seeds", AS_OF) == []


def with_points_per_unit_of_use(seeds: Seeds) -> Seeds:
    """A rule whose points cannot be below zero, unless the account's own goal lets its signal be."""
    book = Book()
    book.add(
        "corners_v1",
        "growing_use",
        "points",
        "usage_trend_14d_pct >= 0",
        points="0.25",
        per_unit=True,
        max_points="12",
    )
    return replace(
        seeds,
        rules=(*seeds.rules, *book.rules),
        rule_conditions=(*seeds.rule_conditions, *book.conditions),
    )


def test_a_retired_rule_set_is_scored_nowhere(place: Place) -> None:
    for table in ("scoring.fct_rule_results", "scoring.fct_health_scores", "marts.fct_rule_set_comparison"):
        told = place.rows(f"select count(*) from {table} as told where contains(told::varchar, 'old_v1')")
        assert told == [(0,)], table


@pytest.mark.slow
def test_feeds_that_never_landed_make_their_signals_unknown(tmp_path: Path) -> None:
    missing = (
        "product/events",
        "billing/payments",
        "billing/subscriptions",
        "support/tickets",
        "crm/touchpoints",
    )
    home = Place(tmp_path)
    feeds = random_company(12, 80, AS_OF)
    own = {"signal": "usage_trend_14d_pct", "target": Decimal(-1), "valid_from": None, "valid_to": None}
    accounts = sorted({row["account_id"] for row in feeds["crm/accounts"]})
    feeds["crm/goals"] += [own | {"goal_id": a, "account_id": a} for a in accounts[::2]]
    seeds = home.folder / "seeds"
    seeds.mkdir()
    write_seeds(with_points_per_unit_of_use(default_seeds()), seeds)
    write({feed: rows for feed, rows in feeds.items() if feed not in missing}, home.extracts)
    done = home.run(f"--seeds={seeds}", f"--as-of={AS_OF}")
    for feed in missing:
        assert feed in done.stdout
    states = dict.fromkeys(missing, "unknown")
    feeds = {feed: [] if feed in missing else rows for feed, rows in feeds.items()}
    assert compare(home.warehouse, feeds, seeds, AS_OF, states) == []
