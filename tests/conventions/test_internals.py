"""Libraries are used through what they document: no private module, no replaced part, no private exit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from radar.core.project import PROJECT

DOCUMENTED_OF_DBT = {
    "dbt.cli.main",  # dbtRunner
    "dbt.contracts.graph.manifest",  # Manifest, to hand over to dbtRunner
    "dbt.artifacts.schemas.run",  # RunExecutionResult, what a build returns
    "dbt.adapters.duckdb.plugins",  # BasePlugin
}
FORBIDDEN_CALLS = {("os", "_exit"), ("atexit", "_run_exitfuncs")}
SOURCES = sorted(path for folder in ("orchestration", "radar") for path in (PROJECT / folder).rglob("*.py"))


def internals(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            modules = modules[:1] if node.module.split(".")[0] == "dbt" else modules
        for module in modules:
            library, *parts = module.split(".")
            if library == "dbt" and module not in DOCUMENTED_OF_DBT:
                yield f"{module} is no documented module of dbt"
            if library in ("dagster", "dagster_dbt", "duckdb") and any(
                part.startswith("_") for part in parts
            ):
                yield f"{module} is private"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in FORBIDDEN_CALLS:
                yield f"{node.value.id}.{node.attr} is private"
            if (node.value.id, node.attr) == ("sys", "modules"):
                yield "sys.modules is the import system's"


def test_python_uses_no_internals_of_libraries() -> None:
    found = [
        f"{path.relative_to(PROJECT)}: {what}"
        for path in SOURCES
        for what in internals(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "from dagster._core.storage.runs import InMemoryRunStorage",
        "from dbt.graph import selector",
        "import os\nos._exit(1)",
        "import sys\nsys.modules['scipy'] = None",
    ],
)
def test_internals_are_recognised(line: str) -> None:
    assert list(internals(ast.parse(line)))


def test_no_macro_replaces_one_of_an_adapter() -> None:
    folder = Path(PROJECT / "dbt_project" / "macros")
    names = [path.stem for path in folder.rglob("*.sql")]
    assert len(names) > 10
    assert [name for name in names if name.split("__")[0] in ("duckdb", "default", "spark")] == []


def test_no_model_steers_its_materialization_by_meta() -> None:
    models = (PROJECT / "dbt_project" / "models").rglob("*.sql")
    assert [path.name for path in models if "meta=" in path.read_text(encoding="utf-8")] == []
