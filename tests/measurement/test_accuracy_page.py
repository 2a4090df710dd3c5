"""docs/accuracy.md: limits first, the marts' figures, and a sentence for who is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb

from radar.core.project import PROJECT
from radar.measurement import report
from radar.measurement.accuracy import COMPANIES, HEAD, MISSING
from radar.measurement.models import MODELS, run_models
from tests.measurement.company_copy import publish
from tests.measurement.random_company import company

PAGE = PROJECT / "docs" / "accuracy.md"


def make(folder: Path, file: Path) -> str:
    """What the command prints that `make accuracy` ends with."""
    command = [sys.executable, "-m", "radar.measurement.accuracy", str(folder), str(file)]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT).stdout


def test_it_has_the_figures_of_the_marts_and_says_who_is_missing(tmp_path: Path) -> None:
    published = tmp_path / "demo" / "published"
    published.mkdir(parents=True)
    publish(company(4, accounts=700, step=30), published / "radar.duckdb")
    printed = make(tmp_path, tmp_path / "page.md")
    assert "Without saasguard: the page says so." in printed
    page = (tmp_path / "page.md").read_text("utf-8")
    assert page.index("## Limits first") < page.index("## The demo company") < page.index("## SaaSGuard")
    assert page.endswith(MISSING)
    with duckdb.connect() as con:
        con.execute(f"attach '{published / 'radar.duckdb'}' as copy (read_only)")
        con.execute(
            "create view int_measured_scores as select account_id, as_of_date, owner_id, segment, rule_set, "
            "score, model_bucket as bucket, decision, arr_usd from copy.marts.fct_health_history"
        )
        run_models(con, "copy", horizons=(30, 60, 90), slice_by="'all'", models=MODELS)
        rates = con.execute(
            "select group_name, n, accounts, rate from rpt_backtest_rates "
            "where horizon_days = 90 and measure = 'churn_rate' "
            "and group_name in ('healthy', 'watch', 'at_risk')"
        ).fetchall()
    assert rates
    for bucket, n, accounts, rate in rates:
        assert f"| {report.LABELS[bucket]} | {int(n):,} | {accounts:,} | {report.percent(rate)} |" in page
    make(tmp_path, tmp_path / "again.md")
    assert (tmp_path / "again.md").read_bytes() == (tmp_path / "page.md").read_bytes()


def test_the_page_that_ships_is_of_both_companies_limits_first() -> None:
    page = PAGE.read_text("utf-8")
    assert page.startswith(HEAD)
    assert MISSING not in page
    for title, intro in COMPANIES.values():
        assert f"\n## {title}\n\n{intro}\n" in page
        section = page.split(f"## {title}\n")[1].split("\n## ")[0]
        assert "95 %" in section
        assert "observations" in section
