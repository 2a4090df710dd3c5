"""Words of a company's systems of which none was recognised: which they are, and where to map them.

What is unknown for it is decided by `intermediate.int_vocabulary_states`; here it is only reported. Whatever
reports strange words finds the nearest known one here.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import duckdb
import jinja2

from radar.core.project import PROJECT

FOLDED_NAME = PROJECT / "dbt_project" / "macros" / "folded_name.sql"
LEAST_LIKENESS = 0.6
MOST_WORDS = 8
MOST_CHARACTERS = 60

_UNRECOGNISED = """
    WITH scored_signals AS (
        SELECT
            rule_conditions.signal,
            bool_or(rules.effect IN ('points', 'cap', 'review') OR rules.bucket IS NOT NULL) AS decides
        FROM seeds.rule_conditions
        JOIN seeds.rule_sets USING (rule_set)
        JOIN seeds.rules USING (rule_set, rule_id)
        WHERE rule_sets.status = 'champion'
        GROUP BY rule_conditions.signal
    )
    SELECT
        words.vocabulary,
        words.feed,
        words.has_strange_words OR coalesce(bool_or(scored_signals.decides), false),
        list(signals.signal ORDER BY signals.signal)
    FROM intermediate.int_vocabulary_states AS words
    JOIN intermediate.int_feed_states AS feeds USING (feed, as_of_date)
    JOIN intermediate.int_vocabularies AS signals USING (vocabulary)
    LEFT JOIN scored_signals USING (signal)
    WHERE words.as_of_date = $end AND NOT words.is_known AND words.is_used AND feeds.state = 'known'
    GROUP BY words.vocabulary, words.feed, words.has_strange_words
    ORDER BY words.feed, words.vocabulary
"""
_EVENT_NAMES = """
    SELECT event_name, sum(events)::BIGINT FROM intermediate.int_user_days
    WHERE activity_date <= $end GROUP BY event_name HAVING sum(events) > 0 ORDER BY 2 DESC, 1
"""
_PLANS = """
    SELECT plan_id, count(*) FROM intermediate.int_subscription_versions
    WHERE has_live_status AND $end BETWEEN valid_from_date AND valid_to_date
    GROUP BY plan_id ORDER BY 2 DESC, 1
"""
_STATUSES = """
    SELECT status, count(*) FROM staging.stg_support__tickets
    WHERE opened_at::DATE <= $end AND status IS NOT NULL GROUP BY status ORDER BY 2 DESC, 1
"""
_REFUSED = """
    SELECT masked_value, count(*) FROM quarantine.rejected_values
    WHERE rule = 'unknown_value' AND feed = '{feed}' AND column_name = '{column}' AND $end IS NOT NULL
    GROUP BY masked_value ORDER BY 2 DESC, 1
"""
_PRODUCT_EVENTS = "SELECT event_name FROM seeds.product_events ORDER BY event_name"
_NO_WORDS = "SELECT NULL WHERE false"


@dataclass(frozen=True)
class Vocabulary:
    """How to report one. `found` gives words and how often they came; `known` those that have a meaning."""

    what: str
    found: str
    known: str
    remedy: str


def _of_events(what: str, column: str) -> Vocabulary:
    remedy = (
        f"mark the names that are one in {column} of seeds/product_events.csv, or no name at all where the"
        " product has none"
    )
    return Vocabulary(f"no event name that counts as {what}", _EVENT_NAMES, _PRODUCT_EVENTS, remedy)


VOCABULARIES = {
    "login": _of_events("a login", "is_login"),
    "key_feature": _of_events("a key feature", "is_key_feature"),
    "premium": _of_events("premium use", "is_premium"),
    "advanced": _of_events("advanced use", "is_advanced"),
    "milestone": _of_events("an adoption milestone", "milestone"),
    "plan": Vocabulary(
        "no live plan of seeds/plans.csv",
        _PLANS,
        "SELECT plan_id FROM seeds.plans ORDER BY plan_id",
        "add the plans to seeds/plans.csv",
    ),
    "ticket_status": Vocabulary(
        "no ticket status of seeds/ticket_statuses.csv, and no time of resolution",
        _STATUSES,
        "SELECT status FROM seeds.ticket_statuses ORDER BY status",
        "add the statuses to seeds/ticket_statuses.csv",
    ),
    "ticket_priority": Vocabulary(
        "no priority of a ticket",
        _REFUSED.format(feed="support/tickets", column="priority"),
        _NO_WORDS,
        "send low, normal, high or urgent",
    ),
    "contact_role": Vocabulary(
        "no role of a contact",
        _REFUSED.format(feed="crm/contacts", column="role"),
        _NO_WORDS,
        "send champion, sponsor, admin, user or other",
    ),
}


def _vocabulary(name: str) -> Vocabulary:
    """One of those above, or the event names of a measure that an installation has added."""
    own = _of_events(f"the measure {name}", f"measures (as {name})")
    return VOCABULARIES.get(name, own)


@dataclass(frozen=True)
class Unrecognised:
    """One vocabulary of which nothing was recognised by the newest as-of date.

    `is_blocking`: it decides scores, or words have come that no reference data knows; the run then ends
    with 3. `words`: the most frequent words found, with their number; `nearest`: words of ours that
    resemble them.
    """

    vocabulary: str
    feed: str
    is_blocking: bool
    signals: Sequence[str]
    words: Sequence[tuple[str, int]]
    nearest: Sequence[str]

    @property
    def what(self) -> str:
        """What was not found, in a sentence."""
        return _vocabulary(self.vocabulary).what

    @property
    def remedy(self) -> str:
        """What to do."""
        return _vocabulary(self.vocabulary).remedy


def unrecognised(con: duckdb.DuckDBPyConnection, end: date) -> list[Unrecognised]:
    """What of the company's words is not recognised as of `end`, in the feeds that are known."""
    found = []
    for name, feed, is_blocking, signals in con.execute(_UNRECOGNISED, {"end": end}).fetchall():
        words = _words(con, _vocabulary(name).found, end)
        ours = [word for (word,) in con.execute(_vocabulary(name).known).fetchall()]
        nearest = _nearest([word for word, _ in words], ours)
        found.append(Unrecognised(name, feed, is_blocking, signals, words[:MOST_WORDS], nearest))
    return found


