"""How one machine copes with 100 million events: time, memory, bytes and how they grow, as one report.

    .venv/bin/python bench/large.py --report var/bench-large.md

Every figure is of a whole process on extracts that are made here by streaming, next to `limit.sql` on the
same files. What is told apart from growth is start-up: the same command on a company of ten accounts. A time
grows with an exponent of `e` where doubling a size takes `2 ** e` times as long: the slope of a straight line
through the logarithms of sizes and of seconds less start-up. Ends with status 1 where a run fails, a number
differs from the hand-written SQL or a reader noticed that the published copy was replaced; a missed target is
printed, and changes no status.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from math import log
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from statistics import linear_regression

import dagster as dg
import duckdb
import make_events
from compare import compare
from run import HERE, PEAK_MB, Company, Measured, RunFailedError, limit_database, run_limit, run_radar

TINY_ACCOUNTS, TINY_EVENTS = 10, 1_000
FIRST_LOAD, NEXT_DAY, MANY_DATES, EXPONENT = 2.0, 1.3, 25, 1.05
"""The targets, as ratios: to the hand-written SQL, to the next day on a tenth, to one date, and of growth."""
DATES = (1, 30, 90, 365)


@dataclass
class Report:
    """What was seen, in the order in which it was seen: tables of Markdown, targets and failures."""

    tables: list[tuple[str, list[str], list[list[str]]]] = field(default_factory=list)
    targets: list[tuple[str, str, bool]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    runs: list[Measured] = field(default_factory=list)

    def table(self, title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        shown = [[_shown(cell) for cell in row] for row in rows]
        self.tables.append((title, list(header), shown))

    def target(self, name: str, seen: float, limit: float, unit: str = "times") -> None:
        self.targets.append((name, f"{seen:.2f} {unit}, at most {limit:g}", seen <= limit))

    def text(self) -> str:
        lines = ["# One machine, at size", ""]
        for name, figures, is_met in self.targets:
            lines.append(f"- {'met' if is_met else 'MISSED'}: {name}: {figures}")
        lines += [f"- FAILED: {failure}" for failure in self.failures]
        for title, header, rows in self.tables:
            lines += ["", f"## {title}", "", f"| {' | '.join(header)} |"]
            lines.append("| --- |" + " ---: |" * (len(header) - 1))
            lines += [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join(lines) + "\n"


def _shown(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.2f}" if abs(cell) < 10 else f"{cell:,.1f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def exponent(sizes: Sequence[float], seconds: Sequence[float], startup: float) -> float:
    """How time less start-up grows with size; nan where fewer than two sizes took longer than start-up."""
    points = [
        (log(size), log(taken - startup))
        for size, taken in zip(sizes, seconds, strict=True)
        if taken > startup
    ]
    if len(points) < 2:
        return float("nan")
    xs, ys = zip(*points, strict=True)
    return linear_regression(xs, ys).slope


def folder_bytes(path: Path) -> int:
    """The bytes of a file or of all files below a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file() and not file.is_symlink())


@contextmanager
def dagster_records(company: Company) -> Iterator[Path]:
    """Let the runs of a company be recorded next to it, so that their steps can be told apart."""
    home = company.folder / "dagster"
    home.mkdir(exist_ok=True)
    shutil.copy(HERE.parent / "orchestration" / "dagster.yaml", home / "dagster.yaml")
    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home)
    try:
        yield home
    finally:
        if before is None:
            os.environ.pop("DAGSTER_HOME")
        else:
            os.environ["DAGSTER_HOME"] = before


def steps_of_newest_run() -> list[tuple[str, float]]:
    """Each step of the run that ended last, with its seconds, as Dagster recorded it."""
    with dg.DagsterInstance.get() as instance:
        newest = instance.get_run_records(limit=1)[0].dagster_run.run_id
        return [
            (step.step_key, step.end_time - step.start_time)
            for step in instance.get_run_step_stats(newest)
            if step.start_time and step.end_time
        ]


@dataclass
class Life:
    """A company's first load and next day, and what they left on disk."""

    company: Company
    hand: Measured
    first: Measured
    following: Measured
    first_steps: list[tuple[str, float]]
    next_steps: list[tuple[str, float]]

    @property
    def bytes_on_disk(self) -> tuple[int, int, int]:
        """Of the extracts, the warehouse and the published copy."""
        published = self.company.folder / "published"
        return (
            folder_bytes(self.company.extracts),
            folder_bytes(self.company.warehouse),
            folder_bytes(published),
        )


