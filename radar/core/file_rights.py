"""Who may read what this installation writes: its files hold customers' data.

New files and folders are open to the user and the group alone, whatever the system's default; `RADAR_UMASK`
says otherwise. What is for the owner alone (keys, the panel's store) is made so where it is made.
"""

from __future__ import annotations

import os
import re

from radar.core.errors import UsageError

VARIABLE = "RADAR_UMASK"
_USUAL = 0o027
_before: int | None = None


def restrict() -> None:
    """Set the umask of this process: `RADAR_UMASK`, else that of the system without rights for others.

    Raises UsageError where the variable is no umask. May be called again.
    """
    global _before  # noqa: PLW0603 the umask is the process's
    text = os.environ.get(VARIABLE, "").strip()
    if not re.fullmatch(r"(0o?)?[0-7]{0,3}", text):
        raise UsageError(f"{VARIABLE} is '{text}'", "write three octal digits, such as 027 or 022")
    if _before is None:
        _before = os.umask(_USUAL)
    os.umask(int(text.removeprefix("0o"), 8) if text else _before | _USUAL)
