from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from landing_place import Place

from radar.core.warehouse import connect


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    root = tmp_path / "extracts"
    root.mkdir()
    with connect(tmp_path / "warehouse.duckdb") as con:
        yield Place(root, con)
