"""Weekly metrics, cohorts, the audit of rules and signals by outcome are those of the definitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pytest

from tests.measurement.metrics_copy import measure, work
from tests.measurement.random_company import company
from tests.oracle.measurement import FEW, Measured
from tests.oracle.metrics import Metrics

Tables = tuple[Metrics, duckdb.DuckDBPyConnection]


@pytest.fixture(scope="module", params=(0, 2, 4, 5, 7))
def tables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """A random company: the oracle's reading of it, and a connection with the models' tables."""
    # every pair is compared: many accounts, so that enough of them churn for an auc, or many dates
    accounts, step = {4: (700, 30), 7: (700, 30), 5: (60, 30)}.get(request.param, (60, 7))
    made = company(request.param, accounts=accounts, step=step)
    extra = work(request.param, made)
    con = measure(made, extra, tmp_path_factory.mktemp("metrics") / "radar.duckdb")
    yield Metrics(Measured(made), extra), con
    con.close()


def rows(con: duckdb.DuckDBPyConnection, sql: str, keys: int) -> dict[Any, Any]:
    """By the first columns, the rest."""
    return {row[:keys]: row[keys:] for row in con.execute(sql).fetchall()}


def same(found: Any, expected: Any) -> bool:
    """Numbers to eight decimals; an interval without ends is none."""
    if isinstance(expected, list) and isinstance(found, list):
        return all(same(*pair) for pair in zip(found, expected, strict=True))
    if isinstance(found, list):
        return expected is None and all(part is None for part in found)
    if isinstance(found, float) and expected is not None:
        return bool(found == pytest.approx(float(expected), rel=1e-9, abs=1e-8))
    return bool(found == expected)


def compare(expected: dict[Any, dict[str, Any]], found: dict[Any, Any], names: Sequence[str]) -> list[str]:
    """Where the tables say something else."""
    lines = [f"{key}: only one of them" for key in sorted(expected.keys() ^ found.keys(), key=str)]
    for key in expected.keys() & found.keys():
        shown = dict(zip(names, found[key], strict=True))
        lines += [
            f"{key} {name}: {shown[name]!r}, by the definitions {value!r}"
            for name, value in expected[key].items()
            if not same(shown[name], value)
        ]
    return lines


def test_weekly_metrics(tables: Tables) -> None:
    oracle, con = tables
    found = rows(
        con,
        "select week_start_date, metric, horizon_days, slice, is_open, numerator, denominator, value, "
        "[ci_low, ci_high], n, accounts from rpt_health_metrics_weekly",
        4,
    )
    expected = oracle.weekly()
    assert {key[1] for key, row in expected.items() if row["value"] is not None} >= {
        "base_rate", "precision", "false_positive_rate", "missed_risk", "expansion_hits", "logo_churn",
        "gross_revenue_retention", "net_revenue_retention", "overridden", "tasks_per_100_accounts",
        "reviewed_changes", "reached_after_flag",
    }, "or this compares nothing"  # fmt: skip
    names = ("is_open", "numerator", "denominator", "value", "ci", "n", "accounts")
    assert compare(expected, found, names) == []


def test_cohorts(tables: Tables) -> None:
    oracle, con = tables
    found = rows(
        con,
        "select start_month, plan_id, month_number, accounts, is_open, customer_retention, "
        "[ci_low, ci_high], gross_revenue_retention, net_revenue_retention from rpt_retention_cohorts",
        3,
    )
    assert compare(oracle.cohorts(), found, ("accounts", "is_open", "value", "ci", "gross", "net")) == []


def test_what_came_of_each_bucket(tables: Tables) -> None:
    oracle, con = tables
    found = rows(
        con,
        "select bucket, first_date, last_date, accounts, churned, churn_rate, [ci_low, ci_high] "
        "from rpt_bucket_outcomes",
        1,
    )
    assert compare(oracle.buckets(), found, ("first", "last", "accounts", "churned", "rate", "ci")) == []


def test_what_each_rule_is_worth(tables: Tables) -> None:
    oracle, con = tables
    expected = oracle.rules()
    if len({one.account_id for one in oracle.measured.known(90) if one.y}) >= FEW:
        assert any(row.get("difference_ci") for row in expected.values()), "or this compares nothing"
    found = rows(
        con,
        "select rule_id, period, fired, accounts, known, churned, bad, fired_open, treated, precision, "
        "[ci_low, ci_high], base_observations, base_rate, arr_usd, churned_arr_usd, warned_churns, "
        "median_lead_days, auc_without, auc_difference, [auc_difference_low, auc_difference_high], "
        "is_retirement_proposed from rpt_rule_audit",
        2,
    )
    names = (
        "fired", "accounts", "known", "churned", "bad", "fired_open", "treated", "precision", "ci",
        "base_observations", "base_rate", "arr", "churned_arr", "warned", "lead", "auc_without", "difference",
        "difference_ci", "retire",
    )  # fmt: skip
    assert compare(expected, found, names) == []


def test_what_signals_say_about_who_left_and_who_grew(tables: Tables) -> None:
    oracle, con = tables
    found = rows(
        con,
        "select outcome, segment, signal, group_name, observations, accounts, with_outcome, "
        "[value_min, value_p25, value_median, value_p75, value_max], without_value, "
        "auc, [auc_low, auc_high], rate, [ci_low, ci_high], lift, "
        "[lift_low, lift_high] from rpt_signals_by_outcome",
        4,
    )
    names = (
        "observations", "accounts", "with_outcome", "values", "without_value", "auc", "auc_ci", "rate", "ci",
        "lift", "lift_ci",
    )  # fmt: skip
    assert compare(oracle.signals(), found, names) == []
