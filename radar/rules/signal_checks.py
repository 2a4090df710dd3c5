"""Checks of feeds, signals and the events that they count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from radar.landing.feeds import load_feeds
from radar.landing.staging import require_sound_contracts
from radar.rules.seed_tables import NAME, Problem, Row, Tables, described, numbered, shipped_rows
from radar.rules.vocabulary import VOCABULARIES

EVENTS = "product/events"
ANY = "any"
AGGREGATES = {
    "events": 1,
    "active_days": 1,
    "users": 1,
    "names": 1,
    "change_pct": 2,
    "days_since": 0,
    "milestones": 0,
}
"""What a signal may count of product events, with the number of windows that it looks at; 0: all days."""
DIRECTIONS = ("higher_is_better", "lower_is_better")
EVENT_FAMILIES = ("usage", "adoption")
"""The tables of signals that have a column for each row of the catalogue that counts product events."""
NOT_A_SIGNAL = ("account_id", "as_of_date", "is_renewal_unknown")
"""Columns that are next to signals in the tables of families and in the inputs of rules."""


def feed_problems(tables: Tables) -> Iterator[Problem]:
    """Feeds that are listed exist, and those that signals need are listed."""
    require_sound_contracts()
    feeds = load_feeds()
    known = set(feeds)
    listed = {row["feed"] for row in tables["feeds"]}
    for number, row in numbered(tables, "feeds"):
        if row["feed"] not in known:
            what, remedy = f"there is no feed '{row['feed']}'", f"write one of {', '.join(sorted(known))}"
            yield Problem("feeds.csv", number, "feed", what, remedy)
        problem = feeds[row["feed"]].key_problem(row["key"]) if row["key"] and row["feed"] in known else None
        if problem:
            yield Problem("feeds.csv", number, "key", *problem)
        if row["feed"] == "crm/accounts" and row["is_used"].lower() == "false":
            yield Problem("feeds.csv", number, "is_used", "crm/accounts is compulsory", "write true")
    needed = {"crm/accounts"}.union(*(row["feeds"].split() for row in tables["signals"]))
    for feed in sorted(known & needed - listed):  # a feed that no signal needs may be left out
        yield Problem(
            "feeds.csv", None, "feed", f"the feed {feed} has no row", "add it, with is_used false if unused"
        )
    for number, row in numbered(tables, "signals"):
        for feed in row["feeds"].split():
            if feed not in known:
                yield Problem(
                    "signals.csv", number, "feeds", f"there is no feed '{feed}'", "name a feed of feeds.csv"
                )


def signal_problems(tables: Tables) -> Iterator[Problem]:
    """Shipped signals stay what they are; one's own count product events, or are SQL of the project."""
    file = "signals.csv"
    shipped = shipped_rows(file)
    found = {row["signal"] for row in tables["signals"]}
    for signal in sorted(shipped.keys() - found):
        yield Problem(file, None, "signal", f"the signal {signal} has no row", "restore its row")
    measures = set(_measures(tables))
    for number, row in numbered(tables, "signals"):
        ours = shipped.get(row["signal"])
        if ours:
            for column in ("family", "measure", "aggregate", "window_days"):
                if row[column] != ours[column]:
                    what = f"{row['signal']} is a shipped signal, and its meaning stays"
                    remedy = f"write {ours[column] or 'nothing'}, or add a signal under a name of your own"
                    yield Problem(file, number, column, what, remedy)
        elif not row["measure"]:
            what = f"no table signals.sig_{row['family']} has {row['signal']}"
            remedy = "name the measure that it counts, or keep the shipped names: other signals are models"
            yield Problem(file, number, "measure", what, remedy)
        if row["direction"] not in ("", *DIRECTIONS):
            what, remedy = f"there is no direction '{row['direction']}'", f"write {_either(DIRECTIONS)}"
            yield Problem(file, number, "direction", what, f"{remedy}, or nothing")
        if row["measure"]:
            yield from _event_signal_problems(number, row)
            yield from _count_problems(number, row, measures, None if ours else _summary_days(tables))
        else:
            for column in ("aggregate", "window_days"):
                if row[column]:
                    what = "only a signal with a measure reads it"
                    yield Problem(file, number, column, what, "name the measure too, or empty the cell")


