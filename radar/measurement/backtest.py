"""The backtest of a published copy: which scores are measured, and the figures as programs read them.

Belongs here: the choice of scores and the shape of the figures. Does not belong here: any figure. Those are
the measurement models' (`radar.measurement.models`).
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from radar.core.errors import UsageError
from radar.measurement.models import INPUT, MODELS, PUBLISHED, run_models
from radar.measurement.notes import notes

COPY = "copy"
"""The name under which the published copy is attached."""

BUCKETS = ("healthy", "watch", "at_risk")
LEVELS = ("at_risk", "not_healthy")
SLICES = {
    "segment": "coalesce(segment, 'none')",
    "plan": "coalesce(plan_id, 'none')",
    "owner": "coalesce(owner_id, 'none')",
    "age": (
        "case when paying_days <= 90 then 'paying for 90 days or less' "
        "when paying_days <= 365 then 'paying for 91 to 365 days' else 'paying for more than a year' end"
    ),
}
"""What `--by` may name, as an expression over fct_observations."""

SLICED_MODELS = (
    "int_backtest_observations",
    "int_backtest_accounts",
    "int_backtest_auc",
    "rpt_backtest_horizons",
    "rpt_backtest_rates",
)
REPORTS = tuple(name for name in MODELS if name.startswith("rpt_"))
"""The marts that figures are read from."""

LONGEST_HORIZON = 90
"""Trends, episodes and the quarter are judged by it, whatever horizons are asked for."""

MEMORY_LIMIT = "3GB"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """What is to be measured; None: the rule sets that recorded the history, and all of it."""

    rule_set: str | None = None
    since: date | None = None
    until: date | None = None
    horizons: tuple[int, ...] = (30, 60, 90)
    by: str | None = None


@dataclass(frozen=True)
class Backtest:
    """The figures, by the names of `radar backtest --json`, and what could not be known."""

    question: Question
    figures: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def json(self) -> str:
        """For programs: figures rounded to four decimals, null where there is nothing."""
        return json.dumps({**self.figures, "notes": self.notes}, ensure_ascii=False, indent=2)


def backtest(published_db: Path, question: Question) -> Backtest:
    """Measure a published copy, read only. Raises UsageError where it or the rule set cannot be."""
    with measured_copy(published_db, question) as con:
        return figures_of(con, question)


@contextmanager
def measured_copy(published_db: Path, question: Question) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the tables of all measurement models, the published copy attached as COPY."""
    with (
        # what does not fit into memory: DuckDB would put it into the folder where the command was called
        tempfile.TemporaryDirectory(prefix="radar-") as spill,
        closing(duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": spill})) as con,
    ):
        con.execute("set timezone = 'UTC'")
        with _readable(published_db):
            con.execute(f"attach '{str(published_db).replace(chr(39), chr(39) * 2)}' as {COPY} (read_only)")
            _require_marts(con, published_db)
            _take_scores(con, question, published_db)
            horizons = sorted({*question.horizons, LONGEST_HORIZON})
            run_models(con, COPY, horizons=horizons, slice_by="'all'")
            yield con


@contextmanager
def _readable(published_db: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException, duckdb.IOException) as error:
        raise UsageError(
            f"this version of Radar cannot measure the copy: {str(error).splitlines()[0]}",
            "run `radar run` once: it publishes the copy again",
            file=published_db,
        ) from error


def _require_marts(con: duckdb.DuckDBPyConnection, published_db: Path) -> None:
    known = {
        f"{schema}.{name}"
        for schema, name in con.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = $copy", {"copy": COPY}
        ).fetchall()
    }
    missing = sorted(set(PUBLISHED.values()) - known)
    if missing:
        raise UsageError(
            f"the copy has no {', '.join(missing)}: it is of an earlier version of Radar",
            "run `radar run` once: it publishes the copy again",
            file=published_db,
        )


def _take_scores(con: duckdb.DuckDBPyConnection, question: Question, published_db: Path) -> None:
    """Make INPUT: what was recorded, or another rule set's scores of the same accounts and dates."""
    recorded = {
        name
        for (name,) in con.execute(
            f"select distinct rule_set from {COPY}.marts.fct_health_history"
        ).fetchall()
    }
    scored = {
        name
        for (name,) in con.execute(
            f"select rule_set from {COPY}.scoring.dim_rule_sets where rule_version is not null"
        ).fetchall()
    }
    parameters = {
        "since": question.since or date.min,
        "until": question.until or date.max,
        "rule_set": question.rule_set,
    }
    window = "history.as_of_date between $since and $until"
    if question.rule_set is None or question.rule_set in recorded:
        con.execute(
            f"""
            create table {INPUT} as
            select
                account_id, as_of_date, owner_id, segment, rule_set, score, model_bucket as bucket, decision,
                arr_usd
            from {COPY}.marts.fct_health_history as history
            where {window} and ($rule_set is null or rule_set = $rule_set)
            """,
            parameters,
        )
        return
    if question.rule_set not in scored:
        raise UsageError(
            f"there are no scores of a rule set '{question.rule_set}'",
            f"name one of {', '.join(sorted(recorded | scored))}; a retired one is scored as a shadow",
            file=published_db,
        )
    con.execute(
        f"""
        create table {INPUT} as
        select
            history.account_id, history.as_of_date, history.owner_id, history.segment, scores.rule_set,
            scores.score, scores.bucket, scores.decision, history.arr_usd
        from {COPY}.marts.fct_health_history as history
        inner join {COPY}.scoring.fct_health_scores as scores
            on history.account_id = scores.account_id and history.as_of_date = scores.as_of_date
        where {window} and scores.rule_set = $rule_set
        """,
        parameters,
    )


