"""Quality, Signals and Account show how right scores were: figures of the marts, no rate without its n."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from radar.measurement import report
from radar.measurement.backtest import REPORTS
from radar.panel import users
from radar.panel.pages import measured
from radar.panel.store import Store
from tests.measurement.metrics_copy import measure, work
from tests.measurement.random_company import company
from tests.panel.browser import sign_in
from tests.panel.people import Owners
from tests.panel.republished_copy import publish_again
from tests.panel.server import running
from tests.panel.test_in_the_browser import DESK, PASSWORD, PHONE, accessible, browser, nothing, shots
from tests.panel.test_views import rows, signed_in, text
from tests.runs.radar_run import Place

__all__ = ["browser", "nothing", "shots"]  # fixtures

MADE_UP = (*REPORTS, "rpt_bucket_outcomes", "rpt_health_metrics_weekly", "rpt_retention_cohorts")
VIEWS = ("rpt_rule_audit", "rpt_signals_by_outcome")


@pytest.fixture(scope="module")
def published(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's copy with what the models of measurement make of a company with a longer history."""
    folder = tmp_path_factory.mktemp("measured")
    made = company(4, accounts=700, step=30)
    con = measure(made, work(4, made), folder / "history.duckdb")
    for name in (*MADE_UP, *VIEWS):
        con.execute(f"copy {name} to '{folder / name}.parquet'")
    con.close()
    changes = [
        change
        for name in MADE_UP
        for change in (
            f"delete from marts.{name}",
            f"insert into marts.{name} by name select * from read_parquet('{folder / name}.parquet')",
        )
    ]
    for name in VIEWS:
        changes += [
            f"drop view marts.{name}",
            f"create table marts.{name} as select * from read_parquet('{folder / name}.parquet')",
        ]
    changes.append(
        """update marts.rpt_rule_audit set rule_id = (
            select mode(rule_id order by rule_id) from marts.rpt_evidence_ledger where result = 'true'
        ) where rule_id = 'quiet'"""
    )
    return publish_again(demo_run, folder, *changes)


@pytest.fixture(scope="module")
def clients(
    published: Path, owners: Owners, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, TestClient]]:
    yield from signed_in(published, owners, tmp_path_factory.mktemp("store") / "panel.sqlite")


