"""The steps that give files to destinations, as Dagster runs and shows them."""

import hashlib
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.exports.assets import make_export
from orchestration.steps import PUBLISHED, WriterLock, first_step, record_failed_run
from radar.exports.profiles import load_profiles
from tests.frozen import SEEDS

sys.path.append(str(Path(__file__).resolve().parents[1] / "exports"))
import small_mart

NAMES = ["generic", "hubspot_companies"]
DAY = small_mart.DAY.isoformat()


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("warehouse", "exports", "published"):
        monkeypatch.setenv(f"RADAR_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("RADAR_WAREHOUSE", str(tmp_path / "w.duckdb"))
    small_mart.make(tmp_path / "w.duckdb")
    small_mart.fill(tmp_path / "w.duckdb", 12)
    small_mart.change(
        tmp_path / "w.duckdb",
        f"create schema seeds; create table seeds.settings as from read_csv('{SEEDS}/settings.csv')",
    )
    return tmp_path / "w.duckdb"


def run(day: str = DAY, **tags: str) -> dg.ExecuteInProcessResult:
    """The steps of both destinations, after one that begins the run and before one that ends it."""

    @dg.asset(key=PUBLISHED)
    def publish(context: dg.AssetExecutionContext) -> None:
        with first_step(context):
            pass

    @dg.asset(deps=[PUBLISHED])
    def close() -> None:
        pass

    job = dg.define_asset_job("job", hooks={record_failed_run}, executor_def=dg.in_process_executor)
    definitions = dg.Definitions(
        assets=[publish, close, *(make_export(profile) for profile in load_profiles(NAMES))],
        jobs=[job],
        resources={"writer": WriterLock()},
    )
    return definitions.resolve_job_def("job").execute_in_process(
        instance=dg.DagsterInstance.ephemeral(),
        raise_on_error=False,
        tags={"dagster/partition": day, **tags},
    )


def ended(result: dg.ExecuteInProcessResult) -> list[str]:
    """Steps that came to their end, in their order."""
    return [event.step_key or "" for event in result.all_events if event.is_step_success]


def told(result: dg.ExecuteInProcessResult, name: str) -> dict[str, object] | None:
    """The metadata of a destination's materialization."""
    for event in result.get_asset_materialization_events():
        if event.asset_key == dg.AssetKey(["exports", name]):
            assert event.partition == DAY
            return {key: value.value for key, value in event.materialization.metadata.items()}
    return None


def test_a_destination_is_shown_with_rows_bytes_hash_and_first_rows(warehouse: Path, tmp_path: Path) -> None:
    result = run()
    assert result.success
    assert ended(result)[-1] == "close", "what closes a run comes after the files"
    shown = told(result, "generic")
    assert shown is not None
    folder = Path(str(shown["folder"]))
    (file,) = folder.glob("*_001.csv")
    assert (shown["dagster/row_count"], shown["changes"]) == (12, "12 added, 0 changed, 0 removed")
    assert shown["bytes"] == file.stat().st_size
    assert shown["sha256"] == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert "| added | a000000 | Company 0 |" in str(shown["preview"])
    assert str(shown["preview"]).count("\n| added |") == 5


def test_a_destination_that_fails_does_so_alone_and_is_no_failed_run(warehouse: Path, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "generic").write_text("in the way")
    result = run()
    assert not result.success
    assert [event.step_key for event in result.all_events if event.is_step_failure] == ["exports__generic"]
    assert {"exports__hubspot_companies", "close"} <= set(ended(result))
    small_mart.change(warehouse, "select 1")
    assert told(result, "hubspot_companies") is not None
    assert rows(warehouse, "select profile, status from audit.sync_runs order by 1") == [
        ("generic", "failed"),
        ("hubspot_companies", "written"),
    ]
    assert rows(warehouse, "select count(*) from audit.runs where status = 'failed'") == [(0,)]


def test_a_past_day_and_a_dry_run_write_nothing(warehouse: Path, tmp_path: Path) -> None:
    run()
    before = sorted((tmp_path / "exports").rglob("*"))
    small_mart.fill(warehouse, 12, day=small_mart.DAY.replace(day=1), run=7)
    past = run("2026-03-01")
    assert past.success
    assert not [
        event for event in past.get_asset_materialization_events() if event.asset_key.path[0] == "exports"
    ]
    assert run(**{"radar/dry_run": "yes"}).success
    assert sorted((tmp_path / "exports").rglob("*")) == before


def rows(warehouse: Path, query: str) -> list[tuple[object, ...]]:
    import duckdb  # noqa: PLC0415

    with duckdb.connect(str(warehouse), read_only=True) as con:
        found: list[tuple[object, ...]] = con.execute(query).fetchall()
    return found
