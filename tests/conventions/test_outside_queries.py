"""Queries outside dbt select: what decides something about a customer is a model.

Checked are the queries of exports, deliveries and panel that read a relation of dbt: they filter by a
parameter, order by a column, count and limit. A `case`, a comparison with a value, or arithmetic on days or
on the score's scale is a rule, and its place is `models/outbound/` or `models/marts/`. Not checked are the
queries of the state that these packages keep themselves (audit.sync_*, audit.deliveries, SQLite files).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from radar.core.project import PROJECT
from radar.core.queries import named_queries

PLACES = ("radar/exports", "radar/deliveries", "radar/panel", "radar/audit/delivery_ledger.sql")
MODELS = re.compile(r"\b(?:marts|scoring|signals|outbound|intermediate|staging|seeds)\.[a-z]\w+|\{source\}")
DECIDES = {
    "a case": re.compile(r"\bcase\b"),
    "a comparison with a text": re.compile(r"(?:[=<>]|\blike|\bin\s*\(|\bfrom)\s*'"),
    "a comparison with a number": re.compile(r"[=<>]\s*\d|\bdistinct from\s*\d|\bbetween\s+\d"),
    "arithmetic on days": re.compile(
        r"\$\w+(?:::date)?\s*[-+]\s*|\b\w*(?:date|_at|_on|days\w*)\b(?:::\w+)?\s*[-+]\s*[\w$]"
        r"|\binterval\b|\bdate_(?:diff|add|sub|trunc)\b|\b(?:year|quarter|month)\s*\("
    ),
    "arithmetic on the scale": re.compile(r"\b(?:greatest|least)\s*\(|\b\w*(?:points|score)\w*\s*[-+*]\s*\w"),
}
SETTINGS = "looks settings up by their names"
ALLOWED = {
    "radar/audit/delivery_ledger.sql:accounts": "its columns are those of a destination's profile, a YAML"
    " file; it compares them with what the ledger says was written",
    "radar/audit/delivery_ledger.sql:digest_above": SETTINGS,
    "radar/audit/delivery_ledger.sql:limits": SETTINGS,
    "radar/exports/guards.py": SETTINGS,
    "radar/panel/queries/audit.sql:entries": "the panel's own rule of who sees an entry: one about several"
    " accounts is for who sees all of them",
    "radar/panel/read_model.sql:no_work_list": "a copy of an earlier release has no is_at_risk",
    "radar/panel/read_model.sql:kept_days": "leaves out days that repeat the day before, so that a year is"
    " short in the file; in the memory of one process, over all accounts",
}
"""Queries that may, with the reason."""

MOST_LINES = 701
"""Of the queries that read models. The number may only fall."""


def queries() -> Iterator[tuple[str, str]]:
    """Name and text without comments: the named queries of files, and texts in Python that read a model."""
    for place in PLACES:
        path = PROJECT / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = file.relative_to(PROJECT).as_posix()
            if file.suffix == ".sql":
                for query, text in named_queries(file).items():
                    yield f"{name}:{query}", re.sub(r"--.*", "", text)
            elif file.suffix == ".py":
                for text in texts(file):
                    yield name, text


def texts(file: Path) -> Iterator[str]:
    """What a module holds in quotes and asks of a model; docstrings name models without asking."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if re.search(r"\bselect\b[^`]*\b(?:from|join)\s+", text):
                yield text


def reading_models() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in queries():
        if MODELS.search(text):
            found[name] = found.get(name, "") + text
    return found


def decided_by(text: str) -> list[str]:
    """What in a query decides something."""
    return [what for what, pattern in DECIDES.items() if pattern.search(text)]


def test_queries_outside_dbt_select_and_decide_nothing() -> None:
    deciding = {name: found for name, text in reading_models().items() if (found := decided_by(text))}
    assert {name: found for name, found in deciding.items() if name not in ALLOWED} == {}
    assert ALLOWED.keys() - deciding.keys() == set()


def test_the_sql_outside_dbt_that_reads_models_grows_no_more() -> None:
    lines = sum(len(text.strip().splitlines()) for text in reading_models().values())
    assert lines <= MOST_LINES


@pytest.mark.parametrize(
    "text",
    [
        "select case when a then 1 end from marts.x",
        "select count(*) filter (where bucket = 'at_risk') from marts.x",
        "select * from marts.x where status in ('ready', 'to_approve')",
        "select * from marts.x where with_factor >= 5",
        "select * from marts.x where as_of_date > $as_of - 30",
        "select * from marts.x where due_at <= as_of_date + 1",
        "select greatest(least(total + points_low, 100), 0) from marts.x",
        "select * from marts.x where deleted_at > now() - interval 1 day",
    ],
)
def test_a_rule_is_found(text: str) -> None:
    assert decided_by(text)


@pytest.mark.parametrize(
    "text",
    [
        "select coalesce(segment, 'none') as segment from marts.x where segment = $segment limit $rows",
        "select sum(coverage_pct_accounts) / sum(accounts) from marts.x where as_of_date > $since",
        "select list({'day': as_of_date, 'score': score} order by as_of_date) from marts.x",
        "select * from marts.x where account_id between $first and $last and is_worse",
    ],
)
def test_a_selection_is_none(text: str) -> None:
    assert decided_by(text) == []
