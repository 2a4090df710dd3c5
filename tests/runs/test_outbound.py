"""One guard for everything that leaves: a flood, and a backup put back."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.steps import ALLOW_FLOOD
from radar.core.warehouse import state_dir
from tests.frozen import SEEDS
from tests.runs.radar_run import Place, radar

pytestmark = pytest.mark.slow

DAY, NEXT_DAY = "2026-06-30", "2026-07-01"


def a_place(demo_run: Place, folder: Path) -> Place:
    mine = Place(folder / "place")
    shutil.copytree(demo_run.folder, mine.folder, symlinks=True)
    return mine


def keys(place: Place) -> Counter[str]:
    """What stands in the outbox, by key."""
    files = place.exports.glob("outbox/*/*/messages.ndjson")
    return Counter(json.loads(line)["key"] for file in files for line in file.read_text().splitlines())


def flooded_seeds(folder: Path) -> Path:
    """Seeds under which everybody's score falls by 70."""
    seeds = folder / "seeds"
    seeds.mkdir()
    text = (SEEDS / "rule_sets.csv").read_text()
    (seeds / "rule_sets.csv").write_text(text.replace("champion,100,", "champion,30,"))
    return seeds


def statuses(place: Place) -> dict[str, int]:
    rows = place.rows(
        "select status, count(*) from marts.fct_actions "
        "where as_of_date = (select max(as_of_date) from marts.fct_actions) group by 1"
    )
    return dict(rows)


def test_a_flood_lets_nothing_out_before_it_is_allowed(
    demo_run: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = a_place(demo_run, tmp_path)
    seeds = flooded_seeds(tmp_path)
    before, released = keys(place), place.rows("select count(*) from intermediate.int_action_releases")
    sets = set(place.exports.glob("*/*/manifest.json"))

    for _ in range(2):  # a blocked day is not what the next run is compared with
        done = place.run(f"--as-of={NEXT_DAY}", f"--seeds={seeds}", status=3)
        ((accounts, changed),) = place.rows(
            "select accounts, accounts_changed from intermediate.int_flood_guard"
        )
        assert f"nothing: {changed} of {accounts} accounts change their bucket" in done.stdout
        assert "--allow-flood" in done.stdout
        assert keys(place) == before
        assert {"ready", "to_approve"}.isdisjoint(statuses(place))
        # nothing was released, so neither budget nor cooldown is used up
        assert place.rows("select count(*) from intermediate.int_action_releases") == released
        # a destination that has acknowledged nothing is held too
        assert "hubspot_companies held: " in done.stdout
        assert set(place.exports.glob("*/*/manifest.json")) == sets
    ((status, message),) = place.rows("select status, message from audit.runs order by batch_id desc limit 1")
    assert status == "held"
    assert "deliveries: " in message

    # what --allow-flood does, from Dagster's launchpad: a run tag
    for name in ("warehouse", "extracts", "exports", "published"):
        monkeypatch.setenv(f"RADAR_{name.upper()}", str(getattr(place, name)))
    monkeypatch.setenv("RADAR_SEEDS", str(seeds))
    job = defs().resolve_job_def("daily")
    result = job.execute_in_process(
        partition_key=NEXT_DAY, tags={ALLOW_FLOOD: "yes"}, instance=dg.DagsterInstance.ephemeral()
    )
    assert result.success
    assert keys(place) != before
    assert statuses(place)["to_approve"] > 0
    assert set(place.exports.glob("*/*/manifest.json")) != sets
    done = place.run(f"--as-of={NEXT_DAY}", f"--seeds={seeds}")
    assert "nothing: " not in done.stdout


def test_a_backup_put_back_sends_nothing_twice(demo_run: Place, tmp_path: Path) -> None:
    place = a_place(demo_run, tmp_path)
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    text = (SEEDS / "destinations.csv").read_text()
    (seeds / "destinations.csv").write_text(text.replace("hubspot_tasks,false", "hubspot_tasks,true"))
    backup = tmp_path / "backup"
    backup.mkdir()
    for source in (place.warehouse, state_dir(place.warehouse)):
        if source.is_dir():
            shutil.copytree(source, backup / source.name)  # as a backup that follows links
        else:
            shutil.copy(source, backup / source.name)

    place.run(f"--as-of={NEXT_DAY}", f"--seeds={seeds}")
    before = keys(place)
    assert len(before) > len(keys(demo_run))
    tasks = task_keys(place)
    assert tasks
    shutil.rmtree(state_dir(place.warehouse))
    place.warehouse.unlink()
    shutil.copy(backup / place.warehouse.name, place.warehouse)
    shutil.copytree(backup / state_dir(place.warehouse).name, state_dir(place.warehouse), symlinks=True)

    sets = set(place.exports.glob("*/*/manifest.json"))
    for _ in range(2):  # the copy that the first of them publishes does not hide it from the second
        done = place.run(f"--as-of={NEXT_DAY}", f"--seeds={seeds}", status=3)
        assert f"radar restore --delivered-until {NEXT_DAY}" in done.stdout
        assert keys(place) == before
        assert set(place.exports.glob("*/*/manifest.json")) == sets

    options = (
        f"--warehouse={place.warehouse}",
        f"--exports={place.exports}",
        f"--published={place.published}",
    )
    done = radar("restore", f"--delivered-until={NEXT_DAY}", "--reason=backup put back", *options)
    assert done.returncode == 0, done.stderr
    place.run(f"--as-of={NEXT_DAY}", f"--seeds={seeds}")
    assert keys(place) == before
    assert max(keys(place).values()) == 1
    assert task_keys(place) == tasks
    ((actor, evidence),) = place.rows(
        "select actor, evidence from audit.entries where kind = 'restore_decision'"
    )
    assert actor
    assert json.loads(evidence)["reason"] == "backup put back"
    done = radar("restore", f"--delivered-until={NEXT_DAY}", "--reason=again", *options)
    assert done.returncode == 2
    assert radar("audit", "verify", f"--warehouse={place.warehouse}").returncode == 0


def task_keys(place: Place) -> Counter[str]:
    """Keys in the files of tasks."""
    files = place.exports.glob("hubspot_tasks/*/hubspot_tasks_*.csv")
    return Counter(line.split(",")[0] for file in files for line in file.read_text().splitlines()[1:])
