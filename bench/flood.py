"""What it costs to tell a destination of 100,000 accounts that all changed.

    .venv/bin/python bench/flood.py [--accounts N] [--profile NAME]...

Each export runs in a process of its own, so that its memory is its own; making the rows is not counted.
The mart is the one that the tests of files are made on. Targets: 10 s and 500 MB for 100,000 accounts.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "exports")]

import small_mart  # noqa: E402

from radar.exports.writer import Guards, export  # noqa: E402

TARGET_SECONDS, TARGET_MB = 10, 500


def fill(warehouse: Path, accounts: int, run: str) -> None:
    """Rows of which each says something else than in the run before."""
    small_mart.fill(warehouse, accounts)
    small_mart.change(warehouse, f"update marts.rpt_account_health set reason_2 = 'as of run {run}'")


def measure(folder: Path, profile: str, run: str) -> None:
    """One export, told in one line."""
    started = time.monotonic()
    (report,) = export(
        folder / "house.duckdb",
        folder / "out",
        run_id=run,
        as_of=small_mart.DAY,
        profiles=[profile],
        guards=Guards(allow_flood=True),
    )
    seconds = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{profile:<24}{run:<9}{report.rows:>9,} rows{report.bytes / 1e6:>8.1f} MB{seconds:>8.1f} s"
        f"{used.ru_utime + used.ru_stime:>8.1f} s of CPU{used.ru_maxrss / 1e3:>8.0f} MB of memory",
        flush=True,
    )


def apart(work: object, *arguments: object) -> None:
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)  # type: ignore[arg-type]
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--profile", action="append")
    asked = parser.parse_args()
    print(f"targets for 100,000 accounts: {TARGET_SECONDS} s, {TARGET_MB} MB")
    for profile in asked.profile or ["generic", "hubspot_companies"]:
        folder = Path(tempfile.mkdtemp(prefix="radar-flood-"))
        try:
            small_mart.make(folder / "house.duckdb")
            for run in ("first", "changed"):
                apart(fill, folder / "house.duckdb", asked.accounts, run)
                apart(measure, folder, profile, run)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
