"""Hold `radar run` against hand-written SQL on the same extracts: time, memory of all processes, and numbers.

Every measured run is a whole process, started as a user starts it. Ends with status 1 where a number differs
from the hand-written SQL or a run fails; a missed target is printed, and changes no status.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
import make_events
from compare import Comparison, compare

HERE = Path(__file__).resolve().parent
RADAR = Path(sys.executable).with_name("radar")
MEMORY_LIMIT = "2GB"
SAMPLE_SECONDS = 0.1
PSS_EVERY = 30  # the kernel walks every page for it, and holds the process up meanwhile
PAGE = os.sysconf("SC_PAGE_SIZE")

FIRST_LOAD_RATIO, FIRST_LOAD_SECONDS = 2.0, 45
NEXT_DAY_SECONDS = 60
SINCE_DAYS, SINCE_SECONDS = 90, 60
GROWTH = 1.15  # what two runs of the same work differ by on a quiet machine
PEAK_MB = 4096


class RunFailedError(Exception):
    """A measured command ended with another status than 0."""


@dataclass
class Measured:
    """One process tree: wall time, greatest resident sum, greatest sum with shared pages counted once."""

    name: str
    seconds: float
    rss_mb: float
    pss_mb: float
    target: str = ""
    is_met: bool | None = None


@dataclass
class Results:
    """What a benchmark saw, in the order in which it saw it."""

    runs: list[Measured] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    views: list[tuple[str, float]] = field(default_factory=list)

    def add(self, measured: Measured, target: str = "", *, is_met: bool | None = None) -> None:
        measured.target, measured.is_met = target, is_met
        self.runs.append(measured)
        say(f"  {measured.name}: {measured.seconds:.1f} s, {measured.rss_mb:,.0f} MB")


@dataclass(frozen=True)
class Company:
    """The size of the invented company and where its files and warehouse lie."""

    folder: Path
    seeds: Path
    accounts: int
    events: int
    days: int
    end: date
    next_events: int

    @property
    def extracts(self) -> Path:
        return self.folder / "extracts"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    def make(self, *, next_day: bool = False) -> None:
        started = time.monotonic()
        make_events.make(
            self.extracts,
            accounts=self.accounts,
            events=self.events,
            days=self.days,
            end=self.end,
            seeds=self.seeds,
            next_day=next_day,
            next_events=self.next_events,
        )
        what = f"{self.next_events:,} events of the next day" if next_day else f"{self.events:,} events"
        say(f"  made {what} in {time.monotonic() - started:.0f} s")


def say(text: str) -> None:
    print(text, flush=True)


def processes() -> dict[int, tuple[int, int]]:
    """Every process: its parent and its session."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended between the listing and the reading
            found[int(entry)] = int(fields[1]), int(fields[3])
    return found


def tree(root: int, known: set[int]) -> set[int]:
    """`root`, all that descend from it, and those of `known` that still run after their parent has ended."""
    everyone = processes()
    members = {pid for pid in known if pid in everyone}
    members |= {pid for pid, (_, session) in everyone.items() if session == root}
    while True:
        more = {pid for pid, (parent, _) in everyone.items() if parent in members} - members
        if not more:
            return members
        members |= more


def resident_bytes(pids: set[int]) -> int:
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def proportional_bytes(pids: set[int]) -> int:
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def measure(name: str, command: list[str], log: Path) -> Measured:
    """Run a command to its end; with a status other than 0, RunFailedError has the end of its output."""
    environment = os.environ | {"RADAR_MEMORY_LIMIT": MEMORY_LIMIT}
    rss = pss = samples = 0
    known: set[int] = set()
    with log.open("w") as output:
        started = time.monotonic()
        child = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
        while child.poll() is None:
            known = tree(child.pid, known)
            rss = max(rss, resident_bytes(known))
            if samples % PSS_EVERY == 0:
                pss = max(pss, proportional_bytes(known))
            samples += 1
            time.sleep(SAMPLE_SECONDS)
        seconds = time.monotonic() - started
    if child.returncode != 0:
        tail = "\n".join(log.read_text().splitlines()[-40:])
        raise RunFailedError(f"{name} ended with status {child.returncode}:\n{tail}")
    return Measured(name, seconds, rss / 2**20, pss / 2**20)


