"""`radar run`: the daily job in this process, without a server.

Belongs here: what only the command line needs before and after the job. The engine does not depend on
Dagster: the job is looked up by name, once the call has been found sound, for importing it takes seconds.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import current_thread, main_thread
from uuid import uuid4

from radar.cli import summary
from radar.cli.summary import Summary
from radar.core import progress, runs
from radar.core.errors import RadarError, UsageError
from radar.core.runs import FailedRunError, StoppedError, Window, utc_now
from radar.core.settings import Settings
from radar.core.terminal import InertFormatter
from radar.core.warehouse import connect, readable_os_errors, require_free_space, state_dir, writer_lock
from radar.deliveries.failed_runs import note_failure, what_has_happened
from radar.deliveries.settings import Destinations
from radar.exports.guards import guards_of
from radar.exports.profiles import used_profiles
from radar.exports.report import preview_text
from radar.exports.writer import preview
from radar.landing.staging import require_sound_contracts
from radar.rules.gathering import gather

JOB = "orchestration.in_process"
LEAST_FREE_BYTES = 200_000_000
KEPT_LOGS = 30
DONE, INCOMPLETE = 0, 3


def run_daily(
    paths: Mapping[str, Path | None],
    *,
    as_of: str | None,
    since: str | None,
    dry_run: bool = False,
    allow_flood: bool = False,
    force_day: bool = False,
) -> int:
    """Run the job once. Raises RadarError.

    The exit status: 0, or 3 where a feed or a part of it that a critical check speaks of, the meaning of
    words, a destination or a day was left out.
    `dry_run`: no files are written, and what they would contain is printed; `allow_flood`: see
    `radar.exports.writer.Guards`; `force_day`: see `runs.require_day` and `as_of_guard.require_near_facts`.
    """
    settings = Settings.with_paths(paths)
    asked = {"dry_run": dry_run, "allow_flood": allow_flood, "force_day": force_day}
    window = runs.parse_window(as_of, since, today=utc_now().date(), force_day=force_day)
    try:
        with _ended_by_signal():
            _check_paths(settings)
            settings.publish_to_environment()
            with writer_lock(settings.warehouse):
                ended, notes = _run(settings, window, asked)
                previewed = _previewed(settings, allow_flood) if dry_run else ""
    except KeyboardInterrupt:
        raise StoppedError from None
    print(summary.text(ended, settings.extracts, notes))
    if previewed:
        print(f"\nWould be exported\n{previewed}")
    return DONE if ended.is_complete else INCOMPLETE


def _previewed(settings: Settings, allow_flood: bool) -> str:
    """What the destinations in use would have been given."""

    used = [profile.name for profile in used_profiles(state_dir(settings.warehouse) / "seeds")]
    guards = guards_of(settings.warehouse, allow_flood=allow_flood)
    return preview_text(preview(settings.warehouse, profiles=used, guards=guards))


def _run(settings: Settings, window: Window, asked: Mapping[str, bool]) -> tuple[Summary, list[str]]:
    """The job, and what it did, with the notes that steps left. `asked`: run tags, radar/ left out."""
    if settings.warehouse.exists():
        with connect(settings.warehouse):  # locked, damaged or foreign: reported before anything is imported
            pass
    run_id, logs = str(uuid4()), state_dir(settings.warehouse) / "logs"
    with _logging(logs, run_id) as log, progress.reporting(progress.for_stream(sys.stdout)) as notes:
        progress.status("  starting")
        job = import_module(JOB)
        tags = {f"radar/{tag}": "yes" for tag, is_asked in asked.items() if is_asked}
        with _failing_under_way(settings, run_id):
            job.execute(run_id, window, log, tags)
    with connect(settings.warehouse, read_only=True) as con:
        return summary.of_run(con, run_id, settings), notes


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Let the signal that ends a process (SIGTERM) do what Ctrl-C does."""
    if current_thread() is not main_thread():  # signals are the main thread's
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _failing_under_way(settings: Settings, run_id: str) -> Iterator[None]:
    """Note a run that was stopped outside its steps; say with every failure what has happened before it."""
    try:
        yield
    except (KeyboardInterrupt, StoppedError):
        error = StoppedError()
        note_failure(run_id, str(error))
        raise FailedRunError(error, what_has_happened(settings.published, run_id)) from None
    except RadarError as error:
        raise FailedRunError(error, what_has_happened(settings.published, run_id)) from error


def _check_paths(settings: Settings) -> None:
    """Refuse what cannot work, before anything is started or written."""
    runs.check_warehouse_name(settings.warehouse)
    Destinations.read()
    require_sound_contracts()
    if not settings.extracts.is_dir():
        raise UsageError(
            "there is no such folder of extracts",
            "name one with --extracts, or write a demo company's with radar demo DIR",
            file=settings.extracts,
        )
    with tempfile.TemporaryDirectory() as scratch:
        gather(settings.seeds, Path(scratch))
    if settings.warehouse.is_dir():
        raise UsageError("the warehouse is a folder", "name a file with --warehouse", file=settings.warehouse)
    for folder in (settings.warehouse.parent, settings.exports, settings.published):
        with readable_os_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied", str(folder))
        require_free_space(folder, LEAST_FREE_BYTES)


@contextmanager
def _logging(folder: Path, run_id: str) -> Iterator[Path]:
    """Send what libraries log and warn to a file of the run, and nothing of it to the console."""
    with readable_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("run-*.log"), key=lambda path: path.stat().st_mtime)[: -KEPT_LOGS + 1]:
            old.unlink()
        log = folder / f"run-{run_id}.log"
        handler = logging.FileHandler(log, delay=True, encoding="utf-8")
    handler.setFormatter(InertFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    logging.raiseExceptions = False  # a log that cannot be written must not bury the output of the run
    logging.captureWarnings(True)
    try:
        with warnings.catch_warnings():
            yield log
    finally:
        logging.captureWarnings(False)
        logging.raiseExceptions = True
        root.removeHandler(handler)
        with suppress(OSError):
            handler.close()
