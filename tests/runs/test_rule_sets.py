"""Champion, shadow and retired rule sets through whole runs, and seeds of an earlier release."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.frozen import SEEDS
from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import Place

DAY = "--as-of=2026-03-01"


def tables_that_hold(place: Place, schema: str, text: str) -> list[str]:
    """The tables of which a row says the text, in any column."""
    query = f"select table_name from information_schema.tables where table_schema = '{schema}' order by 1"
    with place.read() as con:
        names = [name for (name,) in con.execute(query).fetchall()]
        found = f"select count(*) from {schema}.{{}} as told where contains(told::varchar, '{text}')"
        return [name for name in names if con.execute(found.format(name)).fetchall() != [(0,)]]


def told_otherwise(place: Place) -> dict[str, int]:
    """Rows of the newest day that only one of a kept table and the view of the same says, by table."""
    scores = (
        "account_id, as_of_date, rule_set, rule_version, base_score, points, score, score_low, score_high,"
        " coverage_pct, {bucket}, bucket_low, bucket_high, decision, conflict_reason, unknown_signals,"
        " review_rules, flags"
    )
    with place.read() as con:
        results = ", ".join(name for name, *_ in con.execute("describe marts.fct_health_evidence").fetchall())
        newest = "as_of_date = (select max(as_of_date) from marts.fct_health_history)"
        champions = f"{newest} and rule_set_status = 'champion'"
        kept = {
            "fct_health_history": (
                f"select {scores.format(bucket='model_bucket')} from marts.fct_health_history where {newest}",
                f"select {scores.format(bucket='bucket')} from scoring.fct_health_scores where {champions}",
            ),
            "fct_health_evidence": (
                f"select {results} from marts.fct_health_evidence where {newest}",
                f"select {results} from scoring.fct_rule_results"
                f" where {champions} and result in ('true', 'unknown')",
            ),
        }
        count = "select count(*) from (({} except all {}) union all ({} except all {}))"
        found = {}
        for table, (told, answered) in kept.items():
            assert con.execute(f"select count(*) from ({told})").fetchone() > (0,)
            found[table] = con.execute(count.format(told, answered, answered, told)).fetchall()[0][0]
        return found


def test_history_and_ledger_keep_what_the_views_answer(demo_run: Place) -> None:
    assert told_otherwise(demo_run) == {"fct_health_history": 0, "fct_health_evidence": 0}


def test_a_shadow_is_compared_and_reaches_nothing_else(demo_run: Place) -> None:
    sets = demo_run.rows("select rule_set, count(*) from scoring.fct_health_scores group by all order by all")
    assert [name for name, _ in sets] == ["playbook_v1", "snapshot_v1"]
    assert sets[0][1] == sets[1][1]
    assert tables_that_hold(demo_run, "marts", "snapshot_v1") == [
        "fct_rule_set_comparison",
        "fct_shadow_history",
        "rpt_rule_firings",
        "rpt_rule_set_differences",
        "rpt_rule_set_states",
    ]
    assert set(tables_that_hold(demo_run, "audit", "snapshot_v1")) <= {"entries"}, "rule changes"
    files = [path for path in demo_run.exports.rglob("*") if path.is_file()]
    assert any("playbook_v1" in path.read_text(encoding="utf-8") for path in files)
    assert not any("snapshot_v1" in path.read_text(encoding="utf-8") for path in files)


def test_the_comparison_says_what_the_scores_say(demo_run: Place) -> None:
    keys = "select account_id, as_of_date from {} order by all"
    compared = demo_run.rows(keys.format("marts.fct_rule_set_comparison"))
    assert compared == demo_run.rows(keys.format("marts.rpt_account_health"))
    wrong = """
        select count(*)
        from marts.fct_rule_set_comparison as told
        join scoring.fct_health_scores as shadow
            on shadow.rule_set = told.shadow_rule_set and shadow.account_id = told.account_id
            and shadow.as_of_date = told.as_of_date
        join marts.rpt_account_health as champion on champion.account_id = told.account_id
        where told.shadow_score <> shadow.score or told.shadow_bucket <> shadow.bucket
            or told.shadow_decision <> shadow.decision or told.champion_score <> champion.score
            or told.champion_bucket <> champion.model_bucket or told.champion_decision <> champion.decision
            or told.score_difference <> shadow.score - champion.score
            or told.shadow_rule_set <> 'snapshot_v1' or told.champion_rule_set <> champion.rule_set
    """
    assert demo_run.rows(wrong) == [(0,)]
    differing = (
        "select count(*), count(coalesce(champion_reasons, shadow_reasons))"
        " from marts.fct_rule_set_comparison where score_difference <> 0"
    )
    ((differ, explained),) = demo_run.rows(differing)
    assert differ == explained > 0


def test_every_rule_of_the_shadow_holds_for_someone_in_the_demo(demo_run: Place) -> None:
    held = demo_run.rows(
        "select rule_id, count(*) filter (result = 'true') from scoring.fct_rule_results"
        " where rule_set = 'snapshot_v1' group by rule_id"
    )
    with (SEEDS / "rules.csv").open(encoding="utf-8", newline="") as file:
        rules = {row["rule_id"] for row in csv.DictReader(file) if row["rule_set"] == "snapshot_v1"}
    assert {rule_id for rule_id, _ in held} == rules
    assert {rule_id for rule_id, count in held if not count} <= {"urgent_tickets"}, "few accounts have those"
    weights = demo_run.rows(
        "select count(*) from scoring.fct_rule_results where result = 'true' and weight > 1 and points < 0"
    )
    assert weights > [(0,)]


def write_csv(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """One account: no login since it was created, a failed payment, a renewal next week, goals of its own."""
    home = Place(tmp_path / "home")
    write_csv(
        home.extracts / "crm/accounts/a.csv",
        "account_id,name,segment,created_at\na1,Able,mid_market,2026-01-01T00:00:00Z\n",
    )
    write_csv(home.extracts / "product/events/e.csv", "event_id,account_id,event_name,occurred_at\n")
    write_csv(
        home.extracts / "billing/payments/p.csv",
        "payment_id,account_id,amount_usd,status,attempted_at\np1,a1,10,failed,2026-02-20T00:00:00Z\n",
    )
    write_csv(
        home.extracts / "billing/subscriptions/s.csv",
        "subscription_id,account_id,plan_id,status,started_at,current_period_end,updated_at\n"
        "s1,a1,team,active,2026-01-01T00:00:00Z,2026-03-08T00:00:00Z,2026-01-01T00:00:00Z\n",
    )
    write_csv(
        home.extracts / "crm/goals/g.csv",
        "goal_id,account_id,signal,target,valid_from\n"
        "g1,a1,days_since_login,50,2026-01-01\ng2,a1,failed_payments_30d,1,2026-01-01\n",
    )
    return home


@pytest.mark.slow
def test_seeds_of_an_earlier_release_score_as_before_and_rules_that_are_off_are_told(
    place: Place, mine: SeedFolder, demo_run: Place
) -> None:
    """`rules.csv` without the columns that came later; the same rules have the same version."""
    later = ("renewal_within_days", "renewal_factor")
    for name in ("rule_sets", "rules", "rule_conditions"):
        rows = [row for row in mine.rows(name) if row["rule_set"] == "playbook_v1"]
        mine.write(name, [{key: cell for key, cell in row.items() if key not in later} for row in rows])
    assert not set(later) & set((mine.folder / "rules.csv").read_text().splitlines()[0].split(","))
    feeds = mine.rows("feeds")
    mine.write(
        "feeds", [row | {"is_used": "false"} if row["feed"] == "support/tickets" else row for row in feeds]
    )
    done = place.run(f"--seeds={mine.folder}", DAY)
    assert "2 of 10 rules of playbook_v1 are off" in done.stdout
    assert re.findall(r"    (\w+): .* \(support/tickets is not used\)\n", done.stdout) == [
        "competitor_named",
        "fast_resolution",
    ]
    versions = (
        "select distinct rule_set, rule_version from scoring.fct_health_scores where rule_set = 'playbook_v1'"
    )
    assert place.rows(versions) == demo_run.rows(versions)
    assert place.rows("select score from marts.rpt_account_health") == [(35,)]
    assert place.rows("select count(*) from marts.fct_rule_set_comparison") == [(0,)]
    said = "select threshold, is_own_goal, evidence from marts.fct_health_evidence where rule_id = '{}'"
    silence = "No login for 59 days (own goal 50) (-20 points)"
    assert place.rows(said.format("no_login_14d")) == [(50, True, silence)]
    key_feature = "No key feature used for 59 days (limit 30) (-30 points)"
    assert place.rows(said.format("key_feature_unused_30d")) == [(30, False, key_feature)]
    goal = "own goal for failed payments in 30 days: 1"
    payment = f"1 failed payment in 30 days ({goal}) (-15 points)"
    assert place.rows(said.format("failed_payment")) == [(1, True, payment)]
    off = "select rule_id from scoring.fct_rule_results where result = 'off' order by 1"
    assert place.rows(off) == [("competitor_named",), ("fast_resolution",)]


@pytest.mark.slow
def test_a_champion_with_weights_tells_them_in_its_ledger(place: Place, mine: SeedFolder) -> None:
    """The shadow made champion, and the champion retired, in a warehouse that knows the other one."""
    place.run("--as-of=2026-02-28")
    mine.change("rule_sets", 1, status="retired")
    mine.change("rule_sets", 2, status="champion")
    mine.write("playbook", [row for row in mine.rows("playbook") if not row["flag"]])
    place.run(f"--seeds={mine.folder}", DAY)
    for table in ("scoring.fct_rule_results", "scoring.fct_health_scores"):
        assert place.rows(f"select distinct rule_set from {table}") == [("snapshot_v1",)]
    told = "select rule_set from marts.fct_health_history order by as_of_date"
    assert place.rows(told) == [("playbook_v1",), ("snapshot_v1",)]
    assert told_otherwise(place) == {"fct_health_history": 0, "fct_health_evidence": 0}
    ledger = "select points, weight, evidence from marts.fct_health_evidence where rule_id = 'quiet_use'"
    evidence = "No login for 59 days (own goal 50) (-30 points; counts 1.5 times: renewal in 7 days)"
    assert place.rows(ledger) == [(-30, 1.5, evidence)]


@pytest.mark.slow
def test_broken_rules_stop_a_run_before_any_score(place: Place, mine: SeedFolder) -> None:
    mine.change("rules", 1, renewal_within_days="90", renewal_factor="0")
    done = place.run(f"--seeds={mine.folder}", DAY, status=1)
    assert "rules.csv, row 1, column renewal_factor: the factor is not above 0" in done.stderr
    assert "What to do: write a number above 0" in done.stderr
    assert not (place.published / "radar.duckdb").exists()
    assert place.rows("select count(*) from information_schema.tables where table_schema = 'scoring'") == [
        (0,)
    ]
