"""What Dagster shows of runs of the command line: its own days, every asset, and each feed's last checks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from radar.core.project import PROJECT
from tests.runs.radar_run import Place
from tests.runs.test_faults import small_company

pytestmark = pytest.mark.slow

DAYS = ("2026-02-27", "2026-03-01")
PAYMENTS, HISTORY = dg.AssetKey(["raw", "billing_payments"]), dg.AssetKey(["marts", "fct_health_history"])


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """Two runs with an instance beside the warehouse; nothing has arrived for the second."""
    place = Place(tmp_path_factory.mktemp("recorded"))
    small_company(place)
    home = place.folder / "dagster"
    home.mkdir()
    shutil.copy(PROJECT / "orchestration/dagster.yaml", home)
    place.run(f"--since={DAYS[0]}", f"--as-of={DAYS[1]}")
    place.run(f"--as-of={DAYS[1]}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        with dg.DagsterInstance.get() as found:
            yield found


def test_runs_are_recorded_where_the_warehouse_has_an_instance(instance: dg.DagsterInstance) -> None:
    assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS] * 2
    assert instance.get_materialized_partitions(HISTORY) == {"2026-02-27", "2026-02-28", "2026-03-01"}


def test_a_feeds_checks_stay_until_its_next_batch(instance: dg.DagsterInstance) -> None:
    newest = instance.get_latest_materialization_event(PAYMENTS)
    assert newest is not None
    last, first = (run.run_id for run in instance.get_runs())
    assert newest.run_id == last, "Dagster shows no results that are older than this"
    of_first, of_last = (_checks_of(instance, run_id) for run_id in (first, last))
    assert {"expectations", "rows_get_through"} <= of_first
    assert of_first <= of_last


def _checks_of(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    """The checks of payments that a run told the outcome of."""
    events = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    told = [event.event_log_entry.asset_check_evaluation for event in events]
    return {each.check_name for each in told if each and each.asset_key == PAYMENTS}


def test_a_folder_without_dagsters_settings_is_no_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.in_process import find_instance  # noqa: PLC0415 a process of its own knows no instance

    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    assert not find_instance(tmp_path / "warehouse.duckdb")
    (tmp_path / "dagster").mkdir()
    assert not find_instance(tmp_path / "warehouse.duckdb")
