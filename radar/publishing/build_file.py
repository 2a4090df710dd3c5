"""The build file: the copy before readers get it, next to the warehouse, brought up to date by each run.

Belongs here: when it is built from nothing, and in which order it follows the warehouse. Does not belong
here: what is published (`contents`), how one table follows (`table_copy`), the files of readers (`file_set`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from radar.core.errors import InputError, WarehouseError
from radar.core.warehouse import connect, state_dir
from radar.publishing.catalogue import Relation, count_of, literal, quoted, read_catalogue, text_of
from radar.publishing.contents import PARQUET, SNAPSHOTS, Contents, choose_contents, known
from radar.publishing.queries import QUERIES
from radar.publishing.table_copy import BUILD, carry_over
from radar.publishing.windows import Days

FORMAT = 2
"""Of the build file; another number than the one recorded in it rebuilds everything."""

STORAGE_VERSION = "v1.0.0"
"""The file format that every DuckDB client from 1.1 on reads."""


@dataclass(frozen=True)
class Task:
    """What one publish brings up to date, and what it records of itself."""

    windows: tuple[Days, ...]
    record: Mapping[str, Any]
    extra_relations: tuple[str, ...]

    def windows_of(self, table: Relation) -> tuple[Days, ...]:
        """The days of the table to bring up to date; none where it is published whole."""
        return () if table.key in SNAPSHOTS else self.windows


@dataclass(frozen=True)
class Built:
    """What the build file holds after it; `reason` is why it was built again, or is empty."""

    contents: Contents
    rows: dict[str, int]
    parquet_rows: dict[str, int]
    reason: str


def build_file_of(warehouse: Path) -> Path:
    """Where the build file of a warehouse is; its folder is made."""
    build = state_dir(warehouse) / "publish" / "build.duckdb"
    build.parent.mkdir(parents=True, exist_ok=True)
    return build


def reason_to_rebuild(build: Path, published_run: str) -> str:
    """Why the build file cannot be brought up to date; empty where it can."""
    if not build.exists():
        return "no build file"
    try:
        with duckdb.connect(str(build), read_only=True) as con:
            record = con.execute("select format, run_id from main.published_run").fetchone()
    except duckdb.Error:
        return "the build file cannot be read"
    if record is None or record[0] != FORMAT:
        return "the build file has another format"
    if record[1] != published_run:
        return "the build file is not the one that was published last"
    return ""


def _remove_build(build: Path) -> None:
    for file in (build, build.with_name(build.name + ".wal")):
        file.unlink(missing_ok=True)


def bring_up_to_date(warehouse: Path, build: Path, folder: Path, task: Task, reason: str) -> Built:
    """Make the build file follow the warehouse; a damaged one is built again, a half-built one removed."""
    finished = False
    try:
        built = _follow(warehouse, build, folder / "parquet", task, reason)
        finished = True
    except (WarehouseError, duckdb.Error) as error:
        if reason or "Corrupt database file" not in str(error):
            raise
        _remove_build(build)
        shutil.rmtree(folder / "parquet", ignore_errors=True)
        built = _follow(warehouse, build, folder / "parquet", task, "the build file is damaged")
        finished = True
    finally:
        if not finished:
            _remove_build(build)
    return built


def _follow(warehouse: Path, build: Path, parquet: Path, task: Task, reason: str) -> Built:
    """Carry the warehouse over into the build file, write the Parquet files, close it checkpointed."""
    with connect(warehouse) as con:
        database = text_of(con, "select current_database()")
        contents = choose_contents(con, read_catalogue(con, database), task.extra_relations)
        for key in PARQUET:
            known(key, {relation.key: relation for relation in contents.relations})
        if not reason:
            _attach(con, build)
            if _columns_changed(contents.tables, read_catalogue(con, BUILD)):
                reason = "columns changed"
                con.execute(f"detach {BUILD}")
        if reason:
            _remove_build(build)
            _attach(con, build)
        con.execute(f"use {BUILD}")
        con.execute("begin")
        existing = read_catalogue(con, BUILD)
        _drop_what_is_gone(con, existing, contents)
        for table in contents.tables:
            carry_over(con, table, database, existing.get(table.key), task.windows_of(table))
        _create_views(con, contents)
        con.execute(QUERIES["record_run"].format(build=BUILD), {"format": FORMAT, **task.record})
        con.execute("commit")
        _carry_comments(con, contents)
        rows = {table.key: count_of(con, table.inside(BUILD)) for table in contents.tables}
        parquet_rows = _write_parquet(con, parquet)
        con.execute(f"use {quoted(database)}")
        con.execute(f"checkpoint {BUILD}")
        con.execute(f"detach {BUILD}")
    return Built(contents, rows, parquet_rows, reason)


def _attach(con: duckdb.DuckDBPyConnection, build: Path) -> None:
    options = f"read_write, storage_version {literal(STORAGE_VERSION)}"
    con.execute(f"attach {literal(str(build))} as {BUILD} ({options})")


def _columns_changed(tables: Iterable[Relation], existing: Mapping[str, Relation]) -> bool:
    return any(
        found is not None and found.kind == "table" and found.signature != table.signature
        for table in tables
        for found in (existing.get(table.key),)
    )


def _drop_what_is_gone(
    con: duckdb.DuckDBPyConnection, existing: Mapping[str, Relation], contents: Contents
) -> None:
    """Drop the views, which are created again each time, and tables that the warehouse no longer has."""
    tables = {table.key for table in contents.tables}
    for relation in existing.values():
        if relation.kind == "view" or (relation.key not in tables and relation.schema != "main"):
            con.execute(f"drop {relation.kind} {relation.inside(BUILD)}")
    for schema in sorted({relation.schema for relation in contents.relations}):
        con.execute(f"create schema if not exists {BUILD}.{quoted(schema)}")


def _create_views(con: duckdb.DuckDBPyConnection, contents: Contents) -> None:
    for view, select in contents.views:
        names = ", ".join(quoted(column.name) for column in view.columns)
        try:
            con.execute(f"create view {quoted(view.schema)}.{quoted(view.name)} ({names}) as {select}")
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
            raise InputError(
                f"the view {view.key} cannot be created in the published copy: {str(error).splitlines()[0]}",
                "materialize it as a table",
            ) from error


def _carry_comments(con: duckdb.DuckDBPyConnection, contents: Contents) -> None:
    """Descriptions of relations and columns, where the warehouse has them."""
    existing = read_catalogue(con, BUILD)
    con.execute("begin")
    for relation in contents.relations:
        published = existing[relation.key]
        if relation.comment and relation.comment != published.comment:
            name = relation.inside(BUILD)
            con.execute(f"comment on {published.kind} {name} is {literal(relation.comment)}")
        for column, found in zip(relation.columns, published.columns, strict=True):
            if column.comment and column.comment != found.comment:
                name = f"{relation.inside(BUILD)}.{quoted(column.name)}"
                con.execute(f"comment on column {name} is {literal(column.comment)}")
    con.execute("commit")


def _write_parquet(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    """One file per relation of PARQUET; returns their rows."""
    folder.mkdir()
    rows = {}
    for key in PARQUET:
        target = folder / f"{key.split('.')[1]}.parquet"
        options = "format parquet, compression zstd"
        rows[key] = int(text_of(con, f"copy (select * from {key}) to {literal(str(target))} ({options})"))
    return rows
