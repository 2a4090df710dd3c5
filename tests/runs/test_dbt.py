"""dbt on the warehouse of a whole run: unit tests of the rule sets that ship retired, and a full refresh."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from orchestration.dbt import Workspace, prepare
from tests.frozen import SEEDS
from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LAST = "2026-06-30"


def dbt(workspace: Workspace, *arguments: str) -> str:
    """What dbt's own command line prints; it has to succeed."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), *arguments, *workspace.paths(), "--no-use-colors"],
        env={**os.environ, **workspace.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def copy_of(demo_run: Place, folder: Path) -> tuple[Place, Workspace]:
    """A warehouse of its own that dbt may change."""
    place = Place(folder)
    shutil.copy(demo_run.warehouse, place.warehouse)
    return place, prepare(place.warehouse, SEEDS)


@pytest.mark.parametrize(("rule_set", "row"), [("starter_v1", 3), ("billing_v1", 4)])
def test_every_rule_of_a_set_that_ships_retired_holds_where_it_is_a_shadow(
    demo_run: Place, mine: SeedFolder, tmp_path: Path, rule_set: str, row: int
) -> None:
    home = Place(tmp_path)
    shutil.copy(demo_run.warehouse, home.warehouse)
    mine.change("rule_sets", row, status="shadow")
    workspace = prepare(home.warehouse, mine.folder)
    (workspace.project / ".dbtignore").unlink()  # runs leave unit tests out
    dbt(workspace, "seed", "--select", "rule_sets")
    dbt(workspace, "run", "--select", "int_rule_inputs")
    said = dbt(workspace, "test", "--select", f"tag:{rule_set}", "--vars", f"with_{rule_set}: true")
    assert re.search(r"PASS=[1-9]\d* WARN=0 ERROR=0 SKIP=0", said)


def test_a_full_refresh_destroys_nothing_whose_raw_rows_are_gone(demo_run: Place, tmp_path: Path) -> None:
    place, workspace = copy_of(demo_run, tmp_path)
    kept = tables_that_outlive_their_input(workspace)
    assert {"int_event_keys", "int_user_days", "fct_health_history", "fct_actions", "sig_usage"} <= {
        relation.split(".")[-1] for relation in kept
    }
    raw, summarised = place.rows(
        "select (select min(occurred_at)::date from raw.product_events), "
        "(select min(activity_date) from intermediate.int_user_days)"
    )[0]
    assert summarised < raw, "raw events are purged, or this proves nothing"
    before = contents(place, kept)
    dbt(
        workspace, "build", "--full-refresh", "--exclude-resource-type", "unit_test",
        "--vars", f"{{as_of_start: '{LAST}'}}",
    )  # fmt: skip
    after = contents(place, kept)
    assert {relation: rows for relation, rows in before.items() if after[relation] != rows} == {}


def tables_that_outlive_their_input(workspace: Workspace) -> list[str]:
    """Every incremental table."""
    nodes = json.loads(workspace.manifest.read_bytes())["nodes"].values()
    return sorted(
        f"{node['schema']}.{node['name']}"
        for node in nodes
        if node["config"]["materialized"] == "incremental"
    )


def contents(place: Place, relations: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """Rows and a hash of each table; of one by day, of the days before the last."""
    found = {}
    with place.read() as con:
        for relation in relations:
            columns = {name for name, *_ in con.execute(f"describe {relation}").fetchall()}
            rows_of = f"select * from {relation}"
            if "as_of_date" in columns:
                rows_of += f" where as_of_date < '{LAST}'"
            ((rows, digest),) = con.execute(
                f"select count(*), sum(hash(kept)) from ({rows_of}) as kept"
            ).fetchall()
            found[relation] = (rows, digest)
    return found
