"""A plugin of dbt-duckdb, named in `dbt_project/profiles.yml`: dbt opens a warehouse, and makes none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from radar.core.warehouse import state_dir


class Plugin(BasePlugin):
    """Asked before the file is opened; people call dbt in the project's folder. Does nothing else."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Raises DbtRuntimeError where there is no warehouse, or where its reference data is elsewhere."""
        warehouse = Path(os.path.abspath(self.creds.path)) if self.creds else Path()
        if not warehouse.is_file():
            raise DbtRuntimeError(
                f"There is no warehouse {warehouse}. Run `make demo` (or `radar run`) first, or set "
                "RADAR_WAREHOUSE to the absolute path of one."
            )
        own, read = os.environ.get("RADAR_SEEDS"), Path("../seeds").resolve()
        state = state_dir(warehouse)
        gathered = (state / "seeds").resolve()
        if own and read != gathered and Path(own).resolve() not in (read, gathered):
            raise DbtRuntimeError(
                f"RADAR_SEEDS names reference data of your own, and this project reads {read}. Call dbt in "
                f"{state / 'project'}, which reads what `radar run` gathered from your folder."
            )
