"""The fuzzing of the landing: it finds what is wrong, and what it once found stays mended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import fuzz
import pytest
from fuzz import FindingError, Fuzzed
from mutations import Change, Cut, Mutation, mutated, samples

from radar.landing import statements
from radar.landing.feeds import Feed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    made = Fuzzed(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.readers.end()


def owners(kind: str) -> int:
    """The sample of owners in a format."""
    return next(
        at for at, one in enumerate(samples()) if one.folder == "crm/owners" and one.name == f"day.{kind}"
    )


def test_what_was_found_before_stays_mended(fuzzed: Fuzzed) -> None:
    files = [fuzz.as_mutated(path) for path in fuzz.kept()]
    assert files
    for file in files:
        fuzzed.check([file])


def test_a_fixed_seed_finds_nothing(fuzzed: Fuzzed, tmp_path: Path) -> None:
    with mock.patch.object(fuzz, "LANDINGS", 1):
        findings: dict[str, Path] = {}
        fuzz.one_seed(fuzzed, 1, float("inf"), findings, tmp_path)
    assert findings == {}
    assert sum(fuzzed.outcomes.values()) >= fuzz.AT_ONCE


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("csv", "quarantined by row"),
        ("ndjson", "landed"),
        ("parquet", "landed"),
        ("xlsx", "landed"),
    ],
)
def test_a_row_less_a_row_more_and_an_outcome_for_each(fuzzed: Fuzzed, kind: str, outcome: str) -> None:
    fuzzed.outcomes.clear()
    longer = Change("long_row" if kind == "csv" else "repeat_row", 9_999, 0, "more")
    fuzzed.check([mutated(Mutation(owners(kind), (longer,), (), "", ()))])
    assert fuzzed.outcomes == {(kind, outcome): 1}


def test_a_lost_row_is_found_and_narrowed_down_to_the_change_that_loses_it(
    fuzzed: Fuzzed, tmp_path: Path
) -> None:
    """A landing that loses the rows with a certain name, on purpose."""
    whole = statements.land_fresh

    def losing(feed: Feed) -> str:
        return f"{whole(feed)} and name <> 'lost'" if feed.name == "crm/owners" else whole(feed)

    name = next(at for at, cell in enumerate(samples()[owners("csv")].rows[0]) if cell == "name")
    width = len(samples()[owners("csv")].rows[0])
    lost = Change("cell", 0, name * 10_000 // width + 1, "lost")
    more = Change("repeat_row", 9_999, 0, "")
    mutation = Mutation(owners("csv"), (more, lost), (), ".gz", ())
    with mock.patch.object(statements, "land_fresh", losing):
        problem = fuzzed.problem(mutation)
        assert problem is not None
        assert fuzz.smallest(fuzzed, mutation, fuzz.kind_of(problem)).changes == (lost,)
    assert fuzzed.problem(mutation) is None


def test_what_does_not_end_well_is_a_finding(fuzzed: Fuzzed) -> None:
    file = mutated(Mutation(owners("csv"), (), (Cut("truncate", 5_000, 1, b""),), "", ()))
    with (
        mock.patch("radar.landing.contents.fingerprint", side_effect=ZeroDivisionError("x")),
        pytest.raises(FindingError, match=r"landing raised ZeroDivisionError"),
    ):
        fuzzed.check([file])
    fuzzed.check([file])
