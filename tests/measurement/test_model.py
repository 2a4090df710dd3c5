"""`radar calibrate --model`: a risk model that is rows of seeds, and whose reasons add up."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from radar.cli.main import app
from radar.core.errors import UsageError
from radar.measurement.calibrate import Request
from radar.measurement.model import Fit, Shadow, cut_points, shadow
from radar.rules.checks import check
from radar.rules.gathering import gather
from tests.measurement.test_backtest_command import MONDAYS, gone, made, scores, unknowable, version
from tests.measurement.test_calibrate import Signal, published
from tests.oracle.measurement import Company

pytest.importorskip("sklearn", reason="of the extra calibrate")
pytest.importorskip("lifelines", reason="of the extra calibrate")

LEFT = {f"left{n:02}": MONDAYS[-1] + timedelta(days=60 + 5 * n // 2) for n in range(100)}
"""The day on which an account leaves; of the last ones it has not come yet."""
KNOWN = {account: day for account, day in LEFT.items() if day <= MONDAYS[0]}
STAYED = [f"stay{n:02}" for n in range(80)]
UNTIL = MONDAYS[20]


def customers(left: Mapping[str, date] = KNOWN) -> Company:
    """Some who leave, and others who stay; the recorded score is always 90."""
    stayed = [name for name in (*LEFT, *STAYED) if name not in left]
    return made(
        [one for account, day in left.items() for one in gone(account, day)]
        + [version(account) for account in stayed],
        [one for one in scores(*left, *stayed) if one.day < left.get(one.account_id, date.max)],
    )


def logins(account: str, day: date) -> float:
    """Logins that run dry in the 90 days before an account leaves."""
    left, number = LEFT.get(account), int(account[-2:])
    if left and timedelta(0) < left - day <= timedelta(days=90):
        return (left - day).days // 3 + number % 5
    return 60 + (number * 7 + day.toordinal()) % 40 / 3


def csat(account: str, day: date) -> float | None:
    """Nobody's answer means anything, and every third account has none."""
    number = int(account[-2:])
    return None if number % 3 == 0 else 1 + (number * 13 + day.toordinal() // 7) % 5


SIGNALS: dict[str, Signal] = {"logins_30d": logins, "csat_90d": csat, "pulse_latest": csat}


def copied(company: Company, folder: Path, signals: Mapping[str, Signal] = SIGNALS, **unknown: str) -> Path:
    """A published copy without pulses, and without one signal of some accounts on the newest date."""
    published(company, folder, signals)
    with duckdb.connect(str(folder / "radar.duckdb")) as con:
        con.execute(
            "update scoring.fct_signal_values set is_known = false, value = null "
            "where signal = 'pulse_latest'"
        )
        for account, signal in unknown.items():
            con.execute(
                "update scoring.fct_signal_values set is_known = false, value = null "
                "where account_id = ? and signal = ? and as_of_date = ?",
                [account, signal, MONDAYS[0]],
            )
    return folder


def run(folder: Path, *options: str) -> str:
    """What `radar calibrate --model` prints of the copy in a folder."""
    done = CliRunner().invoke(app, ["calibrate", "--model", f"--published={folder}", *options])
    if done.exception:
        raise done.exception
    assert done.exit_code == 0
    return done.stdout


def fitted(done: Shadow) -> Fit:
    assert done.fit is not None, done.reason
    return done.fit


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gather(None, tmp_path_factory.mktemp("model") / "seeds")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "published"
    return copied(customers(), folder, stay07="logins_30d", stay08="csat_90d")


@pytest.fixture(scope="module")
def done(copy: Path, seeds: Path) -> Shadow:
    return shadow(copy / "radar.duckdb", seeds, Request())


def readings(done: Shadow) -> dict[str, dict[str, Any]]:
    """The reasons by account and signal."""
    found: dict[str, dict[str, Any]] = {}
    for row in done.reasons:
        found.setdefault(row["account_id"], {})[row["signal"]] = row
    return found


def test_reasons_add_up_to_the_log_odds_exactly(done: Shadow) -> None:
    reasons = readings(done)
    known = [row for row in done.scores if row["risk"] is not None]
    assert len(known) > 80
    for row in known:
        added = sum((one["log_odds"] for one in reasons[row["account_id"]].values()), Decimal(0))
        assert row["baseline_log_odds"] + added == row["log_odds"]
        assert row["risk"] == pytest.approx(1 / (1 + np.exp(-float(row["log_odds"]))), abs=1e-9)


def test_the_risk_of_the_seeds_is_that_of_the_classifier(done: Shadow) -> None:
    pandas = pytest.importorskip("pandas")
    reasons, fit = readings(done), fitted(done)
    known = [row for row in done.scores if row["risk"] is not None]
    values = pandas.DataFrame(
        {signal: [_value(reasons[row["account_id"]].get(signal)) for row in known] for signal in fit.cuts}
    )
    by_classifier = fit.classifier.predict_proba(fit.codes(values))[:, 1]
    assert [row["risk"] for row in known] == pytest.approx(list(by_classifier), abs=1e-9)
    assert {reasons[row["account_id"]]["csat_90d"]["value"] is None for row in known} == {True, False}


def _value(row: Mapping[str, Any] | None) -> float:
    return float("nan") if row is None or row["value"] is None else float(row["value"])


def test_a_risk_only_rises_as_a_signal_gets_worse(done: Shadow) -> None:
    steps = [row for row in fitted(done).steps if row["signal"] == "logins_30d"]
    valued = [Decimal(row["log_odds"]) for row in steps if not row["is_without_value"]]
    assert valued == sorted(valued, reverse=True)
    assert valued[0] > valued[-1]
    assert {row["signal"] for row in fitted(done).steps} <= {"logins_30d", "csat_90d"}, "pulses are unknown"


def test_it_is_measured_next_to_the_recorded_scores_on_time_after_the_fit(done: Shadow) -> None:
    figures = done.figures["horizons"]["60"]
    champion, found = figures["champion"], figures["model"]
    assert champion["auc"] == 0.5
    assert champion["recall_top_tenth"] == pytest.approx(0.1)
    assert found["auc_ci"][0] > 0.9
    assert found["recall_top_tenth"] > 4 * champion["recall_top_tenth"]
    same = ("n", "accounts", "positives", "events", "base_rate")
    assert {name: champion[name] for name in same} == {name: found[name] for name in same}
    tenths = done.figures["calibration"]
    assert sum(row["observations"] for row in tenths) == found["n"]
    assert tenths[0]["tenth"] == 1
    assert tenths[0]["churn_rate"] > tenths[-1]["churn_rate"]
    assert tenths[0]["risk_to"] > tenths[-1]["risk_to"]


def test_an_account_with_an_unknown_signal_falls_back_to_its_bucket(done: Shadow) -> None:
    rows = {row["account_id"]: row for row in done.scores}
    row = rows["stay07"]
    assert (row["risk"], row["risk_rank"], row["risk_tenth"], row["log_odds"]) == (None,) * 4
    assert (row["unknown_signals"], row["bucket"]) == ("logins_30d", "healthy")
    assert rows["stay09"]["risk"] is not None
    assert any("accounts have no risk" in note and "logins_30d" in note for note in done.notes), done.notes


def test_drift_is_seen_where_a_signal_is_shifted_and_not_elsewhere(
    done: Shadow, seeds: Path, tmp_path: Path
) -> None:
    assert {row["signal"]: row["drift"] for row in done.figures["signals"]}["logins_30d"] == "stable"

    def shifted(account: str, day: date) -> float:
        return logins(account, day) - (45 if day == MONDAYS[0] else 0)

    folder = copied(customers(), tmp_path / "published", {**SIGNALS, "logins_30d": shifted})
    again = shadow(folder / "radar.duckdb", seeds, Request())
    assert fitted(again).seeds() == fitted(done).seeds(), "the newest date is not fitted to"
    assert {row["signal"]: row["drift"] for row in again.figures["signals"]}["logins_30d"] == "fit_again"
    assert any(note.startswith("Fit again: logins_30d is spread otherwise") for note in again.notes)


def test_what_comes_after_train_until_changes_nothing(seeds: Path, tmp_path: Path) -> None:
    """Later outcomes and values are others: the rows of the model are the same bytes."""
    request = Request(train_until=UNTIL)

    def later(account: str, day: date) -> float:
        return logins(account, day) if day <= UNTIL else 3.0

    usual = copied(customers(), tmp_path / "usual")
    other = copied(
        customers({account: day for account, day in LEFT.items() if day <= UNTIL}),
        tmp_path / "other",
        {**SIGNALS, "logins_30d": later},
    )
    one, two = (fitted(shadow(folder / "radar.duckdb", seeds, request)) for folder in (usual, other))
    assert one.seeds() == two.seeds()


def test_files_are_seeds_that_are_sound_and_the_same_in_every_run(copy: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shown = run(copy, f"--output={tmp_path / name}")
        assert "It is a shadow: nothing acts on it." in shown
        assert "The riskiest tenth of each week had" in shown
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert [str(path) for path in files] == [
        "risk_model.csv",
        "risk_model_steps.csv",
        "scores/model.json",
        "scores/model_reasons.csv",
        "scores/model_scores.csv",
    ]
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert check(gather(tmp_path / "one", tmp_path / "gathered")) == []
    with (tmp_path / "one/scores/model_scores.csv").open(encoding="utf-8", newline="") as file:
        ranks = [int(row["risk_rank"]) for row in csv.DictReader(file) if row["risk_rank"]]
    assert ranks == sorted(ranks)
    summary = json.loads((tmp_path / "one/scores/model.json").read_text("utf-8"))
    assert summary["model"]["risk_model"]["horizon_days"] == "60"


def test_who_stays_is_shown_by_bucket_with_who_is_still_followed(done: Shadow) -> None:
    survival = done.figures["survival"]
    landmark = survival["landmark"]
    followed_until = MONDAYS[0] - timedelta(days=14)
    assert landmark == max(day for day in MONDAYS if day + timedelta(days=180) <= followed_until)
    there = [day for day in KNOWN.values() if day > landmark]
    to_come = len(LEFT) - len(KNOWN)
    groups = {row["group"]: row for row in survival["groups"]}
    assert groups["all"]["accounts"] == len(there) + to_come + len(STAYED)
    assert groups["healthy"]["accounts"] == groups["all"]["accounts"]
    assert "lowest tenth" not in groups, "all scores tie"
    for term in groups["all"]["terms"]:
        end = landmark + timedelta(days=term["days"])
        gone_by_then = sum(day <= end for day in there)
        assert term["stayed"] == pytest.approx(1 - gone_by_then / groups["all"]["accounts"]), (
            "nobody censored"
        )
        assert term["ci"][0] < term["stayed"] < term["ci"][1]
    (ratio,) = [row for row in survival["cox"] if row["signal"] == "logins_30d"]
    assert ratio["ci"][1] < 1, "more logins, fewer leave"


def test_steps_are_tenths_and_large_ties_are_their_own() -> None:
    assert cut_points(np.arange(100.0)) == [9, 19, 29, 39, 49, 59, 69, 79, 89]
    assert cut_points(np.array([0.0] * 60 + [1.0] * 5 + [2.0] * 35)) == [1, 2]
    assert cut_points(np.array([4.0] * 50)) == []
    assert cut_points(np.array([np.nan] * 50)) == []


@pytest.mark.parametrize(
    ("what", "options", "sentences"),
    [
        ("no billing", (), ["No model: No account-week", "There is no billing history"]),
        ("nobody pays", (), ["No model: No account-week", "No scored account was paying"]),
        ("no churn", (), ["0 had churned within 60 days", "none of 3 accounts churned"]),
        ("all churned", (), ["0 had churned within 60 days", "too few to fit a model to"]),
        ("all undecided", (), ["too few to fit a model to", "Every score was undecided"]),
        ("no churn", ("--horizon=400",), ["No outcome within 400 days was known"]),
        ("no churn", ("--train-until=2020-01-01",), ["No outcome within 60 days was known on 2020-01-01"]),
    ],
)
def test_what_cannot_be_known_is_a_sentence_and_no_failure(
    what: str, options: tuple[str, ...], sentences: list[str], tmp_path: Path
) -> None:
    copied(unknowable(what), tmp_path / "published", {"logins_30d": lambda account, day: ord(account[0]) % 7})
    shown = run(tmp_path / "published", *options, f"--output={tmp_path / 'out'}")
    for sentence in sentences:
        assert sentence in shown, shown
    assert not (tmp_path / "out").exists()


def test_every_account_that_left_is_one_class(seeds: Path, tmp_path: Path) -> None:
    left = {f"left{n:02}": MONDAYS[10] for n in range(30)}
    company = made(
        [one for account, day in left.items() for one in gone(account, day)],
        [one for one in scores(*left) if MONDAYS[15] < one.day < MONDAYS[10]] + scores("later")[:1],
    )
    folder = copied(
        company, tmp_path / "published", {"logins_30d": lambda account, day: len(account) + day.day}
    )
    one_class = shadow(folder / "radar.duckdb", seeds, Request(train_until=MONDAYS[0]))
    assert one_class.fit is None
    assert one_class.reason is not None
    assert one_class.reason.startswith("Every account observed until")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--share=5",), "--share is about rules"),
        (("--max-rules=3",), "--max-rules is about rules"),
        (("--horizon=0",), "--horizon cannot be 0"),
    ],
)
def test_wrong_usage_is_refused(options: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        run(tmp_path, *options)
    assert refused.value.exit_status == 2