def live(report: Report, company: Company, *, is_watched: bool = False) -> Life:
    """Make a company, load it, and run its next day; both days are compared with the hand-written SQL."""
    name = company.folder.name
    company.folder.mkdir(parents=True)
    company.make()
    hand = run_limit(f"{name}, hand-written SQL", company, company.end)
    with dagster_records(company):
        first = run_radar(f"{name}, first load", company, company.end)
        first_steps = steps_of_newest_run()
        check(report, company, company.end)
        company.make(next_day=True)
        day = company.end + timedelta(days=1)
        with readers(report, company.folder / "published" / "radar.duckdb", is_watched=is_watched):
            following = run_radar(f"{name}, next day", company, day)
        next_steps = steps_of_newest_run()
    run_limit(f"{name}, hand-written SQL, next day", company, day)
    check(report, company, day)
    report.runs += [hand, first, following]
    for run in (hand, first, following):
        say(f"  {run.name}: {run.seconds:.1f} s, {run.rss_mb:,.0f} MB")
    return Life(company, hand, first, following, first_steps, next_steps)


def check(report: Report, company: Company, as_of: date) -> None:
    """Compare the warehouse with the hand-written SQL of one day."""
    comparison = compare(company.warehouse, limit_database(company, as_of), as_of)
    say(f"  {company.folder.name}, {comparison.summary()}")
    report.failures += [f"{company.folder.name}, {as_of}: {text}" for text in comparison.differences]


def _read(copy: Path, stop: Synchronized[int], reads: Synchronized[int], faults: Synchronized[int]) -> None:
    """Open the copy again and again, as a BI tool does, and keep every connection for two questions."""
    question = "select count(*), count(distinct as_of_date), max(as_of_date) from marts.rpt_account_health"
    while not stop.value:
        try:
            with duckdb.connect(str(copy), read_only=True) as con:
                earlier = con.execute(question).fetchone()
                time.sleep(0.05)
                if con.execute(question).fetchone() != earlier or not earlier or earlier[1] != 1:
                    faults.value += 1
        except duckdb.Error:
            faults.value += 1
        reads.value += 1


@contextmanager
def readers(report: Report, copy: Path, *, is_watched: bool) -> Iterator[None]:
    """Read the published copy all the while; a reader that fails or sees two days at once is a failure."""
    if not is_watched:
        yield
        return
    context = multiprocessing.get_context("spawn")
    stop, reads, faults = (context.Value("i", 0) for _ in range(3))
    reader = context.Process(target=_read, args=(copy, stop, reads, faults))
    reader.start()
    try:
        yield
    finally:
        stop.value = 1
        reader.join()
    report.table("Readers while the copy was replaced", ("reads", "faults"), [(reads.value, faults.value)])
    if faults.value or not reads.value:
        report.failures.append(f"{faults.value} of {reads.value} reads of the published copy failed")


def say(text: str) -> None:
    print(text, flush=True)