def rule_sets(published_db: Path) -> list[str]:
    """The rule sets that score, in the order of their names: each can be asked for."""
    with duckdb.connect(str(published_db), read_only=True) as con:
        found = con.execute(
            "select rule_set from scoring.dim_rule_sets where rule_version is not null order by 1"
        )
        return [name for (name,) in found.fetchall()]


def recorded(tables: Mapping[str, Sequence[Row]]) -> Backtest:
    """What the daily run measured, from the rows of each of the REPORTS."""
    return _backtest(tables, Question(), {})


def figures_of(con: duckdb.DuckDBPyConnection, question: Question) -> Backtest:
    """The figures of the tables that `measured_copy` made."""
    tables = {name: rows_of(con, name) for name in REPORTS}
    slices: dict[str, Any] = {}
    if question.by:
        run_models(con, COPY, horizons=question.horizons, slice_by=SLICES[question.by], models=SLICED_MODELS)
        sliced = {name: rows_of(con, name) for name in ("rpt_backtest_horizons", "rpt_backtest_rates")}
        names = sorted({row["slice"] for row in sliced["rpt_backtest_horizons"]})
        slices = {question.by: {name: _horizons(sliced, name, question.horizons) for name in names}}
    return _backtest(tables, question, slices)


def _backtest(tables: Mapping[str, Sequence[Row]], question: Question, slices: Mapping[str, Any]) -> Backtest:
    (history,) = tables["rpt_backtest"]
    figures = {
        "rule_set": history["rule_set"] or question.rule_set,
        "scored_days": history["scored_days"],
        "first": history["first_scored_date"],
        "last": history["last_scored_date"],
        "known_until": history["known_until_date"],
        "grid_days": history["grid_days"],
        "accounts_scored": history["accounts_scored"],
        "undecided_pct": history["undecided_pct"],
        "observations": history["observations"],
        "left_out": {row["left_out_because"]: row["left_out"] for row in tables["rpt_backtest_left_out"]},
        "switches": history["switches"],
        "buckets_pct": {bucket: history[f"{bucket}_pct"] for bucket in BUCKETS},
        "horizons": _horizons(tables, "all", question.horizons),
        "lead_time": {row["flag_level"]: _lead_time(row) for row in tables["rpt_backtest_lead_times"]},
        "episodes": {row["flag_level"]: _episodes(row) for row in tables["rpt_backtest_episodes"]},
        "trend": {row["trend"]: _trend(row) for row in tables["rpt_backtest_trends"]},
        "renewals": {row["bucket"]: _renewals(row) for row in tables["rpt_backtest_renewals"]},
        "verdict": history["verdict"],
        "verdict_horizon": history["verdict_horizon_days"],
        "quarter": [dict(row) for row in tables["rpt_backtest_quarter"]],
        "capacity": [
            _without(row, "slice") for row in tables["rpt_backtest_capacity"] if _asked(row, question)
        ],
        "calibration": [
            _without(row, "slice") for row in tables["rpt_backtest_calibration"] if _asked(row, question)
        ],
        "stability": [dict(row) for row in tables["rpt_backtest_stability"]],
        "vintages": [dict(row) for row in tables["rpt_backtest_vintages"] if _asked(row, question)],
    }
    if slices:
        figures["by"] = slices
    return Backtest(question, plain(figures), notes(history, figures, question.rule_set))


