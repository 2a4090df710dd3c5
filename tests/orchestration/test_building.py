"""dbt inside this process: what each node came to, what a failure says, and who holds the warehouse then."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from orchestration import dbt as building
from orchestration.dbt import NodeResult, Workspace
from radar.core.errors import CheckError, RadarError, WarehouseError
from radar.core.project import PROJECT
from radar.core.warehouse import connect, state_dir
from tests.frozen import SEEDS

MODELS = {
    "numbers.sql": "{{ config(materialized='table') }} select unnest(range(3)) as n",
    "view_of_it.sql": "select n from {{ ref('numbers') }}",
    "numbers.yml": "models: [{name: numbers, columns: [{name: n, data_tests: [unique]}]}]",
}


def make(folder: Path, models: dict[str, str]) -> Workspace:
    project = state_dir(folder / "w.duckdb") / "project"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: radar\nprofile: radar\n")
    shutil.copy(PROJECT / "dbt_project" / "profiles.yml", project)
    for name, text in models.items():
        (project / "models" / name).write_text(text)
    workspace = Workspace(folder / "w.duckdb", project, folder / "dbt", folder / "logs")
    with connect(workspace.warehouse):
        pass
    building._parse(workspace)
    return workspace


def build(workspace: Workspace) -> list[NodeResult]:
    """Every node; an error is raised, as a step does."""
    done = building.build(workspace)
    if done.error:
        raise done.error
    return list(done.results)


def is_free(warehouse: Path) -> bool:
    script = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    return (
        subprocess.run([sys.executable, "-c", script, warehouse], capture_output=True, check=False).returncode
        == 0
    )


def test_every_node_is_reported_with_its_rows_and_the_warehouse_is_free(tmp_path: Path) -> None:
    workspace = make(tmp_path, MODELS)
    results = {result.unique_id.split(".")[2]: result for result in build(workspace)}
    assert {name: (result.status, result.rows) for name, result in results.items()} == {
        "numbers": ("success", 3),
        "view_of_it": ("success", None),
        "unique_numbers_n": ("pass", None),
    }
    assert results["unique_numbers_n"].failures == 0
    assert is_free(workspace.warehouse)


def test_a_failing_test_is_named_with_its_rows(tmp_path: Path) -> None:
    workspace = make(tmp_path, MODELS | {"numbers.sql": "select unnest([1, 1, 2, 2]) as n"})
    with pytest.raises(CheckError, match=r"the check unique_numbers_n failed \(2 rows\)"):
        build(workspace)
    assert is_free(workspace.warehouse)


def test_a_model_that_cannot_be_built_is_named_in_one_line(tmp_path: Path) -> None:
    workspace = make(tmp_path, MODELS | {"numbers.sql": "select m as n"})
    with pytest.raises(RadarError) as raised:
        build(workspace)
    told = "the model numbers could not be built (dbt_project/models/numbers.sql): Binder Error"
    assert raised.value.problem.startswith(told)
    assert "LINE" in raised.value.problem
    assert "select m as n" in raised.value.problem
    assert "compiled code at" not in raised.value.problem
    assert len(raised.value.problem.splitlines()) <= building.MOST_LINES


def test_an_error_of_the_database_shows_no_value_of_a_customer(tmp_path: Path) -> None:
    secret = "select cast(name as int) as n from (values ('Jo''s mother, 030 1234567')) as t(name)"
    table = "{{ config(materialized='table') }} "
    workspace = make(tmp_path, MODELS | {"numbers.sql": table + secret})
    with pytest.raises(RadarError) as raised:
        build(workspace)
    assert "(dbt_project/models/numbers.sql): Conversion Error: Could not convert" in raised.value.problem
    assert not [part for part in ("Jo", "mother", "1234567") if part in str(raised.value)]


def test_a_project_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(RadarError, match="dbt cannot read the project"):
        make(tmp_path, {"broken.sql": "select * from {{ ref('nobody') }}"})


STOPPED = """
import sys
from itertools import pairwise
from pathlib import Path
from orchestration import dbt as building
from orchestration.dbt import Workspace

