"""`make fuzz MINUTES=10`: lands files that are damaged in every way, and looks at what becomes of them.

Each file starts as a valid one (`mutations`), is landed by the real landing into a real warehouse that holds
good rows of every feed, and has to end as landed, as quarantined by row, or as refused whole with its reason:

- landing raises nothing, and no message has a stack trace, a path of this machine or a reader that died;
- rows in = landed + repeated + rejected, in `audit.loads` and in the tables themselves;
- what landed before is as it was;
- a second landing of the same file changes nothing.

Hypothesis draws the files, many at a time, because a landing costs as much as the files in it. A finding is
narrowed down to one file and to the changes that it needs, and written below var/fuzz, whence it is kept as a
test by copying it to tests/landing/fuzzed/ (`test_fuzz` lands each file there and looks at the same things).
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

import duckdb
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from inbox import Inbox
from mutations import WRITERS, Mutated, Mutation, example_rows, mutated, mutations

from radar.core.warehouse import connect
from radar.landing import land
from radar.landing.feeds import ACCOUNTS, Feed, load_feeds
from radar.landing.readers import Readers

OUT = Path(__file__).parents[2] / "var" / "fuzz"
KEPT = Path(__file__).parent / "fuzzed"
LANDINGS, AT_ONCE = 8, 25
"""Landings of one seed, and files of each."""
_UNWANTED = re.compile(r"Traceback|ended the process|File \"|INTERNAL|LINE 1")
_GOOD = " union all ".join(
    f"select '{feed.name}', count(*), bit_xor(hash(one)) from {feed.raw_table} as one where _batch_id = 1"
    for feed in load_feeds().values()
)
_ALL = " union all ".join(
    f"select '{feed.name}', count(*), bit_xor(hash(one)) from {feed.raw_table} as one"
    for feed in load_feeds().values()
)


class FindingError(AssertionError):
    """What a file did that no file may do."""


class KeptReaders(Readers):
    """The processes that read files, kept from one landing to the next: most of a landing is their start."""

    def close(self) -> None:
        """Keeps them."""

    def end(self) -> None:
        """End them."""
        super().close()


class Fuzzed:
    """A warehouse with good rows of every feed, and what became of each file that was landed into it."""

    def __init__(self, folder: Path) -> None:
        """Lands the good rows."""
        self.folder, self.readers, self.outcomes = folder, KeptReaders(), Counter[tuple[str, str]]()
        self._template = folder / "good.duckdb"
        root = folder / "good"
        root.mkdir()
        with connect(self._template) as con, self._landing():
            inbox = Inbox(root, con)
            for name, feed in load_feeds().items():
                inbox.put(f"{name}/good.csv", WRITERS["csv"](example_rows(feed)))
            report = inbox.land()
        bad = [message for feed in report for message in feed.messages]
        assert not bad, bad
        shutil.rmtree(root)

    def check(self, files: Sequence[Mutated]) -> None:
        """Land them. Raises FindingError for what must not be."""
        root, warehouse = self.folder / "extracts", self.folder / "fuzzed.duckdb"
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        shutil.copyfile(self._template, warehouse)
        good = root / ACCOUNTS / "good.csv"
        good.parent.mkdir(parents=True)
        good.write_bytes(WRITERS["csv"](example_rows(load_feeds()[ACCOUNTS])))
        with connect(warehouse) as con, self._landing():
            inbox = Inbox(root, con, batch=1)
            for file in files:
                inbox.put(file.path, file.data, packed=False)
            before = con.execute(_GOOD).fetchall()
            notices = self._landed(inbox)
            for file in files:
                self.outcomes[file.format, self._outcome(con, file, notices)] += 1
            if con.execute(_GOOD).fetchall() != before:
                raise FindingError("rows that had landed before are no longer as they were")
            once = con.execute(_ALL).fetchall()
            self._landed(inbox)
            if con.execute(_ALL).fetchall() != once:
                raise FindingError("a second landing of the same file changed what had landed")

    def problem(self, mutation: Mutation) -> str | None:
        """What its file does alone that no file may do."""
        try:
            self.check([mutated(mutation)])
        except FindingError as error:
            return str(error)
        return None

    @contextmanager
    def _landing(self) -> Iterator[None]:
        with mock.patch.object(land, "Readers", return_value=self.readers):
            yield

    def _landed(self, inbox: Inbox) -> list[str]:
        """Land, and give all messages."""
        try:
            report = inbox.land()
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            raise FindingError(
                f"landing raised {type(error).__name__} in {Path(where.filename).name}, {where.name}: {error}"
            ) from error
        messages = [*report.notices, *(text for feed in report for text in (*feed.messages, *feed.warnings))]
        for text in messages:
            if str(inbox.root) in text or _UNWANTED.search(text):
                raise FindingError(f"a message that nobody should read: {text}")
        return messages

    def _outcome(self, con: duckdb.DuckDBPyConnection, file: Mutated, notices: list[str]) -> str:
        loads = con.execute(
            "select feed, status, rows_read, rows_landed, rows_repeated, rows_rejected, records_counted,"
            " message from audit.loads where source_file = ? and batch_id = 2",
            [file.path],
        ).fetchall()
        if not loads:
            if not any(text.startswith(file.path) for text in notices):
                raise FindingError("neither landed nor refused, and nothing says why")
            return "passed over, with a notice"
        outcomes = set()
        for feed, status, read, landed, repeated, rejected, counted, message in loads:
            self._require_sums(con, file, feed, (landed, rejected))
            if read != landed + repeated + rejected:
                raise FindingError(f"{feed}: {read} rows in, and {landed} + {repeated} + {rejected} out")
            if status == "landed":
                is_adapted = not file.path.startswith(f"{feed}/")
                if not is_adapted and counted != read:
                    raise FindingError(f"{feed}: {read} rows read, and a second count found {counted}")
                if not is_adapted and file.rows is not None:
                    self._require_every_row(con, load_feeds()[feed], file, file.rows, read)
                outcomes.add("quarantined by row" if rejected else "landed")
            elif status == "repeated":
                outcomes.add("repeated")
            else:
                if (
                    landed
                    or not message
                    or not message.startswith(file.path)
                    or "What to do: " not in message
                ):
                    raise FindingError(
                        f"{feed}: refused without its reason, or with {landed} rows: {message}"
                    )
                outcomes.add("refused whole")
        return next(
            one for one in ("quarantined by row", "landed", "repeated", "refused whole") if one in outcomes
        )

    def _require_every_row(
        self,
        con: duckdb.DuckDBPyConnection,
        feed: Feed,
        file: Mutated,
        rows: Sequence[dict[str, str]],
        read: int,
    ) -> None:
        """Raise FindingError where a row is neither in its table, nor rejected, nor one that landed already.

        The product counts as repeated what is left, so the sum alone does not show a row that is lost.
        """
        if read != len(rows):
            raise FindingError(f"{feed.name}: {read} rows read of {len(rows)} that were written")
        numbers = {
            kind: {number for (number,) in con.execute(f"{query} = ?", [file.path]).fetchall()}
            for kind, query in {
                "landed": f"select _row_number from {feed.raw_table} where _batch_id = 2 and _source_file",
                "rejected": "select row_number from quarantine.rejected_rows"
                " where batch_id = 2 and source_file",
            }.items()
        }
        keys = {
            number: tuple(str(row.get(name)).strip() for name in feed.entity_key)
            for number, row in enumerate(rows, start=1)
        }
        texts = ", ".join(f"trim({name}::varchar)" for name in feed.entity_key)
        landed = {keys[number] for number in numbers["landed"]}
        landed.update(
            con.execute(f"select {texts} from {feed.raw_table}").fetchall()
        )  # also other files' rows
        for number in keys.keys() - numbers["landed"] - numbers["rejected"]:
            if keys[number] not in landed:
                raise FindingError(f"{feed.name}: row {number} is lost: {rows[number - 1]}")

    def _require_sums(
        self, con: duckdb.DuckDBPyConnection, file: Mutated, feed: str, counted: tuple[int, int]
    ) -> None:
        """Raise FindingError where the tables hold other rows than the record of the load says."""
        table = load_feeds()[feed].raw_table
        found = con.execute(
            f"select (select count(*) from {table} where _source_file = $file and _batch_id = 2), "
            "(select count(distinct row_number) from quarantine.rejected_rows"
            " where source_file = $file and feed = $feed and batch_id = 2)",
            {"file": file.path, "feed": feed},
        ).fetchone()
        if found != counted:
            raise FindingError(f"{feed}: rows landed and rejected are {found}, and its record says {counted}")


def kept() -> list[Path]:
    """The files of earlier findings."""
    return sorted(path for path in KEPT.glob("*/*/*") if path.is_file())


def as_mutated(path: Path) -> Mutated:
    """A file of an earlier finding, as it is to be landed."""
    folder = path.parent.relative_to(path.parents[2]).as_posix()
    return Mutated(folder, path.name, path.name.split(".", 1)[1], path.read_bytes(), None)


def fuzz(minutes: float, first_seed: int, out: Path) -> int:
    """Fuzz until the time is over; the number of different findings, each written to `out`."""
    findings: dict[str, Path] = {}
    until = time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory() as name:
        fuzzed = Fuzzed(Path(name))
        number = first_seed
        try:
            while time.monotonic() < until:
                one_seed(fuzzed, number, until, findings, out)
                number += 1
        finally:
            fuzzed.readers.end()
    _report(fuzzed, first_seed, number - 1, findings)
    return len(findings)


def one_seed(fuzzed: Fuzzed, number: int, until: float, findings: dict[str, Path], out: Path) -> None:
    """The files of one seed, with what is new among what they do."""

    @seed(number)
    @settings(
        max_examples=LANDINGS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(mutations(), min_size=AT_ONCE, max_size=AT_ONCE))
    def land_some(some: list[Mutation]) -> None:
        if time.monotonic() > until:
            return
        try:
            fuzzed.check([_numbered(mutated(one), at) for at, one in enumerate(some)])
        except FindingError as error:
            if kind_of(str(error)) in findings:
                return
            found = [(one, problem) for one in some if (problem := fuzzed.problem(one))]
            for one, problem in found:
                if kind_of(problem) not in findings:
                    file = mutated(smallest(fuzzed, one, kind_of(problem)))
                    findings[kind_of(problem)] = _written(
                        out / str(len(findings) + 1), number, problem, [file]
                    )
            if not found:  # it takes several
                folder = out / str(len(findings) + 1)
                files = [_numbered(mutated(one), at) for at, one in enumerate(some)]
                findings[kind_of(str(error))] = _written(folder, number, str(error), files)

    land_some()


def _numbered(file: Mutated, number: int) -> Mutated:
    return replace(file, name=f"{number}-{file.name}")


def smallest(fuzzed: Fuzzed, mutation: Mutation, kind: str) -> Mutation:
    """The mutation without the changes that its finding does not need."""
    for name in ("packed_cuts", "cuts", "changes"):
        for one in getattr(mutation, name):
            less = replace(
                mutation, **{name: tuple(other for other in getattr(mutation, name) if other is not one)}
            )
            if kind_of(fuzzed.problem(less) or "") == kind:
                mutation = less
    less = replace(mutation, packing="")
    return less if mutation.packing and kind_of(fuzzed.problem(less) or "") == kind else mutation


def _written(folder: Path, number: int, problem: str, files: Sequence[Mutated]) -> Path:
    for file in files:
        path = folder / file.folder / f"seed-{number}-{file.name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    print(f"Finding, seed {number}: {files[0].path}: {problem}\n  {path}", flush=True)
    return path


def kind_of(problem: str) -> str:
    """What two findings have in common that are one."""
    return re.sub(r"\d+|'[^']*'|\"[^\"]*\"|\S+/\S+", "_", problem)[:120]


def _report(fuzzed: Fuzzed, first: int, last: int, findings: dict[str, Path]) -> None:
    outcomes = sorted({outcome for _, outcome in fuzzed.outcomes})
    print(f"\n{sum(fuzzed.outcomes.values()):,} files, seeds {first} to {last}")
    print(f"  {'format':<14}" + "".join(f"{outcome:>28}" for outcome in outcomes))
    for kind in sorted({kind for kind, _ in fuzzed.outcomes}):
        print(f"  {kind:<14}" + "".join(f"{fuzzed.outcomes[kind, outcome]:>28,}" for outcome in outcomes))
    if findings:
        print(f"\n{len(findings)} findings. To keep them as tests: cp -r {OUT}/*/* {KEPT}/")
    else:
        print("\nNo finding.")


def main() -> None:
    """Parse the command line, fuzz, and end with 1 where there are findings."""
    parser = argparse.ArgumentParser(description="Fuzz the landing.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None, help="the first seed; drawn unless it is given")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    first = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    sys.exit(1 if fuzz(options.minutes, first, options.out) else 0)


if __name__ == "__main__":
    main()
