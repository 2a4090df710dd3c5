"""The command `radar replay`: its engine is looked up by name, for importing dbt takes seconds."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from radar.cli.options import Seeds, Warehouse, existing_warehouse, settings_of
from radar.core.runs import parse_day

ENGINE = "orchestration.replay"
DIFFERS = 1
"""The exit status where the day does not come out as it was recorded."""


def command(
    as_of: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The recorded day.")],
    rules: Annotated[
        str | None, typer.Option(metavar="REV", help="Also by the seeds of this git revision.")
    ] = None,
    seeds: Seeds = None,
    warehouse: Warehouse = None,
) -> None:
    """Compute a recorded day again from what has landed, and name what differs. Changes nothing."""
    day = parse_day("--as-of", as_of)
    existing_warehouse(warehouse)
    done = import_module(ENGINE).replay(settings_of(seeds=seeds, warehouse=warehouse), day, rules)
    print(done.text())
    if done.differences:
        raise typer.Exit(DIFFERS)
