"""What a person sees while a run works: a line per step with rows and seconds; nothing where nobody watches.

Steps report to whatever `reporting` has put in place. Nothing here knows what the steps do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from radar.core.terminal import InertStream, inert_value

CLEAR_LINE = "\r\033[K"
NAME_WIDTH = 44


class Reporter(Protocol):
    """Takes what steps report."""

    def line(self, name: str, rows: int | None, seconds: float, note: str) -> None:
        """A step is done."""

    def status(self, text: str) -> None:
        """What is under way right now; it replaces the status before it. Empty: nothing is."""


class Silent:
    """Reports nothing: for schedules, tests and redirected output."""

    def line(self, name: str, rows: int | None, seconds: float, note: str) -> None:
        """Nothing."""

    def status(self, text: str) -> None:
        """Nothing."""


class Terminal:
    """Lines that stay, and under them one line that changes."""

    def __init__(self, stream: TextIO, width: int = 100) -> None:
        """`width` cuts the changing line, which must not wrap."""
        self._stream, self._width, self._has_status = stream, width, False

    def line(self, name: str, rows: int | None, seconds: float, note: str) -> None:
        """Print a step."""
        self._clear()
        print(inert_value(format_line(name, rows, seconds, note)), file=self._stream, flush=True)

    def status(self, text: str) -> None:
        """Replace the changing line."""
        self._clear()
        if text:
            self._stream.write(inert_value(text)[: self._width - 1])
            self._stream.flush()
            self._has_status = True

    def _clear(self) -> None:
        if self._has_status:
            steer = self._stream.control if isinstance(self._stream, InertStream) else self._stream.write
            steer(CLEAR_LINE)
            self._has_status = False


def format_line(name: str, rows: int | None, seconds: float, note: str = "") -> str:
    """One step as text: `rows` are left out where a step has none."""
    counted = f"{rows:>13,} rows" if rows is not None else " " * 18
    return f"  {name:<{NAME_WIDTH}}{counted}{seconds:>9.1f} s{'  ' + note if note else ''}".rstrip()


_reporter: Reporter = Silent()
_notes: list[str] = []


@contextmanager
def reporting(reporter: Reporter) -> Iterator[list[str]]:
    """Let steps report to `reporter`; yields the notes that they leave for the end."""
    global _reporter  # noqa: PLW0603 one run a process, and steps run too deep for a parameter
    before, _reporter = _reporter, reporter
    _notes.clear()
    try:
        yield _notes
    finally:
        _reporter.status("")
        _reporter = before


def line(name: str, rows: int | None, seconds: float, note: str = "") -> None:
    """A step is done: its rows (None where it has none) and its seconds."""
    _reporter.line(name, rows, seconds, note)


def status(text: str) -> None:
    """What is under way right now."""
    _reporter.status(text)


def for_stream(stream: TextIO = sys.stdout) -> Reporter:
    """Lines where a person watches the stream, else nothing."""
    return Terminal(stream) if stream.isatty() else Silent()


def note(text: str) -> None:
    """A note for the summary at the end."""
    _notes.append(text)
