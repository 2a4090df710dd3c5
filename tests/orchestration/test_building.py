"""dbt inside this process: what each node came to, what a failure says, and who holds the warehouse then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest

from orchestration import dbt as building
from orchestration.dbt import Place
from radar.core.errors import CheckError, RadarError, WarehouseError
from radar.core.settings import PROJECT
from radar.core.warehouse import state_dir
from tests.frozen import SEEDS

MODELS = {
    "numbers.sql": "{{ config(materialized='table') }} select unnest(range(3)) as n",
    "view_of_it.sql": "select n from {{ ref('numbers') }}",
    "numbers.yml": "models: [{name: numbers, columns: [{name: n, data_tests: [unique]}]}]",
}


def make(folder: Path, models: dict[str, str]) -> Place:
    project = folder / "project"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: radar\nprofile: radar\n")
    shutil.copy(PROJECT / "dbt_project" / "profiles.yml", project)
    for name, text in models.items():
        (project / "models" / name).write_text(text)
    place = Place(folder / "w.duckdb", project, folder / "dbt", folder / "logs")
    building._parse(place)
    return place


def is_free(warehouse: Path) -> bool:
    script = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    return (
        subprocess.run([sys.executable, "-c", script, warehouse], capture_output=True, check=False).returncode
        == 0
    )


def test_every_node_is_told_with_its_rows_and_the_warehouse_is_free(tmp_path: Path) -> None:
    place = make(tmp_path, MODELS)
    results = {result.unique_id.split(".")[2]: result for result in building.build(place)}
    assert {name: (result.status, result.rows) for name, result in results.items()} == {
        "numbers": ("success", 3),
        "view_of_it": ("success", None),
        "unique_numbers_n": ("pass", None),
    }
    assert results["unique_numbers_n"].failures == 0
    assert is_free(place.warehouse)


def test_a_failing_test_is_named_with_its_rows(tmp_path: Path) -> None:
    place = make(tmp_path, MODELS | {"numbers.sql": "select unnest([1, 1, 2, 2]) as n"})
    with pytest.raises(CheckError, match=r"the check unique_numbers_n failed \(2 rows\)"):
        list(building.build(place))
    assert is_free(place.warehouse)


def test_a_model_that_cannot_be_built_is_named_in_one_line(tmp_path: Path) -> None:
    place = make(tmp_path, MODELS | {"numbers.sql": "select m as n"})
    with pytest.raises(RadarError) as raised:
        list(building.build(place))
    told = "the model numbers could not be built (dbt_project/models/numbers.sql): Binder Error"
    assert raised.value.problem.startswith(told)
    assert "LINE" in raised.value.problem
    assert "select m as n" in raised.value.problem
    assert "compiled code at" not in raised.value.problem
    assert len(raised.value.problem.splitlines()) <= building.MOST_LINES


def test_an_error_of_the_database_shows_no_value_of_a_customer(tmp_path: Path) -> None:
    secret = "select cast(name as int) as n from (values ('Jo''s mother, 030 1234567')) as t(name)"
    table = "{{ config(materialized='table') }} "
    place = make(tmp_path, MODELS | {"numbers.sql": table + secret})
    with pytest.raises(RadarError) as raised:
        list(building.build(place))
    assert "(dbt_project/models/numbers.sql): Conversion Error: Could not convert" in raised.value.problem
    assert not [part for part in ("Jo", "mother", "1234567") if part in str(raised.value)]


def test_a_project_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(RadarError, match="dbt cannot read the project"):
        make(tmp_path, {"broken.sql": "select * from {{ ref('nobody') }}"})


def test_what_is_running_is_cancelled_when_nobody_waits_for_it(tmp_path: Path) -> None:
    endless = "select count(*) as n from range(1000000000) as a, range(1000000000) as b"
    place = make(
        tmp_path, {"a.sql": "select 1 as n", "z.sql": "{{ config(materialized='table') }} " + endless}
    )
    results = building.build(place)
    assert next(results).status == "success"
    results.close()
    assert "dbt" not in {thread.name for thread in threading.enumerate()}
    assert is_free(place.warehouse)


def test_what_others_wait_for_is_built_before_what_nothing_waits_for(tmp_path: Path) -> None:
    chain = {"z1": "first", "z2": "z1", "z3": "z2", "z4": "z3"} | {f"a{n}": "first" for n in range(1, 9)}
    models = {f"{name}.sql": f"select * from {{{{ ref('{before}') }}}}" for name, before in chain.items()}
    place = make(tmp_path, {"first.sql": "select 1 as n"} | models)
    order = [result.unique_id.split(".")[2] for result in building.build(place)]
    assert len(order) == 13
    assert order.index("z3") < order.index("a6")


def test_a_warehouse_that_somebody_opened_is_told_as_such(tmp_path: Path) -> None:
    place = make(tmp_path, MODELS)
    text = 'IO Error: Could not set lock on file "w": Conflicting lock is held in dbeaver (PID 7).'
    error = building.explain(place, [], RuntimeError(text))
    assert isinstance(error, WarehouseError)
    assert "locked by another process" in error.problem


def test_arguments_leave_unit_tests_out_and_name_what_is_selected(tmp_path: Path) -> None:
    place = Place(tmp_path / "w", tmp_path / "p", tmp_path / "t", tmp_path / "l")
    everything = building.build_arguments(place)
    assert everything[-2:] == ["--exclude-resource-type", "unit_test"]
    assert "--select" not in everything
    assert "--vars" not in everything
    assert building.build_arguments(place, ["radar.marts.a"])[-2:] == ["--select", "radar.marts.a"]


def test_the_project_is_linked_and_parsed_only_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []

    def parse(place: Place) -> Manifest:
        parsed.append(place)
        place.manifest.write_text("{}")
        return Manifest()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setattr(building, "_parse", parse)
    warehouse, mine = tmp_path / "w.duckdb", tmp_path / "mine"
    mine.mkdir()
    place = building.prepare(warehouse, SEEDS)
    assert (place.project / "models").readlink() == PROJECT / "dbt_project" / "models"
    assert (place.project / "../seeds").resolve() == state_dir(warehouse) / "seeds"
    building.prepare(warehouse, mine)
    assert len(parsed) == 1
    (mine / "competitors.csv").write_text("name\nAcme\n")
    building.prepare(warehouse, mine)
    assert len(parsed) == 2
    assert (state_dir(warehouse) / "seeds" / "competitors.csv").read_text() == "name\nAcme\n"


def test_a_build_never_writes_over_the_seeds_that_it_reads(tmp_path: Path) -> None:
    """dbt puts a seed's rendered SQL at the target plus the seed's own path, which may climb out of it."""
    place = make(tmp_path, {})
    (place.project / "dbt_project.yml").write_text("name: radar\nprofile: radar\nseed-paths: [../seeds]\n")
    (tmp_path / "seeds").mkdir()
    content = "a,b\n1,2\n3,4\n"
    (tmp_path / "seeds" / "pairs.csv").write_text(content)
    building._parse(place)
    assert [result.status for result in building.build(place)] == ["success"]
    assert (tmp_path / "seeds" / "pairs.csv").read_text() == content
    seeds = (PROJECT / "dbt_project" / "dbt_project.yml").read_text()
    assert "seed-paths: [../seeds]" in seeds


def test_the_environment_is_left_as_it_was(tmp_path: Path) -> None:
    before = dict(os.environ)
    place = make(tmp_path, MODELS)
    list(building.build(place))
    assert dict(os.environ) == before
    with duckdb.connect(str(place.warehouse)) as con:
        assert con.execute("SELECT count(*) FROM numbers").fetchone() == (3,)
