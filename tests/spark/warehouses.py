"""What DuckDB hands to Spark, and how what Spark makes of it is compared with what DuckDB does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from tests.conventions.test_portable import ON_BOTH_ENGINES

READ_WHILE_COMPILING = {
    "control.run_window": "*",
    "control.feed_keys": "*",
    "seeds.signals": "*",
    "marts.fct_health_history": "distinct as_of_date",
    "audit.runs": "status, started_at, as_of_start, as_of_end",
}
"""What macros ask for as a model is written, which dbt's graph does not have; and its columns."""

OF_ONE_ENGINE = {"event_key", "passing_key"}
"""Columns whose values mean nothing outside the engine that made them."""


def inputs(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Relation -> its columns, of everything that the models of both engines read and do not build."""
    relations = dict(READ_WHILE_COMPILING)
    nodes = {**manifest["nodes"], **manifest["sources"]}
    for name in ON_BOTH_ENGINES:
        for parent in manifest["nodes"][f"model.radar.{name}"]["depends_on"]["nodes"]:
            if nodes[parent]["name"] not in ON_BOTH_ENGINES:
                node = nodes[parent]
                relations.setdefault(f"{node['schema']}.{node.get('identifier') or node['alias']}", "*")
    return relations


def hand_over(warehouse: Path, manifest: Path, folder: Path) -> dict[str, str]:
    """Write the inputs as Parquet below `folder`; relation -> the folder of its files."""
    folders = {}
    with duckdb.connect(str(warehouse), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        for relation, columns in inputs(json.loads(manifest.read_bytes())).items():
            place = folder / relation
            place.mkdir(parents=True)
            con.execute(f"COPY (SELECT {columns} FROM {relation}) TO '{place}/rows.parquet'")
            folders[relation] = place.as_uri()
    return folders


def differences(con: duckdb.DuckDBPyConnection, ours: str, files: Path, days: str = "true") -> list[str]:
    """What differs between a table of DuckDB and Spark's files of the same one: columns, types, cells.

    Every cell of a row that only one of them has counts as different; empty where there is none. `days`: the
    rows to compare.
    """
    day = "activity_date" if "user_days" in ours else "as_of_date"
    theirs = (
        f"read_parquet('{files}/**/*.parquet', hive_partitioning = true, hive_types = {{'{day}': date}})"
        if any(files.glob("*=*"))
        else f"read_parquet('{files}/*.parquet')"
    )
    types = {row[0]: row[1] for row in con.execute(f"DESCRIBE FROM {ours}").fetchall()}
    found_types = {row[0]: row[1] for row in con.execute(f"DESCRIBE FROM {theirs}").fetchall()}
    columns = [column for column in types if column not in OF_ONE_ENGINE]
    found = [
        f"{column}: {types.get(column)} and {found_types.get(column)}"
        for column in {**types, **found_types}
        if column not in OF_ONE_ENGINE and types.get(column) != found_types.get(column)
    ]
    if found:
        return found
    listed = ", ".join(columns)
    select = f"SELECT {listed} FROM {{}} WHERE {days}"
    for name, one, other in (("DuckDB", ours, theirs), ("Spark", theirs, ours)):
        rows = con.execute(f"{select.format(one)} EXCEPT ALL {select.format(other)}").fetchall()
        found += [f"only {name} has {row}" for row in rows]
    return found


def rows_of(con: duckdb.DuckDBPyConnection, relation: str, days: str = "true") -> int:
    """How many rows a table has."""
    (rows,) = con.execute(f"SELECT count(*) FROM {relation} WHERE {days}").fetchone() or (0,)
    return int(rows)


def statements(folders: Mapping[str, str]) -> Iterable[str]:
    """What makes those files tables of Spark's."""
    for schema in sorted({relation.split(".")[0] for relation in folders} | {"staging", "signals"}):
        yield f"create database if not exists {schema}"
    for relation, place in folders.items():
        yield f"drop table if exists {relation}"
        yield f"create table {relation} using parquet location '{place}'"
