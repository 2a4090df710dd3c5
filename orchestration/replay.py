"""`radar replay`: a recorded day computed again from what has landed, next to what was recorded.

Works on a copy of the warehouse in a folder that is removed again: neither the warehouse nor the published
copy changes. The rules of the day are the rows of the seeds that the audit has of its run; those of a git
revision are the files of the folder of seeds there.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration import dbt as building
from radar.core import progress
from radar.core.errors import UsageError
from radar.core.queries import named_queries
from radar.core.settings import Settings
from radar.core.warehouse import connect, readable_os_errors, require_free_space, state_dir, writer_lock
from radar.rules.seed_tables import described

_QUERIES = named_queries(Path(__file__).with_suffix(".sql"))
_SELECT = ("+fct_health_history",)
_RECORDED, _REPLAYED, _REVISED = "recorded", "replayed", "revised"
LATE_DATA, OVERRIDE, RULE, NOT_EXPLAINED = "late data", "override", "rule", "not explained"

Row = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """An account that comes out otherwise, and why. Scores and buckets are None on a side that lacks it."""

    account_id: str
    cause: str
    score_before: float | None
    score_after: float | None
    bucket_before: str | None
    bucket_after: str | None
    detail: str

    def text(self) -> str:
        """One line for people."""
        before = _side(self.score_before, self.bucket_before)
        line = f"{self.account_id}  {self.cause}: {before} -> {_side(self.score_after, self.bucket_after)}"
        return f"{line}. {self.detail}" if self.detail else line


@dataclass(frozen=True)
class Replay:
    """What became of a day. `late_files`: feed, files and rows that landed after it was recorded."""

    day: date
    rules: str
    revised_rules: str | None
    accounts: int
    late_files: Sequence[tuple[str, int, int]]
    differences: Sequence[Difference]

    def text(self) -> str:
        """For people: the same, or account by account what differs."""
        lines = [f"{self.day}: {self.accounts:,} accounts recorded by {self.rules}."]
        if self.revised_rules:
            lines.append(f"Computed again by {self.revised_rules} as well.")
        if not self.differences:
            return "\n".join([*lines, "The same as recorded, to the last byte."])
        for cause in (LATE_DATA, OVERRIDE, RULE, NOT_EXPLAINED):
            count = sum(one.cause == cause for one in self.differences)
            if count:
                lines.append(f"{count:,} account{'' if count == 1 else 's'} by {cause}:")
                lines += [f"  {one.text()}" for one in self.differences if one.cause == cause]
        if self.late_files:
            late = (f"{feed} ({files:,} files, {rows:,} rows)" for feed, files, rows in self.late_files)
            lines.append(f"Landed since the day was recorded: {', '.join(late)}.")
        return "\n".join(lines)


def replay(settings: Settings, day: date, revision: str | None = None) -> Replay:
    """Compute the day again in a copy. Raises UsageError for a day or a revision that is not there."""
    with tempfile.TemporaryDirectory(prefix="replay-", dir=state_dir(settings.warehouse)) as scratch:
        folder = Path(scratch)
        revised = _seeds_of_revision(settings.seeds, revision, folder / "revision") if revision else None
        copy = _copied(settings.warehouse, folder)
        with connect(copy) as con:
            run = _recorded_run(con, day)
            seeds = _seeds_of_the_day(con, run["next_started_at"], folder / "seeds")
            con.execute(_QUERIES["window"], {"day": day})
            _keep(con, _RECORDED, day)
            late_files = con.execute(_QUERIES["late_files"], {"batch_id": run["batch_id"]}).fetchall()
        _build(copy, seeds, day, _REPLAYED)
        if revised:
            _build(copy, revised, day, _REVISED)
        with connect(copy) as con:
            versions = _rows(con, "versions", before=_RECORDED, after=_REVISED if revised else _REPLAYED)[0]
            found = [
                *_of_facts(_rows(con, "differences", before=_RECORDED, after=_REPLAYED), bool(late_files))
            ]
            if revised:
                found += _of_rules(_rows(con, "differences", before=_REPLAYED, after=_REVISED))
    return Replay(
        day,
        versions["rules_before"],
        f"{versions['rules_after']} of {revision}" if revised else None,
        versions["accounts"],
        late_files,
        sorted(found, key=lambda one: one.account_id),
    )


def _copied(warehouse: Path, folder: Path) -> Path:
    """A copy of the file, with what has not been written back to it yet."""
    copy = folder / "warehouse.duckdb"
    progress.status("  copying the warehouse")
    with writer_lock(warehouse), readable_os_errors(warehouse):
        require_free_space(folder, 2 * warehouse.stat().st_size)
        shutil.copyfile(warehouse, copy)
        log = warehouse.with_name(f"{warehouse.name}.wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(f"{copy.name}.wal"))
    return copy


def _recorded_run(con: duckdb.DuckDBPyConnection, day: date) -> Row:
    recorded = "select count(*) from marts.fct_health_history where as_of_date = ?"
    try:
        (accounts,) = con.execute(recorded, [day]).fetchall()[0]
    except duckdb.CatalogException:
        accounts = 0
    if not accounts:
        raise UsageError(f"{day} is no recorded day", "name a day that a run has scored with --as-of")
    found = con.execute(_QUERIES["recorded_day"], {"day": day})
    names = [name for name, *_ in found.description]
    return dict(zip(names, found.fetchall()[0], strict=True))


def _seeds_of_the_day(con: duckdb.DuckDBPyConnection, next_started_at: Any, folder: Path) -> Path:
    """The seeds as the run had them, from the audit."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for (evidence,) in con.execute(
        _QUERIES["seeds_of_the_day"], {"next_started_at": next_started_at}
    ).fetchall():
        for row in json.loads(evidence)["rows"]:
            rows[row["seed"]].append(row)
    folder.mkdir()
    for seed, spec in described().items():
        if seed not in rows:
            continue
        with (folder / f"{seed}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(spec["types"]), extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows[seed])
    return folder


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _seeds_of_revision(seeds: Path, revision: str, folder: Path) -> Path:
    """The CSV files of the folder of seeds as git has them at a revision. Raises UsageError."""
    prefix = _git(seeds, "rev-parse", "--show-prefix", revision=revision).decode().strip()
    commit = _git(
        seeds, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}", revision=revision
    )
    at = commit.decode().strip()
    names = _git(seeds, "ls-tree", "--name-only", f"{at}:{prefix}", revision=revision).decode().split("\n")
    folder.mkdir()
    for name in (name for name in names if name.endswith(".csv") and name[:-4] in described()):
        (folder / name).write_bytes(_git(seeds, "show", f"{at}:{prefix}{name}", revision=revision))
    if not any(folder.iterdir()):
        raise UsageError(f"revision {revision} has no seeds there", "name another with --rules", file=seeds)
    return folder


