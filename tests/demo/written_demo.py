"""Reading a written demo company with SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from radar.demo.files import DELIVERY, columns_of

END = date(2026, 6, 30)
REPOSITORY = Path(__file__).parents[2]
SECOND_DELIVERIES = ("-sent-again", "-interrupted")


@dataclass(frozen=True)
class Demo:
    """A written demo company; its feeds as views named `<source>_<feed>`, all text but for the events."""

    folder: Path
    rows: dict[str, int]
    con: duckdb.DuckDBPyConnection

    def ask(self, sql: str, **values: object) -> list[tuple]:
        return self.con.execute(sql, values or None).fetchall()

    def number(self, sql: str) -> int:
        return self.con.execute(sql).fetchone()[0]


def delivered(folder: Path, feed: str) -> list[str]:
    """The feed's files at their first delivery."""
    files = (folder / feed).iterdir()
    return sorted(str(f) for f in files if not any(mark in f.name for mark in SECOND_DELIVERIES))


def open_demo(folder: Path, rows: dict[str, int]) -> Demo:
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    for feed, (_, ending, _) in DELIVERY.items():
        files, columns = delivered(folder, feed), columns_of(feed)
        types = "{" + ", ".join(f"'{column}': 'varchar'" for column in columns) + "}"
        if not files:  # a feed of JSON lines without a row has no file
            names = ", ".join(f"null::varchar as {column}" for column in (*columns, "filename"))
            source = f"(select {names} where false)"
        elif ending == "parquet":
            source = f"read_parquet({files}, filename = true)"
        elif ending == "ndjson.gz":
            source = f"read_json({files}, columns = {types}, format = 'newline_delimited', filename = true)"
        else:
            source = f"read_csv({files}, columns = {types}, header = true, quote = '\"', filename = true)"
        con.execute(f"create view {feed.replace('/', '_')} as from {source}")
    return Demo(folder, rows, con)
