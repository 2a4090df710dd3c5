"""Who did what: the audit chain, added to once everything has gone out."""

import time
from typing import Any

import dagster as dg

from orchestration.steps import (
    DATA_TEAM,
    EARLIER_ENTRIES,
    EARLIER_RUNS,
    ENTRIES,
    POOL,
    PUBLISHED,
    SINGLE_RUN,
    WriterLock,
    partitions,
    step,
)
from radar.audit.entries import record
from radar.core import progress


@dg.definitions
def audit() -> dg.Definitions:
    """What the entries describe comes first by its priority: what fails or is left out, is so alone."""

    @dg.asset(
        key=ENTRIES,
        deps=[PUBLISHED],
        group_name="records",
        owners=DATA_TEAM,
        kinds={"duckdb"},
        partitions_def=partitions(),
        backfill_policy=SINGLE_RUN,
        pool=POOL,
    )
    def record_entries(context: dg.AssetExecutionContext, writer: WriterLock) -> dg.MaterializeResult[Any]:
        """Actions, exports, decisions, changes of rules, calls of agents: chained by a keyed hash."""
        started = time.monotonic()
        with step(context, stays_open=True) as current, current.connect() as con:
            progress.status("  recording who did what")
            settings = current.settings
            added = record(con, settings.warehouse, current.run, settings.panel_store)
        seconds = time.monotonic() - started
        progress.line("record audit", sum(added.values()), seconds)
        return dg.MaterializeResult(metadata={**added, "seconds": round(seconds, 3)})

    earlier_runs = dg.AssetSpec(
        EARLIER_RUNS,
        group_name="records",
        owners=DATA_TEAM,
        kinds={"duckdb"},
        description="What audit/runs has of the runs before this one: nothing in a run makes it.",
    )
    earlier_entries = dg.AssetSpec(
        EARLIER_ENTRIES,
        group_name="records",
        owners=DATA_TEAM,
        kinds={"duckdb"},
        description="What audit/entries has of the runs before this one: nothing in a run makes it.",
    )
    return dg.Definitions(assets=[record_entries, earlier_runs, earlier_entries])
