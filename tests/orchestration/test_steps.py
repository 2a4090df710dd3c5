"""How a step that fails is reported, tried again, and recorded."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration import steps
from orchestration.steps import first_step, record_failed_run, step
from radar.core.errors import InputError, RadarError, WarehouseError
from radar.core.warehouse import connect, writer_lock


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADAR_WAREHOUSE", str(tmp_path / "w.duckdb"))
    monkeypatch.setattr(steps, "RETRY_SECONDS", 0)
    return tmp_path / "w.duckdb"


def run_with(
    work: Callable[[], None], tags: dict[str, str] | None = None, *, stays_open: bool = False
) -> dg.ExecuteInProcessResult:
    """A job of two steps: the first begins a run, the second does `work`."""

    @dg.asset
    def begins(context: dg.AssetExecutionContext) -> None:
        with first_step(context):
            pass

    @dg.asset(deps=[begins])
    def works(context: dg.AssetExecutionContext) -> None:
        with step(context, stays_open=stays_open):
            work()

    job = dg.define_asset_job("job", hooks={record_failed_run}, executor_def=dg.in_process_executor)
    definitions = dg.Definitions(assets=[begins, works], jobs=[job])
    return definitions.resolve_job_def("job").execute_in_process(
        instance=dg.DagsterInstance.ephemeral(), raise_on_error=False, tags=tags
    )


def failing(*errors: Exception | None) -> tuple[Callable[[], None], list[int]]:
    """Work that fails with these, one a try, and the list of tries."""
    tries: list[int] = []
    left: Iterator[Exception | None] = iter(errors)

    def work() -> None:
        tries.append(1)
        if error := next(left):
            raise error

    return work, tries


def caused(error: RadarError, cause: Exception) -> RadarError:
    error.__cause__ = cause
    return error


def recorded(warehouse: Path) -> list[tuple[str, str]]:
    with duckdb.connect(str(warehouse)) as con:
        return con.execute("SELECT status, message FROM audit.runs").fetchall()


def told(result: dg.ExecuteInProcessResult) -> str | None:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    data = event.step_failure_data.user_failure_data
    return data.description if data else None


def test_bad_input_is_reported_in_its_own_text_once_and_recorded(warehouse: Path) -> None:
    error = InputError("a hole", "mend it", file="a.csv", row=3)
    work, tries = failing(error, None)
    result = run_with(work)
    assert not result.success
    assert told(result) == str(error)
    assert len(tries) == 1
    assert recorded(warehouse) == [("failed", str(error))]


def test_a_lock_that_goes_away_is_waited_for(warehouse: Path) -> None:
    lock = caused(WarehouseError("locked", "wait"), duckdb.IOException("Conflicting lock is held in dbeaver"))
    work, tries = failing(lock, None)
    assert run_with(work).success
    assert len(tries) == 2
    assert recorded(warehouse) == []


def test_a_lock_that_stays_is_reported_in_the_end(warehouse: Path) -> None:
    lock = caused(WarehouseError("locked", "wait"), duckdb.IOException("Conflicting lock is held in dbeaver"))
    work, tries = failing(lock, lock, lock, None)
    assert told(run_with(work)) == "locked\n  What to do: wait"
    assert len(tries) == 3


def test_a_full_disk_is_not_tried_again(warehouse: Path) -> None:
    full = caused(WarehouseError("the disk is full", "free some"), OSError(28, "No space left on device"))
    work, tries = failing(full, None)
    assert not run_with(work).success
    assert len(tries) == 1


def test_a_full_disk_that_shows_in_a_commit_is_reported_as_one(warehouse: Path) -> None:
    text = 'TransactionContext Error: Failed to commit: Could not write file "w.wal": No space left on device'
    work, _ = failing(duckdb.TransactionException(text))
    assert str(told(run_with(work))).startswith(
        f"{warehouse}: the disk is full\n  What to do: free some space"
    )


def test_a_defect_keeps_its_trace_and_is_not_tried_again(warehouse: Path) -> None:
    work, tries = failing(ZeroDivisionError("ours"), None)
    result = run_with(work)
    assert told(result) is None
    assert len(tries) == 1
    assert recorded(warehouse) == [("failed", "ZeroDivisionError")]


def test_the_window_is_in_the_warehouse(warehouse: Path) -> None:
    tags = {
        "radar/as_of_start": "2026-02-12",
        "radar/as_of_end": "2026-03-13",
        "dagster/partition": "2026-03-13",
    }
    result = run_with(lambda: None, tags)
    with duckdb.connect(str(warehouse)) as con:
        row = con.execute(
            "SELECT run_id, as_of_start::VARCHAR, as_of_end::VARCHAR FROM control.run_window"
        ).fetchone()
    assert row == (result.run_id, "2026-02-12", "2026-03-13")


@pytest.mark.parametrize("stays_open", [True, False])
def test_a_warehouse_that_stays_open_can_be_written_and_is_closed_at_the_end(
    warehouse: Path, stays_open: bool
) -> None:
    def work() -> None:
        with connect(warehouse) as con:
            con.execute("CREATE TABLE made AS SELECT 1 AS n")
        with pytest.raises(duckdb.Error) if stays_open else nullcontext():
            duckdb.connect(str(warehouse), read_only=True).close()
        raise InputError("a mistake", "correct it")

    result = run_with(work, stays_open=stays_open)
    assert told(result) == "a mistake\n  What to do: correct it"
    assert recorded(warehouse) == [("failed", "a mistake\n  What to do: correct it")]
    with duckdb.connect(str(warehouse), read_only=True) as con:
        assert con.execute("FROM made").fetchall() == [(1,)]


def test_no_step_starts_while_another_process_writes(warehouse: Path) -> None:
    run_with(lambda: None)
    with writer_lock(warehouse):  # within a process it may be taken again: the run goes on
        assert run_with(lambda: None).success
