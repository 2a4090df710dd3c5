"""`radar backtest` as people and programs call it: what it prints where something is known, and where not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from radar.cli.main import app
from radar.core.errors import UsageError
from radar.measurement.backtest import Question, measured_copy
from tests.measurement.company_copy import publish
from tests.measurement.random_company import LAST, company
from tests.oracle.measurement import Company, Score, Version
from tests.runs.radar_run import radar

MONDAYS = [LAST - timedelta(days=7 * week) for week in range(40)]
START = datetime(2024, 1, 1)


def version(account: str, **changed: Any) -> Version:
    """A subscription that is active and paid, and changed from that."""
    usual = Version(account, account, "team", "active", Decimal(100), START, None, False, None, START)
    return replace(usual, **changed)


def gone(account: str, day: date) -> list[Version]:
    """A customer that left on a day."""
    at = datetime.combine(day, datetime.min.time())
    return [version(account), version(account, status="canceled", canceled_at=at, updated_at=at, landed=1)]


def scores(*accounts: str, low: Callable[[str, date], bool] = lambda account, day: False) -> list[Score]:
    """Scores of all Mondays: 30 and at risk where `low` says so, else 90."""
    return [
        Score(account, day, 30, "at_risk") if low(account, day) else Score(account, day, 90, "healthy")
        for account in accounts
        for day in MONDAYS
    ]


def made(versions: list[Version], scored: list[Score], **more: Any) -> Company:
    return Company(versions=versions, plans={"team": True, "free": False}, scores=scored, **more)


def run(made_company: Company, folder: Path, *options: str) -> str:
    """What `radar backtest` prints of a company."""
    published = folder / "published"
    if not published.exists():
        published.mkdir()
        publish(made_company, published / "radar.duckdb")
    done = CliRunner().invoke(app, ["backtest", f"--published={published}", *options])
    if done.exception:
        raise done.exception
    return done.stdout


def foreseen(count: int = 40) -> Company:
    """Customers of which every second one leaves, with a low score for 45 days before."""
    days = {f"left{n}": MONDAYS[-1] + timedelta(days=60 + 3 * n) for n in range(count)}
    stay = [f"stay{n}" for n in range(count)]
    return made(
        [one for account, day in days.items() for one in gone(account, day)]
        + [version(account) for account in stay],
        [
            score
            for score in scores(
                *days, *stay, low=lambda one, day: one in days and day > days[one] - timedelta(days=45)
            )
            if score.account_id not in days or score.day < days[score.account_id]
        ],
    )


def test_a_score_that_foresees_says_so_with_n_base_rate_horizon_and_interval(tmp_path: Path) -> None:
    publish(foreseen(), tmp_path / "radar.duckdb")
    done = radar("backtest", f"--published={tmp_path}", f"--html={tmp_path / 'page.html'}")
    assert (done.returncode, done.stderr) == (0, "")
    first = done.stdout.splitlines()[:3]
    assert any(line.startswith("The score predicts churn here (within 90 days, ") for line in first), first
    assert "too young to judge" in done.stdout
    titles = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    assert titles.index("What was measured") < next(
        n for n, line in enumerate(titles) if line.startswith("Capacity")
    )
    page = (tmp_path / "page.html").read_text()
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    drawn = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert drawn[0].startswith("Precision and recall by capacity")
    assert sum("by bucket" in title for title in drawn) == 3
    assert {"Share of churns that were flagged in time"} < set(drawn)
    assert "The score predicts churn here" in page


def test_what_does_not_fit_into_memory_is_not_left_where_the_command_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(foreseen(4), tmp_path / "radar.duckdb")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with measured_copy(tmp_path / "radar.duckdb", Question()) as con:
        con.execute("set memory_limit = '100MB'")
        con.execute("create table much as select md5(n::varchar) as text from range(5_000_000) as many (n)")
        ((spilled,),) = con.execute("select sum(size) from duckdb_temporary_files()").fetchall()
        assert spilled, "it has not fitted into memory"
        ((folder,),) = con.execute("select current_setting('temp_directory')").fetchall()
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        assert [*Path().iterdir()] == []
    assert not Path(folder).exists()


def test_scores_that_know_nothing_are_said_to_know_nothing(tmp_path: Path) -> None:
    known = foreseen()
    accounts = sorted({score.account_id for score in known.scores})
    blind = replace_scores(known, lambda score: accounts.index(score.account_id) % 3 == 0)
    assert "No evidence that this score predicts churn here" in run(blind, tmp_path)
    found = json.loads(run(blind, tmp_path, "--json"))
    assert found["verdict"] == "no_evidence"
    low, high = found["horizons"]["90"]["at_risk"]["lift_ci"]
    assert low < 1 < high


def replace_scores(known: Company, low: Callable[[Score], bool]) -> Company:
    """The same company with other scores."""
    return made(
        list(known.versions),
        [
            replace(score, score=30.0, bucket="at_risk")
            if low(score)
            else replace(score, score=90.0, bucket="healthy")
            for score in known.scores
        ],
    )


@pytest.mark.parametrize(
    ("what", "options", "sentences"),
    [
        (
            "no billing",
            (),
            ["There is no billing history, so nobody knows who left", "billing/subscriptions"],
        ),
        ("no churn", (), ["none of 3 accounts churned", "Too few accounts churned"]),
        ("no churn", ("--horizon=400",), ["Within 400 days nothing is known yet", "radar run --since"]),
        ("no churn", ("--since=2030-01-01",), ["No date in this range was scored"]),
        ("all churned", ("--horizon=30", f"--since={MONDAYS[10]}"), ["every observed account churned"]),
        ("all undecided", (), ["Every score was undecided"]),
        ("nobody pays", (), ["No scored account was paying", "seeds/plans.csv"]),
        ("amount unknown", (), ["have no amount in USD", "mrr_usd"]),
        ("ends in the future", (), ["had given notice", "left out"]),
        ("came back", (), ["within the grace days: a switch, no churn", "came back after the grace days"]),
        ("renewals on one day", (), ["renewals are of several subscriptions of one account on one day"]),
    ],
)
def test_what_cannot_be_known_is_a_sentence_and_no_failure(
    what: str, options: tuple[str, ...], sentences: list[str], tmp_path: Path
) -> None:
    shown = run(unknowable(what), tmp_path, *options)
    for sentence in sentences:
        assert sentence in shown, shown
    page = tmp_path / "page.html"
    found = json.loads(run(unknowable(what), tmp_path, "--json", f"--html={page}", *options))
    assert found["notes"]
    assert found["verdict"] == "too_few"
    assert page.read_text().startswith("<!doctype html>")


def unknowable(what: str) -> Company:
    """Three customers of whom something cannot be known."""
    three = ("a", "b", "c")
    usual, seen = [version(account) for account in three], scores(*three)
    end = datetime.combine(MONDAYS[20], datetime.min.time())
    return {
        "no billing": lambda: made([], seen),
        "no churn": lambda: made(usual, seen),
        "all churned": lambda: made(
            [one for account in three for one in gone(account, MONDAYS[9])],
            [score for score in seen if score.day < MONDAYS[9]] + scores("later"),
        ),
        "all undecided": lambda: made(usual, [replace(score, decision="undecided") for score in seen]),
        "nobody pays": lambda: made([version(account, plan_id="free") for account in three], seen),
        "amount unknown": lambda: made([version(account, mrr_usd=None) for account in three], seen),
        "ends in the future": lambda: made(
            [*usual[1:], version("a", cancel_at_period_end=True, current_period_end=datetime(2027, 1, 1))],
            seen,
        ),
        "came back": lambda: made(
            [
                *gone("a", MONDAYS[20]),
                version("a", updated_at=end + timedelta(days=13), landed=2),
                *gone("b", MONDAYS[20]),
                version("b", updated_at=end + timedelta(days=14), landed=2),
                version("c"),
            ],
            seen,
        ),
        "renewals on one day": lambda: made(
            [
                *usual,
                version("a", subscription_id="a1", current_period_end=end),
                version("a", subscription_id="a2", current_period_end=end),
            ],
            seen,
        ),
    }[what]()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--horizon=x",), "is no list of days"),
        (("--horizon=0",), "is no list of days"),
        (("--by=colour",), "--by cannot be 'colour'"),
        (("--rule-set=nobody",), "there are no scores of a rule set 'nobody'"),
        (("--since=2026-06-02", "--until=2026-06-01"), "--since is after --until"),
        (("--since=yesterday",), "--since"),
    ],
)
def test_wrong_usage_is_refused(options: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        run(unknowable("no churn"), tmp_path, *options)
    assert refused.value.exit_status == 2


def test_a_copy_that_is_not_there_or_of_an_earlier_version_is_wrong_usage(tmp_path: Path) -> None:
    done = radar("backtest", f"--published={tmp_path}")
    assert (done.returncode, "nothing has been published yet" in done.stderr) == (2, True)
    with duckdb.connect(str(tmp_path / "radar.duckdb")) as con:
        con.execute("create schema marts; create table marts.fct_health_history (account_id varchar)")
    done = radar("backtest", f"--published={tmp_path}")
    assert (done.returncode, "earlier version" in done.stderr) == (2, True)


def test_other_horizons_dates_and_slices_are_measured_by_the_same_models(tmp_path: Path) -> None:
    random = company(3, accounts=40, step=7)
    found = json.loads(run(random, tmp_path, "--json", "--horizon=45", "--by=plan"))
    assert list(found["horizons"]) == ["45"]
    slices = found["by"]["plan"]
    assert sum(one["45"]["n"] for one in slices.values()) == found["horizons"]["45"]["n"] > 0
    early = json.loads(run(random, tmp_path, "--json", f"--until={LAST - timedelta(days=100)}"))
    assert early["last"] <= str(LAST - timedelta(days=100))
    assert early["known_until"] == str(LAST)
    assert early["horizons"]["30"]["censored"] < found["observations"]
