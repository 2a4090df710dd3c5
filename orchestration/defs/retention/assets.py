"""The end of a run: what is kept no longer goes, and the run is recorded as done."""

import time
from typing import Any

import dagster as dg

from orchestration.steps import (
    DATA_TEAM,
    ENTRIES,
    POOL,
    PUBLISHED,
    RETENTION,
    RUNS,
    SINGLE_RUN,
    WriterLock,
    partitions,
    step,
)
from radar.core import progress, runs
from radar.core.errors import RadarError
from radar.deliveries.run_alerts import run_done
from radar.deliveries.settings import Destinations
from radar.exports.outbound import blocked_deliveries
from radar.exports.sync import not_exported
from radar.landing.retention import apply as apply_limits
from radar.quality.hygiene import shortfalls
from radar.rules.vocabulary import blocking_words


@dg.definitions
def retention() -> dg.Definitions:
    """Retention comes after everything that may still need the raw rows."""

    @dg.asset(
        key=RETENTION,
        deps=[PUBLISHED],
        group_name="records",
        owners=DATA_TEAM,
        kinds={"duckdb"},
        partitions_def=partitions(),
        backfill_policy=SINGLE_RUN,
        pool=POOL,
    )
    def apply_retention(context: dg.AssetExecutionContext, writer: WriterLock) -> dg.MaterializeResult[Any]:
        """Drop what seeds/settings.csv keeps no longer: old raw events, summaries, waiting rows."""
        started = time.monotonic()
        with step(context, stays_open=True) as current, current.connect() as con:
            progress.status("  applying retention")
            run = current.run
            purged = apply_limits(con, as_of_end=run.window.end, today=run.now.date())
        seconds = time.monotonic() - started
        progress.line("apply retention", sum(purged.values()), seconds)
        return dg.MaterializeResult(metadata={**purged, "seconds": round(seconds, 3)})

    @dg.asset(
        key=RUNS,
        deps=[RETENTION, PUBLISHED, ENTRIES],
        group_name="records",
        owners=DATA_TEAM,
        kinds={"duckdb"},
        partitions_def=partitions(),
        backfill_policy=SINGLE_RUN,
        pool=POOL,
    )
    def record_run(context: dg.AssetExecutionContext, writer: WriterLock) -> dg.MaterializeResult[Any]:
        """One row per run: its as-of dates, and how it ended."""
        with step(context, stays_open=True) as current, current.connect() as con:
            words = blocking_words(con, current.run.window.end)
            problems = shortfalls(con, current.run.run_id) | words | not_exported(con, current.run.run_id)
            problems |= blocked_deliveries(con, current.run.run_id)
            message = "; ".join(f"{what}: {reason}" for what, reason in problems.items())
            status = runs.BLOCKED if problems else runs.DONE
            runs.record(con, current.run, status, message, runs.utc_now())
        try:
            run_done(current.settings.warehouse, current.run.window.end, Destinations.read())
        except RadarError as error:
            context.log.warning(f"It could not be reported in Slack that runs are done again: {error}")
        return dg.MaterializeResult(
            metadata={
                "run_id": current.run.run_id,
                "as_of": str(current.run.window),
                "status": status,
                "held": len(problems),
            }
        )

    return dg.Definitions(assets=[apply_retention, record_run])
