"""A small company through whole runs: what the summary says of rules, who may read files, inert names."""

from __future__ import annotations

import csv
import os
import shlex
import stat
import subprocess
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import RADAR, Place, radar

pytestmark = pytest.mark.slow

DAY = date(2026, 3, 31)
USED = {"crm/accounts", "billing/subscriptions", "billing/invoices", "product/events"}
EVIL = "Evil\x1b[2J\x1b[31mRed\u202e & \x9b1mSons"
INERT = r"Evil\u001b[2J\u001b[31mRed\u202e & \u009b1mSons"


def write(place: Place, feed: str, header: str, rows: Sequence[Sequence[object]]) -> None:
    path = place.extracts / feed / "a.csv"
    path.parent.mkdir(parents=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(), *rows])


def company(place: Place) -> None:
    """Nine customers, of whom three are quiet and one owes; two that never bought and one that paused."""
    names = {"c1": EVIL, "c2": "Café Zürich", "c3": "Twin", "c4": "Twin"}
    accounts = [*(f"c{number}" for number in range(1, 10)), "p1", "p2", "z1"]
    write(
        place,
        "crm/accounts",
        "account_id name created_at",
        [(account, names.get(account, f"Name {account}"), "2025-01-01") for account in accounts],
    )
    write(
        place,
        "billing/subscriptions",
        "subscription_id account_id plan_id status started_at updated_at",
        [
            (
                f"s-{account}",
                account,
                "team",
                "active" if account[0] == "c" else "paused",
                *["2025-01-01"] * 2,
            )
            for account in accounts
            if account[0] != "p"
        ],
    )
    write(
        place,
        "billing/invoices",
        "invoice_id account_id status amount_usd issued_at due_at",
        [("i1", "c5", "open", "10", "2026-01-01", "2026-01-15")],
    )
    days = {"c1": 40, "c2": 40, "c3": 20, "p1": 200, "p2": 200, "z1": 200}
    write(
        place,
        "product/events",
        "event_id account_id user_id event_name occurred_at",
        [
            (
                f"e-{account}-{name}",
                account,
                "u",
                name,
                f"{DAY - timedelta(days=days.get(account, 1))}T09:00:00Z",
            )
            for account in accounts
            for name in ("login", "report_created")
        ],
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, str, str]:
    """The place, and what was said by two rule sets: one that cannot leave healthy, then `starter_v1`."""
    folder = tmp_path_factory.mktemp("two words") / "it's"
    folder.mkdir()
    place, mine = Place(folder), SeedFolder(folder / "seeds")
    company(place)
    mine.write("feeds", [row | {"is_used": str(row["feed"] in USED).lower()} for row in mine.rows("feeds")])
    kept = ("no_login_14d", "fast_resolution", "competitor_named")
    for name in ("rules", "rule_conditions"):
        shipped = mine.rows(name)
        mine.write(
            name,
            [
                row
                for row in shipped
                if row["rule_set"] == "starter_v1"
                or (row["rule_set"] == "playbook_v1" and row["rule_id"] in kept)
            ],
        )
    sets = [row for row in mine.rows("rule_sets") if row["rule_set"] != "snapshot_v1"]
    mine.write("rule_sets", sets)
    day = f"--as-of={DAY}"
    stuck = place.run(f"--seeds={mine.folder}", day).stdout
    status = {"playbook_v1": "retired", "starter_v1": "champion"}
    mine.write("rule_sets", [row | {"status": status.get(row["rule_set"], row["status"])} for row in sets])
    starter = place.run(f"--seeds={mine.folder}", day, "--allow-flood").stdout
    return place, stuck, starter


def section(said: str, head: str) -> list[str]:
    (found,) = [part for part in said.split("\n\n") if part.startswith(head)]
    return found.splitlines()


def test_rules_that_cannot_leave_healthy_and_rules_that_are_off_are_said_beside_the_buckets(
    runs: tuple[Place, str, str],
) -> None:
    scored = section(runs[1], "Scored as of")
    assert "  healthy 12" in scored
    advice = "these thresholds do not fit your product: run radar calibrate"
    assert f"  warning: 9 of 9 paying accounts are healthy (limit 95 %): {advice}" in scored
    stuck = "9 of 9 paying accounts cannot leave healthy: no combination of the rules in use can"
    assert f"  warning: {stuck}, all together leave a score of 80" in scored
    assert "  2 of 3 rules of playbook_v1 are off and outside coverage; unseen:" in scored
    assert "    fast_resolution: tickets resolved within a day (support/tickets is not used)" in scored
    assert "No account is at risk or on watch" in runs[1]


def test_the_starter_set_tells_apart_with_four_feeds_and_no_rule_is_off(runs: tuple[Place, str, str]) -> None:
    place, _, said = runs
    scored = section(said, "Scored as of")
    assert "warning" not in "".join(scored)
    assert "are off" not in "".join(scored)
    found = place.rows("select account_id, score, bucket from marts.rpt_account_health order by 1")
    assert found[:5] == [
        ("c1", 45, "at_risk"),
        ("c2", 45, "at_risk"),
        ("c3", 60, "watch"),
        ("c4", 100, "healthy"),
        ("c5", 85, "watch"),
    ]
    # nobody has used anything premium yet, so that rule is unknown
    assert place.rows("select distinct coverage_pct from marts.rpt_account_health") == [(90,)]


