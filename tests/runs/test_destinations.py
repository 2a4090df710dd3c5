"""Whole runs with a destination that is held, one that fails, and days that are not exported."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.frozen import SEEDS
from tests.runs.radar_run import Place, radar

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The demo company, its files acknowledged."""
    mine = Place(tmp_path_factory.mktemp("destinations") / "demo")
    shutil.copytree(demo_run.folder, mine.folder, symlinks=True)
    done = radar("sync", "ack", "last", "--profile=hubspot_companies", f"--warehouse={mine.warehouse}")
    assert done.returncode == 0, done.stderr
    assert "rows acknowledged, 0 go again" in done.stdout
    return mine


def sets(place: Place) -> set[str]:
    return {str(path.parent.relative_to(place.exports)) for path in place.exports.glob("*/*/manifest.json")}


def test_one_that_is_held_and_one_that_fails_stop_nobody_else(place: Place, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    text = (SEEDS / "rule_sets.csv").read_text()
    assert "champion,100," in text
    (seeds / "rule_sets.csv").write_text(text.replace("champion,100,", "champion,30,"))
    text = (SEEDS / "destinations.csv").read_text()
    (seeds / "destinations.csv").write_text(
        text.replace("tasks,false", "tasks,true").replace("zoho_accounts,false", "zoho_accounts,true")
    )
    before, entries = sets(place), place.rows("select count(*) from audit.entries")
    (place.exports / "hubspot_tasks").write_text("in the way")

    done = place.run("--as-of=2026-06-30", f"--seeds={seeds}", status=3)
    assert "hubspot_companies held: " in done.stdout
    assert "--allow-flood" in done.stdout
    assert "hubspot_tasks failed: " in done.stdout
    new = sets(place) - before
    assert {path.split("/")[0] for path in new} == {"salesforce_tasks", "zoho_accounts"}
    ((status, message),) = place.rows("select status, message from audit.runs order by batch_id desc limit 1")
    assert status == "held"
    assert message.startswith("generic: ")
    assert "hubspot_companies: " in message
    assert "hubspot_tasks: " in message
    assert place.rows("select count(*) from audit.entries") > entries, "the run was closed as ever"
    (place.exports / "hubspot_tasks").unlink()

    previewed = place.run("--as-of=2026-06-30", f"--seeds={seeds}", "--dry-run")
    assert "Would be exported" in previewed.stdout
    assert "would be blocked: " in previewed.stdout
    assert sets(place) - before == new

    place.run("--as-of=2026-06-30", f"--seeds={seeds}", "--allow-flood")
    told = [path.split("/")[0] for path in sets(place) - before - new]
    assert sorted(told) == [
        "generic",
        "hubspot_companies",
        "hubspot_tasks",
        "salesforce_tasks",
        "zoho_accounts",
    ]


def test_an_older_day_is_not_exported(place: Place) -> None:
    before = sets(place)
    done = place.run("--as-of=2026-06-25", status=3)
    assert "generic skipped: generic was given 2026-06-30 before" in done.stdout
    assert (
        "nothing was delivered or exported for 2026-06-25: the newest scored day is 2026-06-30" in done.stdout
    )
    assert sets(place) == before
