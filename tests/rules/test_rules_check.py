"""Rules that cannot mean what they say are named with file, row and column, before anything is built."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import radar

NO_LOGIN, FAILED_PAYMENT, CHURN_RISK, SILENT, REVIEW = 1, 3, 5, 9, 10
"""Rows of the shipped rules.csv."""


@pytest.mark.parametrize(
    ("name", "row", "cells", "column", "words"),
    [
        ("rule_conditions", 1, {"signal": "days_since_logon"}, "signal", "there is no signal"),
        ("rule_conditions", 1, {"operator": "=="}, "operator", "there is no operator '=='"),
        ("rule_conditions", 1, {"threshold": ""}, "threshold", "the cell is empty"),
        ("rule_conditions", 1, {"operator": "lowest", "threshold": "0"}, "threshold", "0 is no part"),
        ("rule_conditions", 1, {"operator": "highest", "threshold": "100"}, "threshold", "100 is no part"),
        ("rule_conditions", 1, {"segment": "smb"}, "rule_id", "rules.csv has no row for playbook_v1"),
        ("rule_conditions", 1, {"position": "0"}, "position", "the rule has 1 condition(s)"),
        ("rule_conditions", 7, {"position": "4"}, "position", "the rule has 3 condition(s)"),
        ("rule_conditions", 7, {"position": "2"}, "position", "each once"),
        ("rule_conditions", 1, {"when_null": "True"}, "when_null", "only false is possible"),
        ("rule_sets", 1, {"status": "shadow"}, None, "no rule set is the champion"),
        ("rule_sets", 2, {"status": "champion"}, "status", "row 1 is the champion already"),
        ("rule_sets", 2, {"smoothing_days": "0"}, "smoothing_days", "fewer scores than one"),
        ("rule_sets", 2, {"watch_from": "80"}, "watch_from", "the bounds overlap"),
        ("rule_sets", 2, {"watch_from": "90"}, "watch_from", "the bounds overlap"),
        ("rule_sets", 2, {"watch_from": "0"}, "watch_from", "the bounds overlap"),
        ("rule_sets", 2, {"healthy_from": "100.5"}, "watch_from", "the bounds overlap"),
        ("rule_sets", 2, {"healthy_from": ""}, "base_score", "a number is missing"),
        (
            "rules",
            NO_LOGIN,
            {"renewal_within_days": "90", "renewal_factor": "0"},
            "renewal_factor",
            "above 0",
        ),
        (
            "rules",
            NO_LOGIN,
            {"renewal_within_days": "90", "renewal_factor": "-1"},
            "renewal_factor",
            "above 0",
        ),
        ("rules", NO_LOGIN, {"renewal_within_days": "90"}, "renewal_factor", "needs both"),
        ("rules", NO_LOGIN, {"renewal_factor": "1.5"}, "renewal_within_days", "needs both"),
        (
            "rules",
            NO_LOGIN,
            {"renewal_within_days": "-1", "renewal_factor": "2"},
            "renewal_within_days",
            "below 0",
        ),
        ("rules", NO_LOGIN, {"renewal_factor": "much"}, "renewal_factor", "'much' is not a number"),
        (
            "rules",
            REVIEW,
            {"renewal_within_days": "90", "renewal_factor": "2"},
            "renewal_factor",
            "does not read",
        ),
        ("rules", SILENT, {"points": "-10"}, "points", "does not read"),
        ("rules", SILENT, {"bucket": "bad"}, "bucket", "there is no bucket 'bad'"),
        ("rules", NO_LOGIN, {"bucket": "watch"}, "bucket", "a rule of effect points does not read it"),
        ("rules", REVIEW, {"flag": "upsell"}, "flag", "does not read"),
        ("rules", NO_LOGIN, {"points": ""}, "points", "needs it"),
        ("rules", NO_LOGIN, {"max_points": "10"}, "max_points", "counts per unit"),
        ("rules", CHURN_RISK, {"per_unit": "true"}, "per_unit", "counts per unit"),
        ("rules", FAILED_PAYMENT, {"max_points": "0"}, "max_points", "above 0"),
        ("rules", CHURN_RISK, {"flag": "churn, risk"}, "flag", "no name"),
        (
            "rules",
            NO_LOGIN,
            {"evidence": "No login for {value_2} days"},
            "evidence",
            "nothing fills {value_2}",
        ),
        ("rules", NO_LOGIN, {"evidence": "No login for {days}"}, "evidence", "nothing fills {days}"),
        ("rules", NO_LOGIN, {"effect": "magic"}, "effect", "'magic' is not allowed"),
        ("playbook", 1, {"bucket": "bad", "flag": ""}, "bucket", "there is no bucket 'bad'"),
        ("playbook", 1, {"flag": "unheard_of"}, "flag", "no rule raises the flag"),
        ("playbook", 1, {"bucket": "", "flag": ""}, "bucket", "for no bucket and no flag"),
        ("playbook", 1, {"holdout_pct": "20"}, "holdout_pct", "fix_payment is a call to save a customer"),
        ("playbook", 1, {"holdout_pct": "-1"}, "holdout_pct", "-1 % leaves nobody to compare with"),
    ],
)
def test_a_mistake_is_named_with_file_row_and_remedy(
    name: str,
    row: int,
    cells: dict[str, str],
    column: str | None,
    words: str,
    mine: SeedFolder,
    tmp_path: Path,
) -> None:
    mine.change(name, row, **cells)
    problems = mine.problems(tmp_path / "gathered")
    where = f"{name}.csv, row {row}, column {column}" if column else f"{name}.csv"
    found = [str(problem) for problem in problems if words in problem.what]
    assert [text for text in found if text.startswith(where)], problems
    assert all("What to do: " in str(problem) for problem in problems)


def test_a_rule_that_is_there_twice_is_named(mine: SeedFolder, tmp_path: Path) -> None:
    mine.add("rules", NO_LOGIN)
    rows = [problem.row for problem in mine.problems(tmp_path / "g") if "two rows" in problem.what]
    assert rows == [NO_LOGIN, len(mine.rows("rules"))]


def test_a_rule_id_that_no_column_can_have_is_named(mine: SeedFolder, tmp_path: Path) -> None:
    mine.change("rules", NO_LOGIN, rule_id="No login!")
    mine.change("rule_conditions", 1, rule_id="No login!")
    (problem,) = mine.problems(tmp_path / "g")
    assert str(problem).startswith("rules.csv, row 1, column rule_id: 'No login!' is no name")


def test_a_champion_without_rules_is_named_and_a_shadow_without_rules_is_left_out(
    mine: SeedFolder, tmp_path: Path
) -> None:
    for name in ("rules", "rule_conditions"):
        mine.write(name, [row for row in mine.rows(name) if row["rule_set"] == "playbook_v1"])
    assert mine.problems(tmp_path / "g") == []
    mine.change("rule_sets", 1, status="retired")
    mine.change("rule_sets", 2, status="champion")
    (problem,) = mine.problems(tmp_path / "g")
    assert str(problem).startswith("rule_sets.csv, row 2, column rule_set: the champion rule set has no rule")


def test_a_holdout_is_a_share_and_that_of_a_save_call_is_forced(mine: SeedFolder, tmp_path: Path) -> None:
    plays = mine.rows("playbook")
    for share, problems in (("99", 0), ("100", 1), ("0", 0)):
        mine.write(
            "playbook", [row | {"holdout_pct": share if row["priority"] == "30" else ""} for row in plays]
        )
        assert len(mine.problems(tmp_path / "g")) == problems
    mine.write("playbook", [row | {"holdout_pct": "20" if row["priority"] == "20" else ""} for row in plays])
    assert [problem.column for problem in mine.problems(tmp_path / "g")] == ["holdout_pct"]
    settings = mine.rows("settings")
    mine.write(
        "settings",
        [row | ({"value": "1"} if row["setting"] == "holdout_save_calls" else {}) for row in settings],
    )
    assert mine.problems(tmp_path / "g") == []


RATE = {"currency": "EUR", "valid_from": "2026-01-01", "usd_per_unit": "1.08"}


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"currency": "EURO"}, "currency", "'EURO' is no currency"),
        ({"currency": "€"}, "currency", "'€' is no currency"),
        ({"currency": "XXX"}, "currency", "'XXX' is no currency"),
        ({"currency": "usd"}, "currency", "amounts in USD need no rate"),
        ({"currency": ""}, "currency", "the cell is empty"),
        ({"valid_from": "01.02.2026"}, "valid_from", "'01.02.2026' is not a day such as 2026-01-31"),
        ({"valid_from": "2026-02-30"}, "valid_from", "'2026-02-30' is not a day such as 2026-01-31"),
        ({"valid_from": ""}, "valid_from", "the cell is empty"),
        ({"currency": "eur", "valid_from": "2026-01-01"}, "valid_from", "row 1 has a rate for EUR from"),
        ({"usd_per_unit": "0"}, "usd_per_unit", "0 is not above 0"),
        ({"usd_per_unit": "-1.08"}, "usd_per_unit", "-1.08 is not above 0"),
        ({"usd_per_unit": "1,08"}, "usd_per_unit", "'1,08' is not a number"),
        ({"usd_per_unit": ""}, "usd_per_unit", "the cell is empty"),
    ],
)
def test_a_rate_that_converts_nothing_is_named(
    cells: dict[str, str], column: str, words: str, mine: SeedFolder, tmp_path: Path
) -> None:
    mine.write("fx_rates", [RATE, RATE | {"valid_from": "2026-02-01"} | cells])
    (problem,) = mine.problems(tmp_path / "g")
    assert str(problem).startswith(f"fx_rates.csv, row 2, column {column}: {words}")
    assert "What to do: " in str(problem)


def test_rates_of_several_days_and_currencies_are_let_be(mine: SeedFolder, tmp_path: Path) -> None:
    others = ({"valid_from": "2026-02-01"}, {"currency": "jpy", "usd_per_unit": "0.006512345678"})
    mine.write("fx_rates", [RATE, *(RATE | other for other in others)])
    assert mine.problems(tmp_path / "g") == []


def test_cells_that_say_nothing_are_let_be(mine: SeedFolder, tmp_path: Path) -> None:
    mine.change("rules", SILENT, points="0")
    assert mine.problems(tmp_path / "g") == []


def test_a_file_of_an_earlier_release_is_completed(mine: SeedFolder, tmp_path: Path) -> None:
    later = ("renewal_within_days", "renewal_factor")
    rows = [row for row in mine.rows("rules") if not row["renewal_factor"]]
    rows[0]["title"] = "No login,\nfor two weeks"
    mine.write("rules", [{name: cell for name, cell in row.items() if name not in later} for row in rows])
    kept = {(row["rule_set"], row["rule_id"], row["segment"]) for row in rows}
    conditions = mine.rows("rule_conditions")
    mine.write(
        "rule_conditions", [c for c in conditions if (c["rule_set"], c["rule_id"], c["segment"]) in kept]
    )
    assert mine.problems(tmp_path / "g") == []
    mine.folder = tmp_path / "g"
    assert mine.rows("rules") == rows


def test_other_columns_are_neither_filled_in_nor_let_through(mine: SeedFolder, tmp_path: Path) -> None:
    rows = mine.rows("rules")
    mine.write("rules", [{name: cell for name, cell in row.items() if name != "bucket"} for row in rows])
    (problem,) = mine.problems(tmp_path / "g")
    assert problem.what.startswith("the header is rule_set,rule_id")
    mine.write("rules", [row | {"colour": "red"} for row in rows])
    (problem,) = mine.problems(tmp_path / "g")
    assert "colour" in problem.what


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'a,"' + b"x" * 200_000 + b'"\n'])
def test_a_file_that_is_no_csv_is_named(content: bytes, mine: SeedFolder, tmp_path: Path) -> None:
    (mine.folder / "rules.csv").write_bytes(content)
    (problem,) = mine.problems(tmp_path / "g")
    assert problem.file == "rules.csv"


@pytest.mark.parametrize(
    ("row", "key", "words"),
    [
        (14, "event_id session_id", "product/events has no column session_id"),
        (14, "event_id,user_id", "product/events has no column event_id,user_id"),
        (14, "account_id user_id", "the key lacks event_id"),
        (14, "event_id user_id user_id", "a column is in the key twice"),
        (14, "event_id properties", "properties describes an event"),
        (14, "event_id is_deleted", "is_deleted describes an event"),
        (12, "invoice_id account_id", "rows of billing/invoices are known by invoice_id alone"),
        (11, "subscription_id updated_at", "rows of billing/subscriptions are known by subscription_id upd"),
    ],
)
def test_a_key_that_tells_no_rows_apart_is_refused(
    mine: SeedFolder, tmp_path: Path, row: int, key: str, words: str
) -> None:
    mine.change("feeds", row, key=key)
    (problem,) = mine.problems(tmp_path / "seeds")
    assert (problem.file, problem.row, problem.column) == ("feeds.csv", row, "key")
    assert problem.what.startswith(words)


@pytest.mark.parametrize(
    "key", ["", "event_id", "account_id user_id event_id", "occurred_at  event_name event_id"]
)
def test_a_key_may_have_more_columns_than_the_id(mine: SeedFolder, tmp_path: Path, key: str) -> None:
    mine.change("feeds", 14, key=key)
    assert mine.problems(tmp_path / "seeds") == []


STUCK = "no combination of the rules in use of playbook_v1 can leave healthy: all together leave a score of"


def warned(mine: SeedFolder, published: Path) -> list[str]:
    """What `radar rules check` prints after "The rules are sound."."""
    done = radar("rules", "check", f"--seeds={mine.folder}", f"--published={published}")
    assert (done.returncode, done.stderr) == (0, "")
    first, *lines = done.stdout.splitlines()
    assert first == "The rules are sound."
    return lines


def lone_rule(mine: SeedFolder, points: str) -> None:
    """Leave every rule set one rule: no login for 14 days."""
    for name in ("rules", "rule_conditions"):
        mine.write(name, [row for row in mine.rows(name) if row["rule_id"] == "no_login_14d"])
    mine.change("rules", 1, points=points)
    mine.write("playbook", [row for row in mine.rows("playbook") if not row["flag"]])


def test_rules_that_cannot_leave_healthy_are_warned_of_before_any_run(
    mine: SeedFolder, tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing"
    lone_rule(mine, "-20")
    assert warned(mine, nothing) == [f"warning: {STUCK} 80"]
    lone_rule(mine, "-20.5")
    assert warned(mine, nothing) == []
    feeds = [row | {"is_used": str(row["feed"] != "product/events").lower()} for row in mine.rows("feeds")]
    mine.write("feeds", feeds)
    assert warned(mine, nothing) == [f"warning: {STUCK} 100"], "the only rule is off"


def test_a_published_copy_says_which_feeds_have_come_and_what_its_run_found(
    mine: SeedFolder, tmp_path: Path
) -> None:
    lone_rule(mine, "-30")
    copy = str(tmp_path / "radar.duckdb")
    with duckdb.connect(copy) as con:
        con.execute(
            """
            create schema marts;
            create table marts.rpt_feed_states as select 'product/events' as feed, 'known' as state;
            create table marts.rpt_rule_set_checks as
            select * from (values
                ('too_many_healthy', 'mine', date '2026-03-31', '9 of 9 paying accounts are healthy', true),
                ('too_many_at_risk', 'mine', date '2026-03-31', null, false),
                ('cannot_leave_healthy', 'mine', date '2026-03-31', 'by other rules', true)
            ) as checks (check_name, rule_set, as_of_date, finding, is_over_limit)
            """
        )
    shares = "warning: by the run of 2026-03-31 with mine: 9 of 9 paying accounts are healthy"
    assert warned(mine, tmp_path) == [shares]
    with duckdb.connect(copy) as con:
        con.execute("update marts.rpt_feed_states set state = 'never_landed'")
    assert warned(mine, tmp_path) == [f"warning: {STUCK} 100", shares]
    with duckdb.connect(copy) as con:
        con.execute("drop table marts.rpt_rule_set_checks")
    assert warned(mine, tmp_path) == [], "a copy of an earlier release"
