"""Creates the schemas and tables of the warehouse that exist before dbt builds anything.

Drops nothing but what no model makes any more (see earlier_layouts).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from radar.audit import delivery_ledger as ledger
from radar.core.errors import UsageError
from radar.landing import earlier_layouts
from radar.landing.feeds import Feed, load_feeds

# Rows with payloads are purged after 30 days: packing their text would take more than half of landing's time.
UNPACKED = " using compression uncompressed"

# Both are written again by every run, see links.sql. Links: one row per source, id and account that it may
# be; aliases: one row per source and id that is one account alone, which the staging models read.
LINKS = """
    create table if not exists raw.account_links (
        source varchar, account_id varchar, resolved_account_id varchar, rule varchar, is_linked boolean,
        is_of_own_source boolean
    );
    create table if not exists raw.account_aliases (
        source varchar, account_id varchar, resolved_account_id varchar
    )
"""

META_COLUMNS = {
    "_extra": "VARCHAR",
    "_loaded_at": "TIMESTAMP",
    "_batch_id": "BIGINT",
    "_source_file": "VARCHAR",
    "_row_number": "BIGINT",
}


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing, also a column that a contract gained; may run any number of times.

    Raises UsageError where a contract gives a column another type than the warehouse has.
    """
    con.execute(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8"))
    earlier_layouts.migrate(con)
    ledger.create(con)  # models read it before the first delivery is made
    present = _present_columns(con)
    for feed in load_feeds().values():
        for table in (feed.raw_table, feed.waiting_table):
            if table is None:
                continue
            if table not in present:
                con.execute(create_table_sql(table, feed))
            for column, sql_type in table_columns(feed).items():
                if table in present and column not in present[table]:
                    con.execute(f"alter table {table} add column {column} {sql_type}")
            _require_types(feed, present.get(table, {}))
    con.execute(LINKS)


def table_columns(feed: Feed) -> dict[str, str]:
    """Column name -> SQL type of the feed's raw and waiting tables."""
    return {column.name: column.sql_type for column in feed.columns} | META_COLUMNS


def create_table_sql(table: str, feed: Feed) -> str:
    """The statement that creates `table` for the feed."""
    has_payload = any(column.type == "json" for column in feed.columns)
    unpacked = {column.name for column in feed.columns if has_payload and column.sql_type == "VARCHAR"}
    columns = ", ".join(
        f"{name} {sql_type}{UNPACKED if name in unpacked else ''}"
        for name, sql_type in table_columns(feed).items()
    )
    return f"create table if not exists {table} ({columns})"


def _require_types(feed: Feed, present: dict[str, str]) -> None:
    for column in feed.columns:
        landed = present.get(column.name, column.sql_type)
        if landed != column.sql_type:
            raise UsageError(
                f"column {column.name} of {feed.name} is of type {column.type} ({column.sql_type}), and has"
                f" landed as {landed}",
                "give the column another name, or land all files in a new warehouse (--warehouse)",
                file=feed.file,
                line=column.line,
            )


def _present_columns(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Table -> column -> SQL type."""
    rows = con.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns()"
        " where database_name = current_database() and schema_name in ('raw', 'quarantine')"
    ).fetchall()
    present: dict[str, dict[str, str]] = {}
    for table, column, sql_type in rows:
        present.setdefault(table, {})[column] = sql_type
    return present
