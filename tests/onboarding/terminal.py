"""A program on a terminal of its own, driven as a person would: what it prints, what is typed."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

CTRL_C, CTRL_D = "\x03", "\x04"


class Terminal:
    """The program, its terminal, and `text`: all that it has printed, without carriage returns."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: dict[str, str] | None = None
    ) -> None:
        """Starts the program in `folder`."""
        everything = {**os.environ, "TERM": "xterm", "COLUMNS": "200", **(environment or {})}
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored by what runs in the background of a shell
            os.chdir(folder)
            os.execvpe(command[0], list(command), everything)
        self.text = ""
        self._seen = 0
        self._status: int | None = None

    def expect(self, pattern: str, seconds: float = 300) -> None:
        """Wait until what was printed since the last time has the pattern."""
        until = time.monotonic() + seconds
        while not (match := re.compile(pattern).search(self.text, self._seen)):
            assert time.monotonic() < until, f"no {pattern!r} in:\n{self.text}"
            assert self._read() or not self._has_ended(), f"ended without {pattern!r}:\n{self.text}"
        self._seen = match.end()

    def type(self, text: str) -> None:
        """Type it; a line wants its own line end."""
        os.write(self._terminal, text.encode())

    def status(self, seconds: float = 300) -> int:
        """Wait for the end, and give the exit status."""
        until = time.monotonic() + seconds
        while self._read() or not self._has_ended():
            assert time.monotonic() < until, f"it does not end:\n{self.text}"
        assert self._status is not None
        return self._status

    def close(self) -> None:
        """End it where it runs."""
        if not self._has_ended():
            with suppress(ProcessLookupError):
                os.killpg(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
        os.close(self._terminal)

    def _has_ended(self) -> bool:
        if self._status is None:
            ended, status = os.waitpid(self._child, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if ended else None
        return self._status is not None

    def _read(self) -> bool:
        if not select.select([self._terminal], [], [], 0.2)[0]:
            return False
        try:
            part = os.read(self._terminal, 1 << 16)
        except OSError:  # what Linux says once the program has closed its side
            return False
        self.text += part.decode("utf-8", "replace").replace("\r", "")
        return bool(part)
