"""What a check looks at: the rows of each feed that no check has seen, and what they are compared with."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from radar.core.errors import InputError
from radar.landing.feeds import Feed, load_feeds
from radar.quality.suites import FOLDER, rules, table_name
from radar.rules.seed_tables import shipped_seeds
from radar.rules.vocabulary import folded_name_sql

SCRATCH = "hygiene"  # an in-memory database next to the warehouse, gone with the check
FUTURE_TOLERANCE = timedelta(days=1)
LEAST_OF_USUAL, MOST_OF_USUAL = 0.5, 5
REFERENCES = (
    ("plans.csv", "plan_id"),
    ("product_events.csv", "event_name"),
    ("ticket_statuses.csv", "status"),
)
CAME_LATER = ("ticket_statuses.csv",)  # a folder of seeds without it takes it as it ships


@dataclass(frozen=True)
class Batch:
    """The rows of one feed that are looked at: batches `first` to `last`, the view `hygiene.<table>`."""

    contract: Feed
    first: int
    last: int
    rows: int
    landed_at: datetime

    @property
    def feed(self) -> str:
        """The feed's name."""
        return self.contract.name

    @property
    def table(self) -> str:
        """The feed's table in `raw`, and the view's name."""
        return table_name(self.feed)


@contextmanager
def scratch(con: duckdb.DuckDBPyConnection, seeds: Path) -> Iterator[None]:
    """An in-memory database: `reference_<seed>` for REFERENCES and settings, and `accounts_<source>`.

    Its function `folded_name` folds names of events as the models do.

    Temporary tables would not do: Great Expectations reads through cursors, which see none of them.
    """
    con.execute(f"ATTACH ':memory:' AS {SCRATCH}")
    try:
        for file, column in REFERENCES:
            table = f"{SCRATCH}.reference_{Path(file).stem}"
            con.execute(f"CREATE TABLE {table} ({column} VARCHAR)")
            is_shipped = file in CAME_LATER and not (seeds / file).exists()
            path = (shipped_seeds() if is_shipped else seeds) / file
            values = [row[column] for row in _seed(path, column) if row[column]]
            con.execute(f"INSERT INTO {table} SELECT DISTINCT unnest(?::VARCHAR[])", [values])
        con.execute(f"CREATE MACRO {SCRATCH}.folded_name(name) AS {folded_name_sql('name')}")
        database = _database(con)
        for source in sorted({feed.split("/")[0] for feed in rules()}):
            con.execute(
                f"CREATE VIEW {SCRATCH}.accounts_{source} AS "
                f"SELECT account_id FROM {database}.raw.crm_accounts "
                f"UNION ALL SELECT account_id FROM {database}.raw.account_aliases WHERE source = '{source}'"
            )
        con.execute(f"CREATE TABLE {SCRATCH}.reference_settings (setting VARCHAR, value BIGINT)")
        settings = [
            (row["setting"], row["value"]) for row in _seed(seeds / "settings.csv", "setting", "value")
        ]
        con.executemany(f"INSERT INTO {SCRATCH}.reference_settings VALUES (?, ?)", settings)
        yield
    finally:
        con.execute(f"DETACH {SCRATCH}")


def first_unchecked(con: duckdb.DuckDBPyConnection, feed: str, batch_id: int) -> int:
    """The first batch whose rows of the feed no check has seen: this one, or one that broke off."""
    checked = "SELECT coalesce(max(batch_id), 0) FROM audit.checks WHERE feed = ? AND batch_id < ?"
    return int(one(con, checked, [feed, batch_id])[0]) + 1


def new_rows(con: duckdb.DuckDBPyConnection, feed: Feed, first: int, batch_id: int) -> Batch | None:
    """A view of the rows from batch `first` to this one; None without any."""
    table = table_name(feed.name)
    con.execute(
        f"CREATE VIEW {SCRATCH}.{table} AS SELECT * FROM {_database(con)}.raw.{table} "
        f"WHERE _batch_id BETWEEN {first} AND {batch_id}"
    )
    rows, landed_at = one(con, f"SELECT count(*), max(_loaded_at) FROM {SCRATCH}.{table}")
    if not rows:
        return None
    _find_key_conflicts(con, feed, first)
    return Batch(feed, first, batch_id, rows, landed_at)


