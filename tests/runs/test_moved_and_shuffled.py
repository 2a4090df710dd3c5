"""What must change nothing: the order of rows and files, rows that come again, the date on the calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.company import random_company, safely_shuffled, shift, write
from tests.oracle.reference import default_seeds, write_seeds
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

AS_OF = date(2026, 3, 1)
MOVED = 61
TOLD = {
    "scoring.fct_signal_values": "account_id, signal, value, is_known",
    "scoring.fct_rule_results": "account_id, rule_set, rule_id, result, points, points_low, evidence",
    "scoring.fct_health_scores": "* exclude (as_of_date)",
    "marts.fct_health_evidence": "* exclude (as_of_date)",
    "marts.fct_account_flags": "account_id, flag, rule_id, evidence",
    "marts.fct_source_conflicts": "account_id, field, crm_value, other_value, used_source",
}


def company() -> dict[str, list[dict[str, Any]]]:
    return random_company(23, 120, AS_OF)


def told(
    folder: Path, *batches: Mapping[str, Sequence[dict[str, Any]]], as_of: date
) -> dict[str, list[tuple[Any, ...]]]:
    """What one run says of a company whose rows lie in these batches of files, each in another order."""
    place = Place(folder)
    seeds = folder / "seeds"
    seeds.mkdir(parents=True)
    write_seeds(default_seeds(), seeds)
    for number, feeds in enumerate(batches):
        write(feeds, place.extracts, shuffle_seed=number or None, files=3 - number)
        for path in sorted(place.extracts.rglob("part-*")):
            path.rename(path.with_name(f"batch-{number}-{path.name}"))
    place.run(f"--seeds={seeds}", f"--as-of={as_of}")
    answers = {}
    for relation, columns in TOLD.items():
        where = f"where as_of_date = date '{as_of}'"
        answers[relation] = place.rows(f"select {columns} from {relation} {where} order by all")
        assert answers[relation], relation
    return answers


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    return told(tmp_path_factory.mktemp("plain"), company(), as_of=AS_OF)


def test_rows_in_another_order_and_again_say_the_same(
    plain: dict[str, list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    feeds = company()
    assert told(tmp_path, safely_shuffled(feeds, 5), safely_shuffled(feeds, 8), as_of=AS_OF) == plain


def test_a_company_moved_in_time_is_told_the_same(
    plain: dict[str, list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    moved = shift(company(), MOVED)
    assert told(tmp_path, moved, as_of=AS_OF + timedelta(days=MOVED)) == plain
