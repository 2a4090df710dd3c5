"""What people read for ids: of segments, plans, plays, flags, channels, signals and rules; and of owners."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}
)
"""Letters with a stroke or of two, which are none with an accent."""


class Labels:
    """The catalogue of one copy, `marts.rpt_labels`. An id that is not in it is read as its words."""

    def __init__(self, rows: Iterable[tuple[str, str, str | None]]) -> None:
        self._labels = {(kind, value): label for kind, value, label in rows if label}

    def __call__(self, kind: str, value: str | None) -> str:
        """`Mid-market` for the segment `mid_market`; nothing for None."""
        if not value:
            return ""
        words = value.replace("_", " ")
        return self._labels.get((kind, value)) or words[:1].upper() + words[1:]

    def counted(self, kind: str, value: str | None, number: float) -> str:
        """The label next to a number, by the label of the kind `<kind>_one` where the number is 1."""
        if number == 1 and value and (f"{kind}_one", value) in self._labels:
            return self(f"{kind}_one", value)
        return self(kind, value)

    def person(self, who: str | None) -> str:
        """An owner's name where it is known; users of the panel are called as they sign in."""
        return self._labels.get(("owner", who), who) if who else ""

    def each(self, kind: str, values: str | None) -> str:
        """The same of several ids, separated by `, `."""
        return ", ".join(self(kind, value) for value in (values or "").split(", "))

    def called(self, kind: str, text: str) -> list[str]:
        """The ids whose label has every word of the text, without case and accents."""
        words = [fold(word) for word in text.split()]
        return [
            value
            for (of, value), label in self._labels.items()
            if of == kind and words and all(word in fold(label) for word in words)
        ]

    def of_kind(self, kind: str) -> list[tuple[str, str]]:
        """Ids and labels, in the order of the labels."""
        found = [(value, label) for (of, value), label in self._labels.items() if of == kind]
        return sorted(found, key=lambda one: one[1].casefold())


def fold(text: str) -> str:
    """Letters without case and accents, as people look for names: `Ærø Müller` becomes `aero muller`."""
    parts = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()
