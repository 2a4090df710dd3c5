"""Plain dbt, as CONTRIBUTING.md has it, on the warehouse of a finished run.

What loads reference data is called in the links to `dbt_project/` beside the warehouse, so that it loads the
frozen reference data of these tests; everything else in `dbt_project/` itself.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.dbt import prepare
from radar.core.project import PROJECT
from radar.core.warehouse import state_dir
from tests.frozen import SEEDS
from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

Dbt = Callable[..., str]
HERE = PROJECT / "dbt_project"


@pytest.fixture(scope="module")
def place(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One warehouse for all commands: what they build, they build again alike."""
    place = Place(tmp_path_factory.mktemp("plain"))
    shutil.copy(demo_run.warehouse, place.warehouse)
    prepare(place.warehouse, SEEDS)
    return place


@pytest.fixture(scope="module")
def frozen(place: Place) -> Path:
    """The project whose `../seeds` is the frozen reference data."""
    return state_dir(place.warehouse) / "project"


@pytest.fixture(scope="module")
def dbt(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """What a command of dbt prints. Its own files go elsewhere: the checkout under test stays as it is."""
    artifacts = tmp_path_factory.mktemp("dbt")

    def call(*arguments: str, status: int = 0, folder: Path = HERE, **environment: str) -> str:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", *arguments],
            cwd=folder,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("RADAR_")},
                "DBT_TARGET_PATH": str(artifacts / "target"),
                "DBT_LOG_PATH": str(artifacts / "logs"),
                "RADAR_WAREHOUSE": str(place.warehouse),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == status, said
        assert "Traceback" not in said
        return said

    return call


def all_passed(said: str) -> bool:
    return bool(re.search(r"PASS=[1-9]\d* WARN=0 ERROR=0 SKIP=0", said))


def test_dbt_build_builds_and_tests_everything(dbt: Dbt, place: Place, frozen: Path) -> None:
    history = "select count(*), sum(hash(kept)) from marts.fct_health_history as kept"
    before = place.rows(history)
    assert all_passed(dbt("build", "--exclude-resource-type", "unit_test", folder=frozen))
    assert place.rows(history) == before


def test_dbt_test_holds_every_rule_and_boundary_and_every_table(dbt: Dbt) -> None:
    said = dbt("test")
    assert all_passed(said)
    assert "test_fct_rule_results__" in said, "unit tests among them"


def test_one_test_finds_every_fault_of_a_tables_rows(dbt: Dbt) -> None:
    faults_of = {
        "(1, 'a', 'yes'), (2, 'b', 'no'), (3, 'c', null)": [],
        "(1, 'a', 'yes'), (1, 'b', 'no')": ["not unique"],
        "(1, null, 'yes'), (2, 'b', 'yes')": ["name is null"],
        "(null, 'a', 'yes')": ["id is null"],
        "(1, 'a', 'perhaps'), (2, null, 'perhaps')": ["name is null, other answer", "other answer"],
    }
    rules = '["id"], ["id", "name"], {"answer": ["yes", "no"]}'
    asked = [
        f"select {number} as place, faults from ("
        f'{{{{ test_valid_rows("(values {rows}) as t (id, name, answer)", {rules}) }}}})'
        for number, rows in enumerate(faults_of)
    ]
    said = dbt("--quiet", "show", "--inline", " union all ".join(asked), "--output", "json", "--limit", "99")
    found: dict[int, list[str]] = {}
    for row in json.loads(said[said.index("{") :])["show"]:
        found.setdefault(row["place"], []).append(row["faults"])
    told = [sorted(found.get(number, [])) for number in range(len(faults_of))]
    assert told == list(faults_of.values())


def test_dbt_build_of_a_model_and_what_depends_on_it(dbt: Dbt, frozen: Path) -> None:
    said = dbt(
        "build", "--select", "rpt_account_health+", "--exclude-resource-type", "unit_test", folder=frozen
    )
    assert all_passed(said)
    assert "rpt_owner_work" in said
    assert "sig_billing" not in said


def test_dbt_compile_writes_the_rules_into_the_query(dbt: Dbt) -> None:
    assert "case" in dbt("compile", "--select", "fct_health_scores")


def test_dbt_show_answers_with_rows(dbt: Dbt) -> None:
    assert "acc-" in dbt("show", "--select", "fct_health_scores", "--limit", "3")


def test_dbt_docs_generate_writes_a_catalog_and_one_page_that_tells_nobody(dbt: Dbt) -> None:
    """`make docs` copies the page."""
    said = dbt("docs", "generate", "--static")
    written = re.search(r"Catalog written to (\S+)", said)
    assert written, said
    page = Path(written[1]).with_name("static_index.html").read_text("utf-8")
    assert "One row per account that is scored on the newest as-of date" in page
    assert '"send_anonymous_usage_stats": false' in page


def test_without_a_warehouse_dbt_reads_the_project_and_says_what_else_needs(dbt: Dbt, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.duckdb"
    dbt("parse", RADAR_WAREHOUSE=str(nowhere))
    assert "radar.signals.sig_billing" in dbt("ls", "--select", "sig_billing", RADAR_WAREHOUSE=str(nowhere))
    for command in (["compile", "--select", "fct_health_scores"], ["build"], ["docs", "generate"]):
        said = dbt(*command, status=2, RADAR_WAREHOUSE=str(nowhere))
        assert f"There is no warehouse {nowhere}. Run `make demo` (or `radar run`) first" in said
    assert list(tmp_path.iterdir()) == []


def test_a_warehouse_without_reference_data_or_a_run_says_what_to_do(dbt: Dbt, tmp_path: Path) -> None:
    empty = Place(tmp_path)
    subprocess.run(
        [sys.executable, "-c", "import duckdb, sys; duckdb.connect(sys.argv[1])", empty.warehouse], check=True
    )
    compiled = dbt("compile", "--select", "fct_health_scores", status=2, RADAR_WAREHOUSE=str(empty.warehouse))
    assert "written from seeds.signals, which this warehouse does not have yet: run `dbt seed`" in compiled
    built = dbt("build", "--select", "int_as_of_dates", status=1, RADAR_WAREHOUSE=str(empty.warehouse))
    assert "nothing has been run in this warehouse yet: run `radar run` first" in built


def test_reference_data_of_ones_own_is_read_where_a_run_gathered_it(
    dbt: Dbt, place: Place, mine: SeedFolder
) -> None:
    mine.change("rule_sets", 2, description="Mine")
    workspace = prepare(place.warehouse, mine.folder)
    seeds = {"RADAR_SEEDS": str(mine.folder)}
    said = dbt("seed", "--select", "rule_sets", status=2, **seeds)
    assert f"Call dbt in {workspace.project}" in said
    dbt("seed", "--select", "rule_sets", folder=workspace.project, **seeds)
    assert ("Mine",) in place.rows("select description from seeds.rule_sets")
    prepare(place.warehouse, SEEDS)


def test_the_profile_names_the_warehouse_of_the_demo_by_default() -> None:
    profile = (PROJECT / "dbt_project" / "profiles.yml").read_text()
    assert "env_var('RADAR_WAREHOUSE', '../var/demo/warehouse.duckdb')" in profile
    assert "DEMO := var/demo\n" in (PROJECT / "Makefile").read_text()
