"""Checks of the reference data in `seeds/` before anything is built: shape, types, and what refers to what.

Columns, types and the tests of single columns are read from `dbt_project/models/reference/_seeds.yml`, which
describes the seeds for dbt too. Nothing here decides what a rule means.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from radar.core.errors import UsageError
from radar.core.project import PROJECT
from radar.core.settings import Settings
from radar.exports.profiles import profile_names
from radar.landing.feeds import load_feeds
from radar.landing.staging import require_sound_contracts
from radar.rules.vocabulary import VOCABULARIES

DESCRIPTION = PROJECT / "dbt_project" / "models" / "reference" / "_seeds.yml"
OPERATORS = (">=", ">", "<=", "<", "=", "<>")
BUCKETS = ("healthy", "watch", "at_risk")
RULE_FILES = ("rule_sets.csv", "rules.csv", "rule_conditions.csv")
CUSTOMER_CHANNELS = ("mail_draft", "in_app_guide", "survey")
BLANK = re.compile(r"[{]([^{}]*)[}]")
FILLED_BLANK = re.compile(r"(?:value|threshold)_(\d+)")
DOMAIN = re.compile(r"(?:[\w-]+[.])+[\w-]+")
NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
"""Of rule sets, rules and flags: they become columns of the scoring views, and anchors of the rules page."""

EVENTS = "product/events"
ANY = "any"
AGGREGATES = {
    "events": 1,
    "active_days": 1,
    "users": 1,
    "names": 1,
    "change_pct": 2,
    "days_since": 0,
    "milestones": 0,
}
"""What a signal may count of product events, with the number of windows that it looks at; 0: all days."""
DIRECTIONS = ("higher_is_better", "lower_is_better")
EVENT_FAMILIES = ("usage", "adoption")
"""The tables of signals that have a column for each row of the catalogue that counts product events."""
NOT_A_SIGNAL = ("account_id", "as_of_date", "is_renewal_unknown")
"""Columns that are next to signals in the tables of families and in the inputs of rules."""

Row = dict[str, str]
Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the seeds: where, what, and what to do. `row` counts data rows from 1."""

    file: str
    row: int | None
    column: str | None
    what: str
    remedy: str

    def __str__(self) -> str:
        location = [self.file]
        if self.row is not None:
            location.append(f"row {self.row}")
        if self.column:
            location.append(f"column {self.column}")
        return f"{', '.join(location)}: {self.what}\n  What to do: {self.remedy}"


def shipped_seeds() -> Path:
    """The whole set of reference data that a folder of seeds replaces files of."""
    return Settings().shipped_seeds


