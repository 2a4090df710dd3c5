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
    now = utc_now()
    for row in new_rows(con, store, KIND, "agent_calls", _CALLS):
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


def new_rows(
    con: duckdb.DuckDBPyConnection, store: Path, kind: str, table: str, query: str
) -> Iterator[sqlite3.Row]:
    """Rows of the panel's store whose first column no entry of the kind is about yet."""
    if not store.exists():
        return
    try:
        rows = _read(store, table, query)
    except sqlite3.Error as error:
        progress.note(f"{store}: {table} cannot be read ({error})")
        return
    known = "SELECT subject_id FROM audit.entries WHERE kind = ?"
    recorded = {subject for (subject,) in con.execute(known, [kind]).fetchall()} if rows else set()
    yield from (row for row in rows if row[0] not in recorded)


def _read(store: Path, table: str, query: str) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)) as con:
        con.row_factory = sqlite3.Row
        if not con.execute("select 1 from sqlite_master where name = ?", [table]).fetchone():
            return []
        return con.execute(query).fetchall()
