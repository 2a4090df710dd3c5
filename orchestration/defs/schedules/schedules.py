"""When jobs run by themselves. All ways are off until somebody switches one on."""

import hashlib
from datetime import UTC
from pathlib import Path

import dagster as dg

from orchestration.defs.schedules.jobs import daily, deliver
from orchestration.timetable import Timetable
from radar.core.runs import utc_now
from radar.core.settings import Settings
from radar.deliveries.retries import next_attempt

QUIET_SECONDS = 60
"""A file younger than this may still be on its way."""


@dg.definitions
def schedules() -> dg.Definitions:
    """The sensors, and the schedule as the installation sets when it runs and for which day."""
    return dg.Definitions(schedules=[make_schedule(Timetable.read())], sensors=[new_extracts, due_deliveries])


def make_schedule(timetable: Timetable) -> dg.ScheduleDefinition:
    """Once a day, for the day that has ended or the day under way."""

    @dg.schedule(
        job=daily,
        cron_schedule=timetable.cron,
        execution_timezone=timetable.schedule_zone,
        description=timetable.description,
    )
    def every_morning(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        moment = context.scheduled_execution_time.astimezone(UTC)
        return dg.RunRequest(partition_key=timetable.as_of(moment.date()).isoformat())

    return every_morning


@dg.sensor(job=daily, minimum_interval_seconds=300)
def new_extracts(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """When files arrived or changed, and have been at rest for a minute."""
    folder, now = Settings().extracts, utc_now()
    state, newest = listing(folder)
    if not state:
        return dg.SkipReason(f"There are no files in {folder}.")
    if state == context.cursor:
        return dg.SkipReason("Nothing has arrived since the last run.")
    if now.replace(tzinfo=UTC).timestamp() - newest < QUIET_SECONDS:
        return dg.SkipReason("Files are still arriving.")
    context.update_cursor(state)
    day = Timetable.read().as_of(now.date())
    return dg.RunRequest(run_key=state, partition_key=day.isoformat())


@dg.sensor(job=deliver, minimum_interval_seconds=60)
def due_deliveries(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """When what could not be delivered may be tried again."""
    waiting = next_attempt(Settings().warehouse)
    if waiting is None:
        return dg.SkipReason("Everything that was due has been delivered.")
    if waiting.at > utc_now():
        return dg.SkipReason(f"The next attempt is due at {waiting.at:%Y-%m-%d %H:%M} UTC.")
    return dg.RunRequest(
        run_key=f"{waiting.as_of} {waiting.at.isoformat()}", partition_key=waiting.as_of.isoformat()
    )


def listing(folder: Path) -> tuple[str, float]:
    """A digest of the files' names, sizes and times, empty where there are none, and the newest time."""
    digest, newest = hashlib.sha256(), 0.0
    for path in sorted(folder.glob("*/*/*")):
        if path.is_file() and not path.name.startswith("."):
            stat = path.stat()
            digest.update(f"{path.relative_to(folder)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
            newest = max(newest, stat.st_mtime)
    return (digest.hexdigest() if newest else ""), newest
