"""Run `limit.sql` as a process of its own: `limit.py EXTRACTS SEEDS AS_OF DATABASE`."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import duckdb

SQL = Path(__file__).resolve().with_name("limit.sql")


def run(extracts: Path, seeds: Path, as_of: date, database: Path) -> None:
    """Write limit_signals and limit_scores into `database`, with the memory that `radar run` gets as well."""
    config = {
        "memory_limit": os.environ.get("RADAR_MEMORY_LIMIT", "2GB"),
        "temp_directory": f"{database}.spill",
    }
    with duckdb.connect(str(database), config=config) as con:
        con.execute(f"""
            set TimeZone = 'UTC';
            set variable extracts = '{extracts}';
            set variable seeds = '{seeds}';
            set variable as_of = date '{as_of}';
        """)
        con.execute(SQL.read_text())


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), date.fromisoformat(sys.argv[3]), Path(sys.argv[4]))
