"""What leaves for CRMs and Slack never has a rate without what it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from jinja2 import Environment, nodes

from radar.core.project import PROJECT

RATE = re.compile(r"(?:^|_)(?:rate|ratio|share|pct|precision|recall|lift|auc|retention|probability)(?:_|$)")
COUNTS = {"n", "accounts", "observations", "known", "cases", "denominator"}
OF_ONE_ACCOUNT = {"coverage_pct"}
"""How many of its own rules could be evaluated: no rate over cases."""

PROFILES = sorted((PROJECT / "exports" / "profiles").glob("*.yml"))
TEMPLATES = sorted((PROJECT / "exports" / "templates").glob("*.j2"))
OUTBOUND = sorted((PROJECT / "dbt_project" / "models" / "outbound").glob("*.yml"))


def bare_rates(names: Iterable[str]) -> list[str]:
    """Names of rates that no count is next to."""
    found = set(names)
    if found & COUNTS:
        return []
    return sorted(name for name in found - OF_ONE_ACCOUNT if RATE.search(name))


def names_in(template: str) -> set[str]:
    """The variables and attributes that a template shows."""
    tree = Environment(autoescape=True).parse(template)
    return {node.name for node in tree.find_all(nodes.Name)} | {
        node.attr for node in tree.find_all(nodes.Getattr)
    }


def test_what_counts_as_a_rate_without_its_n() -> None:
    assert bare_rates(["score", "precision", "churn_rate_90d", "operation"]) == [
        "churn_rate_90d",
        "precision",
    ]
    assert bare_rates(["precision", "n", "score"]) == []
    assert names_in("{% for row in rows %}{{ row.base_rate }} of all{% endfor %}") >= {"base_rate", "rows"}


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.stem)
def test_a_crm_gets_no_rate_without_its_n(file: Path) -> None:
    columns = yaml.safe_load(file.read_text("utf-8"))["columns"]
    assert bare_rates(str(column[key]) for column in columns for key in ("source",) if key in column) == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_a_message_has_no_rate_without_its_n(file: Path) -> None:
    text = file.read_text("utf-8")
    assert bare_rates(names_in(text)) == []
    assert re.findall(r"(?<![{-])%(?![}-])", re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", text, flags=re.S)) == []


@pytest.mark.parametrize("file", OUTBOUND, ids=lambda file: file.stem)
def test_what_is_handed_over_has_no_rate_without_its_n(file: Path) -> None:
    for model in yaml.safe_load(file.read_text("utf-8")).get("models", []):
        assert bare_rates(column["name"] for column in model.get("columns", [])) == [], model["name"]
