"""Holds a warehouse file against the oracle and says in plain lines where the two differ.

What belongs here: reading the public relations and comparing. What does not: any meaning of the contract.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from tests.frozen import SEEDS

from .contract import FAMILIES, AccountResult, Feeds, RuleResult, Seeds, evaluate, load_seeds

_SCORES = ("score", "score_low", "score_high", "bucket", "decision")
_SNAPSHOT = ("score", "score_low", "score_high", "model_bucket", "bucket", "decision", "is_overridden")

Key = tuple[str, ...]
Table = dict[Key, dict[str, Any]]


def compare(
    warehouse: Path,
    feeds: Feeds,
    seeds_dir: Path,
    as_of: date,
    feed_states: Mapping[str, str] | None = None,
) -> list[str]:
    """Every difference in signals, rule results and scores of one day; an empty list where there is none.

    A seed file that `seeds_dir` lacks is the project's. Retired rule sets are not looked at.
    """
    seeds = load_seeds(seeds_dir, SEEDS)
    with duckdb.connect(str(warehouse), read_only=True) as con:
        earlier = [evaluate(feeds, seeds, day, feed_states) for day in _dates_before(con, seeds, as_of)]
        scored = _scored(evaluate(feeds, seeds, as_of, feed_states, earlier=earlier))
        return [*_signals(con, scored, as_of), *_rules(con, scored, seeds, as_of), *_sets(con, scored, as_of)]


def _dates_before(con: duckdb.DuckDBPyConnection, seeds: Seeds, as_of: date) -> list[date]:
    """The scored dates before the day that any rule set reads a median over, oldest first."""
    most = max(rule_set.smoothing_days or 1 for rule_set in seeds.rule_sets.values())
    found = con.execute(
        "select distinct as_of_date from signals.sig_usage where as_of_date < ? order by 1 desc limit ?",
        [as_of, most - 1],
    ).fetchall()
    return [day for (day,) in reversed(found)]


def compare_snapshot(
    warehouse: Path,
    feeds: Feeds,
    seeds_dir: Path,
    as_of: date,
    feed_states: Mapping[str, str] | None = None,
) -> list[str]:
    """The same for what overrides and flags make of it: `rpt_account_health` and `fct_account_flags`."""
    scored = _scored(evaluate(feeds, load_seeds(seeds_dir, SEEDS), as_of, feed_states))
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return [*_snapshot(con, scored, as_of), *_flags(con, scored, as_of)]


def _scored(results: Mapping[str, AccountResult]) -> dict[str, AccountResult]:
    return {account_id: result for account_id, result in results.items() if result.scored}


def _signals(
    con: duckdb.DuckDBPyConnection, scored: Mapping[str, AccountResult], as_of: date
) -> Iterator[str]:
    for family, names in FAMILIES.items():
        wanted: Table = {(a,): {name: r.signals[name] for name in names} for a, r in scored.items()}
        yield from _differences(con, f"signals.sig_{family}", ("account_id",), tuple(names), wanted, as_of)


def _rules(
    con: duckdb.DuckDBPyConnection, scored: Mapping[str, AccountResult], seeds: Seeds, as_of: date
) -> Iterator[str]:
    effects = {(rule.rule_set, rule.rule_id): rule.effect for rule in seeds.rules}
    wanted: Table = {
        (account_id, *identity): _rule_row(result, effects[identity])
        for account_id, account in scored.items()
        for identity, result in account.rules.items()
    }
    columns = ("result", "points", "points_low", "points_high")
    keys = ("account_id", "rule_set", "rule_id")
    yield from _differences(con, "scoring.fct_rule_results", keys, columns, wanted, as_of, _sets_of(scored))


def _rule_row(result: RuleResult, effect: str) -> dict[str, Any]:
    """A rule whose effect is not points may leave them empty."""
    row = result._asdict()
    if effect != "points":
        row |= dict.fromkeys(("points", "points_low", "points_high"), _NOTHING)
    return row


def _sets(con: duckdb.DuckDBPyConnection, scored: Mapping[str, AccountResult], as_of: date) -> Iterator[str]:
    wanted: Table = {
        (account_id, name): dict(zip(_SCORES, (s.score, s.low, s.high, s.bucket, s.decision), strict=True))
        for account_id, account in scored.items()
        for name, s in account.sets.items()
    }
    keys = ("account_id", "rule_set")
    yield from _differences(con, "scoring.fct_health_scores", keys, _SCORES, wanted, as_of, _sets_of(scored))


def _sets_of(scored: Mapping[str, AccountResult]) -> set[str]:
    return {name for account in scored.values() for name in account.sets}


def _snapshot(
    con: duckdb.DuckDBPyConnection, scored: Mapping[str, AccountResult], as_of: date
) -> Iterator[str]:
    wanted: Table = {
        (account_id,): dict(
            zip(
                _SNAPSHOT,
                (r.score, r.low, r.high, r.bucket, r.final_bucket, r.decision, r.override is not None),
                strict=True,
            )
        )
        for account_id, r in scored.items()
    }
    yield from _differences(con, "marts.rpt_account_health", ("account_id",), _SNAPSHOT, wanted, as_of)


def _flags(con: duckdb.DuckDBPyConnection, scored: Mapping[str, AccountResult], as_of: date) -> Iterator[str]:
    relation = "marts.fct_account_flags"
    wanted = {(account_id, flag) for account_id, result in scored.items() for flag in result.flags}
    rows = _read(con, relation, as_of)
    if isinstance(rows, str):
        yield rows
        return
    found = {(str(row["account_id"]), str(row["flag"])) for row in rows}
    yield from (f"{relation} {' '.join(key)}: missing" for key in sorted(wanted - found))
    yield from (f"{relation} {' '.join(key)}: not in the contract" for key in sorted(found - wanted))


# --------------------------------------------------------------------------------------------- differences


class _Nothing:
    """No points: zero, or empty."""

    def __repr__(self) -> str:
        return "0 or empty"


_NOTHING = _Nothing()


def _read(con: duckdb.DuckDBPyConnection, relation: str, as_of: date) -> list[dict[str, Any]] | str:
    """The rows of the day, or what is wrong with the relation."""
    try:
        cursor = con.execute(f"select * from {relation} where as_of_date = ?", [as_of])
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        return f"{relation}: {str(error).splitlines()[0]}"
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _differences(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    keys: tuple[str, ...],
    columns: tuple[str, ...],
    wanted: Table,
    as_of: date,
    rule_sets: set[str] | None = None,
) -> Iterator[str]:
    rows = _read(con, relation, as_of)
    if isinstance(rows, str):
        yield rows
        return
    absent = [column for column in (*keys, *columns) if rows and column not in rows[0]]
    if absent:
        yield f"{relation}: no column {', '.join(absent)}"
        return
    found: Table = {}
    for row in rows:
        if rule_sets is not None and row["rule_set"] not in rule_sets:
            continue
        key = tuple(str(row[name]) for name in keys)
        if key in found:
            yield f"{relation} {' '.join(key)}: more than one row"
        found[key] = row
    for key in sorted(wanted.keys() - found.keys()):
        yield f"{relation} {' '.join(key)}: missing"
    for key in sorted(found.keys() - wanted.keys()):
        yield f"{relation} {' '.join(key)}: not in the contract"
    for key in sorted(wanted.keys() & found.keys()):
        for column in columns:
            ours, theirs = wanted[key][column], found[key][column]
            if not same(theirs, ours):
                yield f"{relation} {' '.join(key)} {column}: warehouse {theirs!r}, contract {ours!r}"


def same(theirs: Any, ours: Any) -> bool:
    """Equal, numbers within 1e-9 of their size; an unbounded end is empty, infinite, or beyond the scale."""
    if isinstance(ours, _Nothing):
        return theirs is None or float(theirs) == 0
    if isinstance(ours, float) and math.isinf(ours):
        return theirs is None or (abs(float(theirs)) >= 100 and (float(theirs) > 0) == (ours > 0))
    if theirs is None or ours is None or isinstance(ours, str):
        return bool(theirs == ours)
    return math.isclose(float(theirs), float(ours), rel_tol=1e-9, abs_tol=1e-12)
