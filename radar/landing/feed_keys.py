"""Which key each feed is counted by in this warehouse: recorded before anything lands, and not changed after.

An event is recognised by a hash of its key when it comes again. Under another key it would be counted twice.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from radar.core.errors import InputError
from radar.landing.feeds import feeds_of, load_feeds, rows_of_feeds

COUNTED = "int_event_keys"


def record_keys(con: duckdb.DuckDBPyConnection, seeds: Path | None) -> None:
    """Record the keys that seeds/feeds.csv names. Raises InputError for one that comes too late."""
    feeds = feeds_of(seeds) if seeds else load_feeds()
    rows = rows_of_feeds(seeds) if seeds else {}
    for name, feed in feeds.items():
        usual = load_feeds()[name].key
        row = con.execute("select key from control.feed_keys where feed = ?", [name]).fetchone()
        before = tuple(row[0].split()) if row else usual
        if before == feed.key:
            continue
        if _is_counted(con):
            written = "the empty cell" if before == usual else " ".join(before)
            raise InputError(
                f"the events of this warehouse are counted by {' '.join(before)}, and the key is now"
                f" {' '.join(feed.key)}: events that come again would count twice",
                f"put {written} back, or land all files in a new warehouse (--warehouse) with this key",
                file="feeds.csv",
                row=rows.get(name),
                column="key",
            )
        con.execute("delete from control.feed_keys where feed = ?", [name])
        if feed.key != usual:
            con.execute("insert into control.feed_keys (feed, key) values (?, ?)", [name, " ".join(feed.key)])


def _is_counted(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether any event has been rolled up. A blocked feed has none, so its key may still be named."""
    exists = "select count(*) from duckdb_tables() where schema_name = 'intermediate' and table_name = ?"
    if con.execute(exists, [COUNTED]).fetchone() == (0,):
        return False
    return con.execute(f"select 1 from intermediate.{COUNTED} limit 1").fetchone() is not None