def run_radar(name: str, company: Company, as_of: date, since: date | None = None) -> Measured:
    """One `radar run`, named in the table as `name`."""
    command = [
        str(RADAR),
        "run",
        *("--extracts", str(company.extracts)),
        *("--warehouse", str(company.warehouse)),
        *("--as-of", as_of.isoformat()),
        *("--exports", str(company.folder / "exports")),
        *("--published", str(company.folder / "published")),
    ]
    if company.seeds != make_events.SEEDS:
        command += ["--seeds", str(company.seeds)]
    if since:
        command += ["--since", since.isoformat()]
    return measure(name, command, company.folder / f"{name.replace(' ', '_')}.log")


def limit_database(company: Company, as_of: date) -> Path:
    return company.folder / f"limit_{as_of}.duckdb"


def run_limit(name: str, company: Company, as_of: date) -> Measured:
    """The hand-written SQL for one day."""
    database = limit_database(company, as_of)
    database.unlink(missing_ok=True)
    places = [company.extracts, company.seeds, as_of, database]
    command = [sys.executable, str(HERE / "limit.py"), *map(str, places)]
    return measure(name, command, company.folder / f"{name.replace(' ', '_')}.log")


def check(results: Results, company: Company, as_of: date) -> None:
    """Compare the warehouse with the hand-written SQL for one day."""
    comparison = compare(company.warehouse, limit_database(company, as_of), as_of)
    results.comparisons.append(comparison)
    say(f"  {comparison.summary()}")


def first_load(results: Results, company: Company) -> None:
    company.make()
    limit = run_limit("hand-written SQL, first load", company, company.end)
    results.add(limit)
    radar = run_radar("radar run, first load", company, company.end)
    allowed = FIRST_LOAD_RATIO * limit.seconds + FIRST_LOAD_SECONDS
    target = f"<= {FIRST_LOAD_RATIO} x {limit.seconds:.1f} + {FIRST_LOAD_SECONDS} = {allowed:.0f} s"
    results.add(
        radar, f"{target} (is {radar.seconds / limit.seconds:.1f} x)", is_met=radar.seconds <= allowed
    )
    check(results, company, company.end)


def next_day(results: Results, company: Company) -> Measured:
    day = company.end + timedelta(days=1)
    company.make(next_day=True)
    results.add(run_limit("hand-written SQL, all files again", company, day))
    radar = run_radar("radar run, next day", company, day)
    results.add(radar, f"<= {NEXT_DAY_SECONDS} s", is_met=radar.seconds <= NEXT_DAY_SECONDS)
    check(results, company, day)
    return radar