def _git(seeds: Path, *arguments: str, revision: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(seeds), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise UsageError("there is no git on this machine", "leave --rules out, or install git") from None
    if done.returncode:
        problem = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["git failed"]
        raise UsageError(
            f"git has no seeds of revision {revision} ({problem[0]})",
            "name a revision of the repository that has the folder of seeds; --seeds names the folder",
            file=seeds,
        )
    return done.stdout


def _build(copy: Path, seeds: Path, day: date, name: str) -> None:
    progress.status(f"  computing {day} again")
    done = building.build(building.prepare(copy, seeds), _SELECT)
    if done.error:
        raise done.error
    with connect(copy) as con:
        _keep(con, name, day)


def _keep(con: duckdb.DuckDBPyConnection, name: str, day: date) -> None:
    for statement in _QUERIES["keep"].format(name=name).split(";"):
        if statement.strip():
            con.execute(statement, {"day": day} if "$day" in statement else {})


def _rows(con: duckdb.DuckDBPyConnection, query: str, **names: str) -> list[Row]:
    found = con.execute(_QUERIES[query].format(**names))
    columns = [name for name, *_ in found.description]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def _of_facts(rows: Sequence[Row], has_late_files: bool) -> Iterator[Difference]:
    """Against what was recorded, by the same rules."""
    for row in rows:
        if row["is_other_override"]:
            yield _difference(row, OVERRIDE, "an override that was not known then, or is not any more")
        if row["is_other_score"]:
            yield _difference(row, LATE_DATA if has_late_files else NOT_EXPLAINED, row["reasons"] or "")


def _of_rules(rows: Sequence[Row]) -> Iterator[Difference]:
    """Against the same facts by the rules of the day."""
    for row in rows:
        if row["is_other_score"]:
            yield _difference(row, RULE, row["reasons"] or "")


def _difference(row: Row, cause: str, detail: str) -> Difference:
    names = ("account_id", "score_before", "score_after", "bucket_before", "bucket_after")
    found = {name: row[name] for name in names}
    return Difference(**found, cause=cause, detail=detail)


def _side(score: float | None, bucket: str | None) -> str:
    return "not scored" if score is None else f"{score:g} {str(bucket).replace('_', ' ')}"
