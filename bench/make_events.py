"""Extracts of an invented company, made by DuckDB alone: the same files for the same arguments.

`make_events.sql` says what the facts are; this file says which files they go to. `--next-day` adds the files
of the day after `--end` to extracts that were made with the same other arguments.
"""

from __future__ import annotations

import argparse
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent
SEEDS = HERE.parent / "seeds"

CSV = "csv", "format csv, header, timestampformat '%Y-%m-%dT%H:%M:%SZ'"
CSV_GZ = "csv.gz", f"{CSV[1]}, compression gzip"
NDJSON_GZ = "ndjson.gz", "format json, compression gzip, timestampformat '%Y-%m-%dT%H:%M:%SZ'"
PARQUET = "parquet", "format parquet, compression zstd"

FEEDS = {
    "crm/accounts": CSV,
    "crm/owners": CSV,
    "crm/contacts": CSV_GZ,
    "crm/touchpoints": CSV_GZ,
    "crm/milestones": CSV,
    "crm/goals": CSV,
    "crm/pulses": CSV,
    "crm/overrides": CSV,
    "crm/identities": CSV,
    "billing/subscriptions": CSV,
    "billing/invoices": CSV,
    "billing/payments": CSV_GZ,
    "support/tickets": NDJSON_GZ,
    "comms/messages": NDJSON_GZ,
    "feedback/surveys": CSV,
}
# The CRM and the billing system send these whole every day; every other feed sends the rows that changed.
FULL_EXTRACTS = ("crm/accounts", "billing/subscriptions")


def relation(feed: str) -> str:
    """The macro in `make_events.sql` that holds a feed's rows."""
    return "subscription_versions" if feed == "billing/subscriptions" else feed.replace("/", "_")


def feed_query(feed: str, seen: date, *, is_next_day: bool) -> str:
    """The rows of a feed's file: all that is known on the day `seen`, or what that day brought."""
    query = f"select * exclude (touched_at) from {relation(feed)}(date '{seen}')"
    if not is_next_day:
        return query
    if feed == "billing/subscriptions":
        # The billing system knows the newest state only; what came before was in earlier extracts.
        return (
            f"{query} qualify row_number() over (partition by subscription_id order by updated_at desc) = 1"
        )
    return query if feed in FULL_EXTRACTS else f"{query} where touched_at >= timestamp '{seen}'"


def month_ends(start: date, end: date) -> list[tuple[date, date]]:
    """The first and last day of every month, cut at `start` and `end`."""
    months = []
    while start <= end:
        following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        months.append((start, min(end, following - timedelta(days=1))))
        start = following
    return months


def write(con: duckdb.DuckDBPyConnection, out: Path, feed: str, day: date, query: str) -> None:
    """One file, `<out>/<feed>/<day>.<format>`."""
    ending, options = FEEDS.get(feed, PARQUET)
    folder = out / feed
    folder.mkdir(parents=True, exist_ok=True)
    con.execute(f"copy ({query}) to '{folder / f'{day}.{ending}'}' ({options})")


def write_events(con: duckdb.DuckDBPyConnection, out: Path, days: int, events: int, end: date) -> None:
    """The base events, one Parquet file a month, named for its last day."""
    start = end - timedelta(days=days - 1)
    for first, last in month_ends(start, end):
        # day_of(number) = number * days // events, so the first number of a day is the ceiling of its share.
        low, high = (-(-((day - start).days) * events // days) for day in (first, last + timedelta(days=1)))
        con.execute(f"create or replace temp view wanted as from base_events({low}, {high})")
        write(con, out, "product/events", last, "from product_events")


def make(
    out: Path,
    *,
    accounts: int,
    events: int,
    days: int,
    end: date,
    seeds: Path = SEEDS,
    next_day: bool = False,
    next_events: int = 300_000,
) -> None:
    """Write the extracts, or with `next_day` the files of the day after `end`."""
    with duckdb.connect(config={"memory_limit": "2GB"}) as con:
        con.execute(f"""
            set TimeZone = 'UTC';
            set variable accounts = {accounts};
            set variable events = {events};
            set variable days = {days};
            set variable end_date = date '{end}';
            set variable seeds = '{seeds}';
        """)
        con.execute("create temp table wanted_shape (number bigint, day bigint)")
        con.execute("create temp view wanted as from wanted_shape")
        con.execute((HERE / "make_events.sql").read_text())
        seen = end + timedelta(days=1) if next_day else end
        for feed in FEEDS:
            write(con, out, feed, seen, feed_query(feed, seen, is_next_day=next_day))
        if next_day:
            con.execute(f"create or replace temp view wanted as from next_events({next_events})")
            write(con, out, "product/events", seen, "from product_events")
        else:
            write_events(con, out, days, events, end)


def main() -> None:
    """Read the arguments, write the files, say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--end", type=date.fromisoformat, default=date(2026, 6, 30))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=Path, default=SEEDS)
    parser.add_argument("--next-day", action="store_true")
    parser.add_argument("--next-events", type=int, default=300_000)
    arguments = vars(parser.parse_args())
    started = time.monotonic()
    make(arguments.pop("out"), **arguments)
    print(f"{time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
