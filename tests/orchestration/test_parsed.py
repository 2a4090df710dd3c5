"""What dbt has parsed is read again for the next warehouse, and builds the same."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest

from orchestration import dbt as building
from orchestration import parsed
from orchestration.dbt import Place
from radar.core import settings
from tests.frozen import SEEDS

MODELS = {
    "numbers.sql": "{{ config(materialized='table') }} select unnest(range(3)) as n",
    "sets.sql": "{{ config(materialized='table') }} select * from {{ ref('rule_sets') }}",
    "known.sql": "{{ config(materialized='table') }} select {{ graph.nodes | length }} as n",
    "numbers.yml": "models: [{name: numbers, columns: [{name: n, data_tests: [unique]}]}]",
}


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return parsed.folder()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project in place of the shipped one, with the shipped seeds."""
    folder = tmp_path / "checkout" / "dbt_project"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: radar\nprofile: radar\nseed-paths: [../seeds]\n")
    shutil.copy(settings.PROJECT / "dbt_project" / "profiles.yml", folder)
    for name, text in MODELS.items():
        (folder / "models" / name).write_text(text)
    monkeypatch.setattr(building, "PROJECT", folder.parent)
    return folder


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """The places that were parsed for."""
    places: list[Place] = []
    parse: Callable[[Place], Manifest] = building._parse
    monkeypatch.setattr(building, "_parse", lambda place: places.append(place) or parse(place))
    return places


def prepared(folder: Path, name: str = "w.duckdb", seeds: Path = SEEDS) -> Place:
    return building.prepare(folder / name, seeds)


def built(place: Place) -> dict[str, Any]:
    """Every node with what became of it, and every table's rows."""
    nodes = {result.unique_id: (result.status, result.rows) for result in building.build(place)}
    return {**nodes, **tables(place.warehouse)}


def tables(warehouse: Path) -> dict[str, list[Any]]:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        names = [row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {name: con.execute(f"FROM {name} ORDER BY ALL").fetchall() for name in names}


def run_elsewhere(warehouse: Path, project: Path) -> None:
    """Prepare and build in a process that has parsed nothing itself."""
    script = """
        import sys
        from pathlib import Path
        from orchestration import dbt as building
        building._parse = None
        building.PROJECT = Path(sys.argv[2])
        list(building.build(building.prepare(Path(sys.argv[1]), Path(sys.argv[3]))))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), warehouse, project.parent, SEEDS]
    subprocess.run(command, check=True)


def test_another_warehouse_of_the_name_is_not_parsed_for_and_builds_the_same(
    tmp_path: Path, project: Path, parses: list[Place]
) -> None:
    first = prepared(tmp_path / "a")
    told = built(first)
    assert told["known"] == [(len(json.loads(first.manifest.read_bytes())["nodes"]),)]
    assert len(told["sets"]) > 1
    shutil.rmtree(tmp_path / "a")
    assert built(prepared(tmp_path / "b")) == told
    again = prepared(tmp_path / "b")
    assert built(again) == told, "a second run of the same warehouse"
    run_elsewhere(tmp_path / "c" / "w.duckdb", project)
    assert tables(tmp_path / "c" / "w.duckdb").items() <= told.items()
    assert parses == [first]


def test_the_shipped_project_is_kept_as_it_was_parsed(tmp_path: Path, parses: list[Place]) -> None:
    def manifest(folder: str) -> dict[str, Any]:
        place = prepared(tmp_path / folder)
        text = place.manifest.read_text(encoding="utf-8").replace(str(tmp_path / folder), "HERE")
        found: dict[str, Any] = json.loads(text)
        del found["metadata"]
        return found

    assert manifest("a") == manifest("b")
    assert len(parses) == 1


def test_after_an_install_the_first_run_need_not_parse(
    tmp_path: Path, parses: list[Place], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RADAR_WAREHOUSE", raising=False)
    subprocess.run([sys.executable, "-m", "orchestration.warm"], check=True, cwd=settings.PROJECT)
    assert len(list(kept.iterdir())) == 1
    default = settings.Settings()
    prepared(tmp_path, name=default.warehouse.name, seeds=default.seeds)
    assert parses == []


def test_what_changes_is_parsed_anew(tmp_path: Path, project: Path, parses: list[Place]) -> None:
    prepared(tmp_path / "a")
    model = project / "models" / "numbers.sql"
    model.write_text(MODELS["numbers.sql"].replace("3", "4"))
    assert built(prepared(tmp_path / "b"))["numbers"] == [(0,), (1,), (2,), (3,)]
    assert len(parses) == 2
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "competitors.csv").write_text("name\nAcme\n")
    assert built(prepared(tmp_path / "c", seeds=mine))["competitors"] == [("Acme",)]
    assert len(parses) == 3
    prepared(tmp_path / "d", name="other.duckdb")
    assert len(parses) == 4
    model.write_text(MODELS["numbers.sql"])
    prepared(tmp_path / "e")
    assert len(parses) == 4


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no manifest", None])
def test_what_is_damaged_is_parsed_anew_and_put_right(
    tmp_path: Path, parses: list[Place], kept: Path, damage: bytes | None
) -> None:
    told = built(prepared(tmp_path / "a"))
    (file,) = kept.iterdir()
    whole = file.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    file.write_bytes(flipped if damage is None else damage)
    assert built(prepared(tmp_path / "b")) == told
    assert len(parses) == 2
    assert built(prepared(tmp_path / "c")) == told
    assert len(parses) == 2


@pytest.mark.usefixtures("project")
def test_nothing_depends_on_a_folder_of_caches(
    tmp_path: Path, parses: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "file"
    nowhere.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(nowhere))
    assert built(prepared(tmp_path / "a")) == built(prepared(tmp_path / "b"))
    assert len(parses) == 2


def test_many_at_once_keep_the_newest_few_and_read_none_by_half(tmp_path: Path, kept: Path) -> None:
    written = tmp_path / "manifest.json"
    written.write_text("{}")

    def work(number: int) -> bool:
        name = f"{number % 3}"
        parsed.keep(name, Manifest(), written)
        return parsed.load(name, Path("p")) is not None

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))
    for number in range(parsed.KEPT + 3):
        parsed.keep(f"later{number}", Manifest(), written)
    assert len(list(kept.iterdir())) == parsed.KEPT
    assert parsed.load("later0", Path("p")) is None
    assert parsed.load(f"later{parsed.KEPT + 2}", Path("p"))
