"""A BI tool brings a DuckDB of its own: the copy says the same to the oldest 1.x as to ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs.radar_run import Place

OLDEST = "1.0.0"
READER = Path(__file__).with_name("oldest_reader.py")


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the oldest DuckDB that reads the copy; it has no wheel for a Python newer than 3.12."""
    folder = tmp_path_factory.mktemp("oldest")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "--only-binary=:all:", "--target", str(folder), f"duckdb=={OLDEST}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        if os.environ.get("CI"):
            pytest.fail(f"DuckDB {OLDEST} could not be installed: {done.stderr}")
        pytest.skip(f"DuckDB {OLDEST} could not be installed")
    return folder


def said(copy: Path, python_path: Path | None = None) -> dict[str, str]:
    environment = os.environ | ({"PYTHONPATH": str(python_path)} if python_path else {})
    command = [sys.executable, str(READER), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_oldest_client_reads_the_same_as_ours(demo_run: Place, oldest: Path) -> None:
    copy = demo_run.published / "radar.duckdb"
    by_oldest, by_ours = said(copy, oldest), said(copy)
    assert by_oldest.pop("version") == OLDEST
    assert by_ours.pop("version") != OLDEST
    assert len(by_ours) > 50
    assert by_oldest == by_ours
