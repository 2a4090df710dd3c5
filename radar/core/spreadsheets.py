"""One guard against formulas, for every file that a spreadsheet may open: exports, the panel's, the outbox.

A cell is live where a spreadsheet could run it as a formula, or an import would cut it: where it begins with
= + - @ in either width, tab or line end, also after blanks of any kind or characters that nobody sees.
"""

from __future__ import annotations

import re

SIGNS = "=+-@＝＋－＠\t\r\n"
BLANKS = " \u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufeff"
"""Blanks, no-break and zero-width characters, marks of direction: what may precede a sign unseen."""
_ESCAPED = re.escape(SIGNS)
_BEGINS = re.compile(rf"^[{BLANKS}\x00-\x1f]*[{_ESCAPED}]")
_LIVE = re.compile(rf"^(?=[{BLANKS}\x00-\x1f]*[{_ESCAPED}])|[;,|\t\r\n\"'](?=[{BLANKS}]*[{_ESCAPED}])")
"""Where a spreadsheet might begin a cell, whatever delimiter it takes, with a formula."""


def is_live(cell: str) -> bool:
    """Whether a spreadsheet could run the cell."""
    return _BEGINS.match(cell) is not None


def harmless(cell: str) -> str:
    """The cell with a `'` where a formula could begin, also after another program's delimiter."""
    return _LIVE.sub(r"\g<0>'", cell)


def harmless_start(cell: str) -> str:
    """The cell with a `'` before it where it is live as a whole, its inside untouched."""
    return f"'{cell}" if is_live(cell) else cell


def live_sql(expression: str) -> str:
    """The SQL that says whether a text is live; for DuckDB."""
    return f"coalesce(regexp_matches({expression}, {_sql(_PATTERN)}), false)"


def _class(characters: str) -> str:
    """A set of characters as RE2 reads it: code points, so that no escape of either language matters."""
    parts = re.findall(r"(.)(?:-(.))?", characters, re.DOTALL)
    return "".join(
        f"\\x{{{ord(first):x}}}" + (f"-\\x{{{ord(last):x}}}" if last else "") for first, last in parts
    )


def _sql(pattern: str) -> str:
    return "'" + pattern.replace("'", "''") + "'"


_SIGNS_AS_CODES = "".join(f"\\x{{{ord(sign):x}}}" for sign in SIGNS)
_PATTERN = f"^[{_class(BLANKS)}\\x00-\\x1f]*[{_SIGNS_AS_CODES}]"