@pytest.fixture(scope="module")
def marts(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What the copy says, asked of another file: in one process a file opens in one way alone."""
    file = tmp_path_factory.mktemp("asked") / "asked.duckdb"
    file.write_bytes((published / "radar.duckdb").read_bytes())
    with duckdb.connect(str(file), read_only=True) as con:
        yield lambda query: con.execute(query).fetchall()


def test_every_report_of_the_backtest_is_offered() -> None:
    assert {f"marts.{name}" for name in REPORTS} == set(measured.BACKTEST)


def test_the_backtest_is_on_quality_with_the_capacity_curve_first(
    clients: dict[str, TestClient], marts: Any
) -> None:
    shown = clients["rep"].get("/quality").text
    titles = re.findall(r"<h3>([^<]+)</h3>", shown.partition('id="measured"')[2])
    assert titles[0].startswith("Capacity")
    drawn = re.findall(r"<figcaption>([^<]+)</figcaption>", shown)
    assert drawn[0].startswith("Precision and recall by capacity")
    assert {"Share of churns that were flagged in time"} < set(drawn)
    assert any("by tenth of the scores" in title for title in drawn)
    assert sum("by bucket" in title for title in drawn) == 3
    said = text(clients["rep"], "/quality")
    ((verdict,),) = marts("select verdict from marts.rpt_backtest")
    begin = {
        "predicts": "The score predicts churn here",
        "no_evidence": "No evidence that this score predicts churn here",
        "too_few": "Too few accounts churned to claim anything",
    }
    assert begin[verdict] in said
    assert re.search(r"Of [\d,]+ accounts? flagged \(at risk\) between .* left within 90 days \(\d", said)
    for precision, recall in marts(
        "select precision, recall from marts.rpt_backtest_capacity "
        "where scope = 'owner' and horizon_days = 90"
    ):
        assert f"{report.percent(precision)} {report.percent(recall)}" in said
    for observations, accounts, rate in marts(
        "select observations, accounts, churn_rate from marts.rpt_backtest_calibration "
        "where horizon_days = 90"
    ):
        assert f"{observations:,} {accounts:,} {report.percent(rate)}" in said


def test_weekly_metrics_have_their_n(clients: dict[str, TestClient], marts: Any) -> None:
    said = text(clients["rep"], "/quality")
    found = marts(
        """select metric, value, n, accounts from marts.rpt_health_metrics_weekly
        where slice = 'all' and value is not null
        qualify row_number() over (partition by metric, horizon_days order by week_start_date desc) = 1"""
    )
    assert len(found) > 10
    for metric, value, n, accounts in found:
        figure = report.number(round(value, 1)) if metric in measured.NUMBERS else report.percent(value)
        row = rf"{re.escape(measured.WEEKLY[metric])} .*?{re.escape(figure)} .*?{n:,} {accounts:,} "
        assert re.search(row, said), (metric, figure, n)


def test_the_audit_of_rules_names_what_each_rests_on(clients: dict[str, TestClient], marts: Any) -> None:
    said = text(clients["rep"], "/quality")
    found = marts(
        "select title, fired, accounts, known, churned, precision from marts.rpt_rule_audit "
        "where period = 'all' and known > 0"
    )
    assert found
    for title, fired, accounts, known, churned, precision in found:
        assert title in said
        assert f"{fired:,} {accounts:,} {known:,} {churned:,} {report.percent(precision)}, " in said


@pytest.mark.parametrize("outcome", ["churn", "expansion"])
def test_signals_by_outcome_are_a_page(clients: dict[str, TestClient], marts: Any, outcome: str) -> None:
    said = text(clients["rep"], f"/quality/signals?outcome={outcome}&segment=none-such")
    found = marts(
        f"""select signal, observations, accounts_with_outcome, accounts from marts.rpt_signals_by_outcome
        where outcome = '{outcome}' and segment = 'all' and group_name = 'all'"""
    )
    assert found
    for signal, observations, having, accounts in found:
        assert f"{signal} {observations:,} {having:,} of {accounts:,} " in said


def test_an_account_shows_how_its_bucket_and_its_rules_did(
    clients: dict[str, TestClient], marts: Any
) -> None:
    account, bucket, known, churned = marts(
        """select ledger.account_id, health.model_bucket, audit.known, audit.churned
        from marts.rpt_evidence_ledger as ledger
        inner join marts.rpt_account_health as health on ledger.account_id = health.account_id
        inner join marts.rpt_rule_audit as audit
            on ledger.rule_id = audit.rule_id and health.rule_set = audit.rule_set and audit.period = 'all'
        where ledger.result = 'true'
        order by 1 limit 1"""
    )[0]
    said = text(clients["admin"], f"/accounts/{account}")
    accounts, left, rate, low, high = marts(
        "select accounts, churned, churn_rate, ci_low, ci_high from marts.rpt_bucket_outcomes "
        f"where bucket = '{bucket}'"
    )[0]
    figure = f"{report.percent(rate)}, {report.interval([low, high])}"
    assert f"Of {accounts:,} accounts in this bucket {left:,} left within 90 days ({figure})." in said
    assert f"{known:,} {churned:,} (" in said


def test_the_sentence_of_a_bucket_counts_first() -> None:
    row = {"accounts": 40, "churned": 11, "churn_rate": 0.275, "ci_low": 0.16, "ci_high": 0.43}
    assert (
        measured.bucket_sentence(row)
        == "Of 40 accounts in this bucket 11 left within 90 days (28 %, 16 to 43)."
    )


@pytest.mark.parametrize("name", measured.FILES)
def test_each_table_is_a_file(clients: dict[str, TestClient], marts: Any, name: str) -> None:
    address = f"/quality?format=csv&part={name}"
    where = {
        "rpt_health_metrics_weekly": "where slice = 'all'",
        "rpt_signals_by_outcome": "where outcome = 'churn' and segment = 'all'",
    }.get(name, "")
    ((count,),) = marts(f"select count(*) from marts.{name} {where}")
    found = rows(clients["rep"], address)
    assert len(found) == count
    if found:
        assert list(found[0]) == [column for (column, *_) in marts(f"describe marts.{name}")]
    if name == "rpt_health_metrics_weekly":
        ((others,),) = marts(f"select count(*) from marts.{name} where slice <> 'all'")
        assert others > 0, "or nobody's follow-through could be seen"


def test_too_much_to_count_while_somebody_waits_is_a_sentence(
    clients: dict[str, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "MOST_OBSERVATIONS", 0)
    said = text(clients["lead"], "/quality/signals?outcome=churn")
    assert "too many observations to count them while you wait" in said
    assert rows(clients["lead"], "/quality/signals?format=csv") == []


def test_a_young_history_is_shown_as_not_known_yet(demo_run: Place, owners: Owners, tmp_path: Path) -> None:
    for clients in signed_in(demo_run.published, owners, tmp_path / "panel.sqlite"):
        said = text(clients["admin"], "/quality")
        assert "Within 30 days nothing is known yet" in said
        assert "Nothing is old enough to judge yet" in text(clients["admin"], "/quality/signals")
        account = rows(clients["admin"], "/portfolio?format=csv")[0]["account_id"]
        assert "How accounts in this bucket did is not known yet" in text(
            clients["admin"], f"/accounts/{account}"
        )


def test_a_copy_of_an_earlier_release_is_shown_without_them(
    demo_run: Place, owners: Owners, tmp_path: Path
) -> None:
    dropped = [f"drop view marts.{name}" for name in VIEWS]
    dropped += [f"drop table marts.{name}" for name in (*MADE_UP, "rpt_run_costs_weekly")]
    published = publish_again(demo_run, tmp_path, *dropped)
    for clients in signed_in(published, owners, tmp_path / "panel.sqlite"):
        said = text(clients["admin"], "/quality")
        assert "the next run measures what customers did after they were scored" in said
        assert said.count("Not in this copy yet: the next run") == 3
        assert "Not in this copy yet" in text(clients["admin"], "/quality/signals")
        account = rows(clients["admin"], "/portfolio?format=csv")[0]["account_id"]
        assert "How such accounts did here" not in text(clients["admin"], f"/accounts/{account}")
        for name in measured.FILES:
            assert rows(clients["admin"], f"/quality?format=csv&part={name}") == []


@pytest.mark.slow
def test_it_is_readable_on_a_phone_at_a_desk_and_printed(
    browser: Browser, published: Path, shots: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "panel.sqlite")
    users.add(store, "ada", "admin", [], PASSWORD)
    with running(published, store.file) as server:
        for size, scheme in (("phone", "dark"), ("desk", "light")):
            context = browser.new_context(
                color_scheme=scheme,  # type: ignore[arg-type]
                viewport=PHONE if size == "phone" else DESK,  # type: ignore[arg-type]
            )
            page = sign_in(context, server.address, "ada", PASSWORD)
            for name, path in (("measured", "/quality"), ("signals", "/quality/signals")):
                page.goto(server.address + path)
                page.screenshot(path=shots / f"{name}-{size}-{scheme}.png", full_page=True)
                accessible(page)
                width = page.evaluate("document.documentElement.scrollWidth")
                assert width <= page.viewport_size["width"]  # type: ignore[index]
            if size == "desk":
                page.goto(f"{server.address}/quality")
                page.emulate_media(media="print")
                assert page.locator(".top, .file").evaluate_all(
                    "all => all.every(one => getComputedStyle(one).display === 'none')"
                )
                assert page.locator(".measured svg").evaluate_all(
                    "all => all.length > 5 && all.every(one => one.getBoundingClientRect().height > 50)"
                )
                page.screenshot(path=shots / "measured-printed.png", full_page=True)
            context.close()
