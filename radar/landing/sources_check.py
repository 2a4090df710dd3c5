"""What `radar sources check` finds: each file and relation is landed into a warehouse that is thrown away.

So it is read as a run would read it, by the same process, casts and rules; only the checks of a whole feed
(`radar.quality`) are left to the run.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from radar.core.runs import utc_now
from radar.core.warehouse import connect
from radar.landing import schema
from radar.landing.adapters import adapter_named
from radar.landing.feeds import Feed, feeds_of
from radar.landing.files import Discovery, ExtractFile, discover
from radar.landing.land_tables import land_table
from radar.landing.links import note_ids, resolve_aliases
from radar.landing.load import LANDED, Landing, Load, NotNowError, land_file
from radar.landing.readers import Readers
from radar.landing.tables import Table

MOST_EXAMPLES = 3


@dataclass(frozen=True)
class BadValue:
    """A row or a value that does not land. `value` is masked; `row` and `column` are the file's."""

    row: int
    column: str | None
    value: str | None
    message: str
    costs_row: bool


@dataclass(frozen=True)
class FileCheck:
    """What became of a file or relation for one feed. `columns`: the adapter's name -> the file's or None.

    `account_ids_lookalike`: ids that do not join, each with one that is known and differs in leading zeros
    or `.0` alone.
    """

    file: str
    read_as: str
    feed: str
    status: str
    message: str | None = None
    records: int = 0
    rows: int = 0
    rows_refused: int = 0
    values_left_out: int = 0
    columns: dict[str, str | None] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    first_bad: list[BadValue] = field(default_factory=list)
    account_ids: int | None = None
    account_ids_joined: int | None = None
    account_ids_unknown: list[str] = field(default_factory=list)
    account_ids_lookalike: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether all of it lands."""
        return self.status == LANDED and not self.rows_refused

    @property
    def left_out(self) -> int:
        """Records that the adapter makes no row of."""
        return max(0, self.records - self.rows)


@dataclass(frozen=True)
class FolderCheck:
    """The files of a folder, and notices about what in it is not read."""

    files: list[FileCheck]
    notices: list[str]
    has_accounts: bool

    @property
    def is_sound(self) -> bool:
        """Whether everything in it is read and lands."""
        return bool(self.files) and not self.notices and all(one.is_sound for one in self.files)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        files = [asdict(one) | {"left_out": one.left_out} for one in self.files]
        return {"files": files, "notices": self.notices, "has_accounts": self.has_accounts}


@dataclass(frozen=True)
class ScratchLanding:
    """What landed in a warehouse that is thrown away (`con`), and notices about what was not read."""

    con: duckdb.DuckDBPyConnection
    loads: list[tuple[Feed, ExtractFile, Load]]
    notices: list[str]

    def checked(self) -> FolderCheck:
        """What became of each file and relation."""
        has_accounts = _count(self.con, "select count(*) from raw.crm_accounts") > 0
        checks = [_check(self.con, *one, has_accounts=has_accounts) for one in self.loads]
        return FolderCheck(sorted(checks, key=lambda one: (one.file, one.feed)), self.notices, has_accounts)


def check_folder(extracts: Path | None, seeds: Path, tables: Sequence[Table] = ()) -> FolderCheck:
    """Read every file of a folder, and every relation of `tables`, without landing it anywhere.

    Raises UsageError where there is no folder.
    """
    with scratch_landing(extracts, seeds, tables) as landed:
        return landed.checked()


@contextmanager
def scratch_landing(
    extracts: Path | None, seeds: Path, tables: Sequence[Table] = ()
) -> Iterator[ScratchLanding]:
    """Land a folder and relations for as long as the context is open."""
    feeds = feeds_of(seeds)
    found = discover(extracts) if extracts else Discovery({name: [] for name in feeds})
    notices = [text for texts in found.notices.values() for text in texts]
    with tempfile.TemporaryDirectory(prefix="radar-check-") as name:
        scratch = Path(name)
        with connect(scratch / "scratch.duckdb") as con, closing(Readers()) as readers:
            schema.create(con)
            now = utc_now().replace(tzinfo=None)
            landing = Landing(con, "check", 1, now, scratch, readers)
            loads: list[tuple[Feed, ExtractFile, Load]] = []
            for feed in feeds.values():
                for file in found.files[feed.name]:
                    try:
                        load = land_file(landing, feed, file)
                    except NotNowError as reason:
                        notices.append(str(reason))
                        continue
                    if load:
                        loads.append((feed, file, load))
                for table in tables:
                    if table.feed == feed.name:
                        load, warnings = land_table(landing, feed, table)
                        notices.extend(warnings)
                        file = ExtractFile(scratch, table.source_file, "parquet", adapter=table.adapter)
                        loads.append((feed, file, load or Load(LANDED, columns="{}")))
            note_ids(con)
            resolve_aliases(con, seeds)
            yield ScratchLanding(con, loads, notices)


def _check(
    con: duckdb.DuckDBPyConnection, feed: Feed, file: ExtractFile, load: Load, *, has_accounts: bool
) -> FileCheck:
    joined: dict[str, Any] = {}
    if has_accounts and feed.waiting_table and load.status == LANDED:
        query = _JOINS.format(table=feed.raw_table)
        found = con.execute(query, {"source": feed.source, "file": file.source_file}).fetchone()
        ids, ids_joined, unknown, lookalike = found or (0, 0, None, None)
        joined = {
            "account_ids": ids,
            "account_ids_joined": ids_joined,
            "account_ids_unknown": unknown or [],
            "account_ids_lookalike": lookalike or [],
        }
    known = json.loads(load.columns) if load.columns else {}
    return FileCheck(
        file=file.source_file,
        read_as=adapter_named(file.adapter).object.folder if file.adapter else feed.name,
        feed=feed.name,
        status=load.status,
        message=load.message or load.warning,
        records=load.records_counted or 0,
        rows=load.rows_read,
        rows_refused=load.rows_rejected,
        values_left_out=load.values_rejected,
        columns={}
        if load.columns is None
        else load.vendor_columns or {name: name if name in known else None for name in feed.column_names},
        ignored=list(load.ignored_columns),
        unknown=list(load.extra_columns),
        first_bad=list(_first_bad(con, feed, file)),
        **joined,
    )


def _first_bad(con: duckdb.DuckDBPyConnection, feed: Feed, file: ExtractFile) -> Iterator[BadValue]:
    values = {"feed": feed.name, "file": file.source_file, "most": MOST_EXAMPLES}
    for row in con.execute(_FIRST_BAD, values).fetchall():
        yield BadValue(*row)


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0


# As plain_id of intermediate.int_digit_ids.
PLAIN_ID = "regexp_extract({id}, '^0*([0-9]+?)([.]0+)?$', 1)"

_FIRST_BAD = """
    select row_number, column_name, masked_value, message, costs_row
    from (
        select *, true as costs_row from quarantine.rejected_rows
        union all by name
        select *, false as costs_row from quarantine.rejected_values
    )
    where feed = $feed and source_file = $file
    order by not costs_row, row_number
    limit $most
"""

_JOINS = f"""
    with known as (
        select account_id from raw.crm_accounts
        union
        select account_id from raw.account_aliases where source = $source
    ),
    landed as (
        select distinct landed.account_id, known.account_id is not null as is_known
        from {{table}} as landed
        left join known using (account_id)
        where landed._source_file = $file and landed.account_id is not null
    ),
    lookalikes as (
        select landed.account_id, min(known.account_id) as known_id
        from landed
        inner join known
            on {PLAIN_ID.format(id="landed.account_id")} = {PLAIN_ID.format(id="known.account_id")}
        where not landed.is_known and {PLAIN_ID.format(id="landed.account_id")} <> ''
        group by landed.account_id
    )
    select
        count(*),
        count(*) filter (where is_known),
        list(account_id order by account_id) filter (where not is_known)[1:{MOST_EXAMPLES}],
        list(account_id || ' and ' || known_id order by account_id)
            filter (where known_id is not null)[1:{MOST_EXAMPLES}]
    from landed
    left join lookalikes using (account_id)
"""
