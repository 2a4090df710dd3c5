"""Reads every relation of a published copy, whichever DuckDB it is given; prints one JSON object.

Argument: the copy. Keys are `schema.name`; a value is a hash of all rows as text, whatever their order.
"""

import hashlib
import json
import sys

import duckdb

RELATIONS = "select table_schema, table_name from information_schema.tables order by all"


def read(con, relation):
    rows = sorted(repr(row) for row in con.execute(f"select * from {relation}").fetchall())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


if __name__ == "__main__":
    with duckdb.connect(sys.argv[1], read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        names = [f'"{schema}"."{name}"' for schema, name in con.execute(RELATIONS).fetchall()]
        print(json.dumps({"version": duckdb.__version__, **{name: read(con, name) for name in names}}))
