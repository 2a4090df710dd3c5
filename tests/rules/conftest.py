from pathlib import Path

import pytest

from tests.rules.seed_folder import SeedFolder


@pytest.fixture
def mine(tmp_path: Path) -> SeedFolder:
    return SeedFolder(tmp_path / "mine")