def many_days(results: Results, company: Company) -> None:
    """`--since` against one day, both with nothing new to land; a day in the middle is compared."""
    day = company.end + timedelta(days=1)
    one = run_radar("radar run, same day again", company, day)
    results.add(one)
    radar = run_radar("radar run, since 90 days", company, day, since=day - timedelta(days=SINCE_DAYS - 1))
    allowed = one.seconds + SINCE_SECONDS
    results.add(radar, f"<= one day + {SINCE_SECONDS} = {allowed:.0f} s", is_met=radar.seconds <= allowed)
    middle = day - timedelta(days=SINCE_DAYS // 2)
    run_limit("hand-written SQL, a past day", company, middle)
    check(results, company, middle)


def double_history(results: Results, company: Company, before: Measured) -> None:
    day = company.end + timedelta(days=1)
    company.make()
    results.add(run_radar("radar run, first load of double history", company, company.end))
    company.make(next_day=True)
    radar = run_radar("radar run, next day on double history", company, day)
    allowed = before.seconds * GROWTH
    results.add(radar, f"<= {GROWTH} x next day = {allowed:.0f} s", is_met=radar.seconds <= allowed)


def answer_seconds(database: Path, query: str, parameters: list[object]) -> float:
    """The best of three answers on a new connection, every value read."""
    with duckdb.connect(str(database), read_only=True) as con:
        times = []
        for _ in range(3):
            started = time.perf_counter()
            con.execute(query, parameters).fetchall()
            times.append(time.perf_counter() - started)
    return min(times)


def views(results: Results, company: Company) -> None:
    """How long the views of scoring take on the published copy, beside the hand-made view of the scores."""
    day = company.end + timedelta(days=1)
    warehouse = company.folder / "published" / "radar.duckdb"
    limit = limit_database(company, day)
    with duckdb.connect(str(limit), read_only=True) as con:
        account = con.execute("select min(account_id) from limit_scores").fetchone()[0]
    of_day, of_account = "where as_of_date = ?", "and account_id = ?"
    for view in ("fct_health_scores", "fct_rule_results", "fct_signal_values"):
        query = f"from scoring.{view} {of_day}"
        counted = f"select count(*), bit_xor(hash(told)) from scoring.{view} as told {of_day}"
        results.views += [
            (f"{view}, all accounts", answer_seconds(warehouse, counted, [day])),
            (f"{view}, one account", answer_seconds(warehouse, f"{query} {of_account}", [day, account])),
        ]
    counted = "select count(*), bit_xor(hash(told)) from limit_scoring as told"
    results.views += [
        ("scores by hand, all accounts", answer_seconds(limit, counted, [])),
        (
            "scores by hand, one account",
            answer_seconds(limit, "from limit_scoring where account_id = ?", [account]),
        ),
    ]


def report(results: Results) -> None:
    """The tables, then every difference."""
    say(f"\n{'run':<40} {'s':>7} {'peak MB':>8} {'PSS MB':>8}  target")
    for run in results.runs:
        verdict = {True: "met", False: "MISSED", None: ""}[run.is_met]
        say(
            f"{run.name:<40} {run.seconds:>7.1f} {run.rss_mb:>8,.0f} {run.pss_mb:>8,.0f}"
            f"  {run.target} {verdict}".rstrip()
        )
    peak = max((run.rss_mb for run in results.runs if run.name.startswith("radar")), default=0)
    verdict = "met" if peak < PEAK_MB else "MISSED"
    say(f"{'greatest peak of radar run':<40} {'':>7} {peak:>8,.0f} {'':>8}  < {PEAK_MB:,} MB {verdict}")
    say(f"\n{'answer':<45} {'s':>7}")
    for name, seconds in results.views:
        say(f"{name:<45} {seconds:>7.3f}")
    say("\nnumbers against the hand-written SQL")
    for comparison in results.comparisons:
        say(comparison.summary())
        for difference in comparison.differences:
            say(f"  {difference}")


def parse() -> argparse.Namespace:
    """The command line. `--quick` changes the sizes that are not named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 accounts, 200,000 events")
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--events", type=int)
    parser.add_argument("--next-events", type=int)
    parser.add_argument("--days-history", type=int, default=365)
    parser.add_argument("--end", type=date.fromisoformat, default=date(2026, 6, 30))
    parser.add_argument("--seeds", type=Path, default=make_events.SEEDS)
    parser.add_argument("--work", type=Path, help="keep the files here; without it they are removed")
    parser.add_argument("--skip-double", action="store_true", help="leave the double history out")
    parser.add_argument("--json", type=Path, help="write the results here as well")
    arguments = parser.parse_args()
    arguments.accounts = arguments.accounts or (2_000 if arguments.quick else 50_000)
    arguments.events = arguments.events or (200_000 if arguments.quick else 10_000_000)
    arguments.next_events = arguments.next_events or (6_000 if arguments.quick else 300_000)
    return arguments


def bench(results: Results, arguments: argparse.Namespace, work: Path) -> None:
    """All phases, in the order of a company's life."""

    def company(name: str, times: int) -> Company:
        folder = work / name
        folder.mkdir(parents=True)
        return Company(
            folder,
            arguments.seeds.resolve(),
            arguments.accounts,
            arguments.events * times,
            arguments.days_history * times,
            arguments.end,
            arguments.next_events,
        )

    say(f"{arguments.accounts:,} accounts, {arguments.events:,} events in {arguments.days_history} days")
    single = company("single", 1)
    first_load(results, single)
    following = next_day(results, single)
    views(results, single)
    many_days(results, single)
    if not arguments.skip_double:
        say("double history")
        double_history(results, company("double", 2), following)


def main() -> int:
    """Run it all and print what was seen, also where a run failed on the way."""
    arguments = parse()
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"Something else is busy on this machine (load {load:.1f}): times will be too long.")
    results, failure = Results(), ""
    with tempfile.TemporaryDirectory(prefix="radar-bench-") as temporary:
        try:
            bench(results, arguments, arguments.work or Path(temporary))
        except RunFailedError as error:
            failure = str(error)
    report(results)
    if failure:
        say(f"\n{failure}")
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(results), indent=2, default=str) + "\n")
    is_different = any(comparison.differences for comparison in results.comparisons)
    return 1 if failure or is_different else 0


if __name__ == "__main__":
    sys.exit(main())
