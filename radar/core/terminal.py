"""What goes to a terminal or a log is text and nothing else: names come from other systems.

Belongs here: making control characters visible, on every way out of the command line at once. Does not belong
here: what is printed.
"""

from __future__ import annotations

import io
import logging
import re
import sys

from radar.core.masking import masked

_ACTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, and C1: escape sequences begin with these
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what changes the direction of a line
    "\u2028\u2029\ufeff]"
)
_LAYOUT = re.compile("[\t\n]")


def inert(text: str) -> str:
    """The text with characters that steer a terminal written out, such as \\u001b; lines and tabs stay."""
    return _ACTIVE.sub(_written_out, text)


def inert_value(value: object) -> str:
    """The same for one value inside a line, which may neither break the line nor move what is after it."""
    return _LAYOUT.sub(_written_out, inert(str(value)))


def _written_out(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


class InertStream(io.TextIOWrapper):
    """A text stream on which everything written is inert, and characters that it cannot show are escaped."""

    def write(self, text: str) -> int:
        """Write the text; returns its length, as other streams do."""
        super().write(inert(text))
        return len(text)

    def control(self, sequence: str) -> None:
        """Write a sequence of our own that steers the terminal."""
        super().write(sequence)


def guard_output() -> None:
    """Make standard output and standard error inert, for this process and to its end."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and not isinstance(stream, InertStream):
            stream.flush()
            guarded = InertStream(
                stream.buffer,
                encoding=stream.encoding,
                errors="backslashreplace",
                line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )
            setattr(sys, name, guarded)


class InertFormatter(logging.Formatter):
    """Lines of a log in which nothing steers the terminal that shows them, and what is personal is masked."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, inert."""
        return inert(masked(super().format(record)))
