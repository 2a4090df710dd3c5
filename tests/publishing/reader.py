"""A BI tool in a process of its own: reads the published copy in a loop, prints what was wrong with it.

Arguments: the published folder, and a file that ends the loop when it appears. The last line is the number of
reads and of different runs seen.
"""

import json
import sys
from pathlib import Path

import duckdb

# The runs that the rows of a relation name, and its days: a whole copy names one run, and all days.
STATE = """
select 'scores', max(run), min(run), count(distinct as_of_date), count(*) from marts.fct_health_history
union all select 'usage', max(run), min(run), count(distinct as_of_date), count(*) from signals.sig_usage
union all select 'values', max(run), min(run), count(distinct as_of_date), count(*)
from scoring.fct_signal_values
union all select 'today', max(run), min(run), null, null from marts.rpt_account_health
"""


def look(con: duckdb.DuckDBPyConnection) -> tuple[int, list[str]]:
    """The run that the copy shows, and what contradicts it."""
    told = int(con.execute("select run_id from main.published_run").fetchall()[0][0])
    rows = con.execute(STATE).fetchall()
    whole = {(told, told, 10, 400), (told, told, None, None)}
    return told, [f"{row} in run {told}" for row in rows if tuple(row[1:]) not in whole]


def run_of_parquet(file: Path) -> int:
    """The one run that the file shows; -1 where it shows no whole one."""
    with duckdb.connect() as con:
        least, greatest, days = con.execute(f"select min(run), max(run), count(*) from '{file}'").fetchall()[
            0
        ]
    return int(least) if least == greatest and days == 10 else -1


def look_at_set(folder: Path) -> list[str]:
    """What contradicts each other in one set; nothing where it has been cleared away meanwhile."""
    try:
        with duckdb.connect() as con:
            con.execute(f"attach '{folder / 'radar.duckdb'}' as copy (read_only)")
            con.execute("use copy")
            run, problems = look(con)
        shown = run_of_parquet(folder / "parquet" / "rpt_buckets_daily.parquet")
        told = int(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["run_id"])
    except (duckdb.Error, FileNotFoundError):
        if folder.exists():
            raise
        return []
    return problems if run == shown == told else [f"one set shows the runs {run}, {shown}, {told}"]


def main(published: Path, end: Path) -> None:
    """Look again and again, with a new connection each time and one that stays."""
    reads = 0
    runs: set[int] = set()
    wrong: list[str] = []
    stays = duckdb.connect()
    stays.execute(f"attach '{published / 'radar.duckdb'}' as held (read_only)")
    stays.execute("use held")
    held = look(stays)
    while not end.exists() or reads == 0:
        with duckdb.connect() as fresh:
            fresh.execute(f"attach '{published / 'radar.duckdb'}' as copy (read_only)")
            fresh.execute("use copy")
            run, problems = look(fresh)
        wrong += problems
        if runs and run < max(runs):
            wrong.append(f"run {run} after {max(runs)}")
        runs.add(run)
        parquet = published / "parquet" / "rpt_buckets_daily.parquet"
        if run_of_parquet(parquet) < run:
            wrong.append(f"the Parquet file is older than run {run}")
        manifest = json.loads((published / "manifest.json").read_text(encoding="utf-8"))
        if int(manifest["run_id"]) < run:
            wrong.append(f"the manifest tells of run {manifest['run_id']} after {run}")
        wrong += look_at_set((published / "current").resolve())
        if look(stays) != held:
            wrong.append("the connection that stays saw something else")
        reads += 1
    print("\n".join(wrong[:20]), end="\n" if wrong else "")
    print(reads, len(runs))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
