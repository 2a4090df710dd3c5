"""Which names of a file's columns may be shown, stored and logged: a first line may be a row of customers.

A file without a header names its columns after its first customer. What is no name of a column is masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from radar.landing.feeds import Feed, load_feeds

LEAST_KNOWN = 2  # names of the feed that make a first line a header
MOST_CHARACTERS = 60

# words of letters and digits, joined by one sign; a run of five digits is a number of somebody's
_WORDS = re.compile(r"(?!.*\d{5})[^\W\d]\w*(?:[ -]\w+){0,5}")
_WORD = re.compile(r"(?!.*\d{5})[^\W\d]\w*")


def is_header(feed: Feed, names: Iterable[str]) -> bool:
    """Whether a first line names columns of the feed, in any case, so that it is no row of values."""
    known = {name.casefold() for name in names} & {name.casefold() for name in feed.column_names}
    return len(known) >= min(LEAST_KNOWN, len(feed.column_names))


def shown(name: str, *, words: bool) -> str:
    """The name where it is a column of some feed, or looks like a name of one; else its mask.

    `words`: it comes from a true header, where words with spaces are names too. Other names must be
    columns that some feed has.
    """
    if name.casefold() in _known():
        return name
    if words and len(name) <= MOST_CHARACTERS and _WORDS.fullmatch(name):
        return name
    return masked(name)


def shown_key(name: str) -> str:
    """The same for a name within a JSON record, which may be a value of a customer in a map."""
    if name.casefold() in _known() or (len(name) <= MOST_CHARACTERS and _WORD.fullmatch(name)):
        return name
    return masked(name)


def masked(name: str) -> str:
    """First character and length, as refused values are masked."""
    first = name[:1] if name[:1].isprintable() else "?"
    return f"{first}***({len(name)})"


@cache
def _known() -> frozenset[str]:
    return frozenset(name.casefold() for feed in load_feeds().values() for name in feed.column_names)
