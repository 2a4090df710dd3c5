"""Options that several commands share, and the settings that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radar.core.errors import UsageError
from radar.core.settings import Settings

Seeds = Annotated[Path | None, typer.Option(help="Folder whose files replace those of seeds/ one by one.")]
Warehouse = Annotated[
    Path | None, typer.Option(help="The DuckDB file that holds everything. [var/warehouse.duckdb]")
]
Profile = Annotated[str | None, typer.Option(help="One destination, by the name of its profile. [all]")]
Exports = Annotated[
    Path | None, typer.Option(help="Folder for the files that other systems import. [var/exports]")
]
Published = Annotated[Path | None, typer.Option(help="Folder of the copy that readers open. [var/published]")]


def existing_warehouse(warehouse: Path | None) -> Path:
    """The warehouse in use. Raises UsageError where there is none."""
    path = settings_of(warehouse=warehouse).warehouse
    if not path.exists():
        raise UsageError("there is no warehouse yet", "run `radar run` first, or name --warehouse", file=path)
    return path


def settings_of(**paths: Path | None) -> Settings:
    """These places, None left out, before the variables and the defaults."""
    return Settings.with_paths(paths)
