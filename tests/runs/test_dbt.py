"""dbt's own unit tests, on the warehouse of a whole run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from orchestration import building
from orchestration.building import prepare
from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import Place

ROOT = Path(__file__).resolve().parents[2]
UNIT_TESTS, OF_STARTER = 83, 10


def dbt(place: building.Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            arguments[0],
            *place.paths(),
            "--no-use-colors",
            *arguments[1:],
        ],
        env={**os.environ, **place.environment()},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_rule_and_boundary_holds_in_dbt_unit_tests(demo_run: Place, tmp_path: Path) -> None:
    home = Place(tmp_path)
    shutil.copy(demo_run.warehouse, home.warehouse)
    place = prepare(home.warehouse, ROOT / "seeds")
    done = dbt(place, "test", "--select", "test_type:unit", "--exclude", "tag:starter_v1")
    assert done.returncode == 0, done.stdout
    assert f"PASS={UNIT_TESTS} WARN=0 ERROR=0 SKIP=0" in done.stdout


def test_every_rule_of_the_starter_set_holds_where_it_is_a_shadow(
    demo_run: Place, mine: SeedFolder, tmp_path: Path
) -> None:
    home = Place(tmp_path)
    shutil.copy(demo_run.warehouse, home.warehouse)
    mine.change("rule_sets", 3, status="shadow")
    place = prepare(home.warehouse, mine.folder)
    seeded = dbt(place, "seed", "--select", "rule_sets")
    built = dbt(place, "run", "--select", "int_rule_inputs")
    assert (seeded.returncode, built.returncode) == (0, 0), seeded.stdout + built.stdout
    done = dbt(place, "test", "--select", "tag:starter_v1")
    assert done.returncode == 0, done.stdout
    assert f"PASS={OF_STARTER} WARN=0 ERROR=0 SKIP=0" in done.stdout
