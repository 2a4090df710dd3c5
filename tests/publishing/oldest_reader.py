"""Reads every relation of a published copy, whichever DuckDB it is given; prints one JSON object.

Arguments: the copy, and how it is reached: `open`, `attach` (under another name), `attach_and_use` (made the
database in use too). Keys are `schema.name`; a value is a hash of all rows as text, whatever their order.
"""

import hashlib
import json
import sys

import duckdb

RELATIONS = (
    "select table_schema, table_name from information_schema.tables where table_catalog = '{}' order by all"
)
NAME = "anything"


def read(con, relation):
    rows = sorted(repr(row) for row in con.execute(f"select * from {relation}").fetchall())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def reach(con, copy, way):
    """The name of the database."""
    if way == "open":
        return con.execute("select current_database()").fetchone()[0]
    con.execute(f"attach '{copy}' as {NAME} (read_only)")
    if way == "attach_and_use":
        con.execute(f"use {NAME}")
    return NAME


if __name__ == "__main__":
    copy, way = sys.argv[1:]
    with duckdb.connect(copy, read_only=True) if way == "open" else duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        database = reach(con, copy, way)
        names = [
            f'"{schema}"."{name}"' for schema, name in con.execute(RELATIONS.format(database)).fetchall()
        ]
        told = {name: read(con, f"{database}.{name}") for name in names}
        print(json.dumps({"version": duckdb.__version__, **told}))
