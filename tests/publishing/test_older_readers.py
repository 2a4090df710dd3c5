"""A BI tool brings a DuckDB of its own: the copy says the same to the oldest 1.x as to ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

OLDEST = "1.0.0"
OLDEST_BY_ATTACH = "1.2.0"
"""Before it, a view finds what it reads in the database in use alone: an attached copy must be that one."""
READER = Path(__file__).with_name("oldest_reader.py")


def installed(factory: pytest.TempPathFactory, version: str) -> Path:
    """A folder with that DuckDB; the oldest has no wheel for a Python newer than 3.12."""
    folder = factory.mktemp("older")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "--only-binary=:all:", "--target", str(folder), f"duckdb=={version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        if os.environ.get("CI"):
            pytest.fail(f"DuckDB {version} could not be installed: {done.stderr}")
        pytest.skip(f"DuckDB {version} could not be installed")
    return folder


def said(copy: Path, way: str, python_path: Path | None = None) -> dict[str, str]:
    environment = os.environ | ({"PYTHONPATH": str(python_path)} if python_path else {})
    command = [sys.executable, str(READER), str(copy), way]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    told: dict[str, str] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(
    ("version", "ways"),
    [(OLDEST, ("open", "attach_and_use")), (OLDEST_BY_ATTACH, ("open", "attach"))],
    ids=[OLDEST, OLDEST_BY_ATTACH],
)
def test_an_older_client_reads_the_same_as_ours(
    demo_run: Place, tmp_path_factory: pytest.TempPathFactory, version: str, ways: tuple[str, ...]
) -> None:
    copy, older = demo_run.published / "radar.duckdb", installed(tmp_path_factory, version)
    by_ours = said(copy, "open")
    assert by_ours.pop("version") != version
    assert len(by_ours) > 50
    for way in ways:
        by_older = said(copy, way, older)
        assert by_older.pop("version") == version
        assert by_older == by_ours, way


def test_an_attached_copy_reads_the_same_under_any_name(demo_run: Place) -> None:
    copy = demo_run.published / "radar.duckdb"
    assert said(copy, "attach") == said(copy, "open")


def test_what_readers_open_is_described_in_the_copy(demo_run: Place) -> None:
    """Relations and columns of marts, scoring, signals and seeds; rules as columns change too often."""
    relations = """
        select schema_name || '.' || relation from (
            select schema_name, table_name as relation, comment from duckdb_tables()
            union all
            select schema_name, view_name, comment from duckdb_views() where not internal
        )
        where schema_name in ('marts', 'scoring', 'signals', 'seeds') and coalesce(comment, '') = ''
    """
    columns = """
        select schema_name || '.' || table_name || '.' || column_name from duckdb_columns()
        where
            not internal
            and schema_name in ('marts', 'scoring', 'signals', 'seeds')
            and coalesce(comment, '') = ''
            and not starts_with(table_name, 'int_')
    """
    with duckdb.connect(str(demo_run.published / "radar.duckdb"), read_only=True) as con:
        assert con.execute(relations).fetchall() == []
        assert con.execute(columns).fetchall() == []
        signals = con.execute("select signal, family, description, unit from seeds.signals").fetchall()
        described = dict(
            con.execute(
                "select table_name || '.' || column_name, comment from duckdb_columns()"
                " where schema_name = 'signals'"
            ).fetchall()
        )
    for signal, family, description, unit in signals:
        assert described[f"sig_{family}.{signal}"] == f"{description} ({unit})"