def _database(con: duckdb.DuckDBPyConnection) -> str:
    """The warehouse's name, quoted: views of the scratch database have to name it."""
    name = str(one(con, "SELECT current_database()")[0]).replace('"', '""')
    return f'"{name}"'


def _find_key_conflicts(con: duckdb.DuckDBPyConnection, contract: Feed, first: int) -> None:
    """The table `hygiene.<table>_key_conflicts`: new rows whose key identifies something else as well.

    That is a row of the same key (and updated_at) with another account, or what else `constant_per_key` of
    the contract names: no version of the same fact, wherever it landed. A row without an updated_at, in a
    feed that has it, is compared within its file only: in a later file the fact may have moved.

    A key of several columns may have all of these in it; then there is no such row.
    """
    if not load_feeds()[contract.name].constant_per_key:
        return
    constant = contract.constant_per_key
    is_dated = "updated_at" in contract.column_names
    con.execute(
        sql(
            "find_key_conflicts",
            table=table_name(contract.name),
            key=", ".join(contract.version_key),
            first_key=contract.key[0],
            one=", ".join(constant) or "null as nothing",
            of_file="case when updated_at is null then _source_file end" if is_dated else "null::varchar",
            differs=" or ".join(f"min({column}) <> max({column})" for column in constant) or "false",
            same_key=" and ".join(
                f"new_rows.{column} is not distinct from taken.{column}" for column in contract.version_key
            ),
        ),
        {"checked": first - 1},
    )


def parameters(
    con: duckdb.DuckDBPyConnection, batch: Batch, as_of_end: date, max_age_days: int | None
) -> dict[str, Any]:
    """What the suites' `$PARAMETER` entries mean: `latest_time fresh_after least_rows most_rows`."""
    usual = con.execute(sql("usual_volume"), {"feed": batch.feed, "first_batch": batch.first}).fetchone()
    day = datetime(as_of_end.year, as_of_end.month, as_of_end.day)
    return {
        "latest_time": batch.landed_at + FUTURE_TOLERANCE,
        "fresh_after": datetime(1970, 1, 1) if max_age_days is None else day - timedelta(days=max_age_days),
        "least_rows": math.ceil(usual[0] * LEAST_OF_USUAL) if usual else 0,
        "most_rows": math.floor(usual[0] * MOST_OF_USUAL) if usual else None,
    }


def max_age_days(file: Path) -> dict[str, int | None]:
    """Feed -> the days within which something new is due, from `feeds.csv`; None where nothing is."""
    ages: dict[str, int | None] = {}
    for number, row in enumerate(_seed(file, "feed", "max_age_days"), start=1):
        try:
            ages[row["feed"]] = int(row["max_age_days"]) if row["max_age_days"] else None
        except ValueError:
            raise InputError(
                f"{row['max_age_days']} is not a whole number",
                "give days, or leave it empty",
                file=file,
                row=number,
                column="max_age_days",
            ) from None
    return ages


def setting(seeds: Path, name: str) -> int:
    """The number of a setting in `settings.csv`, as it ships where the file has no row of it."""
    for folder in (seeds, shipped_seeds()):
        if (folder / "settings.csv").is_file():
            for row in _seed(folder / "settings.csv", "setting", "value"):
                if row["setting"] == name:
                    return int(row["value"])
    raise LookupError(f"no setting {name}")


def one(
    con: duckdb.DuckDBPyConnection, query: str, values: list[Any] | dict[str, Any] | None = None
) -> tuple[Any, ...]:
    """The one row of a query that always has one."""
    row: tuple[Any, ...] | None = con.execute(query, values or []).fetchone()
    if row is None:
        raise LookupError(f"no row from: {query}")
    return row


def sql(name: str, **identifiers: str | None) -> str:
    """The statement in `sql/<name>.sql` with its table and column names, which all come from the suites."""
    return _text(name).format(**identifiers)


@cache
def _text(name: str) -> str:
    return (FOLDER / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def _seed(file: Path, *columns: str) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = [column for column in columns if column not in (reader.fieldnames or [])]
            if missing:
                raise InputError(
                    "the column is missing", "add it to the header", file=file, column=missing[0]
                )
            return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read: {error}", "put a readable CSV file there", file=file) from error
