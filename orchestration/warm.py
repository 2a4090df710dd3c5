"""`python -m orchestration.warm`: parse the project once after an install, so that the first run need not."""

import tempfile
from pathlib import Path

from orchestration import dbt as building
from radar.core.settings import Settings

if __name__ == "__main__":
    settings = Settings()
    with tempfile.TemporaryDirectory() as scratch:
        building.prepare(Path(scratch) / settings.warehouse.name, settings.seeds)
