"""Signals that an installation adds are rows: what they cannot mean is named with file, row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from radar.rules import signals_page
from tests.rules.seed_folder import SeedFolder

LOGINS_7D, SEATS = 2, 7
"""Rows of the shipped signals.csv."""
OWN = {
    "signal": "billing_views_30d",
    "measure": "billing_view",
    "label": "invoices viewed",
    "description": "Invoices viewed in the last 30 days",
    "window_days": "30",
}


def with_own(mine: SeedFolder, **cells: str) -> int:
    """Add the two rows, the signal with other cells; says in which row of signals.csv it is."""
    names = mine.rows("product_events")
    mine.add("product_events", len(names), event_name="invoice_viewed", measures="billing_view other")
    mine.add("signals", LOGINS_7D, **(OWN | cells))
    return len(mine.rows("signals"))


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {"family": "adoption"},
        {"window_days": "1", "aggregate": "active_days"},
        {"window_days": "400", "aggregate": "users"},
        {"window_days": "200", "aggregate": "change_pct", "can_be_negative": "true"},
        {"window_days": "", "aggregate": "days_since", "direction": "lower_is_better"},
        {"measure": "any", "aggregate": "names", "direction": ""},
        {"measure": "milestone", "aggregate": "milestones", "window_days": ""},
        {"measure": "premium", "feeds": "product/events billing/subscriptions"},
    ],
)
def test_a_signal_of_ones_own_is_two_rows(mine: SeedFolder, tmp_path: Path, cells: dict[str, str]) -> None:
    with_own(mine, **cells)
    assert mine.problems(tmp_path / "g") == []
    assert "| `billing_views_30d`<br>invoices viewed |" in signals_page.page(tmp_path / "g")


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"measure": "billing_views"}, "measure", "no event name has the measure 'billing_views'"),
        (
            {"measure": "", "aggregate": "", "window_days": ""},
            "measure",
            "no table signals.sig_usage has billing_views_30d",
        ),
        ({"aggregate": "median"}, "aggregate", "there is no aggregate 'median'"),
        ({"aggregate": ""}, "aggregate", "the cell is empty"),
        ({"aggregate": "milestones", "window_days": ""}, "measure", "reach no milestones"),
        ({"window_days": ""}, "window_days", "events needs a window of 1 to 400 days"),
        ({"window_days": "0"}, "window_days", "not 0"),
        ({"window_days": "401"}, "window_days", "not 401"),
        ({"window_days": "a month"}, "window_days", "is not a whole number"),
        (
            {"window_days": "201", "aggregate": "change_pct", "can_be_negative": "true"},
            "window_days",
            "1 to 200 days",
        ),
        ({"aggregate": "days_since"}, "window_days", "looks at all days"),
        ({"aggregate": "change_pct"}, "can_be_negative", "a change can be below 0"),
        ({"direction": "up"}, "direction", "there is no direction 'up'"),
        ({"family": "billing"}, "family", "cannot be in the family billing"),
        ({"feeds": "support/tickets"}, "feeds", "it counts events of product/events"),
        ({"signal": "billing views"}, "signal", "no name that a signal can have"),
        ({"signal": "order"}, "signal", "no name that a signal can have"),
        ({"signal": "as_of_date"}, "signal", "no name that a signal can have"),
    ],
)
def test_what_cannot_be_counted_is_named(
    mine: SeedFolder, tmp_path: Path, cells: dict[str, str], column: str, words: str
) -> None:
    row = with_own(mine, **cells)
    (problem,) = mine.problems(tmp_path / "g")
    assert str(problem).startswith(f"signals.csv, row {row}, column {column}: ")
    assert words in problem.what
    assert problem.remedy


@pytest.mark.parametrize(
    ("row", "cells", "column"),
    [
        (LOGINS_7D, {"window_days": "14"}, "window_days"),
        (LOGINS_7D, {"measure": "premium"}, "measure"),
        (LOGINS_7D, {"family": "adoption"}, "family"),
        (SEATS, {"window_days": "30"}, "window_days"),
    ],
)
def test_a_shipped_signal_keeps_its_meaning(
    mine: SeedFolder, tmp_path: Path, row: int, cells: dict[str, str], column: str
) -> None:
    mine.change("signals", row, **cells)
    problem, *_ = mine.problems(tmp_path / "g")
    assert str(problem).startswith(f"signals.csv, row {row}, column {column}: ")
    assert "is a shipped signal" in problem.what


@pytest.mark.parametrize(
    ("measures", "words"),
    [
        ("login", "login has a column of its own"),
        ("Billing", "no name that a measure can have"),
        ("any", "no name that a measure can have"),
        ("ticket_status", "no name that a measure can have"),
    ],
)
def test_a_measure_has_a_name_of_its_own(mine: SeedFolder, tmp_path: Path, measures: str, words: str) -> None:
    mine.change("product_events", 1, measures=measures)
    (problem,) = mine.problems(tmp_path / "g")
    assert str(problem).startswith("product_events.csv, row 1, column measures: ")
    assert words in problem.what


def test_a_catalogue_of_an_earlier_release_has_its_definitions(mine: SeedFolder, tmp_path: Path) -> None:
    shipped = mine.rows("signals")
    later = ("measure", "aggregate", "window_days", "direction")
    earlier = [{name: cell for name, cell in row.items() if name not in later} for row in shipped]
    mine.write("signals", [row | {"label": "renamed"} for row in reversed(earlier)])
    mine.write(
        "product_events",
        [
            {name: cell for name, cell in row.items() if name != "measures"}
            for row in mine.rows("product_events")
        ],
    )
    assert mine.problems(tmp_path / "g") == []
    mine.folder = tmp_path / "g"
    assert mine.rows("signals") == [row | {"label": "renamed"} for row in reversed(shipped)]
    assert {row["measures"] for row in mine.rows("product_events")} == {""}
