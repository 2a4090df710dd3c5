"""What people decided about rule sets, as entries of the audit chain: read from the panel's store by a run.

Belongs here: reading the store without the panel being up. How a decision gets there is
`radar.panel.rule_sets`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb

from radar.audit.chain import Entry, canonical
from radar.core import progress
from radar.core.masking import masked
from radar.core.runs import Run, utc_now

KIND = "rule_set_decision"
_DECISIONS = """
    select decision_id, kind, rule_set, rule_version, champion, proposed_by, reason, decided_by, decided_at
    from rule_set_decisions order by sequence
"""
_BUSY_SECONDS = 10


def new_entries(con: duckdb.DuckDBPyConnection, store: Path, run: Run) -> Iterator[Entry]:
    """An entry for each decision that has none yet. A store that cannot be read stops no run."""
    if not store.exists():
        return
    try:
        decisions = _read(store)
    except sqlite3.Error as error:
        progress.note(f"{store}: what was decided about rule sets cannot be read ({error})")
        return
    known = "SELECT subject_id FROM audit.entries WHERE kind = ?"
    recorded = {of for (of,) in con.execute(known, [KIND]).fetchall()} if decisions else set()
    now = utc_now()
    for row in decisions:
        if row["decision_id"] in recorded:
            continue
        evidence = {
            "champion_before": row["champion"],
            "decided_at": row["decided_at"],
            "proposed_by": row["proposed_by"],
            "reason": masked(row["reason"]) if row["reason"] else None,
        }
        yield Entry(
            recorded_at=now,
            run_id=run.run_id,
            kind=KIND,
            subject_id=row["decision_id"],
            account_id=None,
            as_of_date=run.window.end,
            rule_set=row["rule_set"],
            rule_version=row["rule_version"],
            state=row["kind"],
            evidence=canonical({name: value for name, value in evidence.items() if value is not None}),
            actor=row["decided_by"],
        )


def _read(store: Path) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)) as con:
        con.row_factory = sqlite3.Row
        if not con.execute("select 1 from sqlite_master where name = 'rule_set_decisions'").fetchone():
            return []
        return con.execute(_DECISIONS).fetchall()
