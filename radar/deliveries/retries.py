"""When the next attempt is due, in a file next to the warehouse, so that a sensor need not open it.

(An open reader in another process would keep a run from starting.)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from radar.core.state_files import read_json, replace_file
from radar.core.warehouse import readable_os_errors, state_dir

_FILE = "deliveries.json"


@dataclass(frozen=True)
class NextAttempt:
    """What failed is tried again from `at` (UTC) on, for the day `as_of`."""

    as_of: date
    at: datetime


def note_next_attempt(warehouse: Path, as_of: date, at: datetime | None) -> None:
    """Write it down, or that there is none."""
    path = state_dir(warehouse) / _FILE
    with readable_os_errors(path):
        if at is None:
            path.unlink(missing_ok=True)
            return
    replace_file(path, json.dumps({"as_of": as_of.isoformat(), "at": at.isoformat()}))


def next_attempt(warehouse: Path) -> NextAttempt | None:
    """What was written down last; None where nothing waits."""
    return read_json(
        state_dir(warehouse) / _FILE,
        lambda noted: NextAttempt(date.fromisoformat(noted["as_of"]), datetime.fromisoformat(noted["at"])),
    )
