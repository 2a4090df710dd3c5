from pathlib import Path

import pytest
import small_warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "house.duckdb"
    small_warehouse.make(path)
    return path


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return tmp_path / "published"
