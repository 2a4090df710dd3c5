"""Checks of rule sets, rules and their conditions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from radar.rules.seed_tables import BUCKETS, NAME, Problem, Row, Tables, numbered

OPERATORS = (">=", ">", "<=", "<", "=", "<>")
RANKS = ("lowest", "highest")
"""Operators whose threshold is a percent of that day's customers."""
BLANK = re.compile(r"[{]([^{}]*)[}]")
FILLED_BLANK = re.compile(r"(?:value|threshold)_(\d+)")
_CELLS_OF_EFFECTS = {
    "points": ("points",),
    "renewal_within_days": ("points",),
    "renewal_factor": ("points",),
    "bucket": ("cap", "flag"),
    "flag": ("flag",),
}
"""Column of a rule -> the effects that read it. A cell that nothing reads would be a false promise."""


def rule_set_problems(tables: Tables) -> Iterator[Problem]:
    """One champion rule set, with rules and bounds in order."""
    champions = [number for number, row in numbered(tables, "rule_sets") if row["status"] == "champion"]
    if not champions:
        what, remedy = "no rule set is the champion", "give one of them the status champion"
        yield Problem("rule_sets.csv", None, "status", what, remedy)
    for number in champions[1:]:
        what = f"row {champions[0]} is the champion already"
        remedy = "make exactly one the champion; the others shadow, candidate or retired"
        yield Problem("rule_sets.csv", number, "status", what, remedy)
    ruled = {row["rule_set"] for row in tables["rules"]}
    for number, row in numbered(tables, "rule_sets"):
        yield from _name_problems("rule_sets.csv", number, "rule_set", row["rule_set"])
        if row["status"] == "champion" and row["rule_set"] not in ruled:
            remedy = "add rules to rules.csv, or make another set the champion rule set"
            yield Problem("rule_sets.csv", number, "rule_set", "the champion rule set has no rule", remedy)
        bounds = [row["base_score"], row["watch_from"], row["healthy_from"]]
        if not all(bounds):
            yield Problem(
                "rule_sets.csv", number, "base_score", "a number is missing", "fill all three numbers"
            )
        if row["smoothing_days"] and int(row["smoothing_days"]) < 1:
            what, remedy = "no median is of fewer scores than one", "write 1 or more, or nothing"
            yield Problem("rule_sets.csv", number, "smoothing_days", what, remedy)
        if all(bounds) and not 0 < float(row["watch_from"]) < float(row["healthy_from"]) <= 100:
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


def rule_problems(tables: Tables) -> Iterator[Problem]:
    """Rules of sets that exist, one row per segment, whose sentence can be filled."""
    sets = {row["rule_set"] for row in tables["rule_sets"]}
    counts = Counter(_key(row) for row in tables["rules"])
    conditions = Counter(_key(row) for row in tables["rule_conditions"])
    file = "rules.csv"
    for number, row in numbered(tables, "rules"):
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


def effect_problems(tables: Tables) -> Iterator[Problem]:
    """Each effect has the cells that it reads, and no other."""
    file = "rules.csv"
    for number, row in numbered(tables, "rules"):
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


def condition_problems(tables: Tables) -> Iterator[Problem]:
    """Conditions of rules that exist, on signals that exist, numbered without gaps."""
    rules = {_key(row) for row in tables["rules"]}
    signals = {row["signal"] for row in tables["signals"]}
    positions: dict[tuple[str, str, str], list[int]] = {}
    file = "rule_conditions.csv"
    for number, row in numbered(tables, "rule_conditions"):
        if _key(row) not in rules:
            what = f"rules.csv has no row for {', '.join(part or 'all segments' for part in _key(row))}"
            yield Problem(file, number, "rule_id", what, "add the rule, or correct the names")
        if row["signal"] not in signals:
            what = f"there is no signal '{row['signal']}'"
            yield Problem(file, number, "signal", what, "write a signal of signals.csv")
        if row["operator"] not in OPERATORS + RANKS:
            what = f"there is no operator '{row['operator']}'"
            yield Problem(file, number, "operator", what, f"write one of {' '.join(OPERATORS + RANKS)}")
        if row["operator"] in RANKS and row["threshold"] and not 0 < float(row["threshold"]) < 100:
            what = f"{row['threshold']} is no part of the customers"
            remedy = f"write a percent between 0 and 100: 10 for the {row['operator']} tenth"
            yield Problem(file, number, "threshold", what, remedy)
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
    for number, row in numbered(tables, "rule_conditions"):
        positions_of_rule = positions[_key(row)]
        if row["position"] and not 1 <= int(row["position"]) <= len(positions_of_rule):
            what = f"the rule has {len(positions_of_rule)} condition(s)"
            yield Problem(file, number, "position", what, "number them from 1 on without gaps")
