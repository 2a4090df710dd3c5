"""What every step that writes the warehouse shares: the run, the writer's lock, how errors are reported.

Belongs here: what Dagster steps have in common. Does not belong here: what any one of them does, and assets.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb

from orchestration.dbt import STORAGE_TROUBLE, gather_seeds
from radar.audit.chain import open_chain, record_check
from radar.core import runs
from radar.core.errors import RadarError
from radar.core.file_rights import restrict
from radar.core.runs import Run, StoppedError, Window, utc_now
from radar.core.settings import Settings
from radar.core.warehouse import (
    connect,
    explain_duckdb_error,
    explain_os_error,
    readable_os_errors,
    state_dir,
    writer_lock,
)
from radar.deliveries.failed_runs import note_failure, remove_leftovers
from radar.landing import schema
from radar.landing.first_day import first_day

POOL = "duckdb_writer"
PUBLISHED = dg.AssetKey(["published", "radar"])
RETENTION = dg.AssetKey(["control", "retention"])
ENTRIES = dg.AssetKey(["audit", "entries"])
RUNS = dg.AssetKey(["audit", "runs"])
EARLIER_RUNS = dg.AssetKey(["audit", "earlier_runs"])
EARLIER_ENTRIES = dg.AssetKey(["audit", "earlier_entries"])


def delivery_key(channel: str) -> dg.AssetKey:
    """deliveries/<channel>."""
    return dg.AssetKey(["deliveries", channel])


DATA_TEAM, SUCCESS_TEAM = ["team:data"], ["team:customer-success"]


def partitions() -> dg.DailyPartitionsDefinition:
    """As-of dates, from the installation's first day to today (UTC); read when definitions are loaded.

    Everything after landing is partitioned by them, tables without a date too: a backfill in Dagster would
    start unpartitioned assets as runs of their own, which know nothing of its dates.
    """
    start = first_day(Settings().warehouse)
    return dg.DailyPartitionsDefinition(start_date=start.isoformat(), end_offset=1)


SINGLE_RUN = dg.BackfillPolicy.single_run()
"""A range of dates is one pass, never a loop of runs."""

RETRIES, RETRY_SECONDS = 2, 15
"""How often a step is tried again, and the first pause, which doubles; see `_passes_by_itself`."""

WINDOW_START, WINDOW_END = "radar/as_of_start", "radar/as_of_end"
"""Run tags for a window of which Dagster is not to keep every day; they go before its partitions."""

ALLOW_FLOOD, DRY_RUN = "radar/allow_flood", "radar/dry_run"
"""Run tags, of any value: export where very many accounts change their bucket; export nothing."""

FORCE_DAY = "radar/force_day"
"""Run tag, of any value: compute a day ahead of today, or far beyond the newest facts. As `--force-day`."""

EXPORT_STEP = "exports__"
"""How steps begin that give files to one destination each: where one fails, the run goes on without it."""

_RANGE_START, _RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
_open_connections: list[ExitStack] = []
"""What the steps of a run keep open in this process until its end."""

_PARTITION = "dagster/partition"
_STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}
_PASSING = {errno.EIO, errno.EAGAIN, errno.ESTALE, errno.ETIMEDOUT, errno.ECONNRESET}


@dataclass(frozen=True)
class Step:
    """A step of the run under way."""

    run: Run
    settings: Settings
    force_day: bool

    @property
    def seeds(self) -> Path:
        """The reference data in use."""
        return state_dir(self.settings.warehouse) / "seeds"

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse, for writing."""
        with connect(self.settings.warehouse) as con:
            yield con