def blocking_words(con: duckdb.DuckDBPyConnection, end: date) -> dict[str, str]:
    """Feed -> what of its words was not recognised, where that blocks part of the run."""
    found_words: dict[str, list[str]] = {}
    for found in unrecognised(con, end):
        if found.is_blocking:
            found_words.setdefault(f"words of {found.feed}", []).append(found.what)
    return {feed: ", ".join(what) for feed, what in found_words.items()}


def lines(found: Sequence[Unrecognised]) -> list[str]:
    """A section of the summary; words that several vocabularies share are listed once."""
    if not found:
        return []
    section = ["Words that were not recognised"]
    shown: Sequence[tuple[str, int]] | None = None
    for item in found:
        section.append(f"  {item.feed}: {item.what}; unknown: {', '.join(item.signals)}")
        if item.words != shown:
            listed = ", ".join(f"{_shown(word)} ({count:,})" for word, count in item.words)
            section.append(f"    found: {listed}")
        if item.nearest and item.words != shown:
            section.append(f"    nearest rows: {', '.join(item.nearest)}")
        section.append(f"    what to do: {item.remedy}")
        shown = item.words
    return section


def _words(con: duckdb.DuckDBPyConnection, query: str, end: date) -> list[tuple[str, int]]:
    rows: list[tuple[Any, ...]] = con.execute(query, {"end": end}).fetchall()
    return [(str(word), int(count)) for word, count in rows]


def _nearest(words: Sequence[str], ours: Sequence[str]) -> list[str]:
    """Words of ours that resemble one of the words found; letters and digits alone are compared."""
    by_letters = {_letters(word): word for word in ours}
    near: dict[str, None] = {}
    for word in words:
        for match in difflib.get_close_matches(_letters(word), by_letters, n=2, cutoff=0.5):
            near[by_letters[match]] = None
    return list(near)[:MOST_WORDS]


def nearest_word(word: str, ours: Mapping[str, str]) -> str | None:
    """The value of `ours` whose key resembles the word most; None where none does."""
    by_letters = {_letters(spelling): known for spelling, known in ours.items()}
    for match in difflib.get_close_matches(_letters(word), by_letters, n=1, cutoff=LEAST_LIKENESS):
        return by_letters[match]
    return None


@cache
def folded_name_sql(name: str) -> str:
    """The SQL by which names of events are compared, for the expression `name`: the macro that dbt uses."""
    macros = jinja2.Environment(autoescape=False).from_string(FOLDED_NAME.read_text(encoding="utf-8")).module  # noqa: S701 SQL
    return str(macros.folded_name(name))  # type: ignore[attr-defined]


def _letters(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if c.isalnum())


def _shown(word: str) -> str:
    text = "".join(c if c.isprintable() else "?" for c in word)
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "..."
