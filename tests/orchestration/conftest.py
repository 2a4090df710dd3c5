"""The definitions, loaded once a module, for a warehouse that does not exist."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import defs
from tests.frozen import SEEDS


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("radar")
    (folder / "extracts").mkdir()
    names = {"RADAR_WAREHOUSE": "w.duckdb", "RADAR_EXTRACTS": "extracts", "RADAR_PUBLISHED": "published"}
    names["RADAR_SHIPPED_SEEDS"] = str(SEEDS)  # which destinations are used is the installation's own matter
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("RADAR_", "DAGSTER_"))]:
            patch.delenv(name)
        for name, path in names.items():
            patch.setenv(name, str(folder / path))
        yield folder


@pytest.fixture(scope="module")
def definitions(place: Path) -> dg.Definitions:
    return defs()