class WriterLock(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Holds the writer's lock from the first step of a run to its last, not only within each."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[WriterLock]:
        """Raises WarehouseError where another process has it."""
        with writer_lock(Settings().warehouse), ExitStack() as connections:
            _open_connections.append(connections)
            try:
                yield self
            finally:
                _open_connections.remove(connections)


def window_of(tags: Mapping[str, str], today: date) -> Window:
    """The as-of dates that a run's tags name; today where they name none."""
    for first, last in ((WINDOW_START, WINDOW_END), (_RANGE_START, _RANGE_END), (_PARTITION, _PARTITION)):
        if first in tags and last in tags:
            return Window(date.fromisoformat(tags[first]), date.fromisoformat(tags[last]))
    return Window(today, today)


def _window(context: dg.AssetExecutionContext, today: date) -> Window:
    """The as-of dates of the run. Raises UsageError where they have not come and are not forced."""
    tags = context.run.tags
    window = window_of(tags, today)
    runs.require_day(window, today=today, force_day=FORCE_DAY in tags)
    return window


def window_tags(window: Window, *, is_recorded: bool) -> dict[str, str]:
    """The tags for a window. `is_recorded`: Dagster keeps the run, so its partitions are to be marked.

    A run that is not kept carries its last day alone as a partition: of a range, Dagster notes every asset
    for every day, which takes 0.1 to 0.2 s a day, and nobody could read it.
    """
    start, end = window.start.isoformat(), window.end.isoformat()
    if is_recorded:
        return {_RANGE_START: start, _RANGE_END: end}
    return {WINDOW_START: start, WINDOW_END: end, _PARTITION: end}


@contextmanager
def first_step(context: dg.AssetExecutionContext) -> Iterator[Step]:
    """The step that begins a run: it makes the warehouse where there is none."""
    with reported(context), writer_lock(Settings().warehouse):
        settings, now = Settings(), utc_now()
        with readable_os_errors(settings.warehouse):
            settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(settings)
        gather_seeds(settings.warehouse, settings.seeds, settings.panel_store)
        with connect(settings.warehouse) as con:
            schema.create(con)
            run = runs.begin(con, run_id=context.run.run_id, window=_window(context, now.date()), now=now)
            # a broken audit is reported before anything goes out
            record_check(open_chain(con, settings.warehouse), run.run_id, now)
        yield Step(run, settings, FORCE_DAY in context.run.tags)


@contextmanager
def step(context: dg.AssetExecutionContext, *, stays_open: bool = False) -> Iterator[Step]:
    """A later step: it checks that the warehouse is still its run's.

    `stays_open`: the warehouse stays open for writing, in this process to the end of the run, so that opening
    it again for writing costs nothing and it is checkpointed once; for reading alone, or by dbt, it cannot be
    opened meanwhile.
    """
    with reported(context), writer_lock(Settings().warehouse), ExitStack() as step_only:
        settings, now = Settings(), utc_now()
        opened = _open_connections[-1] if stays_open and _open_connections else step_only
        earlier = [run_id for run_id in (context.run.parent_run_id, context.run.root_run_id) if run_id]
        run = runs.resume(
            opened.enter_context(connect(settings.warehouse)),
            run_id=context.run.run_id,
            earlier_runs=earlier,
            window=_window(context, now.date()),
            now=now,
        )
        if not stays_open:
            step_only.close()
        try:
            yield Step(run, settings, FORCE_DAY in context.run.tags)
        except BaseException:
            opened.close()  # an error may have left DuckDB unusable until the file is opened again
            raise


@contextmanager
def reported(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Show an error that a user can meet as its text, without a stack, and retry what may pass by itself.

    Steps carry no retry policy of Dagster's: that one would also repeat bad input and our own defects.
    """
    try:
        restrict()  # a step of a schedule begins in a process of Dagster's
        with _storage_errors():
            yield
    except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt):
        for warning in note_failure(context.run_id, str(StoppedError())):
            context.log.warning(warning)
        raise
    except RuntimeError as error:
        if not _is_interrupt(error):
            raise
        for warning in note_failure(context.run_id, str(StoppedError())):
            context.log.warning(warning)
        raise dg.DagsterExecutionInterruptedError from error
    except RadarError as error:
        if _passes_by_itself(error) and context.retry_number < RETRIES:
            pause = RETRY_SECONDS * 2**context.retry_number
            context.log.warning(f"Trying again in {pause} s: {error}")
            raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=pause) from error
        raise dg.Failure(description=str(error)) from error


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether a signal is the cause of the error: amid a query DuckDB raises one of its own on top."""
    while error is not None:
        if isinstance(error, dg.DagsterExecutionInterruptedError | KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Troubles of the disk that come up where nobody translates them, in a commit above all."""
    warehouse = Settings().warehouse
    try:
        yield
    except duckdb.Error as error:
        if not STORAGE_TROUBLE.search(str(error)):
            raise
        raise explain_duckdb_error(warehouse, str(error)) from error
    except OSError as error:
        if error.errno not in _STORAGE:
            raise
        raise explain_os_error(error, warehouse) from error


def _passes_by_itself(error: RadarError) -> bool:
    """A file that someone else has open, a network folder that stumbled: not a full disk, not bad input."""
    cause = error.__cause__
    if isinstance(cause, duckdb.IOException):
        return bool(re.search(r"[Cc]onflicting lock", str(cause)))
    return isinstance(cause, OSError) and cause.errno in _PASSING


@dg.failure_hook(name="record_failed_run")
def record_failed_run(context: dg.HookContext) -> None:
    """Note in `audit.runs` that the run failed, and why, if the warehouse can be opened.

    A destination that fails alone is no failed run: `audit.sync_runs` has it.
    """
    if context.op.name.startswith(EXPORT_STEP) and isinstance(context.op_exception, dg.Failure):
        return
    why = context.op_exception
    message = why.description if isinstance(why, dg.Failure) and why.description else type(why).__name__
    for warning in note_failure(context.run_id, message):
        context.log.warning(warning)
