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
        path.stem: re.findall(r"health_scores\(\s*(?:ref\()?'(\w+)'", path.read_text())
        for path in (PROJECT / "models").rglob("*.sql")
        if "health_scores(" in path.read_text()
    }
    assert made_of == {
        "fct_health_scores": ["fct_rule_results"],
        "fct_health_history": ["fct_health_evidence"],
        "int_shadow_scores": ["recent_results"],
    }
    shadows = (PROJECT / "models" / "history" / "int_shadow_scores.sql").read_text()
    assert set(re.findall(r"from {{ ref\('(\w+)'\)", shadows)) == {
        "int_newest_rule_results",
        "fct_rule_results",
    }


def test_a_build_evaluates_each_scored_rule_set_once() -> None:
    """Views are evaluated where they are read: what was recorded is read from evidence and history."""

    def readers_of(relation: str) -> dict[str, str]:
        return {
            path.stem: path.read_text()
            for path in (PROJECT / "models").rglob("*.sql")
            if f"from {{{{ ref('{relation}') }}}}" in path.read_text()
            or f"join {{{{ ref('{relation}') }}}}" in path.read_text()
        }

    results = readers_of("fct_rule_results")
    assert results.keys() == {
        "fct_health_evidence",  # the champion rule set, on the dates of the build
        "int_newest_rule_results",  # shadow rule sets, on its newest date
        "int_restated_points",  # the restated date, before the build
        "int_rule_point_changes",  # dates that earlier rules scored
        "int_shadow_scores",  # shadows whose bucket reads a median, on the scored dates that it reads
    }
    assert "rule_set in ('{{ smoothed" in results["int_shadow_scores"]
    assert "rule_set_status = 'champion'" in results["fct_health_evidence"]
    assert "rule_set_status = 'shadow'" in results["int_newest_rule_results"]
    assert readers_of("fct_health_scores") == {}