def by_events(report: Report, make: Callable[..., Company], events: int, startup: Life) -> list[Life]:
    """A tenth, a third and all of the events, with the same accounts and days."""
    sizes = (events // 10, events * 3 // 10, events)
    lives = [live(report, make(f"{size:,} events", events=size), is_watched=size == events) for size in sizes]
    rows = []
    for life in lives:
        extracts, warehouse, published = life.bytes_on_disk
        rows.append(
            (
                life.company.folder.name,
                *(life.hand.seconds, life.first.seconds, life.first.seconds / life.hand.seconds),
                life.company.events / (life.first.seconds - startup.first.seconds),
                *(life.following.seconds, max(life.first.rss_mb, life.following.rss_mb)),
                *(extracts / 1e6, warehouse / 1e6, published / 1e6),
            )
        )
    report.table(
        "Events",
        (
            *("company", "by hand, s", "first load, s", "ratio", "events a second without start-up"),
            *("next day, s", "peak MB", "extracts MB", "warehouse MB", "copy MB"),
        ),
        rows,
    )
    largest = lives[-1]
    report.table(
        f"Steps, {largest.company.folder.name}",
        ("step", "start-up, s", "first load, s", "events a second", "next day, s"),
        [
            (step, small, taken, largest.company.events / taken if taken else 0.0, following)
            for step, taken, small, following in _aligned(largest, startup)
        ],
    )
    first = [life.first.seconds for life in lives]
    following = [life.following.seconds for life in lives]
    report.target("first load to hand-written SQL", first[-1] / largest.hand.seconds, FIRST_LOAD)
    report.target("peak memory", max(run.rss_mb for run in report.runs) / 1024, PEAK_MB / 1024, "GB")
    report.target("next day on all events to a tenth", following[-1] / following[0], NEXT_DAY)
    grown(report, "first load, events", sizes, first, startup.first.seconds)
    return lives


def _aligned(life: Life, startup: Life) -> Iterator[tuple[str, float, float, float]]:
    small, following = dict(startup.first_steps), dict(life.next_steps)
    for step, taken in life.first_steps:
        yield step, taken, small.get(step, 0.0), following.get(step, 0.0)


def grown(
    report: Report, name: str, sizes: Sequence[float], seconds: Sequence[float], startup: float
) -> None:
    """One exponent, as a row of a table and against its target."""
    found = exponent(sizes, seconds, startup)
    report.table(
        f"Growth: {name}",
        ("size", "seconds", "without start-up"),
        [(int(size), taken, taken - startup) for size, taken in zip(sizes, seconds, strict=True)],
    )
    report.target(f"exponent of {name}", found, EXPONENT, "")


def by_accounts(report: Report, make: Callable[..., Company], accounts: int, startup: Life) -> None:
    """A quarter, half and all of the accounts, with the same events."""
    sizes = (accounts // 4, accounts // 2, accounts)
    lives = [live(report, make(f"{size:,} accounts", accounts=size)) for size in sizes]
    grown(
        report, "first load, accounts", sizes, [life.first.seconds for life in lives], startup.first.seconds
    )
    grown(
        report, "next day, accounts", sizes, [x.following.seconds for x in lives], startup.following.seconds
    )


def by_dates(report: Report, company: Company, startup: Life) -> None:
    """More and more as-of dates in one pass, then a next day on top of that history."""
    day = company.end + timedelta(days=1)
    seconds = []
    for dates in DATES:
        since = day - timedelta(days=dates - 1) if dates > 1 else None
        run = run_radar(f"{company.folder.name}, {dates} as-of dates", company, day, since)
        say(f"  {run.name}: {run.seconds:.1f} s, {run.rss_mb:,.0f} MB")
        report.runs.append(run)
        seconds.append(run.seconds)
    report.target(f"{DATES[-1]} as-of dates to one", seconds[-1] / seconds[0], MANY_DATES)
    grown(report, "as-of dates in one pass", DATES, seconds, startup.following.seconds)
    again = run_radar(f"{company.folder.name}, one date on {DATES[-1]} recorded", company, day)
    report.runs.append(again)
    # one date before and after the history was recorded
    grown(
        report,
        "one date, recorded dates",
        (1, DATES[-1]),
        (seconds[0], again.seconds),
        startup.following.seconds,
    )


def parse() -> argparse.Namespace:
    """The command line: the sizes of the largest company, and where what it makes and says goes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=100_000_000)
    parser.add_argument("--next-events", type=int, default=300_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--dates-accounts", type=int, default=10_000, help="accounts where dates grow")
    parser.add_argument("--end", type=date.fromisoformat, default=date(2026, 6, 30))
    parser.add_argument(
        "--only", choices=("events", "accounts", "dates"), action="append", help="these parts alone"
    )
    parser.add_argument(
        "--work", type=Path, help="make the companies here; each is removed when it is measured"
    )
    parser.add_argument("--report", type=Path, default=Path("var/bench-large.md"))
    return parser.parse_args()


def bench(report: Report, options: argparse.Namespace, work: Path) -> None:
    """All parts, each company removed before the next part begins."""
    largest = Company(
        work,
        make_events.SEEDS,
        options.accounts,
        options.events,
        options.days,
        options.end,
        options.next_events,
    )

    def make(name: str, **sizes: int) -> Company:
        return replace(largest, folder=work / name.replace(",", "_").replace(" ", "_"), **sizes)

    def clean() -> None:
        for folder in work.iterdir():
            if folder.name != startup.company.folder.name:
                shutil.rmtree(folder)

    tiny = make("start-up", accounts=TINY_ACCOUNTS, events=TINY_EVENTS, next_events=TINY_ACCOUNTS)
    startup = live(report, tiny)
    report.table(
        "Start-up",
        ("run", "s", "peak MB"),
        [(x.name, x.seconds, x.rss_mb) for x in (startup.first, startup.following)],
    )
    tenth = options.events // 10
    parts = options.only or ("events", "accounts", "dates")
    if "events" in parts:
        by_events(report, make, options.events, startup)
        clean()
    if "accounts" in parts:
        by_accounts(
            report, lambda name, **sizes: make(name, events=tenth, **sizes), options.accounts, startup
        )
        clean()
    if "dates" in parts:
        # events as many for an account as in the largest company
        events = options.events * options.dates_accounts // options.accounts
        dated = make("dates", accounts=options.dates_accounts, events=events)
        live(report, dated)
        by_dates(report, dated, startup)
        clean()


def main() -> int:
    """Measure, write the report also where a run failed on the way, and say where it is."""
    options = parse()
    if os.getloadavg()[0] > 0.5:
        say(
            f"Something else is busy on this machine (load {os.getloadavg()[0]:.1f}): times will be too long."
        )
    report = Report()
    with tempfile.TemporaryDirectory(prefix="radar-bench-", dir=options.work) as temporary:
        try:
            bench(report, options, Path(temporary))
        except RunFailedError as error:
            report.failures.append(str(error))
    report.table(
        "All runs",
        ("run", "s", "peak MB", "PSS MB"),
        [(r.name, r.seconds, r.rss_mb, r.pss_mb) for r in report.runs],
    )
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(report.text())
    options.report.with_suffix(".json").write_text(json.dumps(asdict(report), indent=2, default=str) + "\n")
    say(f"\n{report.text()}\n{options.report}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
