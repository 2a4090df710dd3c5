"""What the README promises: queries that run, files and targets that exist."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from tests.runs.radar_run import Place

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)


def test_there_are_six_example_queries() -> None:
    assert len(QUERIES) == 6


@pytest.mark.parametrize("query", QUERIES)
def test_example_query_answers_on_the_published_copy(query: str, demo_run: Place) -> None:
    with duckdb.connect(str(demo_run.published / "radar.duckdb"), read_only=True) as con:
        assert con.execute(query).fetchall()


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"make ([a-z]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_seed_is_named() -> None:
    for path in (ROOT / "seeds").glob("*.csv"):
        assert f"`{path.name}`" in README, path.name