folder = Path(sys.argv[1])
workspace = Workspace(folder / "w.duckdb", folder / "w.state/project", folder / "dbt", folder / "logs")
try:
    building.build(workspace, on_node=lambda unique_id: print("ended", unique_id, flush=True))
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_what_is_running_and_frees_the_warehouse(
    tmp_path: Path, number: signal.Signals
) -> None:
    endless = "select count(*) as n from range(1000000000) as a, range(1000000000) as b"
    workspace = make(
        tmp_path, {"a.sql": "select 1 as n", "z.sql": "{{ config(materialized='table') }} " + endless}
    )
    command = [sys.executable, "-c", STOPPED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ended model.radar.a\n"
        time.sleep(0.5)
        child.send_signal(number)
        said, _ = child.communicate(timeout=20)
    assert said.endswith("stopped\n")
    assert child.returncode == 0
    assert is_free(workspace.warehouse)


def test_a_build_in_the_main_thread_leaves_the_handlers_of_signals_as_they_were(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    build(make(tmp_path, MODELS))
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_warehouse_that_somebody_opened_is_reported_as_such(tmp_path: Path) -> None:
    workspace = make(tmp_path, MODELS)
    text = 'IO Error: Could not set lock on file "w": Conflicting lock is held in dbeaver (PID 7).'
    error = building.explain(workspace, [], RuntimeError(text))
    assert isinstance(error, WarehouseError)
    assert "locked by another process" in error.problem


def test_arguments_leave_unit_tests_and_tests_on_demand_out_and_name_what_is_selected() -> None:
    everything = building.build_arguments()
    assert everything[everything.index("--exclude") + 1] == "tag:on_demand"
    left_out = [kind for option, kind in pairwise(everything) if option == "--exclude-resource-type"]
    assert set(left_out) == {"exposure", "unit_test"}
    assert "--select" not in everything
    assert "--vars" not in everything
    chosen = building.build_arguments(["radar.marts.a"])
    assert chosen[chosen.index("--select") + 1] == "radar.marts.a"


def test_the_project_is_linked_and_parsed_once_for_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[Workspace] = []
    parse = building._parse
    monkeypatch.setattr(building, "_parse", lambda workspace: parsed.append(workspace) or parse(workspace))
    warehouse, mine = tmp_path / "w.duckdb", tmp_path / "mine"
    mine.mkdir()
    workspace = building.prepare(warehouse, SEEDS)
    assert (workspace.project / "models").readlink() == PROJECT / "dbt_project" / "models"
    assert (workspace.project / "../seeds").resolve() == state_dir(warehouse) / "seeds"
    building.prepare(warehouse, mine)
    assert len(parsed) == 1
    (mine / "competitors.csv").write_text("name\nAcme\n")
    building.prepare(warehouse, mine)
    assert len(parsed) == 2
    assert (state_dir(warehouse) / "seeds" / "competitors.csv").read_text() == "name\nAcme\n"


def test_a_process_that_comes_later_parses_only_what_has_changed(tmp_path: Path) -> None:
    building.prepare(tmp_path / "w.duckdb", SEEDS)
    script = "import sys; from pathlib import Path; from orchestration import dbt as building; "
    script += "print(building.prepare(Path(sys.argv[1]), Path(sys.argv[2])))"
    command = [sys.executable, "-c", script, tmp_path / "w.duckdb", SEEDS]
    subprocess.run(command, check=True)
    log = (state_dir(tmp_path / "w.duckdb") / "logs" / "dbt.log").read_text()
    assert log.count("Starting full parse") == 1
    assert not (tmp_path / "w.duckdb").exists(), "parsing needs no warehouse"


def test_a_build_never_writes_over_the_seeds_that_it_reads(tmp_path: Path) -> None:
    """dbt puts a seed's rendered SQL at the target plus the seed's own path, which may climb out of it."""
    workspace = make(tmp_path, {})
    (workspace.project / "dbt_project.yml").write_text(
        "name: radar\nprofile: radar\nseed-paths: [../seeds]\n"
    )
    seeds = workspace.project.with_name("seeds")
    seeds.mkdir()
    content = "a,b\n1,2\n3,4\n"
    (seeds / "pairs.csv").write_text(content)
    building._parse(workspace)
    assert [result.status for result in build(workspace)] == ["success"]
    assert (seeds / "pairs.csv").read_text() == content
    described = (PROJECT / "dbt_project" / "dbt_project.yml").read_text()
    assert "seed-paths: [../seeds]" in described


@pytest.mark.slow
def test_reference_data_is_the_same_in_a_folder_with_an_apostrophe(tmp_path: Path) -> None:
    found = []
    for folder in ("obrien", "o'brien"):
        workspace = building.prepare(tmp_path / folder / "w.duckdb", SEEDS)
        with connect(workspace.warehouse):
            pass
        assert building.build(workspace, ["resource_type:seed"]).error is None
        with duckdb.connect(str(workspace.warehouse)) as con:
            tables = con.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
            found.append({name: con.execute(f"from {name} order by all").fetchall() for (name,) in tables})
    assert len(found[0]) > 10
    assert found[0] == found[1]


def test_the_environment_is_left_as_it_was(tmp_path: Path) -> None:
    before = dict(os.environ)
    workspace = make(tmp_path, MODELS)
    build(workspace)
    assert dict(os.environ) == before
    with duckdb.connect(str(workspace.warehouse)) as con:
        assert con.execute("SELECT count(*) FROM numbers").fetchone() == (3,)
