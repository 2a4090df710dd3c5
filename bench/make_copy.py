"""A published copy of a large company out of a small one's: every account many times, under other names.

    .venv/bin/python bench/make_copy.py var/demo/published /tmp/large --accounts 50000

For measuring the panel without a large run. Ranks go on counting; ids get the number of their repetition;
what belongs to no account or owner stands once. Ledgers and histories stay those of the small company.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import duckdb

NUMBERED = (
    "account_id",
    "account_name",
    "owner_id",
    "owner_name",
    "action_id",
    "override_id",
    "fact_id",
    "parent_account_id",
)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("source", type=Path)
    options.add_argument("target", type=Path)
    options.add_argument("--accounts", type=int, default=50_000)
    options.add_argument("--memory-limit", default="2GB")
    told = options.parse_args()
    folder = told.target / ".sets" / "000001-00000000"
    shutil.rmtree(told.target, ignore_errors=True)
    folder.mkdir(parents=True)
    small = (told.source / "radar.duckdb").resolve()
    large = folder / "radar.duckdb"
    shutil.copyfile(small, large)  # brings the views, which read the tables by name
    with duckdb.connect(str(large), config={"memory_limit": told.memory_limit}) as con:
        make(con, small, told.accounts)
    (told.target / "current").symlink_to(Path(".sets") / folder.name)
    for name in ("radar.duckdb",):
        (told.target / name).symlink_to(Path("current") / name)


def make(con: duckdb.DuckDBPyConnection, source: Path, accounts: int) -> None:
    con.execute(f"attach '{source}' as small (read_only)")
    standing = con.execute("select count(*) from small.marts.rpt_account_health").fetchall()[0][0]
    con.execute(
        f"create temp table repetitions as select range as n from range({max(1, accounts // standing)})"
    )
    tables = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'small' order by all"
    ).fetchall()
    for schema, table in tables:
        columns = [
            name
            for (name,) in con.execute(
                "select column_name from duckdb_columns() where database_name = 'small' and schema_name = ?"
                " and table_name = ? order by column_index",
                [schema, table],
            ).fetchall()
        ]
        con.execute(f"create or replace table {schema}.{table} as {copied(schema, table, columns)}")
        rows = con.execute(f"select count(*) from {schema}.{table}").fetchall()[0][0]
        print(f"{schema}.{table}: {rows:,}", flush=True)


def copied(schema: str, table: str, columns: list[str]) -> str:
    if "account_id" not in columns and "owner_id" not in columns:
        return f"select * from small.{schema}.{table}"
    told = []
    for column in columns:
        if column in NUMBERED:
            told.append(f"{column} || '-' || n as {column}")
        elif column == "rank_overall":
            told.append("rank_overall * (select count(*) from repetitions) + n as rank_overall")
        else:
            told.append(column)
    order = ", ".join(column for column in ("as_of_date", "account_id") if column in columns) or "all"
    return f"select {', '.join(told)} from small.{schema}.{table} cross join repetitions order by {order}"


if __name__ == "__main__":
    main()
