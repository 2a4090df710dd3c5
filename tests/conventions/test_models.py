"""Conventions of the dbt project, over its manifest: layers, length, names, what is decided once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from radar.core.project import PROJECT

DBT_PROJECT = PROJECT / "dbt_project"
LAYERS = {
    "staging": ("stg_",),
    "intermediate": ("int_",),
    "signals": ("sig_",),
    "scoring": ("int_", "dim_", "fct_"),
    "history": ("int_", "fct_"),
    "plays": ("int_", "fct_"),
    "measurement": ("int_", "fct_", "rpt_"),
    "marts": ("int_", "dim_", "fct_", "rpt_"),
    "outbound": ("int_", "rpt_", "crm_"),
}
"""From the first to the last: a model reads its own layer and those before it. With how its names begin."""

MOST_LINES = 150
LONGER = {
    "int_action_releases": "one recursion from week to week cannot be divided",
    "int_event_keys": "what an event is, and which of its copies counts",
    "int_feed_states": "every way in which a feed is not known, as one case",
    "int_last_invoice_states": "intervals of the last invoice: one pass for many as-of dates",
    "fct_flag_episodes": "everything that decides a verdict, once",
    "fct_observations": "what was scored next to what came of it, with every horizon",
    "int_vocabulary_states": "the same question of five vocabularies, unioned",
    "rpt_signals_by_outcome": "distribution, rate and auc of one signal, in one row a group",
    "rpt_account_briefs": "one template a sentence",
    "rpt_account_facts": "seven kinds of facts, unioned",
    "rpt_account_families": "one number of a family, compared with itself, with others and with rules",
    "rpt_account_timeline": "seven kinds of events, unioned",
    "rpt_account_health": "one row an account: its columns are the contract",
    "rpt_due_deliveries": "every kind of message, and whom it is for",
    "sig_billing": "ten signals of three feeds",
    "sig_support": "seven signals of tickets",
}
"""Models of more lines than that, with the reason."""

LONGEST_PATH = 17
"""The most models from a feed to rpt_account_health: one more than events need, for the rates of amounts."""
MOST_MACROS = 74
MOST_JINJA_TAGS = 2472
"""Of models and macros: a step towards plain SQL lowers these two, and nothing raises them."""

BUCKETS_ARE_NAMED_IN = {"bucket_name", "bucket_rank", "is_bucket_right"}
READS_THE_CLOCK = re.compile(r"\bcurrent_(?:date|time|timestamp)\b|\b(?:now|today|getdate)\s*\(", re.I)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The manifest of a plain `dbt parse`."""
    target = tmp_path_factory.mktemp("dbt")
    places = ["--target-path", str(target), "--log-path", str(target)]
    dbt = Path(sys.executable).with_name("dbt")
    subprocess.run([dbt, "--quiet", "parse", *places], cwd=DBT_PROJECT, check=True)
    loaded: Mapping[str, Any] = json.loads((target / "manifest.json").read_bytes())
    return loaded


@pytest.fixture(scope="module")
def models(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The models by their unique id."""
    return {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}


def layer_of(node: Mapping[str, Any]) -> str:
    return str(node["fqn"][1])


def test_models_read_their_own_layer_and_those_before_it(models: Mapping[str, Any]) -> None:
    order = list(LAYERS)
    upwards = [
        f"{node['name']} ({layer_of(node)}) reads {models[parent]['name']} ({layer_of(models[parent])})"
        for node in models.values()
        for parent in node["depends_on"]["nodes"]
        if parent in models and order.index(layer_of(models[parent])) > order.index(layer_of(node))
    ]
    assert upwards == []


def test_models_have_a_description_an_owner_and_an_access_level(models: Mapping[str, Any]) -> None:
    bare = [
        node["name"]
        for node in models.values()
        if not node["description"].strip() or not node["config"].get("group") or not node.get("access")
    ]
    assert bare == []


def test_columns_of_public_models_have_a_description(models: Mapping[str, Any]) -> None:
    bare = [
        f"{node['name']}.{column}"
        for node in models.values()
        if node["access"] == "public"
        for column, described in node["columns"].items()
        if not described["description"].strip()
    ]
    assert bare == []


def test_the_grain_of_models_is_tested(manifest: Mapping[str, Any], models: Mapping[str, Any]) -> None:
    tested = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and (node.get("test_metadata") or {}).get("name") in ("unique", "valid_rows")
    }
    assert sorted(node["name"] for key, node in models.items() if key not in tested) == []


def test_files_that_a_run_leaves_out_hold_unit_tests_alone() -> None:
    files = (DBT_PROJECT / "models").rglob("*_unit_tests.yml")
    held = {file.name: set(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files}
    assert {name: keys for name, keys in held.items() if keys != {"version", "unit_tests"}} == {}


def test_names_begin_with_what_the_layer_holds(models: Mapping[str, Any]) -> None:
    misnamed = [
        node["original_file_path"]
        for node in models.values()
        if not node["name"].startswith(LAYERS[layer_of(node)])
    ]
    assert misnamed == []


def test_models_are_short_or_on_the_list(models: Mapping[str, Any]) -> None:
    long = {node["name"] for node in models.values() if len(node["raw_code"].splitlines()) > MOST_LINES}
    assert long == set(LONGER)


def test_few_models_are_between_a_feed_and_account_health(models: Mapping[str, Any]) -> None:
    paths: dict[str, list[str]] = {}

    def path_to(key: str) -> list[str]:
        if key not in paths:
            before = [path_to(parent) for parent in models[key]["depends_on"]["nodes"] if parent in models]
            paths[key] = [*max(before, key=len, default=[]), models[key]["name"]]
        return paths[key]

    longest = path_to("model.radar.rpt_account_health")
    assert longest[0] == "stg_finance__fx_rates"
    assert len(longest) <= LONGEST_PATH, " -> ".join(longest)


def test_jinja_is_the_exception() -> None:
    macros = list((DBT_PROJECT / "macros").rglob("*.sql"))
    files = [*macros, *(DBT_PROJECT / "models").rglob("*.sql")]
    tags = sum(len(re.findall(r"{{|{%", path.read_text(encoding="utf-8"))) for path in files)
    assert len(macros) <= MOST_MACROS
    assert tags <= MOST_JINJA_TAGS


def test_a_macro_has_a_file_of_its_name() -> None:
    for path in (DBT_PROJECT / "macros").rglob("*.sql"):
        names = re.findall(r"{%-?\s*(?:macro|test)\s+(\w+)", path.read_text(encoding="utf-8"))
        engines = ("", "duckdb__", "spark__") if path.parent.name == "portable" else ("",)
        assert names == [engine + path.stem for engine in engines], path.name


def test_nothing_reads_the_clock() -> None:
    clocks = [
        f"{path.relative_to(DBT_PROJECT)}: {line.strip()}"
        for folder in ("models", "macros", "tests")
        for path in sorted((DBT_PROJECT / folder).rglob("*.sql"))
        for line in re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL).splitlines()
        if READS_THE_CLOCK.search(line.partition("--")[0])
    ]
    assert clocks == []


def test_the_buckets_are_listed_in_one_place() -> None:
    lists = {
        path.stem
        for folder in ("models", "macros")
        for path in (DBT_PROJECT / folder).rglob("*.sql")
        if len(set(re.findall(r"'(healthy|watch|at_risk)'", path.read_text(encoding="utf-8")))) == 3
    }
    assert lists == BUCKETS_ARE_NAMED_IN
