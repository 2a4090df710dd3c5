"""What agents asked: each call kept in the panel's store before it is answered.

The next run makes an entry of the audit of each (`radar.audit.agent_calls`).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any, Literal

from radar.core.masking import masked
from radar.core.runs import utc_now
from radar.panel.store import Store
from radar.panel.tokens import Caller

Outcome = Literal["answered", "refused", "failed"]


def keep(
    store: Store,
    caller: Caller,
    tool: str,
    arguments: Mapping[str, Any],
    outcome: Outcome,
    *,
    reason: str | None = None,
    account_id: str | None = None,
    as_of_date: str | None = None,
    rows: int | None = None,
) -> None:
    """Keep one call; what has returned is on the disk. What identifies a person is left out of the
    arguments."""
    given = {
        name: masked(value) if isinstance(value, str) else value
        for name, value in arguments.items()
        if value is not None
    }
    with store.writing() as con:
        con.execute(
            "insert into agent_calls (call_id, token_id, user_name, tool, arguments, account_id, as_of_date,"
            " outcome, reason, rows, called_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                f"call-{secrets.token_hex(12)}",
                caller.token_id,
                caller.person.name,
                tool,
                json.dumps(given, ensure_ascii=False),
                account_id,
                as_of_date,
                outcome,
                None if reason is None else masked(reason),
                rows,
                f"{utc_now():%Y-%m-%dT%H:%M:%S.%fZ}",
            ],
        )
