"""The rules are evaluated in one place, and what is written of them can be read."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"


def readers(call: str) -> set[str]:
    """The models and macros that call a macro."""
    return {path.stem for path in PROJECT.rglob("*.sql") if re.search(rf"\b{call}\(", path.read_text())} - {
        call
    }


def test_rules_are_evaluated_in_the_view_of_their_results_and_for_the_restated_day() -> None:
    assert readers("rule_select") == {"rule_results"}
    assert readers("rule_results") == {"fct_rule_results", "int_restated_points"}


def test_scores_are_made_of_rule_results_or_of_the_evidence_alone() -> None:
    made_of = {
        path.stem: re.findall(r"health_scores\(ref\('(\w+)'\)\)", path.read_text())
        for path in (PROJECT / "models").rglob("*.sql")
        if "health_scores(" in path.read_text()
    }
    assert made_of == {
        "fct_health_scores": ["fct_rule_results"],
        "fct_health_history": ["fct_health_evidence"],
    }
