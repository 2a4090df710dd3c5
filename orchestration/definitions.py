"""Everything that Dagster shows and runs: whatever is in `defs/`."""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Load the folder; nothing is read before this is called."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
