"""What becomes an entry of the audit chain: actions, exports, what people decided, changes of the rules, what
agents asked.

An entry is made where a subject (an action, a set of files, an override, a review, a rule set) has come to
something else than its last entry says. So a repeated run adds nothing, and one that died is caught up.
Belongs here: reading what is new. How entries are chained is `radar.audit.chain`.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from duckdb import sqltypes

from radar.audit import agent_calls, contact_views, rule_set_decisions
from radar.audit.chain import Entry, Query, canonical, open_chain
from radar.core.masking import masked
from radar.core.queries import named_queries
from radar.core.runs import Run, utc_now

SOURCES = {
    "overrides": "staging.stg_crm__overrides",
    "reviews": "staging.stg_crm__reviews",
    "account_links": "raw.crm_identities",
    "actions": "marts.fct_actions",
    "exports": "audit.exports",
    "sync_decisions": "audit.sync_decisions",
    "deliveries": "audit.deliveries",
    "delivery_decisions": "audit.delivery_decisions",
    "restore_decisions": "audit.restore_decisions",
}
"""The queries of `audit.sql` and what each reads; one whose relation is not there is passed over."""

RULE_SEEDS = ("rule_sets", "rules", "rule_conditions")
"""The seeds that make a rule set; the others are reference data that every set reads."""

KEYS = {
    "competitors": ["name"],
    "destinations": ["destination"],
    "excluded": ["kind", "value"],
    "families": ["family"],
    "feeds": ["feed"],
    "free_mail_domains": ["domain"],
    "fx_rates": ["currency", "valid_from"],
    "labels": ["kind", "value", "language"],
    "links": ["object", "vendor"],
    "not_customers": ["lifecycle_stage"],
    "plans": ["plan_id"],
    "playbook": ["play"],
    "product_events": ["event_name"],
    "risk_model": ["model_version"],
    "risk_model_steps": ["signal", "step"],
    "rule_conditions": ["rule_set", "rule_id", "segment", "position"],
    "rule_sets": ["rule_set"],
    "rules": ["rule_set", "rule_id", "segment"],
    "settings": ["setting"],
    "signals": ["signal"],
    "ticket_statuses": ["status"],
}
"""What identifies a row of a seed, so that a changed row is shown next to what it was."""

RULE_CHANGE, REFERENCE_CHANGE, REMOVED = "rule_change", "reference_change", "removed"
_QUERIES = named_queries(Path(__file__).with_suffix(".sql"))

Row = dict[str, Any]


def record(
    con: duckdb.DuckDBPyConnection, warehouse: Path, run: Run, panel_store: Path | None = None
) -> dict[str, int]:
    """Add what is new to the chain, in one transaction; entries by kind. Raises AuditError.

    `panel_store`: the panel's SQLite file, in which calls of agents, views of contacts and decisions about
    rule sets wait.
    """
    chain, now = open_chain(con, warehouse), utc_now()
    names = {"run_id": run.run_id, "as_of": run.window.end, "now": now}
    waiting = [
        entry
        for source in (agent_calls, contact_views, rule_set_decisions)
        if panel_store
        for entry in source.new_entries(con, panel_store, run)
    ]
    return chain.append([*_rule_changes(con, run, now), *waiting], _from_sources(con, SOURCES, names))


def record_decisions(con: duckdb.DuckDBPyConnection, warehouse: Path, source: str) -> None:
    """Add what a person has just decided through a command, which is in one of `SOURCES`.

    A run would catch it up where the command died before. Raises AuditError.
    """
    names = {"run_id": None, "as_of": None, "now": utc_now()}
    open_chain(con, warehouse).append([], _from_sources(con, [source], names))


def _from_sources(
    con: duckdb.DuckDBPyConnection, sources: Iterable[str], names: Mapping[str, Any]
) -> Iterator[Query]:
    present = _relations(con)
    _provide_masking(con)
    if "scoring.dim_rule_sets" in present:
        con.execute(_QUERIES["champion_rule_set"])
    for source in sources:
        if SOURCES[source] in present:
            yield _QUERIES["new_entries"].format(source=_QUERIES[source]), names


def _provide_masking(con: duckdb.DuckDBPyConnection) -> None:
    """Make `masked` callable in SQL; a function stays for as long as the database is open."""
    known = "SELECT count(*) FROM duckdb_functions() WHERE function_name = 'masked'"
    if con.execute(known).fetchall() == [(0,)]:
        con.create_function("masked", masked, [sqltypes.VARCHAR], sqltypes.VARCHAR)


def _relations(con: duckdb.DuckDBPyConnection) -> set[str]:
    query = """
        SELECT table_schema || '.' || table_name FROM information_schema.tables
        WHERE table_catalog = current_database()
    """
    return {name for (name,) in con.execute(query).fetchall()}


# --- rules ------------------------------------------------------------------------------------------------


def _rule_changes(con: duckdb.DuckDBPyConnection, run: Run, now: datetime) -> Iterator[Entry]:
    """Rule sets whose version or status is not what their last entry says, and other reference data likewise.

    The evidence holds the rows as they are and, but in the first entry, which were added, removed, changed.
    """
    rows = _reference_rows(con)
    versions = {rule_set: (status, version) for rule_set, status, version in _ask(con, "rule_sets")}
    last = {(kind, subject): (state, evidence) for kind, subject, state, evidence in _ask(con, "last_rules")}
    for kind, subject in sorted(rows.keys() | last.keys()):
        present = rows.get((kind, subject), [])
        rule_set = subject if kind == RULE_CHANGE else None
        version = None
        if not present:
            state = REMOVED
        elif kind == RULE_CHANGE:
            status, version = versions[subject]
            state = f"{status} {version}" if version else status
        else:
            state = hashlib.sha256(canonical(present).encode()).hexdigest()[:12]
        before, evidence = last.get((kind, subject), (None, None))
        if state == before:
            continue
        details: dict[str, Any] = {"rows": present}
        if evidence is not None:
            details |= {"was": before, **_difference(json.loads(evidence)["rows"], present)}
        yield Entry(
            recorded_at=now,
            run_id=run.run_id,
            kind=kind,
            subject_id=subject,
            account_id=None,
            as_of_date=run.window.end,
            rule_set=rule_set,
            rule_version=version,
            state=state,
            evidence=canonical(details),
            actor=None,
        )


def _reference_rows(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[Row]]:
    """The rows of the seeds by what they belong to: (kind, rule set or seed); empty cells are left out."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for relation in sorted(name for name in _relations(con) if name.startswith("seeds.")):
        seed = relation.removeprefix("seeds.")
        for (text,) in con.execute(f"SELECT to_json(seed) FROM {relation} AS seed").fetchall():
            row = {name: value for name, value in json.loads(text).items() if value is not None}
            of = (RULE_CHANGE, row["rule_set"]) if seed in RULE_SEEDS else (REFERENCE_CHANGE, seed)
            found[of].append({"seed": seed, **row})
    return {of: sorted(rows, key=canonical) for of, rows in found.items()}


def _difference(old: Sequence[Row], new: Sequence[Row]) -> dict[str, list[Any]]:
    """Rows added, removed and changed, the last with what they were."""
    before, after = ({_key(row): row for row in rows} for rows in (old, new))
    return {
        "added": [row for key, row in after.items() if key not in before],
        "removed": [row for key, row in before.items() if key not in after],
        "changed": [
            {"old": before[key], "new": row}
            for key, row in after.items()
            if key in before and before[key] != row
        ],
    }


def _key(row: Row) -> tuple[Any, ...]:
    return (row["seed"], *(row.get(name) for name in KEYS[row["seed"]]))


def _ask(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = con.execute(_QUERIES[query]).fetchall()
    return rows
