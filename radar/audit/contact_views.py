"""To whom the panel showed names and texts of whose people, as entries of the audit chain.

Belongs here: an entry for each row of the panel's store. How a row gets there is `radar.panel.contacts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb

from radar.audit.agent_calls import new_rows
from radar.audit.chain import Entry, canonical
from radar.core.runs import Run, utc_now

KIND = "contacts_shown"
_VIEWS = """
    select view_id, user_name, user_role, account_id, shown_on, shown_at from contact_views order by sequence
"""


def new_entries(con: duckdb.DuckDBPyConnection, store: Path, run: Run) -> Iterator[Entry]:
    """An entry for each day on which a person saw an account's people, that has none yet."""
    now = utc_now()
    for row in new_rows(con, store, KIND, "contact_views", _VIEWS):
        yield Entry(
            recorded_at=now,
            run_id=run.run_id,
            kind=KIND,
            subject_id=row["view_id"],
            account_id=row["account_id"],
            as_of_date=date.fromisoformat(row["shown_on"]),
            rule_set=None,
            rule_version=None,
            state="shown",
            evidence=canonical({"role": row["user_role"], "shown_at": row["shown_at"]}),
            actor=row["user_name"],
        )
