"""Nouns by number, in English: `1 account`, `1,204 accounts`.

Mails in the languages of contacts have the forms of CLDR instead: the filter `counted` of
`radar.deliveries.rendering`.
"""

from __future__ import annotations


def counted(number: float, one: str, other: str | None = None) -> str:
    """The number and its noun; `other` for nouns that take more than an s."""
    text = f"{number:,.6f}".rstrip("0").rstrip(".")
    return f"{text} {plural(number, one, other)}"


def plural(number: float, one: str, other: str | None = None) -> str:
    """The noun alone, as the number has it."""
    return one if number == 1 else other or f"{one}s"
