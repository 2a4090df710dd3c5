"""`audit.deliveries`: what was about to be sent, and what became of it. Rows are only ever added.

A row `attempting` is committed before each call and another after it, so that a call of which the answer was
lost, or after which the process died, is known. What happened last to a delivery is in its newest row:

    attempting  nobody knows: the process ended during the call
    delivered   the destination has it
    written     it is in the outbox, because the channel has no secret
    failed      the destination does not have it; it is tried again from `next_attempt_at` on, while it is due
    in_doubt    nobody knows: the call was sent and no answer came
    blocked     it was not sent, for what it needs is not known (`error` says what); each run looks again

A row whose carrier is `person` is what somebody found out about a delivery in doubt
(`radar.deliveries.in_doubt`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from radar.core.queries import named_queries

ATTEMPTING, DELIVERED, WRITTEN, FAILED, IN_DOUBT = "attempting", "delivered", "written", "failed", "in_doubt"
BLOCKED = "blocked"
DOUBTFUL = (ATTEMPTING, IN_DOUBT)
QUERIES = named_queries(Path(__file__).with_suffix(".sql"))

Row = dict[str, Any]


@dataclass(frozen=True)
class Item:
    """One thing that is due: an alert, a task, a mail. `delivery_key` is the same however often it is tried.

    `last_*` are the values of its newest row; `attempts` counts those before.
    """

    delivery_key: str
    kind: str
    channel: str
    account_id: str
    owner_id: str | None
    action_id: str | None
    content_hash: str | None
    attempts: int
    last_status: str | None
    last_destination: str | None
    last_message_key: str | None
    last_recorded_at: datetime | None
    row: Row
    last_error: str | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether the destination may have it already."""
        return self.last_status in DOUBTFUL


@dataclass(frozen=True)
class Result:
    """What became of a message. `retry_after` is in seconds, as the destination asked."""

    message_key: str
    status: str
    remote_id: str | None = None
    error: str | None = None
    retry_after: float | None = None
    next_attempt_at: datetime | None = None


class Ledger:
    """Writes the rows of one run; every call commits."""

    def __init__(self, con: duckdb.DuckDBPyConnection, run_id: str, as_of: date) -> None:
        self._con, self._run_id, self._as_of = con, run_id, as_of
        create(con)

    def add(
        self,
        carrier: str,
        sent: Iterable[tuple[str, Sequence[Item]]],
        results: Mapping[str, Result],
        now: datetime,
    ) -> None:
        """A row for each item of each message: what `results` says by message key, else `attempting`."""
        rows = []
        for message_key, items in sent:
            result = results.get(message_key, Result(message_key, ATTEMPTING))
            rows += [
                {
                    "recorded_at": now,
                    "run_id": self._run_id,
                    "as_of_date": self._as_of,
                    "channel": item.channel,
                    "carrier": carrier,
                    "kind": item.kind,
                    "delivery_key": item.delivery_key,
                    "message_key": message_key,
                    "action_id": item.action_id,
                    "account_id": item.account_id,
                    "owner_id": item.owner_id,
                    "content_hash": item.content_hash,
                    "status": result.status,
                    "attempt": item.attempts,
                    "remote_id": result.remote_id,
                    "error": result.error,
                    "next_attempt_at": result.next_attempt_at,
                }
                for item in items
            ]
        if not rows:
            return
        names = list(rows[0])
        values: dict[str, Any] = {name: [row[name] for row in rows] for name in names}
        # Most columns say the same of every row: given once, they need not be taken over value by value.
        same = {name for name in names if name != "delivery_key" and len(set(values[name])) == 1}
        values |= {name: values[name][0] for name in same}
        columns = [f"${name} as {name}" if name in same else f"unnest(${name}) as {name}" for name in names]
        self._con.execute(
            "insert into audit.deliveries by name select row_number() over () + "
            "(select coalesce(max(sequence), 0) from audit.deliveries) as sequence, new_rows.* "
            f"from (select {', '.join(columns)}) as new_rows",
            values,
        )


def create(con: duckdb.DuckDBPyConnection) -> None:
    """The table, where it is not there."""
    con.execute(QUERIES["create"])


def items(con: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any]) -> list[Item]:
    """What a query of `delivery_ledger.sql` says is due; its columns beyond those of `Item` become `row`."""
    con.execute(query, values)
    names = [column[0] for column in con.description or ()]
    own = [name for name in Item.__dataclass_fields__ if name != "row"]
    found = []
    while rows := con.fetchmany(5_000):
        for values_of_row in rows:
            row = dict(zip(names, values_of_row, strict=True))
            found.append(Item(**{name: row.get(name) for name in own}, row=row))  # type: ignore[arg-type]
    return found