def test_customers_come_first_and_healthy_accounts_are_never_most_at_risk(
    runs: tuple[Place, str, str],
) -> None:
    place, _, said = runs
    listed = [line.split()[2] for line in section(said, "The ") if line[2:4].strip().isdigit()]
    assert listed == ["c1", "c2", "c3", "c5", "z1"]
    assert [line for line in said.splitlines() if "(no live subscription)" in line] == [
        line for line in said.splitlines() if "  z1  " in line
    ]
    ranked = "select account_id from marts.rpt_review_queue order by rank_overall"
    assert [account for (account,) in place.rows(ranked)] == listed


def test_prospects_that_never_bought_are_a_list_of_their_own(runs: tuple[Place, str, str]) -> None:
    place, _, said = runs
    assert section(said, "Never bought anything") == [
        "Never bought anything, and at risk or on watch: 2 (marts.rpt_prospects)",
        "  45          at_risk  p1  Name p1",
        "  45          at_risk  p2  Name p2",
    ]
    found = place.rows("select account_id, needs_review from marts.rpt_prospects order by 1")
    assert found == [("p1", False), ("p2", False)]


def test_names_are_text_wherever_they_are_printed(runs: tuple[Place, str, str]) -> None:
    place, _, said = runs
    assert INERT in said
    told = radar("explain", "c1", f"--published={place.published}")
    assert told.stdout.startswith(f"{INERT} (c1) on {DAY}: score 45")
    as_json = radar("explain", "c1", "--json", f"--published={place.published}").stdout
    preview = radar("sync", "preview", f"--warehouse={place.warehouse}").stdout
    assert "Café" in preview
    for text in (said, told.stdout, as_json, preview):
        assert not [character for character in text if character != "\n" and not character.isprintable()]


def test_a_command_that_the_summary_prints_can_be_pasted(runs: tuple[Place, str, str]) -> None:
    (line,) = [line for line in runs[2].splitlines() if line.startswith("  Why a score")]
    command = line.removeprefix("  Why a score").strip()
    path = f"{RADAR.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(INERT)
    assert shlex.split(command)[:3] == ["radar", "explain", "c1"]


def test_an_account_is_explained_by_its_name_and_near_ones_are_suggested(
    runs: tuple[Place, str, str],
) -> None:
    def explained(account: str) -> subprocess.CompletedProcess[str]:
        return radar("explain", account, f"--published={runs[0].published}")

    assert explained("  cafe ZURICH ").stdout.startswith("Café Zürich (c2)")
    assert explained("C2").stdout.startswith("Café Zürich (c2)")
    several = explained("twin")
    assert several.returncode == 2
    assert "2 accounts are called 'twin'" in several.stderr
    assert "give the id of one of them: c3 (Twin), c4 (Twin)" in several.stderr
    near = explained("cafe zuric")
    assert near.returncode == 2
    assert "the nearest: c2 (Café Zürich)" in near.stderr
    unknown = explained("nobody at all \x1b[2J")
    assert "there is no account 'nobody at all \\u001b[2J'" in unknown.stderr
    day = radar("explain", "c2", "--as-of=2026-01-01", f"--published={runs[0].published}")
    assert "account c2 has no score on 2026-01-01" in day.stderr


def test_what_a_run_writes_is_closed_to_others(runs: tuple[Place, str, str]) -> None:
    place = runs[0]
    written = [place.warehouse, place.warehouse.with_name("warehouse.state"), place.exports, place.published]
    everything = [path for top in written for path in (top, *top.rglob("*")) if not path.is_symlink()]
    assert len(everything) > 20
    assert [path for path in everything if path.stat().st_mode & 0o027 & ~0o020] == []
    group = [path for path in (place.warehouse, place.exports) if not path.stat().st_mode & stat.S_IRGRP]
    assert group == []


def test_the_umask_is_a_setting_and_the_version_is_said(tmp_path: Path) -> None:
    open_for_all = radar("demo", str(tmp_path / "open"), "--accounts=1", "--days=1", RADAR_UMASK="022")
    assert open_for_all.returncode == 0
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o755
    radar("demo", str(tmp_path / "usual"), "--accounts=1", "--days=1")
    assert (tmp_path / "usual").stat().st_mode & 0o777 == 0o750
    refused = radar("demo", str(tmp_path / "refused"), RADAR_UMASK="rwx")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "RADAR_UMASK is 'rwx'" in refused.stderr
    assert radar("--version").stdout.startswith("radar 0.")


def test_the_panel_can_read_what_the_summary_says(runs: tuple[Place, str, str]) -> None:
    with duckdb.connect(str(runs[0].published / "radar.duckdb"), read_only=True) as con:
        over = "select count(*) > 0, bool_or(is_over_limit) from marts.rpt_rule_set_checks"
        assert con.execute(over).fetchone() == (True, False)
        assert con.execute("select * from marts.rpt_rules_off").fetchall() == []
