"""The daily job in this process, recorded by Dagster where the installation has an instance."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.definitions import defs
from orchestration.steps import EXPORT_STEP, window_tags
from radar.core.errors import RadarError
from radar.core.masking import masked
from radar.core.runs import StoppedError, Window
from radar.core.settings import Settings
from radar.core.terminal import inert_value
from radar.landing.first_day import note_asked

RECORDED_DAYS = 3
"""Of a longer window Dagster marks the last day alone: it notes every asset for every day, seconds a day."""


def execute(run_id: str, window: Window, log: Path, tags: Mapping[str, str]) -> None:
    """Run it to the end. Raises RadarError with the error of the first failing step.

    A destination that was blocked or failed is no failing step here: `audit.sync_runs` records it.
    """
    warehouse = Settings().warehouse
    is_recorded = find_instance(warehouse)
    is_marked = is_recorded and window.days <= RECORDED_DAYS
    note_asked(warehouse, window.start)
    job = _daily_job()
    try:
        with dg.DagsterInstance.get() if is_recorded else dg.DagsterInstance.ephemeral() as instance:
            result = job.execute_in_process(
                instance=instance,
                run_id=run_id,
                tags={**window_tags(window, is_recorded=is_marked), **tags},
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
    except dg.DagsterExecutionInterruptedError:
        raise StoppedError from None
    if not result.success and (failure := _failure(result, log)):
        raise failure


def find_instance(warehouse: Path) -> bool:
    """Whether runs are recorded: in DAGSTER_HOME, or in the folder `dagster` next to the warehouse.

    The folder is one where it holds a `dagster.yaml`, as `make demo` and `make dev` put there.
    """
    if os.environ.get("DAGSTER_HOME"):
        return True
    dagster_home = warehouse.parent / "dagster"
    if not (dagster_home / "dagster.yaml").is_file():
        return False
    os.environ["DAGSTER_HOME"] = str(dagster_home)
    return True


def _daily_job() -> dg.JobDefinition:
    """The job; an error of the user's in what is read to define it comes out from under Dagster's own."""
    try:
        return defs().resolve_job_def("daily")
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, RadarError):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise cause from error


def _failure(result: dg.ExecuteInProcessResult, log: Path) -> RadarError | None:
    """The error of the first failing step, None where only destinations were blocked or failed.

    What nobody foresaw goes to the log in full.
    """
    failures = result.filter_events(lambda event: event.is_step_failure)
    others = [event for event in failures if not _is_of_a_destination(event)]
    if failures and not others:
        return None
    for event in others:
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            return _ReportedError(data.user_failure_data.description)
        if _was_interrupted(data.error):
            return StoppedError()
        text = data.error.to_string() if data.error else "no reason given"
        logging.getLogger("radar").error("step %s: %s", event.step_key, text)
        return RadarError(
            f"the step {event.step_key} failed, which Radar did not foresee: {_first_cause(data.error)}",
            f"report it with {log}",
        )
    return RadarError("the run failed in a way that Radar did not foresee", f"report it with {log}")


def _first_cause(error: Any) -> str:
    """What began it, in one line: the class of the error that Dagster's own wraps, and how it begins."""
    if error is None:
        return "no reason given"
    while error.cause is not None:
        error = error.cause
    message = error.message.removeprefix(f"{error.cls_name}: ").removeprefix(f"duckdb.{error.cls_name}: ")
    first = next((line.strip() for line in message.splitlines() if line.strip()), "")
    return inert_value(masked(f"{error.cls_name}: {first}"))


def _was_interrupted(error: Any) -> bool:
    """Whether Ctrl-C is the cause of an error as Dagster keeps it; DuckDB raises one of its own on top."""
    while error is not None:
        if error.cls_name in (dg.DagsterExecutionInterruptedError.__name__, KeyboardInterrupt.__name__):
            return True
        error = error.cause
    return False


def _is_of_a_destination(event: dg.DagsterEvent) -> bool:
    failure = event.step_failure_data.user_failure_data
    return bool(failure and failure.description) and (event.step_key or "").startswith(EXPORT_STEP)


class _ReportedError(RadarError):
    """An error whose text a step has already put together."""

    def __init__(self, text: str) -> None:
        problem, _, remedy = text.partition("\n  What to do: ")
        super().__init__(problem, remedy)
