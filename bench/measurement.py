"""What measures 50,000 accounts on 52 weekly dates: seconds, memory, and times reading that history.

    .venv/bin/python bench/measurement.py                              # the backtest of an invented company
    .venv/bin/python bench/measurement.py --published DIR --seeds DIR  # backtest, calibrate, whatif

The second takes the Mondays of a published copy with a year of daily scores, such as those that
`make accuracy` leaves in var/accuracy, and repeats its accounts. `--seeds`: those that its run was given.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.make_copy import make
from radar.measurement.backtest import Question, backtest
from tests.measurement.company_copy import make_outcomes, make_tables

ACCOUNTS = 50_000
WEEKS = 52

_COMPANY = """
insert into staging.plans values ('team', true);
insert into staging.stg_billing__subscriptions
select
    's' || a, 'a' || a, 'team', case when v = 2 and a % 8 = 0 then 'canceled' else 'active' end,
    100 + 10 * ((a + v) % 3), timestamp '2024-01-01' + interval (a % 500) day,
    timestamp '2026-08-01' + interval (a % 365) day, false,
    case when v = 2 and a % 8 = 0 then timestamp '2025-09-01' + interval (a % 300) day end,
    case v when 0 then timestamp '2024-06-01' when 1 then timestamp '2025-08-01' + interval (a % 20) day
        else timestamp '2025-09-01' + interval (a % 300) day end,
    null, null, null, 100 + 10 * ((a + v) % 3)
from range({accounts}) as accounts (a), range(3) as versions (v);
insert into marts.fct_health_history
select
    'a' || a, date '2026-06-29' - cast(7 * w as integer), score,
    case when score >= 80 then 'healthy' when score >= 50 then 'watch' else 'at_risk' end,
    'decided', 'playbook_v1', 'o' || a % 60, 'smb', 1200
from (
    select a, w, 100 - 10 * (hash(a * 7 + w // 4) % 8) - case when a % 8 = 0 then 10 else 0 end as score
    from range({accounts}) as accounts (a), range({weeks}) as weeks (w)
);
insert into marts.fct_outreach_days
select 'a' || a, date '2026-01-01' + cast(a % 100 as integer) from range({accounts}) as accounts (a);
"""


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--published", type=Path)
    options.add_argument("--seeds", type=Path)
    options.add_argument("--accounts", type=int, default=ACCOUNTS)
    told = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if told.published:
            commands(Path(folder), told.published / "radar.duckdb", told.seeds, told.accounts)
        else:
            invented(Path(folder))


def invented(folder: Path) -> None:
    file = folder / "radar.duckdb"
    with duckdb.connect(str(file)) as con:
        make_tables(con)
        con.execute(_COMPANY.format(accounts=ACCOUNTS, weeks=WEEKS))
        started = time.monotonic()
        make_outcomes(con)
        print(f"outcomes          {time.monotonic() - started:6.1f} s")
    once = read_once(file)
    started = time.monotonic()
    done = backtest(file, Question())
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"read history once {once:6.2f} s")
    print(f"backtest          {seconds:6.1f} s, {seconds / once:,.0f} times that, {peak:,.0f} MB at most")
    print(f"{done.figures['observations']:,} observations, verdict {done.figures['verdict']}")


def commands(folder: Path, source: Path, seeds: Path | None, accounts: int) -> None:
    weekly, large = folder / "weekly.duckdb", folder / "published" / "radar.duckdb"
    shutil.copyfile(source, weekly)
    with duckdb.connect(str(weekly)) as con:
        dated = con.execute(
            "select schema_name, table_name from duckdb_columns() inner join duckdb_tables()"
            " using (schema_name, table_name) where column_name = 'as_of_date'"
        ).fetchall()
        for schema, table in dated:
            con.execute(
                f"delete from {schema}.{table} where dayofweek(as_of_date) <> 1"
                " and as_of_date <> (select max(as_of_date) from marts.rpt_account_health)"
            )
    large.parent.mkdir()
    shutil.copyfile(weekly, large)
    with duckdb.connect(str(large), config={"memory_limit": "2GB"}) as con:
        make(con, weekly, accounts)
    once = read_once(large)
    print(f"read history once {once:6.2f} s")
    given = ["--seeds", str(seeds)] if seeds else []
    proposed = folder / "proposed"
    for words in (
        ["backtest"],
        ["calibrate", "--output", str(proposed), *given],
        ["whatif", str(proposed), "--rule-set", "calibrated_v1", *given],
    ):
        started = time.monotonic()
        ran = subprocess.Popen(
            [Path(sys.executable).with_name("radar"), *words, "--published", str(large.parent)],
            stdout=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(ran.pid, 0)
        seconds = time.monotonic() - started
        print(
            f"{words[0]:<17} {seconds:6.1f} s, {seconds / once:,.0f} times that, {used.ru_utime:,.0f} s"
            f" of CPU, {used.ru_maxrss / 1024:,.0f} MB, exit status {os.waitstatus_to_exitcode(status)}"
        )


def read_once(file: Path) -> float:
    """Seconds of reading every cell of the history."""
    with duckdb.connect(str(file), read_only=True) as con:
        started = time.monotonic()
        con.execute("select sum(hash(history)) from marts.fct_health_history as history").fetchall()
        return time.monotonic() - started


if __name__ == "__main__":
    main()