def gather(seeds: Path | None, target: Path) -> Path:
    """Copy the seeds in use to `target`: the shipped ones, each replaced by the file of its name in `seeds`.

    A file of an earlier release may lack columns and settings that came later: the copy has them, columns
    empty (those that define a signal as they ship) and settings as they ship. Of rules and conditions,
    shipped rows are left out whose rule set the folder's own files do not have. Files that have not changed
    are left alone: dbt need not read them again.
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
    for name, path in chosen.items():
        content = _completed(path)
        if name == "settings.csv":
            content = _with_later_settings(content)
        if name in RULE_FILES[1:] and path == shipped[name] and own_sets:
            content = _of_rule_sets(content, set.intersection(*own_sets))
        file = target / name
        if not file.exists() or file.read_bytes() != content:
            file.write_bytes(content)
    return target


def _completed(path: Path) -> bytes:
    """The file, with the columns that may be missing; as it is where it lacks others or cannot be read."""
    content = path.read_bytes()
    spec = _described()[path.stem]
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        return content
    missing = [column for column in spec["types"] if rows and column not in rows[0]]
    if not missing or not spec["may_be_missing"].issuperset(missing):
        return content
    shipped = _shipped_rows(path.name) if spec["as_shipped"].issuperset(missing) else {}
    key = rows[0].index(next(iter(spec["types"]))) if shipped else 0
    completed = io.StringIO(newline="")
    writer = csv.writer(completed, lineterminator="\n")
    writer.writerow([*rows[0], *missing])
    for row in rows[1:]:
        later = shipped.get(row[key].strip(), {}) if len(row) == len(rows[0]) else {}
        writer.writerow([*row, *(later.get(column, "") for column in missing)] if row else row)
    return completed.getvalue().encode()


def _shipped_rows(name: str) -> dict[str, Row]:
    """The rows of a shipped file by their first cell."""
    with (shipped_seeds() / name).open(encoding="utf-8", newline="") as file:
        return {next(iter(row.values())): row for row in csv.DictReader(file)}


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


def check(seeds: Path) -> list[Problem]:
    """Everything that is wrong with a whole folder of seeds, in the order of files and rows."""
    tables, problems = read(seeds)
    if problems:  # references can only be checked in files that can be read
        return problems
    return [problem for rule in _CROSS_CHECKS for problem in rule(tables)]


def read(seeds: Path) -> tuple[Tables, list[Problem]]:
    """The rows of every seed by its name, cells as text, and what is wrong with single files and cells."""
    problems: list[Problem] = []
    tables: Tables = {}
    for name, spec in _described().items():
        tables[name], found = _read(seeds / f"{name}.csv", spec)
        problems += found
    return tables, problems


@cache
def _described() -> dict[str, dict[str, Any]]:
    """Seed name -> types by column, tests by column, and the columns that may be missing, as described.

    `as_shipped`: those of them that a file without them has as the shipped row of the same name has them.
    """
    described: dict[str, dict[str, Any]] = {}
    for seed in yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))["seeds"]:
        metas = {column["name"]: column.get("config", {}).get("meta", {}) for column in seed["columns"]}
        described[seed["name"]] = {
            "types": seed["config"]["column_types"],
            "tests": {column["name"]: column.get("data_tests", []) for column in seed["columns"]},
            "may_be_missing": {column for column, meta in metas.items() if meta.get("may_be_missing")},
            "as_shipped": {
                column for column, meta in metas.items() if meta.get("when_missing") == "as_shipped"
            },
        }
    return described


def _read(path: Path, spec: dict[str, Any]) -> tuple[list[Row], list[Problem]]:
    columns = list(spec["types"])
    if not path.exists():
        return [], [Problem(path.name, None, None, "the file is missing", "restore it from the repository")]
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return [], [Problem(path.name, None, None, "the file is not UTF-8", "save it as CSV in UTF-8")]
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        return [], [Problem(path.name, None, None, f"the file is no CSV: {error}", "save it as CSV in UTF-8")]
    if not lines or sorted(lines[0]) != sorted(columns):
        found = ",".join(lines[0]) if lines else "nothing"
        what = f"the header is {found}"
        return [], [Problem(path.name, None, None, what, f"make it {','.join(columns)}")]
    rows, problems = [], []
    for number, cells in enumerate(lines[1:], start=1):
        if len(cells) != len(columns):
            what = f"the row has {len(cells)} fields, the header {len(columns)}"
            problems.append(Problem(path.name, number, None, what, "quote fields that hold a comma"))
            rows.append(dict.fromkeys(columns, ""))
            continue
        row = dict(zip(lines[0], (cell.strip() for cell in cells), strict=True))
        rows.append(row)
        for column, kind in spec["types"].items():
            if row[column] and not _fits(row[column], kind):
                what = f"'{row[column]}' is not a {_plain(kind)}"
                problems.append(Problem(path.name, number, column, what, f"write a {_plain(kind)}"))
    for column, tests in spec["tests"].items():
        problems += _column_problems(path.name, column, tests, rows)
    return rows, problems


def _fits(value: str, kind: str) -> bool:
    if kind == "boolean":
        return value.lower() in ("true", "false")
    if kind == "bigint":
        return re.fullmatch(r"-?\d{1,18}", value) is not None
    if kind.startswith("decimal"):
        return re.fullmatch(r"-?\d{1,12}([.]\d{1,6})?", value) is not None
    return True


def _plain(kind: str) -> str:
    if kind == "boolean":
        return "truth value (true or false)"
    return "whole number" if kind == "bigint" else "number" if kind.startswith("decimal") else "text"


def _column_problems(file: str, column: str, tests: list[Any], rows: list[Row]) -> Iterator[Problem]:
    names = [test if isinstance(test, str) else next(iter(test)) for test in tests]
    counts = Counter(row[column] for row in rows)
    for number, row in enumerate(rows, start=1):
        value = row[column]
        if "not_null" in names and not value:
            yield Problem(file, number, column, "the cell is empty", "fill it")
        if "unique" in names and value and counts[value] > 1:
            yield Problem(file, number, column, f"'{value}' is in more than one row", "keep one of them")
    for test in tests:
        if isinstance(test, dict) and "accepted_values" in test:
            allowed = test["accepted_values"]["arguments"]["values"]
            for number, row in enumerate(rows, start=1):
                if row[column] not in allowed:
                    what, remedy = f"'{row[column]}' is not allowed", f"write one of {', '.join(allowed)}"
                    yield Problem(file, number, column, what, remedy)


def _numbered(tables: Tables, name: str) -> Iterator[tuple[int, Row]]:
    return enumerate(tables[name], start=1)


def _feeds_exist(tables: Tables) -> Iterator[Problem]:
    require_sound_contracts()
    feeds = load_feeds()
    known = set(feeds)
    listed = {row["feed"] for row in tables["feeds"]}
    for number, row in _numbered(tables, "feeds"):
        if row["feed"] not in known:
            what, remedy = f"there is no feed '{row['feed']}'", f"write one of {', '.join(sorted(known))}"
            yield Problem("feeds.csv", number, "feed", what, remedy)
        problem = feeds[row["feed"]].key_problem(row["key"]) if row["key"] and row["feed"] in known else None
        if problem:
            yield Problem("feeds.csv", number, "key", *problem)
        if row["feed"] == "crm/accounts" and row["is_used"].lower() == "false":
            yield Problem("feeds.csv", number, "is_used", "crm/accounts is compulsory", "write true")
    needed = {"crm/accounts"}.union(*(row["feeds"].split() for row in tables["signals"]))
    for feed in sorted(known & needed - listed):  # a feed that no signal needs may be left out
        yield Problem(
            "feeds.csv", None, "feed", f"the feed {feed} has no row", "add it, with is_used false if unused"
        )
    for number, row in _numbered(tables, "signals"):
        for feed in row["feeds"].split():
            if feed not in known:
                yield Problem(
                    "signals.csv", number, "feeds", f"there is no feed '{feed}'", "name a feed of feeds.csv"
                )


def _signals(tables: Tables) -> Iterator[Problem]:
    """Shipped signals stay what they are; one's own count product events, or are SQL of the project."""
    file = "signals.csv"
    shipped = _shipped_rows(file)
    found = {row["signal"] for row in tables["signals"]}
    for signal in sorted(shipped.keys() - found):
        yield Problem(file, None, "signal", f"the signal {signal} has no row", "restore its row")
    measures = set(_measures(tables))
    for number, row in _numbered(tables, "signals"):
        ours = shipped.get(row["signal"])
        if ours:
            for column in ("family", "measure", "aggregate", "window_days"):
                if row[column] != ours[column]:
                    what = f"{row['signal']} is a shipped signal, and its meaning stays"
                    remedy = f"write {ours[column] or 'nothing'}, or add a signal under a name of your own"
                    yield Problem(file, number, column, what, remedy)
        elif not row["measure"]:
            what = f"no table signals.sig_{row['family']} has {row['signal']}"
            remedy = "name the measure that it counts, or keep the shipped names: other signals are models"
            yield Problem(file, number, "measure", what, remedy)
        if row["direction"] not in ("", *DIRECTIONS):
            what, remedy = f"there is no direction '{row['direction']}'", f"write {_either(DIRECTIONS)}"
            yield Problem(file, number, "direction", what, f"{remedy}, or nothing")
        if row["measure"]:
            yield from _event_signal_problems(number, row)
            yield from _count_problems(number, row, measures, None if ours else _summary_days(tables))
        else:
            for column in ("aggregate", "window_days"):
                if row[column]:
                    what = "only a signal with a measure reads it"
                    yield Problem(file, number, column, what, "name the measure too, or empty the cell")


