"""What agents asked at `radar mcp`, as entries of the audit chain: read from the panel's store by a run.

Belongs here: reading the store without the server being up. How a call gets there is `radar.mcp.calls`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb

from radar.audit.chain import Entry, canonical
from radar.core import progress
from radar.core.runs import Run, utc_now

KIND = "agent_call"
_CALLS = """
    select call_id, token_id, user_name, tool, arguments, account_id, as_of_date, outcome, reason, rows,
    called_at from agent_calls order by sequence
"""
_BUSY_SECONDS = 10


def new_entries(con: duckdb.DuckDBPyConnection, store: Path, run: Run) -> Iterator[Entry]:
    """An entry for each call that has none yet; none where there is no store, or one that agents never asked.

    A store that cannot be read stops no run: a later one catches up.
    """
    if not store.exists():
        return
    try:
        calls = _read(store)
    except sqlite3.Error as error:
        progress.note(f"{store}: what agents asked cannot be read ({error})")
        return
    known = "SELECT subject_id FROM audit.entries WHERE kind = ?"
    recorded = {call_id for (call_id,) in con.execute(known, [KIND]).fetchall()} if calls else set()
    now = utc_now()
    for row in calls:
        if row["call_id"] in recorded:
            continue
        evidence = {
            "arguments": json.loads(row["arguments"]),
            "called_at": row["called_at"],
            "reason": row["reason"],
            "rows": row["rows"],
            "token": row["token_id"],
            "tool": row["tool"],
        }
        yield Entry(
            recorded_at=now,
            run_id=run.run_id,
            kind=KIND,
            subject_id=row["call_id"],
            account_id=row["account_id"],
            as_of_date=date.fromisoformat(row["as_of_date"]) if row["as_of_date"] else run.window.end,
            rule_set=None,
            rule_version=None,
            state=row["outcome"],
            evidence=canonical({name: value for name, value in evidence.items() if value is not None}),
            actor=row["user_name"],
        )


def _read(store: Path) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)) as con:
        con.row_factory = sqlite3.Row
        if not con.execute("select 1 from sqlite_master where name = 'agent_calls'").fetchone():
            return []
        return con.execute(_CALLS).fetchall()
