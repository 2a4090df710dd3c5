"""Conventions of the tests: the installation's own seeds are read in one place, and what is slow says so."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.frozen import ROOT

TESTS = ROOT / "tests"
READS_OWN_SEEDS = {
    "company/test_own_seeds.py": "is about them",
    "docs/test_readme.py": "the README names every file, whatever is in it",
    "conventions/test_suite.py": "names what it looks for",
    "frozen.py": "says where they are",
    "landing/test_adapters.py": "copies the whole project, of which it reads vendors' files alone",
    "landing/test_contracts.py": "copies the whole project, and lays tests/seeds over its seeds",
}
"""Whoever edits `seeds/` keeps every other test green: these run on `tests/seeds/`."""
OWN_SEEDS = re.compile(r"OWN_SEEDS|(?:ROOT|PROJECT) / \"seeds|copytree\(PROJECT,")
RUNS_IN_A_TEST = 2
"""More whole runs than these in one module, and it is slow."""


def sources() -> dict[str, str]:
    return {
        path.relative_to(TESTS).as_posix(): path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")
    }


def test_only_tests_of_the_installation_read_its_own_seeds() -> None:
    found = {name for name, text in sources().items() if OWN_SEEDS.search(text)}
    assert found == READS_OWN_SEEDS.keys()


ON_OTHER_WAYS = {
    "changes/test_change_cost.py": "a copy of the project whose seeds are the frozen ones",
    "landing/test_contracts.py": "a copy of the project whose seeds are the frozen ones",
    "runs/test_plain_dbt.py": "what loads seeds is called in a project whose seeds are the frozen ones",
}
"""How programs that are started without RADAR_ variables come to the frozen seeds."""


def test_whoever_clears_the_environment_of_a_program_names_the_frozen_seeds() -> None:
    clears = {name for name, text in sources().items() if re.search(r"startswith\(\(?\"RADAR_", text)}
    names = {name for name in clears if "RADAR_SHIPPED_SEEDS" in sources()[name]}
    assert clears - names == ON_OTHER_WAYS.keys()


def quick_runs(text: str) -> int:
    """Calls of `Place.run` with a day in functions that are not marked slow."""
    tree = ast.parse(text)
    if "pytestmark = pytest.mark.slow" in text or "    pytest.mark.slow,\n" in text:
        return 0
    quick = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and not any("mark.slow" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]
    return sum(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "run"
        and "--as-of" in ast.unparse(node)
        for function in quick
        for node in ast.walk(function)
    )


def test_what_makes_many_runs_is_marked_slow() -> None:
    assert {
        name: runs for name, text in sources().items() if (runs := quick_runs(text)) > RUNS_IN_A_TEST
    } == {}


@pytest.mark.parametrize(
    ("line", "is_own"),
    [
        ('rules = ROOT / "seeds" / "rules.csv"', True),
        ("check(OWN_SEEDS)", True),
        ("check(SEEDS)", False),
        ("copytree(PROJECT, copy)", True),
    ],
)
def test_own_seeds_are_recognised(line: str, is_own: bool) -> None:
    assert bool(OWN_SEEDS.search(line)) == is_own


def test_every_suite_is_called_by_the_makefile_and_ci() -> None:
    makefile = Path(ROOT / "Makefile").read_text(encoding="utf-8")
    assert '$(PYTEST) -m "not slow"\n' in makefile
    assert "test-all: lint\n\t$(PYTEST)\n" in makefile
    assert "make test-all\n" in Path(ROOT / ".ci" / "run").read_text(encoding="utf-8")