def _event_signal_problems(number: int, row: Row) -> Iterator[Problem]:
    """What the name, the family and the feeds of a signal that counts product events have to be."""
    file = "signals.csv"
    name = row["signal"]
    if not NAME.fullmatch(name) or "_" not in name or name in NOT_A_SIGNAL:
        what = f"'{name}' is no name that a signal can have"
        remedy = "write two or more words of lower-case letters and digits with underscores, as in logins_7d"
        yield Problem(file, number, "signal", what, remedy)
    if row["family"] not in EVENT_FAMILIES:
        what = f"a signal that counts product events cannot be in the family {row['family']}"
        yield Problem(file, number, "family", what, f"write {_either(EVENT_FAMILIES)}")
    if EVENTS not in row["feeds"].split():
        yield Problem(file, number, "feeds", f"it counts events of {EVENTS}", f"name {EVENTS} too")
    if row["aggregate"] == "change_pct" and row["can_be_negative"].lower() == "false":
        yield Problem(file, number, "can_be_negative", "a change can be below 0", "write true")


def _count_problems(number: int, row: Row, measures: set[str], summary_days: int | None) -> Iterator[Problem]:
    """Whether measure, aggregate and window of a signal that counts events mean something together."""
    file = "signals.csv"
    measure, aggregate, window = row["measure"], row["aggregate"], row["window_days"]
    if measure not in measures:
        what = f"no event name has the measure '{measure}'"
        remedy = f"name it in the column measures of product_events.csv, or write {_either(sorted(measures))}"
        yield Problem(file, number, "measure", what, remedy)
    if aggregate not in AGGREGATES:
        what = f"there is no aggregate '{aggregate}'" if aggregate else "the cell is empty"
        yield Problem(file, number, "aggregate", what, f"write {_either(AGGREGATES)}")
        return
    if aggregate == "milestones" and measure != "milestone":
        what = f"{measure} events reach no milestones"
        yield Problem(file, number, "measure", what, "write milestone, or another aggregate")
    if not AGGREGATES[aggregate]:
        if window:
            what, remedy = f"{aggregate} looks at all days, not at a window", "empty the cell"
            yield Problem(file, number, "window_days", what, remedy)
        return
    most = summary_days // AGGREGATES[aggregate] if summary_days else None
    if not window or int(window) < 1 or (most and int(window) > most):
        bounds = f"1 to {most} days" if most else "1 day or more"
        what = f"{aggregate} needs a window of {bounds}" + (f", not {window}" if window else "")
        yield Problem(file, number, "window_days", what, f"write a number of {bounds}")


