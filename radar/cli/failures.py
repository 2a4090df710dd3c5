"""The message of the command line for an unexpected error."""

from __future__ import annotations

import errno
import tempfile
import traceback
from datetime import datetime
from pathlib import Path

from radar.core.masking import masked
from radar.core.settings import Settings
from radar.core.terminal import inert, inert_value
from radar.core.warehouse import explain_os_error, state_dir


def system_refusal(error: OSError) -> str:
    """A full disk or a missing right, met where nobody translates it; anything else is a defect."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
        return str(explain_os_error(error, Path.cwd()))
    return unexpected(error)


def unexpected(error: Exception) -> str:
    """Keep the trace in a file, and say where."""
    first = next((line for line in str(error).splitlines() if line.strip()), "")
    message = inert_value(masked(f"an unexpected {type(error).__name__}{f': {first}' if first else ''}"))
    trace = "".join(traceback.format_exception(error))
    name = f"error-{datetime.now():%Y%m%d-%H%M%S}.log"
    for folder in (state_dir(Settings().warehouse) / "logs", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(inert(masked(trace)), encoding="utf-8")
        except OSError:
            continue
        return f"{message}\n  What to do: report it with {folder / name}"
    return message
