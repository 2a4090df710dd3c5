"""A rule set of a folder of seeds, as the macros of the dbt project evaluate one.

Belongs here: rows of the rule files as `scoring_rule_sets` hands them to `rule_results`, for rules that no
warehouse has scored. Does not belong here: what a rule means; those macros decide it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from radar.rules.seed_tables import described

Row = Mapping[str, Any]
FAMILIES = ("usage", "adoption", "support", "billing", "comms", "relationship", "value", "sentiment")
"""Of signals, as the macro `signal_families` has them: each has its table."""

RANKS = {"lowest": "<=", "highest": ">="}
"""Operators that compare with a limit of the day, a column of int_rule_inputs."""


def typed_rows(seeds: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a seed, cells typed as dbt reads them, None where one is empty."""
    types = described()[name]["types"]
    with (seeds / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return [
            {column: _typed(cell.strip(), types[column]) for column, cell in row.items()}
            for row in csv.DictReader(file)
        ]


def _typed(cell: str, kind: str) -> Any:
    if not cell:
        return None
    if kind == "boolean":
        return cell.lower() == "true"
    if kind == "bigint":
        return int(cell)
    return Decimal(cell) if kind.startswith("decimal") else cell


def evaluable(rule_set: Row, rules: Iterable[Row], conditions: Iterable[Row], signals: Iterable[Row]) -> Row:
    """One rule set as `scoring_rule_sets` describes it, of rows of the seeds; `version` is left empty."""
    catalogue = {
        row["signal"]: {
            "label": f"{row['label']} ({row['signal']})" if row["label"] else row["signal"],
            "family": row["family"],
            "can_be_negative": row["can_be_negative"],
        }
        for row in signals
    }
    own = sorted(rules, key=lambda row: (row["rule_id"], row["segment"] or ""))
    rule_ids = list(dict.fromkeys(row["rule_id"] for row in own))
    by_rule: dict[tuple[str, str | None], list[Row]] = {}
    for row in sorted(conditions, key=lambda row: row["position"]):
        by_rule.setdefault((row["rule_id"], row["segment"]), []).append(
            {**row, **catalogue[row["signal"]], **_limit(row)}
        )
    return {
        **rule_set,
        "version": "",
        "rules": [
            {
                **row,
                "rule_number": rule_ids.index(row["rule_id"]) + 1,
                "conditions": by_rule[row["rule_id"], row["segment"]],
                "renewal_label": catalogue["days_to_renewal"]["label"],
                "other_segments": []
                if row["segment"]
                else [one["segment"] for one in own if one["rule_id"] == row["rule_id"] and one["segment"]],
            }
            for row in own
        ],
    }


def _limit(condition: Row) -> Row:
    operator, threshold = condition["operator"], condition["threshold"]
    if operator not in RANKS:
        return {"is_rank": False, "comparison": operator, "limit": str(threshold)}
    percent = f"{threshold:g}".replace(".", "_")
    return {
        "is_rank": True,
        "comparison": RANKS[operator],
        "limit": f"limit_{operator}_{percent}_{condition['signal']}",
    }