def _summary_days(tables: Tables) -> int:
    """How many days of events are kept: no window can be longer."""
    (days,) = [row["value"] for row in tables["settings"] if row["setting"] == "summary_days"] or ["0"]
    return int(days)


def _event_marks(tables: Tables) -> Iterator[Problem]:
    """Measures that an installation adds have a name of their own."""
    file = "product_events.csv"
    for number, row in _numbered(tables, "product_events"):
        for name in row["measures"].split(" "):
            if f"is_{name}" in row:
                what, remedy = f"{name} has a column of its own", f"write true in is_{name}"
                yield Problem(file, number, "measures", what, remedy)
            elif name and (not NAME.fullmatch(name) or name == ANY or name in VOCABULARIES):
                what = f"'{name}' is no name that a measure can have"
                remedy = "write another name, of lower-case letters, digits and single underscores"
                yield Problem(file, number, "measures", what, remedy)


def _measures(tables: Tables) -> Iterator[str]:
    """What events can be counted as: any event, the measures that have a column, and those of one's own."""
    yield from (ANY, "milestone")
    columns = _described()["product_events"]["types"]
    yield from (column.removeprefix("is_") for column in columns if column.startswith("is_"))
    for row in tables["product_events"]:
        yield from row["measures"].split()


def _either(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _rule_sets(tables: Tables) -> Iterator[Problem]:
    champions = [number for number, row in _numbered(tables, "rule_sets") if row["status"] == "champion"]
    if not champions:
        what, remedy = "no rule set is the champion", "give one of them the status champion"
        yield Problem("rule_sets.csv", None, "status", what, remedy)
    for number in champions[1:]:
        what = f"row {champions[0]} is the champion already"
        remedy = "make exactly one the champion; the others shadow or retired"
        yield Problem("rule_sets.csv", number, "status", what, remedy)
    ruled = {row["rule_set"] for row in tables["rules"]}
    for number, row in _numbered(tables, "rule_sets"):
        yield from _name_problems("rule_sets.csv", number, "rule_set", row["rule_set"])
        if row["status"] == "champion" and row["rule_set"] not in ruled:
            remedy = "add rules to rules.csv, or make another set the champion rule set"
            yield Problem("rule_sets.csv", number, "rule_set", "the champion rule set has no rule", remedy)
        bounds = [row["base_score"], row["watch_from"], row["healthy_from"]]
        if not all(bounds):
            yield Problem(
                "rule_sets.csv", number, "base_score", "a number is missing", "fill all three numbers"
            )
        elif not 0 < float(row["watch_from"]) < float(row["healthy_from"]) <= 100:
            what = f"the bounds overlap: watch from {row['watch_from']}, healthy from {row['healthy_from']}"
            yield Problem(
                "rule_sets.csv", number, "watch_from", what, "make 0 < watch_from < healthy_from <= 100"
            )


def _name_problems(file: str, number: int, column: str, name: str) -> Iterator[Problem]:
    if name and not NAME.fullmatch(name):
        what = f"'{name}' is no name that a column can have"
        remedy = "write lower-case letters, digits and single underscores between them, a letter first"
        yield Problem(file, number, column, what, remedy)


def _key(row: Row) -> tuple[str, str, str]:
    return row["rule_set"], row["rule_id"], row["segment"]


def _rules(tables: Tables) -> Iterator[Problem]:
    sets = {row["rule_set"] for row in tables["rule_sets"]}
    counts = Counter(_key(row) for row in tables["rules"])
    conditions = Counter(_key(row) for row in tables["rule_conditions"])
    file = "rules.csv"
    for number, row in _numbered(tables, "rules"):
        if row["rule_set"] not in sets:
            yield Problem(
                file,
                number,
                "rule_set",
                f"there is no rule set '{row['rule_set']}'",
                "add it to rule_sets.csv",
            )
        if counts[_key(row)] > 1:
            yield Problem(
                file, number, "rule_id", "the rule has two rows for this segment", "keep one of them"
            )
        if not conditions[_key(row)]:
            what, remedy = "the rule has no condition", "add one to rule_conditions.csv with the same segment"
            yield Problem(file, number, "rule_id", what, remedy)
        for blank in BLANK.findall(row["evidence"]):
            filled = FILLED_BLANK.fullmatch(blank)
            if not filled or not 1 <= int(filled[1]) <= conditions[_key(row)]:
                what = f"nothing fills {{{blank}}}"
                remedy = f"write {{value_n}} or {{threshold_n}}, n from 1 to {conditions[_key(row)]}"
                yield Problem(file, number, "evidence", what, remedy)


_CELLS_OF_EFFECTS = {
    "points": ("points",),
    "renewal_within_days": ("points",),
    "renewal_factor": ("points",),
    "bucket": ("cap", "flag"),
    "flag": ("flag",),
}
"""Column of a rule -> the effects that read it. A cell that nothing reads would be a false promise."""


def _effects(tables: Tables) -> Iterator[Problem]:
    file = "rules.csv"
    for number, row in _numbered(tables, "rules"):
        effect = row["effect"]
        yield from _name_problems(file, number, "rule_id", row["rule_id"])
        yield from _name_problems(file, number, "flag", row["flag"])
        for column in {"points": ("points",), "cap": ("bucket",), "flag": ("flag",)}.get(effect, ()):
            if not row[column]:
                yield Problem(file, number, column, f"a rule of effect {effect} needs it", "fill the cell")
        for column, effects in _CELLS_OF_EFFECTS.items():
            if row[column] and effect not in effects and not _is_zero(row[column]):
                what = f"a rule of effect {effect} does not read it"
                remedy = f"empty the cell, or make the effect {' or '.join(effects)}"
                yield Problem(file, number, column, what, remedy)
        if row["bucket"] and row["bucket"] not in BUCKETS:
            what = f"there is no bucket '{row['bucket']}'"
            yield Problem(file, number, "bucket", what, f"write one of {', '.join(BUCKETS)}")
        is_per_unit = row["per_unit"].lower() == "true"
        if row["max_points"] and float(row["max_points"]) <= 0:
            what, remedy = "the limit is a size above 0", "write a number above 0, or nothing"
            yield Problem(file, number, "max_points", what, remedy)
        for column, is_filled in (("per_unit", is_per_unit), ("max_points", bool(row["max_points"]))):
            if is_filled and not (effect == "points" and is_per_unit):
                what = "only a rule of effect points that counts per unit reads it"
                yield Problem(file, number, column, what, "empty the cell, or set points and per_unit true")
        yield from _weight_problems(number, row)


def _weight_problems(number: int, row: Row) -> Iterator[Problem]:
    days, factor = row["renewal_within_days"], row["renewal_factor"]
    if bool(days) != bool(factor):
        column = "renewal_factor" if days else "renewal_within_days"
        what, remedy = "a weight by renewal needs both its columns", "fill this one too, or empty both"
        yield Problem("rules.csv", number, column, what, remedy)
    if days and int(days) < 0:
        what, remedy = "the number of days is below 0", "write 0 or more"
        yield Problem("rules.csv", number, "renewal_within_days", what, remedy)
    if factor and float(factor) <= 0:
        what, remedy = "the factor is not above 0", "write a number above 0, or empty both columns"
        yield Problem("rules.csv", number, "renewal_factor", what, remedy)


def _is_zero(cell: str) -> bool:
    return re.fullmatch(r"-?0+([.]0+)?", cell) is not None


def _conditions(tables: Tables) -> Iterator[Problem]:
    rules = {_key(row) for row in tables["rules"]}
    signals = {row["signal"] for row in tables["signals"]}
    positions: dict[tuple[str, str, str], list[int]] = {}
    file = "rule_conditions.csv"
    for number, row in _numbered(tables, "rule_conditions"):
        if _key(row) not in rules:
            what = f"rules.csv has no row for {', '.join(part or 'all segments' for part in _key(row))}"
            yield Problem(file, number, "rule_id", what, "add the rule, or correct the names")
        if row["signal"] not in signals:
            what = f"there is no signal '{row['signal']}'"
            yield Problem(file, number, "signal", what, "write a signal of signals.csv")
        if row["operator"] not in OPERATORS:
            what = f"there is no operator '{row['operator']}'"
            yield Problem(file, number, "operator", what, f"write one of {' '.join(OPERATORS)}")
        if not row["threshold"]:
            yield Problem(file, number, "threshold", "the cell is empty", "write the number to compare with")
        if row["when_null"].lower() == "true":
            yield Problem(
                file, number, "when_null", "only false is possible", "write false, or leave it empty"
            )
        taken = positions.setdefault(_key(row), [])
        if not row["position"] or int(row["position"]) in taken:
            what, remedy = "positions count from 1, each once", "number the rule's conditions"
            yield Problem(file, number, "position", what, remedy)
        else:
            taken.append(int(row["position"]))
    for number, row in _numbered(tables, "rule_conditions"):
        positions_of_rule = positions[_key(row)]
        if row["position"] and not 1 <= int(row["position"]) <= len(positions_of_rule):
            what = f"the rule has {len(positions_of_rule)} condition(s)"
            yield Problem(file, number, "position", what, "number them from 1 on without gaps")


def _playbook(tables: Tables) -> Iterator[Problem]:
    flags = {row["flag"] for row in tables["rules"] if row["flag"]}
    for number, row in _numbered(tables, "playbook"):
        if row["bucket"] and row["bucket"] not in BUCKETS:
            what, remedy = (
                f"there is no bucket '{row['bucket']}'",
                f"write one of {', '.join(BUCKETS)}, or nothing",
            )
            yield Problem("playbook.csv", number, "bucket", what, remedy)
        if row["flag"] and row["flag"] not in flags:
            what = f"no rule raises the flag '{row['flag']}'"
            yield Problem("playbook.csv", number, "flag", what, "name a flag of rules.csv, or nothing")
        if not row["bucket"] and not row["flag"]:
            yield Problem(
                "playbook.csv", number, "bucket", "the row is for no bucket and no flag", "fill one of them"
            )
        if row["channel"] in CUSTOMER_CHANNELS and row["mode"] == "automatic":
            what = f"{row['channel']} reaches the customer, and nothing goes to a customer by itself"
            yield Problem("playbook.csv", number, "mode", what, "write approve")
        for column in ("within_hours", "cooldown_days"):
            if row[column].startswith("-"):
                yield Problem("playbook.csv", number, column, "the number is below 0", "write 0 or more")
    covered = {row["bucket"] for row in tables["playbook"] if not row["flag"]}
    for bucket in BUCKETS:
        if bucket not in covered:
            yield Problem(
                "playbook.csv", None, "bucket", f"no row is for the bucket {bucket}", "add one without a flag"
            )


def _destinations(tables: Tables) -> Iterator[Problem]:

    known = profile_names()
    for number, row in _numbered(tables, "destinations"):
        if row["destination"] not in known:
            what, remedy = f"there is no profile '{row['destination']}'", f"write one of {', '.join(known)}"
            yield Problem("destinations.csv", number, "destination", what, remedy)


def _settings(tables: Tables) -> Iterator[Problem]:
    with (shipped_seeds() / "settings.csv").open(encoding="utf-8", newline="") as file:
        needed = {row["setting"] for row in csv.DictReader(file)}
    found = {row["setting"] for row in tables["settings"]}
    for setting in sorted(needed - found):
        yield Problem("settings.csv", None, "setting", f"the setting {setting} has no row", "restore its row")
    for number, row in _numbered(tables, "settings"):
        if row["setting"] not in needed:
            yield Problem(
                "settings.csv", number, "setting", f"nothing reads '{row['setting']}'", "correct the name"
            )
        elif int(row["value"]) < 0:
            yield Problem("settings.csv", number, "value", "the number is below 0", "write 0 or more")


def _words(tables: Tables) -> Iterator[Problem]:
    """Words that are compared without case, blanks and hyphens: none may be empty then, or say two things."""
    open_by_word: dict[str, tuple[int, str]] = {}
    for number, row in _numbered(tables, "ticket_statuses"):
        word = "".join(c for c in row["status"].lower() if c.isalnum())
        is_open = row["is_open"].lower()
        if not word:
            what = f"'{row['status']}' has no letter or digit"
            yield Problem("ticket_statuses.csv", number, "status", what, "write the status as it comes")
        elif open_by_word.setdefault(word, (number, is_open))[1] != is_open:
            what = f"row {open_by_word[word][0]} says otherwise of the same word"
            yield Problem("ticket_statuses.csv", number, "is_open", what, "keep one of the two rows")
    for number, row in _numbered(tables, "not_customers"):
        if not any(c.isalpha() for c in row["lifecycle_stage"]):
            what = f"'{row['lifecycle_stage']}' has no letter"
            yield Problem("not_customers.csv", number, "lifecycle_stage", what, "write the stage in letters")
    for number, row in _numbered(tables, "excluded"):
        if row["kind"] in ("domain", "email_domain") and not DOMAIN.fullmatch(row["value"].lower()):
            what = f"'{row['value']}' is no domain"
            yield Problem(
                "excluded.csv", number, "value", what, "write a domain such as example.com, without @"
            )


_CROSS_CHECKS: tuple[Callable[[Tables], Iterator[Problem]], ...] = (
    _feeds_exist,
    _signals,
    _event_marks,
    _rule_sets,
    _rules,
    _effects,
    _conditions,
    _playbook,
    _destinations,
    _settings,
    _words,
)
