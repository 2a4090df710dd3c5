"""The models of plays and actions as dbt compiles them, ready to be run on any days."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.building import prepare
from radar.settings import PROJECT
from tests.actions.sql import MODELS, SENTINELS, Models
from tests.runs.radar_run import Place


@pytest.fixture(scope="session")
def models(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Compiled once against the warehouse of a whole run, in which the incremental tables stand."""
    warehouse = tmp_path_factory.mktemp("compiled") / "warehouse.duckdb"
    shutil.copy(demo_run.warehouse, warehouse)
    with duckdb.connect(str(warehouse)) as con:
        con.execute("update control.run_window set as_of_start = ?, as_of_end = ?", SENTINELS)
    place = prepare(warehouse, PROJECT / "seeds")
    dbt = Path(sys.executable).with_name("dbt")
    done = subprocess.run(
        [str(dbt), "compile", *place.paths(), "--quiet", "--no-use-colors", "--select", *MODELS],
        env={**os.environ, **place.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    sql = {name: next((place.target / "compiled").rglob(f"{name}.sql")).read_text() for name in MODELS}
    return Models(warehouse, sql)
