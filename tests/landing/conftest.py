from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from inbox import Inbox

from radar.core.warehouse import connect


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    root = tmp_path / "extracts"
    root.mkdir()
    with connect(tmp_path / "warehouse.duckdb") as con:
        yield Inbox(root, con)
