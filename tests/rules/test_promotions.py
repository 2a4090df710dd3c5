"""Which rule set is the champion: the last word of people and of the seeds, whoever has it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from radar.core.errors import UsageError
from radar.panel import rule_sets
from radar.panel.store import Store
from radar.rules import promotions
from radar.rules.gathering import gather
from tests.rules.seed_folder import SeedFolder

DAY = date(2026, 3, 31)


def state(rule_set: str, status: str, state: str | None = None, version: str = "v1") -> dict[str, Any]:
    return {
        "rule_set": rule_set,
        "status": status,
        "state": state or status,
        "rule_version": version,
        "status_since": DAY,
        "eligible_on": DAY,
    }


STATES = [
    state("playbook_v1", "champion"),
    state("snapshot_v1", "shadow", "eligible"),
    state("starter_v1", "retired"),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "panel.sqlite")


def in_force(seeds: SeedFolder, store: Store, target: Path) -> dict[str, str]:
    """The statuses that a run would build with, of the rule sets in STATES."""
    promotions.note_champion_of_seeds(store.file, seeds.folder / "rule_sets.csv")
    gathered = SeedFolder(target)
    gather(seeds.folder, gathered.folder, store.file)
    known = {one["rule_set"] for one in STATES}
    return {row["rule_set"]: row["status"] for row in gathered.rows("rule_sets") if row["rule_set"] in known}


def promoted(store: Store) -> None:
    rule_sets.promote(store, STATES, "snapshot_v1", "Ann", "fits better")
    rule_sets.promote(store, STATES, "snapshot_v1", "Ben", None)


def test_two_people_promote_and_the_same_seeds_deployed_again_change_nothing(
    store: Store, mine: SeedFolder, tmp_path: Path
) -> None:
    mine.write("rule_sets", mine.rows("rule_sets"))
    rule_sets.promote(store, STATES, "snapshot_v1", "Ann", None)
    assert in_force(mine, store, tmp_path / "proposed")["playbook_v1"] == "champion", (
        "one person decides nothing"
    )
    with pytest.raises(UsageError, match="second person"):
        rule_sets.promote(store, STATES, "snapshot_v1", "ANN", None)
    assert "proposed by Ann and confirmed by Ben" in rule_sets.promote(
        store, STATES, "snapshot_v1", "Ben", None
    )
    expected = {"playbook_v1": "shadow", "snapshot_v1": "champion", "starter_v1": "retired"}
    assert in_force(mine, store, tmp_path / "a") == expected
    assert in_force(mine, store, tmp_path / "deployed_again") == expected


def test_a_rollback_is_one_decision_of_one_person_and_is_made_once(
    store: Store, mine: SeedFolder, tmp_path: Path
) -> None:
    mine.write("rule_sets", mine.rows("rule_sets"))
    with pytest.raises(UsageError, match="no promotion made playbook_v1"):
        rule_sets.roll_back(store, STATES, "Ann", None)
    promoted(store)
    assert rule_sets.roll_back(store, STATES, "Ann", "too many alerts").startswith(
        "playbook_v1 is the champion"
    )
    assert in_force(mine, store, tmp_path / "a")["playbook_v1"] == "champion"
    assert in_force(mine, store, tmp_path / "b")["snapshot_v1"] == "shadow"
    with pytest.raises(UsageError, match="taken back already"):
        rule_sets.roll_back(store, STATES, "Ann", None)


def test_seeds_that_come_to_name_another_champion_count_again_also_when_they_go_back(
    store: Store, mine: SeedFolder, tmp_path: Path
) -> None:
    shipped = mine.rows("rule_sets")
    promoted(store)
    caught_up = [
        row
        | {
            "status": {"snapshot_v1": "champion", "playbook_v1": "retired"}.get(
                row["rule_set"], row["status"]
            )
        }
        for row in shipped
    ]
    mine.write("rule_sets", caught_up)
    assert in_force(mine, store, tmp_path / "a")["playbook_v1"] == "retired", "as the file says"
    mine.write("rule_sets", shipped)
    assert in_force(mine, store, tmp_path / "b")["playbook_v1"] == "champion", "reverted in git"
    assert [one.kind for one in promotions.decisions(store.file)][-2:] == ["seeds", "seeds"]


def test_what_is_not_eligible_or_has_other_rules_than_were_proposed_is_not_promoted(store: Store) -> None:
    young = [STATES[0], state("snapshot_v1", "shadow")]
    with pytest.raises(UsageError, match="may be promoted from 31 Mar 2026 on"):
        rule_sets.promote(store, young, "snapshot_v1", "Ann", None)
    with pytest.raises(UsageError, match="not scored as a shadow"):
        rule_sets.promote(store, STATES, "starter_v1", "Ann", None)
    with pytest.raises(UsageError, match="champion rule set already"):
        rule_sets.promote(store, STATES, "playbook_v1", "Ann", None)
    with pytest.raises(UsageError, match="name one of playbook_v1, snapshot_v1, starter_v1"):
        rule_sets.promote(store, STATES, "snapshot_v9", "Ann", None)
    rule_sets.promote(store, STATES, "snapshot_v1", "Ann", None)
    changed = [STATES[0], state("snapshot_v1", "shadow", "eligible", version="v2")]
    assert "is proposed" in rule_sets.promote(store, changed, "snapshot_v1", "Ben", None), "of other rules"


def test_a_rule_set_is_retired_and_scored_again_by_one_person(
    store: Store, mine: SeedFolder, tmp_path: Path
) -> None:
    mine.write("rule_sets", mine.rows("rule_sets"))
    rule_sets.retire(store, STATES, "snapshot_v1", "Ann", None)
    rule_sets.shadow(store, STATES, "starter_v1", "Ann", None)
    assert in_force(mine, store, tmp_path / "a") == {
        "playbook_v1": "champion",
        "snapshot_v1": "retired",
        "starter_v1": "shadow",
    }
    with pytest.raises(UsageError, match="is the champion rule set"):
        rule_sets.retire(store, STATES, "playbook_v1", "Ann", None)


def test_seeds_without_decisions_are_the_files_to_the_byte(
    mine: SeedFolder, store: Store, tmp_path: Path
) -> None:
    mine.write("rule_sets", mine.rows("rule_sets"))
    before = (gather(mine.folder, tmp_path / "before") / "rule_sets.csv").read_bytes()
    assert (gather(mine.folder, tmp_path / "after", store.file) / "rule_sets.csv").read_bytes() == before
    broken = b"rule_set,status\nonly one cell\n"
    promoted(store)
    assert promotions.with_decisions(broken, promotions.decisions(store.file)) == broken, (
        "reported by the check"
    )
