"""Which known column an unknown one resembles, and the findings about the columns of a file. No SQL."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache

from radar.landing.feeds import Feed, load_feeds

UNKNOWN, MISNAMED, GONE = "unknown", "misnamed", "gone"

# A JSON record may leave out what is empty: a column that no record fills need not be missing. It is where,
# by how often the files before filled it, this many records should have: then it is no chance.
LEAST_FILLED_EXPECTED = 20

# Parts of a name that say the type or the unit: paid_on, date_paid and paid_at are one name without them.
_OF_TYPE = frozenset(("at", "on", "date", "time", "datetime", "timestamp", "utc", "id", "usd", "is", "has"))


@cache
def nearest(feed_name: str, name: str, missing: frozenset[str] = frozenset()) -> str | None:
    """The known column that an unknown one resembles, if any: a missing one before one that is there."""
    known = load_feeds()[feed_name].column_names
    return _nearest_of(name, [column for column in known if column in missing]) or _nearest_of(name, known)


def _nearest_of(name: str, known: Sequence[str]) -> str | None:
    """The longest that is part of the name, word by word; else the one with the closest spelling."""
    stems, stem = {_stem(column): column for column in known}, _stem(name)
    within = [known_stem for known_stem in stems if _singular(known_stem) <= _singular(stem)]
    close = get_close_matches(stem, stems, n=1)
    return stems[max(within, key=len) if within else close[0]] if within or close else None


def _stem(name: str) -> str:
    """The name in small letters, joined by underscores, without the parts that say the type."""
    parts = re.split(r"[\W_]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    return "_".join([part for part in parts if part and part not in _OF_TYPE] or parts)


def _singular(stem: str) -> set[str]:
    return {part.removesuffix("s") for part in stem.split("_")}


@dataclass(frozen=True)
class FileColumns:
    """The columns of a file. `filled`: known column -> rows that fill it, None where a header has it."""

    rows: int
    is_json: bool
    filled: dict[str, int | None]
    extra: tuple[str, ...]


@dataclass
class Comparison:
    """The files of a feed one after another: the findings of each, compared with those before it.

    Files with a header and JSON files have each their own, because only a header names what is empty.
    """

    feed: Feed
    is_json: bool
    _rows: int = 0
    _filled: Counter[str] = field(default_factory=Counter)
    _had: set[str] = field(default_factory=set)
    _lacked: set[str] = field(default_factory=set)
    _together: set[tuple[str, str]] = field(default_factory=set)

    def findings(self, file: FileColumns) -> Iterable[tuple[str, str, str | None]]:
        """(column, finding, nearest name) of the next file.

        unknown: the feed has no such column. misnamed: nor has the file the known one that it resembles; not
        where an earlier file had both. gone: a known column that all files before had; where two systems
        write into one folder it is so reported once. An unknown column may go as it came.
        """
        known = self.feed.column_names
        missing = frozenset(known).difference(file.filled, file.extra)
        lacking = self._lacking(file, missing)
        for name in file.extra:
            if name not in known:
                near = nearest(self.feed.name, name, missing)
                is_misnamed = near in missing and (name, near) not in self._together
                yield name, MISNAMED if is_misnamed else UNKNOWN, near
        for name in sorted(self._had & lacking - self._lacked):
            yield name, GONE, None
        self._rows += file.rows
        self._filled.update({name: count or 0 for name, count in file.filled.items()})
        self._had.update(file.filled)
        self._lacked |= lacking
        self._together.update((extra, name) for extra in file.extra for name in file.filled)

    def _lacking(self, file: FileColumns, missing: frozenset[str]) -> set[str]:
        if not self.is_json:
            return set(missing)
        return {
            name
            for name in missing
            if file.rows * self._filled[name] >= LEAST_FILLED_EXPECTED * max(self._rows, 1)
        }
