"""dbt's own unit tests, on the warehouse of a whole run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from orchestration.building import prepare
from tests.runs.radar_run import Place

ROOT = Path(__file__).resolve().parents[2]
UNIT_TESTS = 79


def test_every_rule_and_boundary_holds_in_dbt_unit_tests(demo_run: Place, tmp_path: Path) -> None:
    home = Place(tmp_path)
    shutil.copy(demo_run.warehouse, home.warehouse)
    place = prepare(home.warehouse, ROOT / "seeds")
    dbt = Path(sys.executable).with_name("dbt")
    done = subprocess.run(
        [str(dbt), "test", *place.paths(), "--select", "test_type:unit", "--no-use-colors"],
        env={**os.environ, **place.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"PASS={UNIT_TESTS} WARN=0 ERROR=0 SKIP=0" in done.stdout
