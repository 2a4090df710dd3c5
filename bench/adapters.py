"""How fast a vendor's file lands through its adapter, against DuckDB alone reading it with the same casts.

`.venv/bin/python bench/adapters.py [--rows N] [--times K]`: a Mixpanel export as NDJSON and a Stripe export
as CSV, each landed into a new warehouse (process, second count, checks, raw table, records of the load) and
read by one plain `read_json` or `read_csv` into a table, in turn. The figures are medians of pairs: the ratio
is taken within a pair, so a machine that is busy slows both. CPU counts all processes of a side, and is what
to read where other programs run. What a landing costs whatever the rows is in it: under 300,000 rows the
ratio says little.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import duckdb

from radar.core.warehouse import connect
from radar.landing.land import land

TARGET_RATIO = 1 / 3
NOW = datetime(2026, 7, 1)
ACCOUNTS = "account_id,name,created_at\n" + "".join(f"a{n},Company {n},2025-01-01\n" for n in range(1000))

MIXPANEL = """
    select
        'Event ' || i % 40 as event,
        {
            'time': 1780000000 + i,
            'distinct_id': 'user-' || i % 5000,
            '$insert_id': md5(i::varchar),
            'company_id': 'a' || i % 1000,
            '$browser': 'Firefox',
            'plan': 'team'
        } as properties
    from range($rows) as rows (i)
"""
PLAIN_JSON = """
    create table plain as
    select
        properties."$insert_id" as event_id,
        properties.company_id as account_id,
        properties.distinct_id as user_id,
        event as event_name,
        make_timestamp(properties.time * 1000000) as occurred_at,
        to_json(properties)::varchar as properties
    from read_json('{file}', format = 'newline_delimited', columns = {{
        event: 'VARCHAR',
        properties: 'STRUCT("time" BIGINT, distinct_id VARCHAR, "$insert_id" VARCHAR, company_id VARCHAR,
            "$browser" VARCHAR, plan VARCHAR)'
    }})
"""
STRIPE = """
    select
        'ch_' || i as id,
        strftime(timestamp '2026-01-01' + to_seconds(i * 20), '%Y-%m-%d %H:%M') as "Created date (UTC)",
        (i % 900 + 0.5)::decimal(10, 2) as Amount,
        0::decimal(10, 2) as "Amount Refunded",
        'usd' as Currency,
        'true' as Captured,
        'cus_' || i % 1000 as "Customer ID",
        'billing@company' || i % 1000 || '.example' as "Customer Email",
        'Subscription update' as Description,
        case when i % 20 = 0 then 'Failed' else 'Paid' end as Status,
        case when i % 20 = 0 then 'insufficient_funds' end as "Decline Reason"
    from range($rows) as rows (i)
"""
PLAIN_CSV = """
    create table plain as
    select
        id as payment_id,
        "Customer ID" as account_id,
        case Status when 'Paid' then 'succeeded' when 'Failed' then 'failed' end as status,
        "Created date (UTC)"::timestamp as attempted_at,
        Amount::decimal(18, 6) as amount_usd,
        "Decline Reason" as failure_reason
    from read_csv('{file}', header = true, all_varchar = true)
"""
CASES = {
    "NDJSON, mixpanel/events": ("mixpanel/events/day.ndjson", MIXPANEL, "format json", PLAIN_JSON),
    "CSV, stripe/charges": ("stripe/charges/day.csv", STRIPE, "format csv", PLAIN_CSV),
}


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the clock and of computing, of this process and of those that it started."""

    def cpu() -> float:
        return sum(
            used.ru_utime + used.ru_stime
            for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        )

    at, used = time.perf_counter(), cpu()
    work()
    return time.perf_counter() - at, cpu() - used


def through_adapter(extracts: Path, folder: Path, rows: int) -> None:
    warehouse = folder / "landed.duckdb"
    with connect(warehouse) as con:
        report = land(con, extracts, run_id="r", batch_id=1, now=NOW)
        read = sum(feed.rows_read for feed in report if feed.feed != "crm/accounts")
    assert read == rows, (read, [message for feed in report for message in feed.messages])
    warehouse.unlink()


def plain(query: str, file: Path, folder: Path, rows: int) -> None:
    path = folder / "plain.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(query.format(file=file))
        assert con.execute("select count(*) from plain").fetchone() == (rows,)
    path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    figures = {}
    print(
        f"{options.rows:,} rows, {options.times} pairs, "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    for name, (path, query, form, plain_query) in CASES.items():
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            extracts = folder / "extracts"
            file = extracts / path
            for put in (file, extracts / "crm/accounts/accounts.csv"):
                put.parent.mkdir(parents=True)
            (extracts / "crm/accounts/accounts.csv").write_text(ACCOUNTS)
            duckdb.execute(f"copy ({query.replace('$rows', str(options.rows))}) to '{file}' ({form})")
            pairs = [
                (
                    measured(partial(plain, plain_query, file, folder, options.rows)),
                    measured(partial(through_adapter, extracts, folder, options.rows)),
                )
                for _ in range(options.times)
            ]
        figures[name] = {
            "plain_rows_per_cpu_second": options.rows / statistics.median(one[0][1] for one in pairs),
            "adapter_rows_per_cpu_second": options.rows / statistics.median(one[1][1] for one in pairs),
            "ratio_cpu": statistics.median(one[0][1] / one[1][1] for one in pairs),
            "ratio_clock": statistics.median(one[0][0] / one[1][0] for one in pairs),
        }
        shown = figures[name]
        print(
            f"{name:<26}{shown['plain_rows_per_cpu_second']:>12,.0f} rows a second plain,"
            f"{shown['adapter_rows_per_cpu_second']:>10,.0f} landed; ratio {shown['ratio_cpu']:.2f} of CPU,"
            f" {shown['ratio_clock']:.2f} on the clock; target {TARGET_RATIO:.2f}"
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
