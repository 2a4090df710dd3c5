"""Deliveries in doubt, resolved by a person who looked at the destination: what no run can find out.

Each is resolved once; who did it and why is in `audit.delivery_decisions` and in the audit chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from radar.audit import delivery_ledger as ledger
from radar.audit.chain import open_chain
from radar.audit.delivery_ledger import DELIVERED, FAILED, QUERIES
from radar.audit.entries import record_decisions
from radar.core.errors import UsageError
from radar.core.warehouse import connect, writer_lock


@dataclass(frozen=True)
class DoubtfulMessage:
    """A message that was sent and never answered for. `since` is UTC; errors are masked."""

    message_key: str
    channel: str
    carrier: str
    kinds: list[str]
    accounts: list[str]
    since: datetime
    error: str | None


def status(warehouse: Path) -> tuple[dict[str, dict[str, int]], list[DoubtfulMessage]]:
    """Channel -> status -> deliveries, and the messages in doubt, oldest first."""
    with _open(warehouse) as con:
        counts: dict[str, dict[str, int]] = {}
        for channel, state, items in con.execute(QUERIES["state_counts"]).fetchall():
            counts.setdefault(channel, {})[state] = items
        return counts, [DoubtfulMessage(*row) for row in con.execute(QUERIES["doubtful_messages"]).fetchall()]


def resolve(warehouse: Path, message_key: str, *, was_delivered: bool, by: str, reason: str) -> int:
    """Record what became of a message in doubt; returns how many deliveries it has (a digest has several).

    What was not delivered goes again with the next run, while it is due. Raises UsageError for a message that
    is not in doubt or an empty reason, AuditError where the audit chain is broken.
    """
    if not reason.strip():
        raise UsageError("the reason is empty", "say where you looked: it becomes part of the audit")
    with _open(warehouse) as con:
        open_chain(con, warehouse)
        con.execute("begin")
        decision = "delivered" if was_delivered else "not_delivered"
        parameters = {"message_key": message_key, "decision": decision, "reason": reason, "by": by}
        ((count,),) = con.execute(QUERIES["decide"], parameters).fetchall()
        if not count:
            raise UsageError(
                f"nothing is in doubt under {message_key}", "see `radar deliveries status` for what is"
            )
        done = {"message_key": message_key, "status": DELIVERED if was_delivered else FAILED}
        con.execute(QUERIES["resolve"], done)
        con.execute("commit")
        record_decisions(con, warehouse, "delivery_decisions")
    return int(count)


@contextmanager
def _open(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with writer_lock(warehouse), connect(warehouse) as con:
        ledger.create(con)
        con.execute(QUERIES["create_decisions"])
        con.execute(QUERIES["in_doubt"])
        yield con
