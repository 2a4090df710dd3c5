"""A shadow becomes the champion rule set through whole runs, and goes back with one command."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from radar.core.runs import utc_now
from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import Place, radar
from tests.runs.test_score_changes import write, write_events

pytestmark = pytest.mark.slow

USED = {"crm/accounts", "product/events"}
BEFORE, PROMOTED, BACK = (utc_now().date() + timedelta(days=days) for days in (-2, -1, 0))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Three daily runs: with the shipped champion, after a promotion, and after it was taken back."""
    folder = tmp_path_factory.mktemp("promotion")
    made, seeds = Place(folder), SeedFolder(folder / "seeds")
    seeds.write("feeds", [row | {"is_used": str(row["feed"] in USED).lower()} for row in seeds.rows("feeds")])
    changed = {"snapshot_v1": {"base_score": "90", "smoothing_days": "7"}}
    sets = [row | {"smoothing_days": ""} for row in seeds.rows("rule_sets")]
    seeds.write("rule_sets", [row | changed.get(row["rule_set"], {}) for row in sets])
    settings = seeds.rows("settings")
    seeds.write(
        "settings", [row | {"value": "0"} if row["setting"] == "shadow_days" else row for row in settings]
    )
    seeds.write(
        "playbook",
        [
            row | {"holdout_pct": "99" if row["play"] == "monthly_summary" else ""}
            for row in seeds.rows("playbook")
        ],
    )
    created = [(account, account, "2025-01-01T00:00:00Z") for account in ("quiet", "busy")]
    write(made, "crm/accounts", "a", "account_id name created_at", created)
    reports = [(f"k-{account}", account, "report_created", f"{BEFORE}T00:00:00Z") for account, *_ in created]
    write(made, "product/events", "k", "event_id account_id event_name occurred_at", reports)
    write_events(made, "e", {"quiet": BEFORE - timedelta(days=40), "busy": BEFORE})
    made.run(f"--seeds={seeds.folder}", f"--since={BEFORE - timedelta(days=6)}", f"--as-of={BEFORE}")
    assert "may be promoted" in rules(made, "states")
    assert "second person" in rules(made, "promote", "snapshot_v1", user="ann")
    assert "confirmed by ben" in rules(made, "promote", "snapshot_v1", user="ben")
    made.run(f"--seeds={seeds.folder}", f"--as-of={PROMOTED}", "--allow-flood")
    assert "playbook_v1 is the champion rule set again" in rules(
        made, "rollback", "--reason=alerts", user="ann"
    )
    made.run(f"--seeds={seeds.folder}", f"--as-of={BACK}", "--allow-flood")
    return made


def rules(place: Place, *arguments: str, user: str = "ann") -> str:
    done = radar(
        "rules", *arguments, f"--warehouse={place.warehouse}", f"--published={place.published}", LOGNAME=user
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_days_keep_the_rules_that_recorded_them(place: Place) -> None:
    recorded = place.rows(
        "select as_of_date, rule_set from marts.fct_health_history where as_of_date >= "
        f"'{BEFORE}' and account_id = 'quiet' order by as_of_date"
    )
    assert recorded == [(BEFORE, "playbook_v1"), (PROMOTED, "snapshot_v1"), (BACK, "playbook_v1")]


def test_other_rules_are_no_movement_of_the_account(place: Place) -> None:
    changes = place.rows(
        "select as_of_date, change = rule_change and change <> 0, reasons from marts.fct_score_changes"
        f" where as_of_date >= '{PROMOTED}' and account_id = 'quiet' order by as_of_date"
    )
    assert [(day, is_of_rules) for day, is_of_rules, _ in changes] == [(PROMOTED, True), (BACK, True)]
    assert all(reasons.startswith("The rules changed") for *_, reasons in changes)
    query = "select delta_7d, trend from marts.rpt_account_health where account_id = 'quiet'"
    assert place.rows(query) == [(0, "steady")]


def test_what_was_decided_is_in_the_audit(place: Place) -> None:
    entries = place.rows(
        "select state, rule_set, actor, evidence ->> 'proposed_by', evidence ->> 'reason' from audit.entries"
        " where kind = 'rule_set_decision' order by sequence"
    )
    assert entries == [
        ("proposed", "snapshot_v1", "ann", None, None),
        ("promoted", "snapshot_v1", "ben", "ann", None),
        ("rolled_back", "playbook_v1", "ann", None, "alerts"),
    ]
    statuses = place.rows(
        "select split_part(state, ' ', 1) from audit.entries where kind = 'rule_change'"
        " and subject_id = 'playbook_v1' order by sequence"
    )
    assert statuses == [("champion",), ("shadow",), ("champion",)]


def test_the_shadow_is_recorded_day_by_day(place: Place) -> None:
    shadows = place.rows(
        "select as_of_date, rule_set from marts.fct_shadow_history"
        " where account_id = 'quiet' order by as_of_date"
    )
    assert shadows == [(BEFORE, "snapshot_v1"), (PROMOTED, "playbook_v1"), (BACK, "snapshot_v1")]


def test_whoever_is_in_the_holdout_does_not_get_the_play(place: Place) -> None:
    actions = place.rows(
        "select account_id, is_holdout, bool_and(suppressed_by like '%holdout%') from marts.fct_holdouts"
        " inner join marts.fct_actions as actions using (play, account_id)"
        f" where play = 'monthly_summary' and fct_holdouts.as_of_date = '{BEFORE - timedelta(days=6)}'"
        " group by all order by all"
    )
    assert actions == [("busy", True, True), ("quiet", True, True)]
    findings = place.rows(
        "select distinct state from marts.rpt_holdout_effects where play = 'monthly_summary'"
    )
    assert findings == [("not_enough_yet",)]


def test_an_explanation_names_the_median_that_the_bucket_reads(place: Place) -> None:
    for day, is_named in ((PROMOTED, True), (BACK, False)):
        done = radar("explain", "quiet", f"--as-of={day}", f"--published={place.published}")
        assert ("by the median score of the last 7 scored dates" in done.stdout) == is_named, done.stdout


def test_whoever_is_alone_promotes_nothing(place: Place, tmp_path: Path) -> None:
    rules(place, "promote", "snapshot_v1", user="ann")
    done = radar("rules", "promote", "snapshot_v1", f"--warehouse={place.warehouse}",
                 f"--published={place.published}", LOGNAME="ann")  # fmt: skip
    assert (done.returncode, "second person" in done.stderr) == (2, True)
