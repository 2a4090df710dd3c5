"""The published copy: one DuckDB file and a few Parquet files that readers may open at any time.

Belongs here: the steps of one publish, in their order. Does not belong here: any rule about customers, and
how the tables are built.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from radar.core.errors import WarehouseError
from radar.core.warehouse import explain_duckdb_error, readable_os_errors, writer_lock
from radar.publishing.build_file import Task, bring_up_to_date, build_file_of, reason_to_rebuild
from radar.publishing.file_set import COPY_NAME, check_copy, copy_build, new_set, switch
from radar.publishing.manifest import published_run, write_manifest
from radar.publishing.windows import Days, announced, forget_announced


@dataclass(frozen=True)
class PublishReport:
    """What one publish did. `rows` holds tables by `schema.name`; `rebuilt` is the reason, or empty."""

    rows: Mapping[str, int]
    views: tuple[str, ...]
    bytes: int
    seconds: float
    rebuilt: str


def publish(
    warehouse: Path,
    published: Path,
    *,
    run_id: str,
    as_of_start: date,
    as_of_end: date,
    extra_relations: Collection[str] = (),
) -> PublishReport:
    """Replace the published set by one that shows the warehouse as it is now.

    Tables grained by day (with an `as_of_date`, and not of SNAPSHOTS) are brought up to date for the days
    of this run and of runs that were announced and never published; other tables are copied whole.
    `extra_relations` are those of other schemas to publish. Raises RadarError; the set that was
    current then stays current.
    """
    started = time.monotonic()
    with writer_lock(warehouse), readable_os_errors(published), _readable_engine_errors(published):
        _require_warehouse(warehouse)
        with new_set(published) as folder:
            build = build_file_of(warehouse)
            reason = reason_to_rebuild(build, published_run(published))
            task = Task(
                windows=tuple({Days(as_of_start, as_of_end), *announced(warehouse)}),
                record={"run_id": run_id, "as_of_start": as_of_start, "as_of_end": as_of_end},
                extra_relations=tuple(extra_relations),
            )
            built = bring_up_to_date(warehouse, build, folder, task, reason)
            copy_build(build, folder)
            check_copy(folder / COPY_NAME, built.contents)
            write_manifest(folder, run_id, as_of_end, built)
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            switch(published, folder)
        forget_announced(warehouse)
    return PublishReport(
        rows=built.rows,
        views=tuple(view.key for view, _ in built.contents.views),
        bytes=size,
        seconds=time.monotonic() - started,
        rebuilt=built.reason,
    )


def _require_warehouse(warehouse: Path) -> None:
    if not warehouse.is_file():
        raise WarehouseError("there is no warehouse here", "run `radar run` first", file=warehouse)


@contextmanager
def _readable_engine_errors(published: Path) -> Iterator[None]:
    """What the warehouse's own border lets through, a full disk at commit above all."""
    try:
        yield
    except duckdb.Error as error:
        raise explain_duckdb_error(published, str(error)) from error
