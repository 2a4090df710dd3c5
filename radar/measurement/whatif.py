"""What other rules would change: buckets today, alerts of the past year, precision and recall of both.

Belongs here: which models run in which order, and what the copy and the seeds give them. Does not belong
here: what a rule finds, how right it was and which gates it passes; models and macros decide that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from radar.core.errors import UsageError
from radar.measurement.backtest import COPY, Question, Row, measured_copy, rows_of
from radar.measurement.models import INPUT, PUBLISHED, compile_model, run_models
from radar.measurement.rule_rows import FAMILIES, evaluable, typed_rows

MODELS = (
    "whatif_accounts",
    "whatif_alerts",
    "whatif_differences",
    "whatif_warned",
    "whatif_gates",
    "whatif_samples",
)
"""Each after what it reads."""

SAMPLES = 10
"""So many accounts that would move are shown with their evidence."""

_SCORED = f"{COPY}.scoring"
_INPUTS = {
    "int_scored_accounts": f"{_SCORED}.int_scored_accounts",
    "int_goals__as_of": f"{COPY}.intermediate.int_goals__as_of",
    "int_signal_states": f"{COPY}.intermediate.int_signal_states",
    **{f"sig_{family}": f"{COPY}.signals.sig_{family}" for family in FAMILIES},
}
"""What rules read, as the published copy has it."""


@dataclass(frozen=True)
class Candidate:
    """The rules that are asked about: a rule set that is scored already, or one of a folder of seeds."""

    rule_set: str
    seeds: Path | None = None


@dataclass(frozen=True)
class WhatIf:
    """What was found: rows by model; `smoothing_days`: of how many scores a bucket is then the median."""

    candidate: Candidate
    before: str
    horizon: int
    as_of: date
    tables: Mapping[str, Sequence[Row]]
    smoothing_days: int

    @property
    def failed(self) -> list[Row]:
        """The gates that the rules do not pass."""
        return [row for row in self.tables["whatif_gates"] if row["has_passed"] is False]


def what_if(published_db: Path, candidate: Candidate, settings: Path, horizon: int) -> WhatIf:
    """Compare the recorded scores of a published copy, read only, with those of a candidate.

    `settings`: the file of settings in use. Raises UsageError where the copy or the rule set cannot be.
    """
    with measured_copy(published_db, Question(horizons=(horizon,))) as con:
        con.execute(
            "create table seed_settings as select * from read_csv($file, header = true)",
            {"file": str(settings)},
        )
        _require_history(con, published_db)
        if candidate.seeds is None:
            rule_set = _take_scores(con, candidate.rule_set, published_db)
        else:
            rule_set = _evaluate(con, candidate.seeds, candidate.rule_set)
        return _compare(con, candidate, horizon, rule_set.get("smoothing_days") or 1)


def _require_history(con: duckdb.DuckDBPyConnection, published_db: Path) -> None:
    if con.execute(f"select count(*) from {INPUT}").fetchone() == (0,):
        raise UsageError("no date has been scored yet", "run `radar run` first", file=published_db)


def _take_scores(con: duckdb.DuckDBPyConnection, rule_set: str, published_db: Path) -> Row:
    """Scores and evidence of a rule set that the published copy has, and its row of the seeds."""
    names = [
        name
        for (name,) in con.execute(
            f"select rule_set from {_SCORED}.dim_rule_sets where rule_version is not null order by rule_set"
        ).fetchall()
    ]
    if rule_set not in names:
        raise UsageError(
            f"'{rule_set}' is no folder, and no rule set that is scored",
            f"name a folder of seeds, or one of {', '.join(names)}",
            file=published_db,
        )
    of_rule_set = f"where rule_set = '{rule_set}'"
    con.execute(f"create table candidate_scores as select * from {_SCORED}.fct_health_scores {of_rule_set}")
    con.execute(
        f"create table candidate_results as select * from {_SCORED}.fct_rule_results {of_rule_set}"
        f" and as_of_date = {_NEWEST}"
    )
    return rows_of(con, f"(select * from {COPY}.seeds.rule_sets {of_rule_set})")[0]


_NEWEST = f"(select max(as_of_date) from {INPUT})"


def _evaluate(con: duckdb.DuckDBPyConnection, seeds: Path, name: str) -> Row:
    """Evaluate rules that no run has scored, by the models and macros that score every rule."""
    (rule_set,), rules, conditions = (
        [row for row in typed_rows(seeds, table) if row["rule_set"] == name]
        for table in ("rule_sets", "rules", "rule_conditions")
    )
    rule_sets = [evaluable(rule_set, rules, conditions, typed_rows(seeds, "signals"))]
    macros: dict[str, Callable[..., Any]] = {
        "scoring_rule_sets": lambda **_: rule_sets,
        "signal_families": lambda: list(FAMILIES),
    }
    relations = {
        **_INPUTS,
        **{seed: seed for seed in ("rule_sets", "rules", "rule_conditions", "signals")},
        "settings": "seed_settings",
        "int_rank_limits": "int_rank_limits",
        "calibration_inputs": "candidate_inputs",
        "calibration_results": "all_results",
        "int_rule_inputs": f"(select * from candidate_inputs where as_of_date = {_NEWEST})",
        "int_rules_in_use": "no_rules_in_use",
    }
    con.execute(
        "create table no_rules_in_use "
        "(as_of_date date, rule_set varchar, segment varchar, rules_in_use bigint)"
    )
    for kind, made, model in (
        ("table", "int_rank_limits", "int_rank_limits"),
        ("table", "candidate_inputs", "int_rule_inputs"),
        ("view", "all_results", "calibration_results"),  # of many accounts more than memory holds
        ("table", "candidate_scores", "calibration_scores"),
        ("table", "candidate_results", "fct_rule_results"),
    ):
        query = compile_model(model, {"dates": "true"}, relations, macros)
        con.execute(f"create {kind} {made} as\n{query}")
    return rule_set


def _compare(
    con: duckdb.DuckDBPyConnection, candidate: Candidate, horizon: int, smoothing_days: int
) -> WhatIf:
    relations = {name: f"{COPY}.{relation}" for name, relation in PUBLISHED.items()}
    relations |= {
        name: name
        for name in (
            INPUT,
            "candidate_scores",
            "candidate_results",
            "fct_observations",
            "int_backtest_observations",
            "int_backtest_accounts",
            "rpt_backtest_rates",
            *MODELS,
        )
    }
    relations |= {"settings": "seed_settings", "calibration_period": "every_date"}
    con.execute("create table every_date as select date '0001-01-01' as train_until")
    variables = {
        "horizon": horizon,
        "horizons": [horizon],
        "scores": {"candidate": "candidate_scores"},
        "results": None,
        "samples": SAMPLES,
    }
    observations = compile_model("calibration_observations", variables, relations)
    con.execute(f"create or replace table int_backtest_observations as\n{observations}")
    run_models(
        con,
        COPY,
        horizons=[horizon],
        slice_by="'all'",
        models=("int_backtest_accounts", "rpt_backtest_rates"),
    )
    for name in MODELS:
        con.execute(f"create table {name} as\n{compile_model(name, variables, relations)}")
    ((before, as_of),) = con.execute(
        f"select arg_max(rule_set, as_of_date), max(as_of_date) from {INPUT}"
    ).fetchall()
    tables = {name: rows_of(con, name) for name in MODELS}
    return WhatIf(candidate, before, horizon, as_of, tables, smoothing_days)