def _event_signal_problems(number: int, row: Row) -> Iterator[Problem]:
    """What the name, the family and the feeds of a signal that counts product events have to be."""
    file = "signals.csv"
    name = row["signal"]
    if not NAME.fullmatch(name) or "_" not in name or name in NOT_A_SIGNAL:
        what = f"'{name}' is no name that a signal can have"
        remedy = "write two or more words of lower-case letters and digits with underscores, as in logins_7d"
        yield Problem(file, number, "signal", what, remedy)
    if row["family"] not in EVENT_FAMILIES:
        what = f"a signal that counts product events cannot be in the family {row['family']}"
        yield Problem(file, number, "family", what, f"write {_either(EVENT_FAMILIES)}")
    if EVENTS not in row["feeds"].split():
        yield Problem(file, number, "feeds", f"it counts events of {EVENTS}", f"name {EVENTS} too")
    if row["aggregate"] == "change_pct" and row["can_be_negative"].lower() == "false":
        yield Problem(file, number, "can_be_negative", "a change can be below 0", "write true")


def _count_problems(number: int, row: Row, measures: set[str], summary_days: int | None) -> Iterator[Problem]:
    """Whether measure, aggregate and window of a signal that counts events mean something together."""
    file = "signals.csv"
    measure, aggregate, window = row["measure"], row["aggregate"], row["window_days"]
    if measure not in measures:
        what = f"no event name has the measure '{measure}'"
        remedy = f"name it in the column measures of product_events.csv, or write {_either(sorted(measures))}"
        yield Problem(file, number, "measure", what, remedy)
    if aggregate not in AGGREGATES:
        what = f"there is no aggregate '{aggregate}'" if aggregate else "the cell is empty"
        yield Problem(file, number, "aggregate", what, f"write {_either(AGGREGATES)}")
        return
    if aggregate == "milestones" and measure != "milestone":
        what = f"{measure} events reach no milestones"
        yield Problem(file, number, "measure", what, "write milestone, or another aggregate")
    if not AGGREGATES[aggregate]:
        if window:
            what, remedy = f"{aggregate} looks at all days, not at a window", "empty the cell"
            yield Problem(file, number, "window_days", what, remedy)
        return
    most = summary_days // AGGREGATES[aggregate] if summary_days else None
    if not window or int(window) < 1 or (most and int(window) > most):
        bounds = f"1 to {most} days" if most else "1 day or more"
        what = f"{aggregate} needs a window of {bounds}" + (f", not {window}" if window else "")
        yield Problem(file, number, "window_days", what, f"write a number of {bounds}")


def _summary_days(tables: Tables) -> int:
    """How many days of events are kept: no window can be longer."""
    (days,) = [row["value"] for row in tables["settings"] if row["setting"] == "summary_days"] or ["0"]
    return int(days)


def event_problems(tables: Tables) -> Iterator[Problem]:
    """Measures that an installation adds have a name of their own."""
    file = "product_events.csv"
    for number, row in numbered(tables, "product_events"):
        for name in row["measures"].split(" "):
            if f"is_{name}" in row:
                what, remedy = f"{name} has a column of its own", f"write true in is_{name}"
                yield Problem(file, number, "measures", what, remedy)
            elif name and (not NAME.fullmatch(name) or name == ANY or name in VOCABULARIES):
                what = f"'{name}' is no name that a measure can have"
                remedy = "write another name, of lower-case letters, digits and single underscores"
                yield Problem(file, number, "measures", what, remedy)


def _measures(tables: Tables) -> Iterator[str]:
    """What events can be counted as: any event, the measures that have a column, and those of one's own."""
    yield from (ANY, "milestone")
    columns = described()["product_events"]["types"]
    yield from (column.removeprefix("is_") for column in columns if column.startswith("is_"))
    for row in tables["product_events"]:
        yield from row["measures"].split()


def _either(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
