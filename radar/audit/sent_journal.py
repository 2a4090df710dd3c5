"""A journal of what was sent, outside the warehouse: `<exports>/.sent/journal.ndjson`, one line a key.

A backup of the warehouse that is put back knows nothing of what went out since; this file does. It is only
ever added to, and a line is on the disk before the call is made. Accounts are left out: writing one again
changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from radar.audit.delivery_ledger import Item
from radar.core.state_files import append_lines
from radar.core.warehouse import readable_os_errors


@dataclass(frozen=True)
class Sent:
    """A line of the journal. `sent_at` is UTC."""

    key: str
    run_id: str
    as_of_date: date
    channel: str
    carrier: str
    kind: str
    message_key: str
    action_id: str | None
    account_id: str
    owner_id: str | None
    sent_at: datetime


def journal_file(exports: Path) -> Path:
    """The journal of a folder of exports."""
    return exports / ".sent" / "journal.ndjson"


def note_sent(
    exports: Path,
    messages: Iterable[tuple[str, Iterable[Item]]],
    *,
    run_id: str,
    as_of: date,
    carrier: str,
    now: datetime,
) -> None:
    """Add what is about to be sent, by message key. Raises WarehouseError where it cannot be written."""
    lines = [
        json.dumps(
            asdict(
                Sent(
                    key=item.delivery_key,
                    run_id=run_id,
                    as_of_date=as_of,
                    channel=item.channel,
                    carrier=carrier,
                    kind=item.kind,
                    message_key=message_key,
                    action_id=item.action_id,
                    account_id=item.account_id,
                    owner_id=item.owner_id,
                    sent_at=now,
                )
            ),
            default=lambda value: value.isoformat(),
        )
        for message_key, items in messages
        for item in items
        if item.kind != "account"
    ]
    if lines:
        append_lines(journal_file(exports), lines)


def read_sent(exports: Path) -> Iterator[Sent]:
    """The lines, oldest first; one that a killed process left half is passed over."""
    file = journal_file(exports)
    if not file.exists():
        return
    with readable_os_errors(file), file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                fields = json.loads(line)
                yield Sent(
                    **fields
                    | {
                        "as_of_date": date.fromisoformat(fields["as_of_date"]),
                        "sent_at": datetime.fromisoformat(fields["sent_at"]),
                    }
                )
            except (ValueError, KeyError, TypeError):
                continue
