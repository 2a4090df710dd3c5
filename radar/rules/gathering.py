"""Brings the seeds in use together: shipped files, those that replace them, and what came later."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from radar.core.errors import UsageError
from radar.rules import promotions
from radar.rules.seed_tables import described, shipped_rows, shipped_seeds

RULE_FILES = ("rule_sets.csv", "rules.csv", "rule_conditions.csv")


def gather(seeds: Path | None, target: Path, store: Path | None = None) -> Path:
    """Copy the seeds in use to `target`: the shipped ones, each replaced by the file of its name in `seeds`.

    A file of an earlier release may lack columns and settings that came later: the copy has them, columns
    empty (those that define a signal as they ship) and settings as they ship. Of rules and conditions,
    shipped rows are left out whose rule set the folder's own files do not have. Files that have not changed
    are left alone: dbt need not read them again.
    `store`: the panel's SQLite file; rule sets have the statuses that people decided.
    """
    base = shipped_seeds()
    shipped = {path.name: path for path in base.glob("*.csv")}
    chosen = dict(shipped)
    if seeds is not None and seeds.resolve() != base.resolve():
        if not seeds.is_dir():
            raise UsageError(
                "there is no such folder", "name a folder of seed files with --seeds", file=seeds
            )
        for path in sorted(seeds.glob("*.csv")):
            if path.name not in shipped:
                raise UsageError(
                    "no seed has this name",
                    f"name the file for the seed that it replaces: {', '.join(sorted(shipped))}",
                    file=path,
                )
            chosen[path.name] = path
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.csv"):
        if old.name not in chosen:
            old.unlink()
    own_sets = [_rule_sets_in(chosen[name]) for name in RULE_FILES if chosen[name] != shipped[name]]
    made = promotions.decisions(store) if store else []
    for name, path in chosen.items():
        content = _completed(path)
        if name == "rule_sets.csv" and made:
            content = promotions.with_decisions(content, made)
        if name == "settings.csv":
            content = _with_later_settings(content)
        if name in RULE_FILES[1:] and path == shipped[name] and own_sets:
            content = _of_rule_sets(content, set.intersection(*own_sets))
        file = target / name
        if not file.exists() or file.read_bytes() != content:
            file.write_bytes(content)
    return target


def file_in_use(seeds: Path | None, name: str) -> Path:
    """The folder's own file, or the shipped one."""
    own = seeds / name if seeds is not None else None
    return own if own is not None and own.is_file() else shipped_seeds() / name


def _completed(path: Path) -> bytes:
    """The file, with the columns that may be missing; as it is where it lacks others or cannot be read."""
    content = path.read_bytes()
    spec = described()[path.stem]
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        return content
    missing = [column for column in spec["types"] if rows and column not in rows[0]]
    if not missing or not spec["may_be_missing"].issuperset(missing):
        return content
    shipped = shipped_rows(path.name) if spec["as_shipped"].issuperset(missing) else {}
    key = rows[0].index(next(iter(spec["types"]))) if shipped else 0
    completed = io.StringIO(newline="")
    writer = csv.writer(completed, lineterminator="\n")
    writer.writerow([*rows[0], *missing])
    for row in rows[1:]:
        later = shipped.get(row[key].strip(), {}) if len(row) == len(rows[0]) else {}
        writer.writerow([*row, *(later.get(column, "") for column in missing)] if row else row)
    return completed.getvalue().encode()


def _rule_sets_in(path: Path) -> set[str]:
    """The rule sets that a file names; none where it cannot be read."""
    try:
        rows = csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
        return {(row.get("rule_set") or "").strip() for row in rows}
    except (UnicodeDecodeError, csv.Error):
        return set()


def _of_rule_sets(content: bytes, rule_sets: set[str]) -> bytes:
    """A shipped file with the rows of these rule sets, which are in its first column."""
    header, *lines = content.decode().splitlines(keepends=True)
    return (header + "".join(line for line in lines if line.split(",")[0] in rule_sets)).encode()


def _with_later_settings(content: bytes) -> bytes:
    """The file with the settings that it has no row for; as it is where its header is not the shipped one."""
    with (shipped_seeds() / "settings.csv").open(encoding="utf-8", newline="") as file:
        shipped = list(csv.reader(file))
    try:
        rows = list(csv.reader(content.decode("utf-8-sig").splitlines()))
    except UnicodeDecodeError:
        return content
    if not rows or rows[0] != shipped[0]:
        return content
    found = {row[0].strip() for row in rows if row}
    added = io.StringIO()
    csv.writer(added, lineterminator="\n").writerows(row for row in shipped if row[0] not in found)
    return content + (b"" if content.endswith(b"\n") else b"\n") + added.getvalue().encode()
