"""What several rooms of tests share: one run of the demo company for the whole session."""

from __future__ import annotations

import os
import shutil
import time
from datetime import date
from pathlib import Path

import pytest
from filelock import FileLock

from tests.frozen import SEEDS  # noqa: F401  sets which reference data the engine reads
from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import Place

MINUTES = "RADAR_TEST_MINUTES"
"""After so many minutes the slow tests that have not begun are left out, by name."""
_STARTED = time.monotonic()

DEMO_DAYS = ("--since=2026-06-23", "--as-of=2026-06-30")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out a slow test where its time is over. Before its fixtures, which are what takes the time."""
    minutes = float(os.environ.get(MINUTES, "inf"))
    if item.get_closest_marker("slow") and time.monotonic() - _STARTED > minutes * 60:
        pytest.skip(f"{minutes:g} minutes are over, so this is left out: {item.location[0]}")


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """One for the whole session; the workers of pytest-xdist share it."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A small demo company, run once over eight days; tests read it and do not change it."""
    from radar.demo import generate  # noqa: PLC0415  only where a test asks for it

    folder = shared_folder(tmp_path_factory) / "demo"
    with FileLock(folder.with_suffix(".lock")):
        place = Place(folder)
        told = folder / "first.txt"
        if not told.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            generate(place.extracts, accounts=120, days=150, seed=3, end=date(2026, 6, 30))
            told.write_text(place.run(*DEMO_DAYS).stdout)
    return place


@pytest.fixture
def mine(tmp_path: Path) -> SeedFolder:
    """A folder for `--seeds`, empty."""
    return SeedFolder(tmp_path / "mine")
