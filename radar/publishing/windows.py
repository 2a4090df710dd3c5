"""The days to bring up to date: those of this run, and those announced by runs that never published."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from radar.core.warehouse import readable_os_errors, state_dir


@dataclass(frozen=True)
class Days:
    """From one day to another, both included."""

    first: date
    last: date


def announce_window(warehouse: Path, *, as_of_start: date, as_of_end: date) -> None:
    """Note, before a run changes these days in the warehouse, that the copy must follow them.

    Should that run fail before it publishes, the next publish still brings these days up to date.
    """
    file = _announcements(warehouse)
    with readable_os_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"{as_of_start.isoformat()} {as_of_end.isoformat()}\n")
            lines.flush()
            os.fsync(lines.fileno())


def _announcements(warehouse: Path) -> Path:
    return state_dir(warehouse) / "publish" / "announced.txt"


def announced(warehouse: Path) -> list[Days]:
    """The windows noted since the last publish."""
    file = _announcements(warehouse)
    if not file.exists():
        return []
    found = re.findall(
        r"^(\d{4}-\d\d-\d\d) (\d{4}-\d\d-\d\d)$", file.read_text(encoding="utf-8"), re.MULTILINE
    )
    return [Days(date.fromisoformat(first), date.fromisoformat(last)) for first, last in sorted(set(found))]


def forget_announced(warehouse: Path) -> None:
    """Clear the notes, once a copy shows what they announced."""
    _announcements(warehouse).unlink(missing_ok=True)
