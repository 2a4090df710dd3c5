"""A plugin of dbt-duckdb, named in `dbt_project/profiles.yml`: dbt opens warehouses and makes none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError


class Plugin(BasePlugin):
    """Asked before the file is opened. Does nothing else."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Raises DbtRuntimeError where there is no warehouse."""
        warehouse = Path(self.creds.path).resolve() if self.creds else Path()
        if not warehouse.is_file():
            raise DbtRuntimeError(
                f"There is no warehouse {warehouse}. Run `make demo` (or `radar run`) first, or set "
                "RADAR_WAREHOUSE to the absolute path of one."
            )
