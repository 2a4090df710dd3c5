"""Imports go one way: the graph of the product's modules, drawn from their source."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "radar.core",
    "radar.audit",
    "radar.landing",
    "radar.receive",
    "radar.pulls",
    "radar.demo",
    "radar.publishing",
    "radar.exports",
    "radar.rules",
    "radar.onboarding",
    "radar.quality",
    "radar.measurement",
    "radar.deliveries",
    "radar.panel",
    "radar.mcp",
    "orchestration",
    "radar.cli",
)
"""From the bottom up: a room imports only from rooms before it."""
EXTRAS = {
    "authlib", "httpx2", "hubspot", "itsdangerous", "joserfc", "lifelines", "requests",
    "simple_salesforce", "sklearn", "slack_sdk", "threadpoolctl", "urllib3",
}  # fmt: skip
"""Clients of optional extras (and what comes with them), imported where they are used."""
INSIDE_FUNCTIONS = {
    ("radar.quality.hygiene", "radar.quality.validate"): "Great Expectations, seconds, only for new rows",
    ("radar.landing.spreadsheets", "openpyxl"): "a third of a reader's start, only for workbooks",
    ("radar.landing.spreadsheets", "openpyxl.utils.exceptions"): "the same",
    ("radar.cli.mcp", "radar.mcp.serve"): "needs the packages of the extra mcp",
    ("radar.pulls.pulling", "radar.pulls.reading"): "needs the packages of the extra pull",
    ("radar.panel.oidc", "starlette.middleware.sessions"): "needs itsdangerous, of the extra oidc",
}


@cache
def sources() -> dict[str, ast.Module]:
    """The tree of every module of the product, by dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            path.read_text(encoding="utf-8")
        )
        for room in ("radar", "orchestration")
        for path in sorted((ROOT / room).rglob("*.py"))
    }


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What is imported anywhere in it, with the line: modules of the product by their own name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            assert node.module is not None
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                yield (module if module in sources() else node.module), node.lineno


def room_of(module: str) -> str | None:
    """The room of a module; None for what is not ours, and for `radar` itself."""
    return next((room for room in ROOMS if module == room or module.startswith(f"{room}.")), None)


def test_every_module_is_in_a_room() -> None:
    assert [module for module in sources() if not room_of(module)] == ["radar"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_rooms_before_it(room: str) -> None:
    upwards = [
        f"{module}, line {line}: {other}"
        for module, tree in sources().items()
        if room_of(module) == room
        for other, line in imported(tree)
        if (target := room_of(other)) and ROOMS.index(target) > ROOMS.index(room)
    ]
    assert upwards == []


def test_modules_import_each_other_in_no_cycle() -> None:
    graph = {
        module: {other for other, _ in imported(tree) if room_of(other) and other != module}
        for module, tree in sources().items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_only_orchestration_imports_dagster() -> None:
    importers = {
        room_of(module)
        for module, tree in sources().items()
        for other, _ in imported(tree)
        if other.split(".")[0] in ("dagster", "dagster_dbt")
    }
    assert importers == {"orchestration"}


def test_functions_import_nothing_but_optional_extras() -> None:
    found = {
        (module, other)
        for module, tree in sources().items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for other, _ in imported(function)
        if other.split(".")[0] not in EXTRAS
    }
    assert found == set(INSIDE_FUNCTIONS)


def test_nothing_imports_private_modules_or_names_of_other_distributions() -> None:
    private = [
        f"{module}: {other}"
        for module, tree in sources().items()
        for other in foreign(tree)
        if any(part.startswith("_") for part in other.split("."))
    ]
    assert private == []


def foreign(tree: ast.Module) -> Iterator[str]:
    """What is imported of other distributions: modules, and names that begin with an underscore."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            private = [alias.name for alias in node.names if alias.name.startswith("_")]
            names = [str(node.module), *(f"{node.module}.{name}" for name in private)]
        else:
            continue
        ours = ("radar", "orchestration", *sys.stdlib_module_names)
        yield from (name for name in names if name.split(".")[0] not in ours)
