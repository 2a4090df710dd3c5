"""`radar calibrate`: limits from a company's own levels, outcomes that confirm or drop them."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from radar.cli.main import app
from radar.core.errors import UsageError
from radar.measurement.backtest import COPY, Question, figures_of, measured_copy
from radar.measurement.calibrate import Proposal, Request, Steps
from radar.measurement.models import compile_model
from radar.measurement.rule_rows import FAMILIES, typed_rows
from radar.rules.checks import check
from radar.rules.gathering import gather
from tests.frozen import SEEDS
from tests.measurement.company_copy import fill, publish
from tests.measurement.test_backtest_command import MONDAYS, gone, made, scores, unknowable, version
from tests.oracle.measurement import Company
from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import Place, radar

CATALOGUE = typed_rows(SEEDS, "signals")
Signal = Callable[[str, date], float | None]
LEFT = {f"left{n:02}": MONDAYS[-1] + timedelta(days=60 + 5 * n) for n in range(40)}
STAYED = [f"stay{n:02}" for n in range(60)]


def published(company: Company, folder: Path, signals: Mapping[str, Signal]) -> Path:
    """A published copy of a company with values of these signals; None is null by definition."""
    folder.mkdir(exist_ok=True)
    file = publish(company, folder / "radar.duckdb")
    with duckdb.connect(str(file)) as con:
        con.begin()
        con.execute(
            """
            create schema signals;
            create schema intermediate;
            create table scoring.fct_signal_values (
                account_id varchar, as_of_date date, signal varchar, value double, is_known boolean
            );
            create view intermediate.int_signal_states as
            select signal, as_of_date, bool_or(is_known) as is_known, null::timestamp as observed_at
            from scoring.fct_signal_values group by all;
            create view intermediate.int_account_unknown_days as
            select account_id, as_of_date, concat(' ', string_agg(signal, ' '), ' ') as unknown_signals
            from scoring.fct_signal_values where not is_known group by all;
            create table scoring.int_rule_inputs as
            select
                account_id, as_of_date, segment, null::bigint as days_to_renewal,
                false as is_renewal_unknown
            from marts.fct_health_history;
            create table scoring.int_scored_accounts as
            select
                account_id, as_of_date, segment, null::varchar as contradiction,
                null::varchar as unknown_signals, false as is_customer_unknown
            from marts.fct_health_history;
            """
        )
        rows = [
            (one.account_id, one.day, name, value(one.account_id, one.day), True)
            for one in company.scores
            for name, value in signals.items()
        ]
        fill(con, "scoring.fct_signal_values", rows)
        for family in FAMILIES:
            own = [row["signal"] for row in CATALOGUE if row["family"] == family]
            con.execute(
                f"""
                create table signals.sig_{family} as
                pivot (
                    from scoring.fct_signal_values where is_known
                ) on signal in ({", ".join(f"'{name}'" for name in own)})
                using max(value) group by account_id, as_of_date
                """
            )
        con.commit()
    return file


def customers() -> Company:
    """Forty who leave, one every five days, and sixty who stay; the recorded score is always 90."""
    return made(
        [one for account, day in LEFT.items() for one in gone(account, day)]
        + [version(account) for account in STAYED],
        [one for one in scores(*LEFT, *STAYED) if one.day < LEFT.get(one.account_id, date.max)],
    )


def level(account: str, day: date) -> float:
    """Logins that run dry in the 90 days before an account leaves."""
    left, number = LEFT.get(account), int(account[-2:])
    if left and timedelta(0) < left - day <= timedelta(days=90):
        return (left - day).days // 3 + number % 5
    return 60 + (number * 7 + day.toordinal()) % 40


def run(folder: Path, *options: str) -> str:
    """What `radar calibrate` prints of the copy in a folder."""
    done = CliRunner().invoke(app, ["calibrate", f"--published={folder}", *options])
    if done.exception:
        raise done.exception
    return done.stdout


def found(folder: Path, *options: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(run(folder, "--json", *options))
    return result


def test_a_level_that_falls_before_customers_leave_becomes_a_rule_that_holds(tmp_path: Path) -> None:
    folder, rows = tmp_path / "published", tmp_path / "proposed"
    published(customers(), folder, {"logins_30d": level})
    calibrated = found(folder, f"--output={rows}")
    assert calibrated["reason"] is None
    (rule,) = calibrated["rules"]
    assert (rule["rule_id"], rule["verdict"], rule["points"]) == ("low_logins_30d", "holds", -25)
    assert rule["lift_ci_99"][0] > 1
    (row,) = calibrated["proposal"]["rule_sets"]
    assert (row["rule_set"], row["status"]) == ("calibrated_v1", "candidate")
    figures = calibrated["horizons"]["60"]
    assert figures["champion"]["recall_top_tenth"] == pytest.approx(0.1), "all tie: equal parts"
    assert figures["champion"]["auc"] == 0.5
    assert figures["limits"] == figures["proposal"]
    assert figures["limits"]["recall_top_tenth"] > 0.5
    assert check(gather(rows, tmp_path / "gathered")) == []
    done = radar("rules", "check", f"--seeds={rows}")
    assert (done.returncode, done.stderr) == (0, "")
    shown = run(folder)
    assert "Proposed: calibrated_v1, 1 rule, a candidate." in shown
    assert "a time that placed no limit" in shown
    churned = calibrated["points"]["churned_accounts"]
    assert churned < calibrated["points"]["needed"] == 30
    until = calibrated["train_until"]
    assert f"Points of the standard: {churned} churned accounts until {until}, 30 needed." in shown
    again = found(folder, f"--seeds={rows}")
    assert again["proposal"]["rule_sets"][0]["rule_set"] == "calibrated_v2", "the name is taken"


def test_signals_that_hold_nothing_make_no_proposal(tmp_path: Path) -> None:
    accounts = [*LEFT, *STAYED]
    others = accounts.copy()
    random.Random(4).shuffle(others)
    of_another = dict(zip(accounts, others, strict=True))
    folder, rows = tmp_path / "published", tmp_path / "proposed"
    published(customers(), folder, {"logins_30d": lambda account, day: level(of_another[account], day)})
    calibrated = found(folder, f"--output={rows}")
    assert calibrated["proposal"] is None
    assert calibrated["reason"].startswith("No evidence: none of the 1 rule")
    assert [rule["verdict"] for rule in calibrated["rules"]] == ["not_shown"]
    assert not rows.exists()
    assert run(folder).startswith("No evidence")


def test_a_rule_that_outcomes_speak_against_is_dropped(tmp_path: Path) -> None:
    def busiest(account: str, day: date) -> float:
        return -level(account, day)

    folder = tmp_path / "published"
    published(customers(), folder, {"logins_30d": level, "active_days_30d": busiest})
    calibrated = found(folder)
    verdicts = {rule["rule_id"]: rule["verdict"] for rule in calibrated["rules"]}
    assert verdicts == {"low_logins_30d": "holds", "low_active_days_30d": "against"}
    assert [row["rule_id"] for row in calibrated["proposal"]["rules"]] == ["low_logins_30d"]
    figures = calibrated["horizons"]["60"]
    assert figures["proposal"]["auc"] > figures["limits"]["auc"]
    assert any("flatter it" in note for note in calibrated["notes"])


def test_the_ceiling_learns_from_outcomes_known_by_then(tmp_path: Path) -> None:
    folder = tmp_path / "published"
    published(customers(), folder, {"logins_30d": level})
    early = found(folder, "--horizon=30")["horizons"]["30"]
    assert early["ceiling"] is None, "fewer than 20 had churned by then"
    until = MONDAYS[-1] + timedelta(days=200)
    late = found(folder, "--horizon=30", f"--train-until={until}")["horizons"]["30"]
    assert late["ceiling"]["n"] == late["champion"]["n"]
    assert late["ceiling"]["recall_top_tenth"] > 0.9


def test_models_are_fitted_to_whole_accounts_and_no_more_weeks_than_fit_into_memory() -> None:
    relations = {"fct_observations": "fct_observations"}
    with duckdb.connect() as con:
        con.execute(
            """
            create table fct_observations as
            select 'a' || n as account_id, case when w = 3 then 'noticed' end as left_out_because
            from range(20) as accounts (n), range(4) as weeks (w)
            """
        )
        queries = {
            most: compile_model("fitted_accounts", {"most": most}, relations) for most in (29, 30, 59, 60)
        }
        fitted = {most: set(con.execute(query).fetchall()) for most, query in queries.items()}
    assert [len(fitted[most]) for most in (29, 30, 59, 60)] == [9, 10, 19, 20]
    assert fitted[29] < fitted[30] < fitted[59] < fitted[60]


def of_one_date(account: str, day: date, limit: int, cut: Callable[[int, int], int]) -> int:
    """The number of an account, cut on one date, where so many tie."""
    return cut(int(account[1:]), limit) if day == MONDAYS[-1] else int(account[1:])


UNTIL = MONDAYS[-1] + timedelta(days=161)
MANY = {f"left{n:02}": MONDAYS[-1] + timedelta(days=40 + 3 * n) for n in range(80)}


def of_many(folder: Path, left: Mapping[str, date] = MANY) -> list[str]:
    """Options for eighty of whom each leaves early or late: one signal knows it, the other nothing."""

    def known(account: str, day: date) -> float:
        if account in MANY and timedelta(0) < MANY[account] - day <= timedelta(days=30):
            return int(account[-2:]) % 5
        return 60 + (int(account[-2:]) * 7 + day.toordinal()) % 40

    def unknowing(account: str, day: date) -> float:
        return (int(account[-2:]) * 13 + day.toordinal() // 7 * 31) % 100

    everybody = [*MANY, *STAYED]
    company = made(
        [one for account, day in left.items() for one in gone(account, day)]
        + [version(account) for account in everybody if account not in left],
        [one for one in scores(*everybody) if one.day < left.get(one.account_id, date.max)],
    )
    published(company, folder, {"logins_30d": known, "advanced_events_30d": unknowing})
    return ["--horizon=30", f"--train-until={UNTIL}"]


def test_points_are_fitted_where_they_are_better_on_later_time(tmp_path: Path, mine: SeedFolder) -> None:
    folder = tmp_path / "published"
    options = of_many(folder)
    calibrated = found(folder, *options, f"--output={tmp_path / 'rows'}")
    points = calibrated["points"]
    assert (points["used"], points["because"]) == ("fitted", "gain")
    assert points["gain_ci"][0] > 0
    assert points["churned_accounts"] >= 30
    assert points["churned_accounts_later"] >= 20
    proposed = {row["rule_id"]: row["points"] for row in calibrated["proposal"]["rules"]}
    assert proposed == points["fitted"] == {row["rule_id"]: row["points"] for row in calibrated["rules"]}
    assert proposed["low_logins_30d"] < proposed["low_advanced_events_30d"] <= -5
    assert all(cost % 5 == 0 for cost in proposed.values())
    assert check(gather(tmp_path / "rows", tmp_path / "gathered")) == []
    later = calibrated["horizons"]["30"]
    assert later["proposal"]["auc"] - later["limits"]["auc"] == pytest.approx(points["gain"], abs=2e-4)
    shown = run(folder, *options)
    assert f"Points fitted to outcomes until {UNTIL}: on time after it their gain in auc" in shown
    assert found(folder, *options)["points"] == points, "the same in every run"

    (row,) = (
        n for n, one in enumerate(mine.rows("settings"), 1) if one["setting"] == "calibrate_points_churned"
    )
    mine.change("settings", row, value=str(points["churned_accounts"]))
    assert found(folder, *options, f"--seeds={mine.folder}")["points"]["used"] == "fitted"
    mine.change("settings", row, value=str(points["churned_accounts"] + 1))
    few = found(folder, *options, f"--seeds={mine.folder}")
    assert (few["points"]["used"], few["points"]["because"]) == ("standard", "too_few")
    assert {row["points"] for row in few["proposal"]["rules"]} == {-25}


def test_points_know_no_outcome_that_came_later(tmp_path: Path) -> None:
    options = of_many(tmp_path / "all")
    early = {account: day for account, day in MANY.items() if day <= UNTIL}
    of_many(tmp_path / "early", early)
    fitted, without = (found(tmp_path / name, *options)["points"] for name in ("all", "early"))
    assert fitted["fitted"] == without["fitted"]
    assert fitted["churned_accounts"] == without["churned_accounts"]
    assert (fitted["used"], without["used"]) == ("fitted", "standard")
    assert without["because"] == "too_few_later"


def hundred(folder: Path) -> Path:
    """A hundred accounts that differ in one number from 0 to 99, each signal another reading of it."""
    accounts = [f"a{n:02}" for n in range(100)]

    def of(reading: Callable[[int], float | None]) -> Signal:
        return lambda account, day: reading(int(account[1:]))

    published(
        made([version(account) for account in accounts], scores(*accounts)),
        folder,
        {
            "active_days_30d": of(lambda n: n),
            "days_since_login": of(lambda n: n),
            "logins_30d": of(lambda n: max(n, 19)),
            "logins_7d": of(lambda n: max(n, 20)),
            "usage_trend_14d_pct": of(lambda n: n - 9),
            "premium_usage_14d_pct": of(lambda n: n - 9.996),
            "csat_90d": of(lambda n: n if n < 19 else None),
            "nps_latest": of(lambda n: n if n < 20 else None),
            "days_since_reply": of(lambda n: n),
            "days_since_key_feature": lambda account, day: of_one_date(account, day, 78, min),
            "advanced_events_30d": lambda account, day: of_one_date(account, day, 19, max),
        },
    )
    return folder


def test_limits_separate_the_worst_share_on_both_sides_of_each_bound(tmp_path: Path) -> None:
    calibrated = found(hundred(tmp_path / "published"))
    why = {row["signal"]: row["no_rule_because"] for row in calibrated["limits"]}
    assert why["logins_30d"] is None, "20 % share its limit"
    assert why["logins_7d"] == "ties", "21 %"
    assert (why["csat_90d"], why["nps_latest"]) == ("too_few_accounts", None), "19 accounts, and 20"
    assert (why["usage_trend_14d_pct"], why["premium_usage_14d_pct"]) == ("no_fall", None), "0, and below"
    assert why["days_past_due"] == "unknown"
    assert "days_since_reply" not in why, "relationship is no family of these"
    conditions = {
        row["rule_id"]: (row["operator"], row["threshold"], row["when_null"])
        for row in calibrated["proposal"]["rule_conditions"]
    }
    assert conditions == {
        "low_active_days_30d": ("lowest", 10, None),
        "low_advanced_events_30d": ("lowest", 10, None),
        "low_nps_latest": ("lowest", 10, False),
        "low_premium_usage_14d_pct": ("<=", -0.99, None),
        "high_days_since_login": ("highest", 10, None),
        "high_days_since_key_feature": (">=", 89, None),
        "low_logins_30d": ("lowest", 10, None),
    }
    limits = {row["rule_id"]: (row["limit"], row["limit_date"]) for row in calibrated["rules"]}
    assert limits["low_active_days_30d"] == (9, str(MONDAYS[0])), "of the newest date"
    assert limits["high_days_since_key_feature"] == (89, None), (
        "20 % tie at its limit on no date but one: 21 %"
    )
    shown = run(tmp_path / "published")
    assert f"active_days_30d among the lowest 10 % (9 on {MONDAYS[0]})" in shown
    assert "days_since_key_feature >= 89" in shown
    assert list(conditions) == [rule["rule_id"] for rule in calibrated["rules"]], "families take turns"
    points = {row["rule_id"]: row["points"] for row in calibrated["proposal"]["rules"]}
    assert {name: cost for name, cost in points.items() if cost != -25} == {"low_premium_usage_14d_pct": -15}
    assert any("Too few accounts churned" in note for note in calibrated["notes"]), calibrated["notes"]
    few = found(tmp_path / "published", "--max-rules=2", "--share=5")
    assert [(row["rule_id"], row["threshold"]) for row in few["proposal"]["rule_conditions"]] == [
        ("low_active_days_30d", 5),
        ("low_advanced_events_30d", 5),
    ]


def test_a_rank_fires_for_the_same_part_of_every_day_however_use_grows(tmp_path: Path) -> None:
    accounts = [f"a{n:03}" for n in range(100)]
    on_no_paid_plan = {"a000", "a001", "a002", "a003", "a004"}
    db = published(
        made([version(account) for account in accounts], scores(*accounts)),
        tmp_path / "published",
        {
            "active_days_30d": lambda account, day: int(account[1:]) + (day - MONDAYS[-1]).days,
            "is_paid_plan": lambda account, day: float(account not in on_no_paid_plan),
        },
    )
    fired = "(select as_of_date, account_id from limits_results where result = 'true')"
    found = scored(db, gather(None, tmp_path / "seeds"), fired)
    assert {day for day, _ in found} == set(MONDAYS)
    for monday in MONDAYS:
        assert [account for day, account in found if day == monday] == accounts[:15], "ten of 95, and below"


def test_without_outcomes_yet_the_limits_stand_on_every_week(tmp_path: Path) -> None:
    calibrated = found(hundred(tmp_path / "published"), "--horizon=400")
    assert calibrated["train_until"] == str(MONDAYS[0])
    assert calibrated["proposal"]
    assert any("No outcome within 400 days is known" in note for note in calibrated["notes"])
    assert calibrated["horizons"]["400"]["champion"] is None


@pytest.mark.parametrize(
    ("what", "sentences"),
    [
        ("no billing", ["No account-week of a paying account", "There is no billing history"]),
        ("no churn", ["No signal has a value that separates", "none of 3 accounts churned"]),
        ("all churned", ["No signal has a value that separates"]),
        ("all undecided", ["Every score was undecided"]),
        ("nobody pays", ["No account-week of a paying account", "No scored account was paying"]),
        ("amount unknown", ["have no amount in USD"]),
        ("ends in the future", ["had given notice"]),
        ("came back", ["came back after the grace days"]),
        ("renewals on one day", ["of several subscriptions of one account on one day"]),
    ],
)
def test_what_cannot_be_known_is_a_sentence_and_no_failure(
    what: str, sentences: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "published"
    published(unknowable(what), folder, {"logins_30d": level_of_anybody})
    shown = run(folder)
    for sentence in sentences:
        assert sentence in shown, shown
    assert found(folder)["proposal"] is None
    assert "until 2020-01-01" in run(folder, "--train-until=2020-01-01")


def level_of_anybody(account: str, day: date) -> float:
    return day.toordinal() % 97


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--share=0",), "--share cannot be 0"),
        (("--share=51",), "--share cannot be 51"),
        (("--horizon=0",), "--horizon cannot be 0"),
        (("--max-rules=0",), "--max-rules cannot be 0"),
        (("--train-until=soon",), "--train-until"),
        (("--published=/nowhere",), "nothing has been published yet"),
    ],
)
def test_wrong_usage_is_refused(options: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    published(unknowable("no churn"), tmp_path / "published", {})
    with pytest.raises(UsageError, match=sentence) as refused:
        run(tmp_path / "published", *options)
    assert refused.value.exit_status == 2


def test_a_copy_without_signals_says_how_to_get_one(tmp_path: Path) -> None:
    publish(customers(), tmp_path / "radar.duckdb")
    with pytest.raises(UsageError, match="publishes the copy again"):
        run(tmp_path)


def scored(db: Path, seeds: Path, table: str, *, horizon: int = 60) -> list[tuple[Any, ...]]:
    """The rows of a table that the steps leave, after all of them."""
    question = Question(horizons=(30, 60, 90))
    with measured_copy(db, question) as con:
        Steps(con, seeds, Request(horizon=horizon), question.horizons).run(figures_of(con, question))
        rows: list[tuple[Any, ...]] = con.execute(f"from {table} order by all").fetchall()
        return rows


def test_recall_of_the_riskiest_tenth_counts_ties_in_equal_parts(tmp_path: Path) -> None:
    db = published(customers(), tmp_path / "published", {"logins_30d": level})
    seeds = gather(None, tmp_path / "seeds")
    query = (
        "(select slice, as_of_date, score, has_churned from int_backtest_observations "
        "where horizon_days = 60)"
    )
    dates: dict[str, dict[date, list[tuple[float, bool]]]] = defaultdict(lambda: defaultdict(list))
    for name, day, score, has_churned in scored(db, seeds, query):
        dates[name][day].append((score, has_churned))
    figures = found(tmp_path / "published")["horizons"]["60"]
    for name in ("champion", "limits"):
        hits = churners = 0.0
        for rows in dates[name].values():
            room = len(rows) / 10
            for score in sorted({score for score, _ in rows}):
                ties = [has_churned for other, has_churned in rows if other == score]
                part = min(max(room, 0.0) / len(ties), 1.0)
                hits, room = hits + part * sum(ties), room - len(ties)
            churners += sum(has_churned for _, has_churned in rows)
        assert figures[name]["recall_top_tenth"] == pytest.approx(hits / churners, abs=1e-4)


RULES_OF_THE_RUN = {
    "no_login_14d": ("days_since_login", ">=", 14, -20),
    "key_feature_unused_30d": ("days_since_key_feature", ">=", 30, -30),
    "fast_resolution": ("fast_resolutions_30d", ">=", 1, 10),
}


def test_rules_are_measured_as_a_run_scores_them(demo_run: Place, tmp_path: Path) -> None:
    """Rules of the run's own rule set as a proposal: each finds what the run recorded of it."""
    key = {"rule_set": "playbook_v1", "segment": None}
    proposal = Proposal(
        {"rule_set": "playbook_v1", "status": "shadow"}
        | {"base_score": 100, "watch_from": 50, "healthy_from": 80},
        [
            {**key, "rule_id": rule, "effect": "points", "points": points, "per_unit": False}
            | {"needs_review": False, "title": rule, "evidence": rule}
            for rule, (*_, points) in RULES_OF_THE_RUN.items()
        ],
        [
            {**key, "rule_id": rule, "position": 1, "signal": signal, "operator": operator}
            | {"threshold": threshold, "when_null": None}
            for rule, (signal, operator, threshold, _) in RULES_OF_THE_RUN.items()
        ],
    )
    columns = "account_id, as_of_date, rule_id, result, points, points_low, points_high"
    with measured_copy(demo_run.published / "radar.duckdb", Question(horizons=(30,))) as con:
        steps = Steps(con, gather(None, tmp_path / "seeds"), Request(horizon=30), (30,))
        steps.model("calibration_period", {"horizon": 30, "train_until": "0001-01-01"})
        steps.inputs([signal for signal, *_ in RULES_OF_THE_RUN.values()], {})
        steps.score("known", proposal)
        measured = con.execute(f"select {columns} from known_results order by all").fetchall()
        by_the_run = con.execute(
            f"""
            select {columns} from {COPY}.scoring.fct_rule_results
            semi join known_results as known using (account_id, as_of_date, rule_set, rule_id) order by all
            """
        ).fetchall()
        scored = con.execute(
            "select account_id, as_of_date, score, score_low, score_high, bucket from known_scores"
        ).fetchall()
    assert measured == by_the_run
    assert {result for _, _, _, result, *_ in measured} == {"true", "false"}
    sums: dict[tuple[str, date], list[float]] = defaultdict(lambda: [100.0, 100.0, 100.0])
    for account, day, _, _, *points in by_the_run:
        for place, added in enumerate(points):
            sums[account, day][place] += float(added)
    assert len(scored) == len(sums)
    for account, day, *clamped, bucket in scored:
        assert clamped == [min(max(total, 0), 100) for total in sums[account, day]]
        assert bucket == ("healthy" if clamped[0] >= 80 else "watch" if clamped[0] >= 50 else "at_risk")
