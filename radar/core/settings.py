"""Where things are: the folders and files of one installation, from `RADAR_*` variables or the defaults.

The command line sets the variables from its options, so whatever runs (a command, a schedule, a test) reads
its paths from here and from nowhere else. Nothing here reads or writes files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from radar.core.project import PROJECT

AbsolutePath = Annotated[Path, AfterValidator(lambda path: Path(os.path.abspath(path.expanduser())))]

DEFAULT_TABLES = PROJECT / "feeds" / "tables.yml"
SHIPPED_PULLS = PROJECT / "feeds" / "pulls"


class Settings(BaseSettings):
    """The paths of one installation; every path is absolute, relative ones count from the working folder."""

    model_config = SettingsConfigDict(env_prefix="RADAR_", env_ignore_empty=True, validate_default=True)

    extracts: AbsolutePath = Path("var/extracts")
    shipped_seeds: AbsolutePath = PROJECT / "seeds"
    """A whole set of reference data: used where `seeds` has no file of its own."""
    seeds: AbsolutePath = Field(default_factory=lambda known: known["shipped_seeds"])
    """A folder whose files replace those of `shipped_seeds` one by one."""
    tables: AbsolutePath = DEFAULT_TABLES
    """The file that names relations which are read in place of files; there need not be one."""
    pull_definitions: AbsolutePath = SHIPPED_PULLS
    """A folder of pulls besides the shipped ones, or in their place where they are called the same."""
    pull_vendors: str = ""
    """Vendors, or objects as VENDOR/OBJECT, that a run pulls before it lands, with commas between."""
    warehouse: AbsolutePath = Path("var/warehouse.duckdb")
    exports: AbsolutePath = Path("var/exports")
    published: AbsolutePath = Path("var/published")
    panel_store: AbsolutePath = Field(
        default_factory=lambda known: known["warehouse"].with_name("panel.sqlite")
    )
    """The panel's SQLite file, whose decisions the next run lands; next to the warehouse by default."""

    @property
    def contact_store(self) -> Path:
        """Names and texts of customers' people, written by each run for the panel."""
        return contact_store_of(self.panel_store)

    @classmethod
    def with_paths(cls, paths: Mapping[str, Path | None]) -> Settings:
        """These paths, None left out, before the variables and the defaults."""
        known: dict[str, Any] = {name: path for name, path in paths.items() if path is not None}
        return cls(**known)

    def publish_to_environment(self) -> None:
        """Make these the settings of this process and of those that it starts."""
        os.environ.update({f"RADAR_{name.upper()}": str(path) for name, path in self})


def contact_store_of(panel_store: Path) -> Path:
    """The contact store, next to the panel's store: one setting names both."""
    return panel_store.with_name(f"{panel_store.stem}.contacts.sqlite")
