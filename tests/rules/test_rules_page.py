"""The page that says every rule in words is true, whole, and can be linked to."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from radar.rules.page import page
from tests.frozen import SEEDS
from tests.rules.seed_folder import SeedFolder

ROOT = Path(__file__).resolve().parents[2]
RADAR = Path(sys.executable).with_name("radar")
FAILED_PAYMENT = 3


def rule(text: str, anchor: str) -> str:
    """What the page says of one rule."""
    return text.partition(f'<a id="{anchor}"></a>')[2].partition("<a id=")[0]


def test_every_rule_has_one_anchor_and_every_signal_its_label(mine: SeedFolder, tmp_path: Path) -> None:
    text = page(SEEDS)
    rules = {f"{row['rule_set']}-{row['rule_id']}" for row in mine.rows("rules")}
    assert sorted(re.findall(r'<a id="([^"]+-[^"]+)"></a>', text)) == sorted(rules)
    labels = {row["signal"]: row["label"] for row in mine.rows("signals")}
    for condition in mine.rows("rule_conditions"):
        said = rule(text, f"{condition['rule_set']}-{condition['rule_id']}")
        assert f"{labels[condition['signal']]} (`{condition['signal']}`)" in said


def test_segments_weights_limits_and_unknowns_are_said() -> None:
    said = rule(page(SEEDS), "snapshot_v1-late_success_plan")
    assert "**Segment enterprise**: when overdue milestones (`overdue_milestones`) is at least 1" in said
    assert "This counts 1.5 times where days to renewal (`days_to_renewal`) is at most 120." in said
    assert "the score could still be up to 20 points lower (30 if the renewal is near)" in said
    assert "Needs crm/milestones; its weight billing/subscriptions." in said
    limited = rule(page(SEEDS), "snapshot_v1-urgent_tickets")
    assert (
        "the score loses 10 points times open urgent tickets (`open_urgent_tickets`), 20 points at most"
        in limited
    )
    silent = rule(page(SEEDS), "playbook_v1-silent_relationship")
    assert "then the bucket is no better than `watch`, and a person looks at the account." in silent


def test_feeds_that_are_off_and_retired_sets_are_said(mine: SeedFolder, tmp_path: Path) -> None:
    feeds = mine.rows("feeds")
    off = ("billing/payments", "billing/subscriptions")
    mine.write("feeds", [row | {"is_used": "False"} if row["feed"] in off else row for row in feeds])
    mine.change("rule_sets", 2, status="retired")
    text = page(mine.gathered(tmp_path / "g"))
    assert "Feeds that are switched off: billing/subscriptions and billing/payments." in text
    assert "**Off**: billing/payments is not used." in rule(text, "playbook_v1-failed_payment")
    assert "It counts once here, because billing/subscriptions is not used." in rule(
        text, "snapshot_v1-quiet_use"
    )
    assert "snapshot_v1 is retired: not scored." in text


def test_text_of_people_stays_text(mine: SeedFolder, tmp_path: Path) -> None:
    mine.change("rules", FAILED_PAYMENT, title="Failed <b>payments</b> *now* | [x](y)")
    said = page(mine.gathered(tmp_path / "g"))
    assert r"### Failed \<b\>payments\</b\> \*now\* \| \[x\](y)" in said


def radar(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RADAR, "rules", "docs", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_the_command_prints_or_writes_and_refuses_broken_rules(mine: SeedFolder, tmp_path: Path) -> None:
    assert radar().stdout == page(SEEDS)
    done = radar("--output", tmp_path / "rules.md")
    assert (done.returncode, done.stdout) == (0, f"Wrote {tmp_path / 'rules.md'}.\n")
    assert (tmp_path / "rules.md").read_text(encoding="utf-8") == page(SEEDS)
    nowhere = radar("--output", tmp_path / "no" / "rules.md")
    assert nowhere.returncode == 1
    assert "What to do" in nowhere.stderr
    mine.change("rule_conditions", 1, operator="~")
    broken = radar("--seeds", mine.folder, "--output", tmp_path / "broken.md")
    assert broken.returncode == 1
    assert "rule_conditions.csv, row 1, column operator" in broken.stderr
    assert not (tmp_path / "broken.md").exists()