def rows_of(con: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries, in the order of all columns."""
    result = con.execute(f"select * from {table} order by all")
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _asked(row: Row, question: Question) -> bool:
    return row["horizon_days"] in question.horizons


def _without(row: Row, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _horizons(
    tables: Mapping[str, Sequence[Row]], slice_name: str, horizons: Iterable[int]
) -> dict[str, Any]:
    counts = {
        row["horizon_days"]: row for row in tables["rpt_backtest_horizons"] if row["slice"] == slice_name
    }
    rates = {
        (row["horizon_days"], row["measure"], row["group_name"]): row
        for row in tables["rpt_backtest_rates"]
        if row["slice"] == slice_name
    }
    lists = {
        row["horizon_days"]: row["precision"]
        for row in tables.get("rpt_backtest_capacity", ())
        if row["slice"] == slice_name and row["scope"] == "portfolio" and row["capacity"] == TOP
    }

    def rate(days: int, measure: str, group: str) -> Row:
        return rates.get((days, measure, group), _NOTHING)

    def horizon(days: int) -> dict[str, Any]:
        count = counts.get(days, _NOTHING)
        return {
            "n": count["observations"] or 0,
            "accounts": count["accounts"] or 0,
            "censored": count["censored"] or 0,
            "positives": count["positives"] or 0,
            "events": count["churned_accounts"] or 0,
            "base_rate": rate(days, "churn_rate", "all")["rate"],
            "base_ci": _ci(rate(days, "churn_rate", "all")),
            "contraction_rate": rate(days, "contraction_rate", "all")["rate"],
            "expansion_rate": rate(days, "expansion_rate", "all")["rate"],
            "arr_churn_rate": rate(days, "arr_churn_rate", "all")["rate"],
            "buckets": {bucket: in_bucket(days, bucket) for bucket in BUCKETS},
            "auc": count["auc"],
            "auc_ci": _ci(count, "auc_low", "auc_high"),
            **{level: flagged(days, level) for level in LEVELS},
            "top10_precision": lists.get(days),
        }

    def in_bucket(days: int, bucket: str) -> dict[str, Any]:
        churn = rate(days, "churn_rate", bucket)
        return {
            "n": int(churn["n"] or 0),
            "accounts": churn["accounts"] or 0,
            "churn_rate": churn["rate"],
            "ci": _ci(churn),
            "lift": churn["lift"],
            "lift_ci": _ci(churn, "lift_low", "lift_high"),
            "arr_churn_rate": rate(days, "arr_churn_rate", bucket)["rate"],
        }

    def flagged(days: int, level: str) -> dict[str, Any]:
        churn = rate(days, "churn_rate", level)
        return {
            "share": rate(days, "share", level)["rate"],
            "precision": churn["rate"],
            "precision_ci": _ci(churn),
            "recall": rate(days, "recall", level)["rate"],
            "recall_ci": _ci(rate(days, "recall", level)),
            "fpr": rate(days, "false_positive_rate", level)["rate"],
            "fpr_ci": _ci(rate(days, "false_positive_rate", level)),
            "precision_bad": rate(days, "bad_rate", level)["rate"],
            "precision_bad_ci": _ci(rate(days, "bad_rate", level)),
            "lift": churn["lift"],
            "lift_ci": _ci(churn, "lift_low", "lift_high"),
            "arr_churn_rate": rate(days, "arr_churn_rate", level)["rate"],
        }

    return {str(days): horizon(days) for days in horizons}


TOP = 10
"""The list of `top10_precision`."""


class _Nothing(dict[str, None]):
    def __missing__(self, key: str) -> None:
        return None


_NOTHING: Row = _Nothing()


def _ci(row: Row, low: str = "ci_low", high: str = "ci_high") -> list[float] | None:
    return None if row[low] is None or row[high] is None else [row[low], row[high]]


def _lead_time(row: Row) -> dict[str, Any]:
    return {
        "events": row["churns"],
        "warned": row["warned"],
        "warned_share": row["warned_share"],
        "warned_30d_share": row["warned_30d_share"],
        "median": row["median_days"],
        "p10": row["tenth_percentile_days"],
        "typical_run": row["typical_run_days"],
        "share_flagged": row["share_flagged"],
        "curve": {str(days): row[f"warned_{days}d_share"] for days in (7, 14, 30, 60, 90)},
    }


def _episodes(row: Row) -> dict[str, Any]:
    return {
        "n": row["episodes"],
        "accounts": row["accounts"],
        "precision_churn_90d": row["churn_rate"],
        "ci": _ci(row),
        "unknown": row["unknown_episodes"],
        "needed_low": row["needed_low"],
        "needed_high": row["needed_high"],
        "churn_treated": row["churn_rate_treated"],
        "churn_untreated": row["churn_rate_untreated"],
        "treated": row["treated"],
        "untreated": row["untreated"],
        "too_young": row["too_young"],
        "median_days_to_outreach": row["median_days_to_outreach"],
    }


def _trend(row: Row) -> dict[str, Any]:
    return {
        "n": row["observations"],
        "churn_90d": row["churn_rate_90d"],
        "ci": _ci(row),
        "holds_28d": row["lasted_28d_share"],
    }


def _renewals(row: Row) -> dict[str, Any]:
    return {
        "n": row["renewals"],
        "lost": row["lost"],
        "contracted": row["contracted"],
        "flat": row["flat"],
        "expanded": row["expanded"],
        "unknown": row["unknown_renewals"],
        "joint": row["joint_renewals"],
    }


def plain(value: Any) -> Any:
    """As JSON takes it, numbers rounded to four decimals."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return round(value, 4) + 0.0 if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date) else value
