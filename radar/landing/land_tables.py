"""Lands the new rows of a relation: read into one Parquet file, which then takes exactly a file's path.

What is remembered of a relation (`control.table_states`) is written after its rows have landed. A run that is
cut off between the two reads the same rows again, and they are recognised as repeats.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from radar.core.errors import InputError
from radar.landing.adapters import adapter_named
from radar.landing.feeds import Feed
from radar.landing.files import ExtractFile
from radar.landing.load import REFUSED, Landing, Load, land_file, refuse
from radar.landing.sources import quoted
from radar.landing.table_reader import BACKWARDS, BATCH, KEYS, LATE, TableRequest
from radar.landing.tables import Table

_STATE = """
    select states.watermark, states.rows_behind, states.rows_total, states.columns
    from control.table_states as states
    where
        states.feed = $feed
        and states.source_file = $source_file
        and states.loaded_at_column is not distinct from $loaded_at
        and not exists (
            from quarantine.rejected_rows as blocked
            where
                blocked.rule = 'feed_held'
                and blocked.feed = states.feed
                and blocked.source_file = states.source_file
                and blocked.rejected_at >= states.read_at
        )
"""

_NAME_ROWS = """
    update quarantine.{table} as rejected
    set row_key = keys.row_key
    from read_parquet({keys}) as keys
    where
        rejected.feed = $feed
        and rejected.source_file = $source_file
        and rejected.batch_id = $batch_id
        and rejected.row_number = keys.row_number
"""


@dataclass(frozen=True)
class _State:
    """The relation when it last landed."""

    watermark: datetime | None
    rows_behind: int
    rows_total: int
    columns: dict[str, str]


def land_table(landing: Landing, feed: Feed, table: Table) -> tuple[Load | None, list[str]]:
    """Land what is new in a relation, and warn of what is strange about it; None where nothing is new."""
    state = _state_of(landing, table)
    with tempfile.TemporaryDirectory(dir=landing.spill) as name:
        file = ExtractFile(Path(name) / BATCH, table.source_file, "parquet", adapter=table.adapter)
        try:
            request = _request(landing, feed, table, state, name)
            seen = landing.readers.read_table(request, table.source_file)
        except InputError as error:
            return refuse(landing, feed, file, str(error)), []
        load = land_file(landing, feed, file) if seen["rows"] else None
        if load and (load.rows_rejected or load.values_rejected):
            _name_rows(landing, table, Path(name) / KEYS)
    is_known = load is None and seen["rows"] > 0
    if not (load and load.status == REFUSED) and not (is_known and state is None):
        _remember(landing, table, seen, state if is_known and not seen["reread"] else None)
    return load, list(_warnings(table, state, seen))


def _state_of(landing: Landing, table: Table) -> _State | None:
    """What was remembered; nothing where the checks took the rows of that time out of the warehouse again."""
    values = {"feed": table.feed, "source_file": table.source_file, "loaded_at": table.loaded_at}
    row = landing.con.execute(_STATE, values).fetchone()
    return _State(row[0], row[1], row[2], json.loads(row[3])) if row else None


def _request(landing: Landing, feed: Feed, table: Table, state: _State | None, folder: str) -> TableRequest:
    if table.adapter:
        found = adapter_named(table.adapter).object
        likely = [path for column in found.required[:1] for path in column.paths]
    else:
        likely = list(feed.entity_key)
    known = state and state.watermark
    return TableRequest(
        type=table.database.type,
        address=table.database.address(table.source_file),
        variable=table.database.variable,
        relation=table.relation,
        loaded_at=table.loaded_at,
        key=table.key,
        likely_key=tuple(name.lower() for name in likely),
        overlap_minutes=table.overlap_minutes,
        now=landing.now.isoformat(),
        folder=folder,
        state={"watermark": known.isoformat(), "rows_behind": state.rows_behind} if state and known else None,
    )


def _name_rows(landing: Landing, table: Table, keys: Path) -> None:
    values = {"feed": table.feed, "source_file": table.source_file, "batch_id": landing.batch_id}
    for target in ("rejected_rows", "rejected_values"):
        landing.con.execute(_NAME_ROWS.format(table=target, keys=quoted(str(keys))), values)


def _remember(landing: Landing, table: Table, seen: dict[str, Any], known: _State | None) -> None:
    """Keep what was seen. Where no row of it was new, the watermark stays (`known`)."""
    landing.con.execute(
        "insert or replace into control.table_states values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            table.feed,
            table.source_file,
            table.loaded_at,
            known.watermark if known else seen["watermark"],
            seen["behind_before"] or 0 if known else seen["behind"],
            seen["total"],
            json.dumps(seen["columns"]),
            landing.now,
        ],
    )


def _warnings(table: Table, state: _State | None, seen: dict[str, Any]) -> Iterator[str]:
    name, at = table.source_file, table.loaded_at
    if seen["empty"]:
        yield (
            f"{name}: {seen['empty']:,} rows have no time in {at}; every run reads them again, and only what "
            "changed lands: let the loading tool fill it"
        )
    if seen["future"]:
        yield (
            f"{name}: {seen['future']:,} rows have a time in {at} that is more than a day ahead, the newest "
            f"{seen['newest']}; every run reads them again: correct the clock of what writes it"
        )
    if not state:
        return
    if seen["total"] < state.rows_total:
        yield (
            f"{name} has {seen['total']:,} rows, and had {state.rows_total:,} when it was read before; what "
            "has landed stays: mark rows as deleted in place of taking them away, or restore the table"
        )
    lost = [column for column in state.columns if column not in seen["columns"]]
    if lost:
        yield (
            f"{name} no longer has {', '.join(lost)}, so nothing is known of it for new rows: "
            "bring the column back, or have a view give it"
        )
    changed = [
        f"{column} from {before} to {seen['columns'][column]}"
        for column, before in state.columns.items()
        if seen["columns"].get(column, before) != before
    ]
    if changed:
        yield f"{name} changed the type of {', '.join(changed)}: see that the values still mean the same"
    if seen["reread"] == BACKWARDS:
        yield (
            f"{name} went back in time: the newest {at} is {seen['newest']}, and was {state.watermark} when "
            "it was read before; it was read from its start, and rows that had landed are not counted twice: "
            "see whether the table was replaced or restored"
        )
    if seen["reread"] == LATE:
        yield (
            f"{name} got rows whose {at} is older than what had been read; it was read from its start: "
            f"where its loading tool often does so, raise overlap_minutes (now {table.overlap_minutes:g})"
        )
