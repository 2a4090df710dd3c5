"""One table brought up to date: the days of the windows where it is grained by day, else the whole table."""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from radar.publishing.catalogue import Relation, count_of, quoted
from radar.publishing.queries import QUERIES
from radar.publishing.windows import Days

BUILD = "_build"
"""The name under which the build file is attached."""


def carry_over(
    con: duckdb.DuckDBPyConnection,
    table: Relation,
    database: str,
    existing: Relation | None,
    windows: Collection[Days],
) -> None:
    """Make a table of the build file as it is in the warehouse."""
    names = ", ".join(quoted(column.name) for column in table.columns)
    source, target = f"(select {names} from {table.inside(database)})", table.inside(BUILD)
    is_table = existing is not None and existing.kind == "table"
    by_day = ("as_of_date", "DATE") in table.signature and bool(windows)
    if not (is_table and by_day and _follow_days(con, source, target, windows)):
        con.execute(f"create or replace table {target} as select * from {source}")


def _follow_days(con: duckdb.DuckDBPyConnection, source: str, target: str, windows: Collection[Days]) -> bool:
    """Replace the days of the windows, then any other day with another number of rows.

    False where the table is better copied whole: it holds one day (and may be a snapshot that nobody
    listed), or the windows cover all of it, or a row has no day.
    """
    first, last = con.execute(f"select min(as_of_date), max(as_of_date) from {source}").fetchall()[0]
    if first == last or any(days.first <= first and last <= days.last for days in windows):
        return False
    _replace_days(con, source, target, windows)
    if count_of(con, source) == count_of(con, target):
        return True
    changed = con.execute(QUERIES["changed_days"].format(source=source, target=target)).fetchall()
    if (None,) in changed:
        return False
    _replace_days(con, source, target, [Days(day, day) for (day,) in changed])
    return True


def _replace_days(
    con: duckdb.DuckDBPyConnection, source: str, target: str, windows: Collection[Days]
) -> None:
    """Replace all these days. Nothing is inserted where there is nothing to insert: after such an insert,
    DuckDB 1.5.5 loses a large one into the same table in the same transaction, silently.
    """
    where = "where " + " or ".join(
        f"as_of_date between date '{days.first}' and date '{days.last}'" for days in windows
    )
    con.execute(f"delete from {target} {where}")
    if con.execute(f"select 1 from {source} {where} limit 1").fetchone():
        con.execute(f"insert into {target} select * from {source} {where}")
