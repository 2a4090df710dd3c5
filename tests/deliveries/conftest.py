"""The models of plays and actions as dbt compiles them, ready to be run on any days.

A company that delivers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.dbt import prepare
from tests.deliveries.small_company import SCHEMA, Company
from tests.deliveries.sql import MODELS, SENTINELS, Models
from tests.deliveries.vendors import Vendors, serving
from tests.frozen import SEEDS
from tests.runs.radar_run import Place


@pytest.fixture(scope="session")
def models(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Compiled once against the warehouse of a whole run, in which the incremental tables stand."""
    warehouse = tmp_path_factory.mktemp("compiled") / "warehouse.duckdb"
    shutil.copy(demo_run.warehouse, warehouse)
    with duckdb.connect(str(warehouse)) as con:
        con.execute("update control.run_window set as_of_start = ?, as_of_end = ?", SENTINELS)
    place = prepare(warehouse, SEEDS)
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


@pytest.fixture(scope="session")
def vendors_server() -> Iterator[Vendors]:
    with serving() as vendors:
        yield vendors


@pytest.fixture
def vendors(vendors_server: Vendors) -> Vendors:
    """The server, as if nobody had called it yet."""
    vendors_server.__init__(url=vendors_server.url)  # type: ignore[misc]
    return vendors_server


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """A warehouse with what deliveries read."""
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as con:
        con.execute(SCHEMA)
        yield Company(con, tmp_path / "exports")
