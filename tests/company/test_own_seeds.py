"""The installation's own reference data: `make check-company`. Everything else runs on `tests/seeds/`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from radar.rules.checks import check
from radar.rules.page import page
from radar.rules.signals_page import page as signals_page
from tests.frozen import OWN_SEEDS, ROOT
from tests.oracle.company import random_company, write
from tests.oracle.compare import compare, compare_snapshot
from tests.oracle.contract import load_seeds
from tests.runs.radar_run import Place

AS_OF = date(2026, 3, 1)


@pytest.fixture(scope="module", autouse=True)
def own_seeds() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RADAR_SHIPPED_SEEDS", str(OWN_SEEDS))
        yield


def test_the_rules_are_sound() -> None:
    assert check(OWN_SEEDS) == []


def test_the_page_of_rules_is_up_to_date() -> None:
    """Write it with `radar rules docs --output docs/rules.md`."""
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == page(OWN_SEEDS)


def test_the_page_of_signals_is_up_to_date() -> None:
    """Write it with `radar rules signals --output docs/signals.md`."""
    assert (ROOT / "docs" / "signals.md").read_text(encoding="utf-8") == signals_page(OWN_SEEDS)


@pytest.mark.slow
def test_an_invented_company_is_scored_as_the_rules_say(tmp_path: Path) -> None:
    """A whole run with every test of its tables, and the second reading of the rules in plain Python."""
    seeds = load_seeds(OWN_SEEDS)
    feeds = random_company(5, 60, AS_OF, seeds=seeds)
    place = Place(tmp_path)
    write(feeds, place.extracts)
    place.run(f"--as-of={AS_OF}")
    assert compare(place.warehouse, feeds, OWN_SEEDS, AS_OF) == []
    assert compare_snapshot(place.warehouse, feeds, OWN_SEEDS, AS_OF) == []
