"""Reads the files of `seeds/` as tables of text: columns, types, and the tests of single columns.

These are read from `dbt_project/models/reference/_seeds.yml`, which describes the seeds for dbt too. Whether
what refers to something finds it is `radar.rules.checks`.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from radar.core.project import PROJECT
from radar.core.settings import Settings

DESCRIPTION = PROJECT / "dbt_project" / "models" / "reference" / "_seeds.yml"
BUCKETS = ("healthy", "watch", "at_risk")
NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
"""Of rule sets, rules and flags: they become columns of the scoring views, and anchors of the rules page."""
Row = dict[str, str]
Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the seeds: where, what, and what to do. `row` counts data rows from 1."""

    file: str
    row: int | None
    column: str | None
    what: str
    remedy: str

    def __str__(self) -> str:
        location = [self.file]
        if self.row is not None:
            location.append(f"row {self.row}")
        if self.column:
            location.append(f"column {self.column}")
        return f"{', '.join(location)}: {self.what}\n  What to do: {self.remedy}"


def shipped_seeds() -> Path:
    """The whole set of reference data that a folder of seeds replaces files of."""
    return Settings().shipped_seeds


def shipped_rows(name: str) -> dict[str, Row]:
    """The rows of a shipped file by their first cell."""
    with (shipped_seeds() / name).open(encoding="utf-8", newline="") as file:
        return {next(iter(row.values())): row for row in csv.DictReader(file)}


def read(seeds: Path) -> tuple[Tables, list[Problem]]:
    """The rows of every seed by its name, cells as text, and what is wrong with single files and cells."""
    problems: list[Problem] = []
    tables: Tables = {}
    for name, spec in described().items():
        tables[name], found = _read(seeds / f"{name}.csv", spec)
        problems += found
    return tables, problems


def numbered(tables: Tables, name: str) -> Iterator[tuple[int, Row]]:
    """The rows of a seed, counted from 1 as messages do."""
    return enumerate(tables[name], start=1)


@cache
def described() -> dict[str, dict[str, Any]]:
    """Seed name -> types by column, tests by column, and the columns that may be missing, as described.

    `as_shipped`: those of them that a file without them has as the shipped row of the same name has them.
    """
    described: dict[str, dict[str, Any]] = {}
    for seed in yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))["seeds"]:
        metas = {column["name"]: column.get("config", {}).get("meta", {}) for column in seed["columns"]}
        described[seed["name"]] = {
            "types": seed["config"]["column_types"],
            "tests": {column["name"]: column.get("data_tests", []) for column in seed["columns"]},
            "may_be_missing": {column for column, meta in metas.items() if meta.get("may_be_missing")},
            "as_shipped": {
                column for column, meta in metas.items() if meta.get("when_missing") == "as_shipped"
            },
        }
    return described


def _read(path: Path, spec: dict[str, Any]) -> tuple[list[Row], list[Problem]]:
    columns = list(spec["types"])
    if not path.exists():
        return [], [Problem(path.name, None, None, "the file is missing", "restore it from the repository")]
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return [], [Problem(path.name, None, None, "the file is not UTF-8", "save it as CSV in UTF-8")]
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        return [], [Problem(path.name, None, None, f"the file is no CSV: {error}", "save it as CSV in UTF-8")]
    if not lines or sorted(lines[0]) != sorted(columns):
        found = ",".join(lines[0]) if lines else "nothing"
        what = f"the header is {found}"
        return [], [Problem(path.name, None, None, what, f"make it {','.join(columns)}")]
    rows, problems = [], []
    for number, cells in enumerate(lines[1:], start=1):
        if len(cells) != len(columns):
            what = f"the row has {len(cells)} fields, the header {len(columns)}"
            problems.append(Problem(path.name, number, None, what, "quote fields that hold a comma"))
            rows.append(dict.fromkeys(columns, ""))
            continue
        row = dict(zip(lines[0], (cell.strip() for cell in cells), strict=True))
        rows.append(row)
        for column, kind in spec["types"].items():
            if row[column] and not _fits(row[column], kind):
                what = f"'{row[column]}' is not a {_plain(kind)}"
                problems.append(Problem(path.name, number, column, what, f"write a {_plain(kind)}"))
    for column, tests in spec["tests"].items():
        problems += _column_problems(path.name, column, tests, rows)
    return rows, problems


def _fits(value: str, kind: str) -> bool:
    if kind == "boolean":
        return value.lower() in ("true", "false")
    if kind == "bigint":
        return re.fullmatch(r"-?\d{1,18}", value) is not None
    if kind.startswith("decimal"):
        width, scale = map(int, re.findall(r"\d+", kind))
        return re.fullmatch(rf"-?\d{{1,{width - scale}}}([.]\d{{1,{scale}}})?", value) is not None
    if kind == "date":
        return _is_day(value)
    return True


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _plain(kind: str) -> str:
    if kind == "boolean":
        return "truth value (true or false)"
    if kind == "date":
        return "day such as 2026-01-31"
    return "whole number" if kind == "bigint" else "number" if kind.startswith("decimal") else "text"


def _column_problems(file: str, column: str, tests: list[Any], rows: list[Row]) -> Iterator[Problem]:
    names = [test if isinstance(test, str) else next(iter(test)) for test in tests]
    counts = Counter(row[column] for row in rows)
    for number, row in enumerate(rows, start=1):
        value = row[column]
        if "not_null" in names and not value:
            yield Problem(file, number, column, "the cell is empty", "fill it")
        if "unique" in names and value and counts[value] > 1:
            yield Problem(file, number, column, f"'{value}' is in more than one row", "keep one of them")
    for test in tests:
        if isinstance(test, dict) and "accepted_values" in test:
            allowed = test["accepted_values"]["arguments"]["values"]
            for number, row in enumerate(rows, start=1):
                if row[column] not in allowed:
                    what, remedy = f"'{row[column]}' is not allowed", f"write one of {', '.join(allowed)}"
                    yield Problem(file, number, column, what, remedy)
