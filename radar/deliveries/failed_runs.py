"""Runs that failed or were killed: recorded, reported to people, and what they left on the disk removed."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import duckdb

from radar.core import runs
from radar.core.errors import RadarError
from radar.core.runs import utc_now
from radar.core.settings import Settings
from radar.core.warehouse import connect, writer_lock
from radar.deliveries.run_alerts import run_failed
from radar.deliveries.settings import Destinations
from radar.publishing.manifest import published_run

UNFINISHED = ("*/.new-*", "outbox/*/.new-*")
"""Folders below the exports that were being written when their run was killed."""

UNFINISHED_LINKS = (".current.*", ".radar.duckdb.*", ".parquet.*", ".manifest.json.*")
"""Links of the published copy that were being replaced. Sets that nobody sees go with the next publish."""


def note_failure(run_id: str, message: str) -> list[str]:
    """Alert people, and note in `audit.runs` that the run failed and why; once. What could not be done."""
    warehouse, troubles = Settings().warehouse, []
    try:
        run_failed(warehouse, message, Destinations.read())
    except RadarError as error:
        troubles.append(f"The failure could not be reported in Slack: {error}")
    if not warehouse.exists():
        return troubles
    try:
        with writer_lock(warehouse), connect(warehouse) as con:
            run = runs.current(con)
            if run and run.run_id == run_id:
                runs.record(con, run, runs.FAILED, message, utc_now())
    except duckdb.CatalogException:  # killed before it had its tables
        pass
    except (RadarError, duckdb.Error) as error:
        troubles.append(f"The failure could not be recorded in audit.runs: {error}")
    return troubles


def what_has_happened(published: Path, run_id: str) -> str:
    """What a run that failed has changed for others, as far as files show it."""
    if published_run(published) != run_id:
        return "nothing was published, exported or delivered by this run; readers see the copy from before it"
    return (
        "the copy for readers is this run's; files for other systems and messages may have gone out "
        "(radar sync status, radar deliveries status)"
    )


def remove_leftovers(settings: Settings) -> None:
    """Remove what killed runs left half written. For whoever holds the writer's lock."""
    for pattern in UNFINISHED:
        for folder in settings.exports.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)
    for pattern in UNFINISHED_LINKS:
        for link in settings.published.glob(pattern):
            with suppress(OSError):
                link.unlink()
