from pathlib import Path

import pytest
import small_mart


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "house.duckdb"
    small_mart.make(path)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"
