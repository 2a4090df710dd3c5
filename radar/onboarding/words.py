"""What plans, events and statuses that landed are called, how often, and a guess of what each means.

The guesses become rows of the company's own seeds and are to be confirmed by a person: nothing here knows
the product. A name that is in the shipped seeds keeps its meaning from there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import duckdb

from radar.landing.as_of_guard import newest_fact
from radar.landing.feeds import ACCOUNTS, SUBSCRIPTIONS, load_feeds
from radar.rules.seed_tables import shipped_rows
from radar.rules.vocabulary import folded_name_sql

EVENTS = "product/events"
PANEL_FEEDS = ("crm/overrides", "crm/reviews")
"""Feeds that the panel fills, so they are in use from the first day on."""
STARTER, STARTER_FEEDS = "starter_v1", {ACCOUNTS, SUBSCRIPTIONS, "billing/invoices", EVENTS}
"""The rule set for a company that has no more than these; see docs/starter-rules.md."""
BILLING = "billing_v1"
"""The rule set for a company without events of its product: nearly every other rule needs them."""
CHAMPION_FEEDS = {
    "billing/payments",
    "support/tickets",
    "comms/messages",
    "crm/touchpoints",
    "feedback/surveys",
}
"""What the champion rule set that ships reads on top."""
MOST_NAMES = 300
MOST_KEY_FEATURES = 5

_LOGIN = re.compile(r"log(ged)?in|sign(ed)?in|authenticated|sessionstart(ed)?|app(lication)?open(ed)?")
_FAILED = re.compile(r"fail|error|denied|invalid|reject")
_EVERYWHERE = re.compile(
    r"page|screen|view|click|tap|scroll|hover|identify|group|session|heartbeat|ping|pulse|load|logout|signout|"
    r"signup|register|email|notif|setting|password|profile|error|exception|fail|warn|install|update|open|close|"
    r"search|help|tour|onboard|consent|cookie|experiment|featureflag|autocapture"
)
_NOT_PAID = re.compile(r"free|trial|demo|sandbox|internal|gratis|community")
_CLOSED = re.compile(r"clos|solv|done|complet|delet|merg|spam|archiv|cancel|reject|wontfix")

_PLANS = """
    select
        mode(plan_id) as plan_id,
        count(distinct account_id) as accounts,
        median(mrr_usd) filter (where mrr_usd > 0) as mrr_usd
    from (
        select plan_id, account_id, case when coalesce(currency, 'USD') = 'USD' then mrr_usd end as mrr_usd
        from raw.billing_subscriptions
        union all
        select plan_id, account_id, null from raw.crm_accounts
    )
    where nullif(trim(plan_id), '') is not null
    group by plan_id
    order by mrr_usd nulls first, plan_id
"""
_EVENT_NAMES = f"""
    select
        mode(event_name) as event_name,
        count(*) as events,
        count(distinct account_id) as accounts
    from raw.product_events
    where event_name is not null
    group by {folded_name_sql("event_name")}
    order by events desc, event_name
    limit {MOST_NAMES}
"""
_STATUSES = """
    select mode(status), count(distinct ticket_id), count(resolved_at) * 2 > count(*)
    from raw.support_tickets
    where nullif(trim(status), '') is not null
    group by regexp_replace(lower(status), '[ _-]+', ' ', 'g')
    order by 2 desc, 1
"""
_STAGES = """
    select mode(lifecycle_stage), count(distinct account_id)
    from raw.crm_accounts
    where nullif(trim(lifecycle_stage), '') is not null
    group by regexp_replace(lower(lifecycle_stage), '[^a-z]', '', 'g')
    order by 2 desc, 1
"""


@dataclass(frozen=True)
class Guess:
    """A row of a seed that a person has to confirm: the word, how often it came, what it is taken for."""

    word: str
    found: str
    meaning: str


QUESTIONS = {
    "plans.csv": (("Plans that are paid", "is_paid"),),
    "product_events.csv": (("Logins", "is_login"), ("Key features", "is_key_feature")),
}
"""What a person is asked about a seed: a name for it, and the column that is true of the words they give."""


@dataclass
class Seed:
    """A seed of the company's own. `guesses`: its rows that are to be confirmed."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    guesses: list[Guess] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """What its rows are about, in their order."""
        return [str(row[0]) for row in self.rows]

    def marked(self, column: str) -> list[str]:
        """The words of the rows in which a column is true."""
        at = self.columns.index(column)
        return [str(row[0]) for row in self.rows if _is_true(row[at])]

    def mark(self, column: str, words: Collection[str]) -> None:
        """Make a column true for these words and no other, and say so of those for which that is new."""
        at, before = self.columns.index(column), set(self.marked(column))
        self.rows = [(*row[:at], row[0] in words, *row[at + 1 :]) for row in self.rows]
        self.guesses = [
            replace(guess, meaning=f"{column} is {str(guess.word in words).lower()}, as answered")
            if (guess.word in before) != (guess.word in words)
            else guess
            for guess in self.guesses
        ]

    def text(self) -> str:
        """The file."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow([str(cell).lower() if isinstance(cell, bool) else cell for cell in row])
        return out.getvalue()


def _is_true(cell: Any) -> bool:
    return str(cell).lower() == "true"


def propose(con: duckdb.DuckDBPyConnection, *, has_unended_files: bool) -> list[Seed]:
    """The seeds that a first run needs, from what landed in `con`; none that would be as shipped."""
    landed = {feed.name for feed in load_feeds().values() if _count(con, feed.raw_table)}
    seeds = [_feeds(con, landed)]
    if landed >= STARTER_FEEDS and landed.isdisjoint(CHAMPION_FEEDS):
        seeds.append(_rule_sets(STARTER, "CRM, billing and product alone"))
    elif SUBSCRIPTIONS in landed and EVENTS not in landed:
        seeds.append(_rule_sets(BILLING, "billing, and no events of the product"))
    if plans := con.execute(_PLANS).fetchall():
        seeds.append(_plans(plans))
    if events := con.execute(_EVENT_NAMES).fetchall():
        seeds.append(_product_events(con, events))
    if statuses := con.execute(_STATUSES).fetchall():
        seeds.append(_ticket_statuses(statuses))
    if stages := con.execute(_STAGES).fetchall():
        seeds.append(_not_customers(stages))
    if has_unended_files:
        seeds.append(_settings())
    return seeds


def first_day(con: duckdb.DuckDBPyConnection, today: date) -> date:
    """The day to score first: that of the newest fact, and not after today."""
    return min(newest_fact(con) or today, today)


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def _feeds(con: duckdb.DuckDBPyConnection, landed: set[str]) -> Seed:
    shipped = shipped_rows("feeds.csv")
    guesses, rows = [], []
    for name, row in shipped.items():
        is_used = name in landed or name in PANEL_FEEDS or name == ACCOUNTS
        count = _count(con, load_feeds()[name].raw_table)
        rows.append(tuple((row | {"is_used": is_used}).values()))
        meaning = "used" if is_used else "not used: rules that need it are off"
        guesses.append(Guess(name, f"{count:,} rows" if name in landed else "nothing", meaning))
    return Seed("feeds.csv", tuple(next(iter(shipped.values()))), rows, guesses)


def _rule_sets(champion: str, because: str) -> Seed:
    shipped = shipped_rows("rule_sets.csv")
    rows = []
    for name, row in shipped.items():
        status = (
            "champion" if name == champion else "retired" if row["status"] == "champion" else row["status"]
        )
        rows.append(tuple((row | {"status": status}).values()))
    guess = Guess(champion, because, "the champion rule set (docs/starter-rules.md)")
    return Seed("rule_sets.csv", tuple(next(iter(shipped.values()))), rows, [guess])


def _plans(found: Iterable[tuple[str, int, float | None]]) -> Seed:
    shipped = shipped_rows("plans.csv")
    rows, guesses = [], []
    for rank, (plan, accounts, mrr) in enumerate(found):
        known = shipped.get(plan)
        is_paid = (
            known["is_paid"].lower() == "true" if known else bool(mrr) or not _NOT_PAID.search(plan.lower())
        )
        rows.append((plan, known["name"] if known else plan, is_paid, rank))
        amount = f", {mrr:,.2f} a month in the middle" if mrr else ""
        meaning = f"{'paid' if is_paid else 'not paid'}, rank {rank}"
        guesses.append(Guess(plan, f"{accounts:,} accounts{amount}", meaning))
    return Seed("plans.csv", ("plan_id", "name", "is_paid", "rank"), rows, guesses)


def _product_events(con: duckdb.DuckDBPyConnection, found: list[tuple[str, int, int]]) -> Seed:
    shipped = shipped_rows("product_events.csv")
    columns = tuple(next(iter(shipped.values())))
    known = {_folded(con, name): row for name, row in shipped.items()}
    letters = {name: re.sub(r"[\W_]", "", name.lower()) for name, _, _ in found}
    logins = {name for name, text in letters.items() if _LOGIN.search(text) and not _FAILED.search(text)}
    own = [(name, accounts) for name, _, accounts in found if name not in logins]
    own = [
        one for one in own if _folded(con, one[0]) not in known and not _EVERYWHERE.search(letters[one[0]])
    ]
    widest = sorted(own, key=lambda one: -one[1])[:MOST_KEY_FEATURES]  # ties: the more frequent first
    key_features = {name for name, _ in widest}
    rows: list[tuple[Any, ...]] = []
    guesses = []
    for name, events, accounts in found:
        row = known.get(_folded(con, name))
        if row:
            rows.append((name, *list(row.values())[1:]))
            meaning = "as shipped"
        else:
            rows.append((name, name in logins, name in key_features, False, False, "", ""))
            meaning = "a login" if name in logins else "a key feature" if name in key_features else "activity"
        counts = f"{_counted(events, 'event')} of {_counted(accounts, 'account')}"
        guesses.append(Guess(name, counts, meaning))
    return Seed("product_events.csv", columns, rows, guesses)


def _folded(con: duckdb.DuckDBPyConnection, name: str) -> str | None:
    row = con.execute(f"select {folded_name_sql('name')} from (select ? as name)", [name]).fetchone()
    return row[0] if row else None


def _ticket_statuses(found: Iterable[tuple[str, int, bool]]) -> Seed:
    shipped = shipped_rows("ticket_statuses.csv")
    rows = [(status, row["is_open"]) for status, row in shipped.items()]
    known = {_plain(status): row["is_open"].lower() == "true" for status, row in shipped.items()}
    guesses = []
    for status, tickets, is_resolved in found:
        is_open = known.get(_plain(status), not (is_resolved or _CLOSED.search(status.lower())))
        if _plain(status) not in known:
            rows.append((status, str(is_open).lower()))
        guesses.append(Guess(status, _counted(tickets, "ticket"), "open" if is_open else "closed"))
    return Seed("ticket_statuses.csv", ("status", "is_open"), rows, guesses)


def _not_customers(found: Iterable[tuple[str, int]]) -> Seed:
    shipped = list(shipped_rows("not_customers.csv"))
    known = {_plain(stage) for stage in shipped}
    guesses = [
        Guess(
            stage,
            f"{accounts:,} accounts",
            "no customer, unless a subscription is live" if _plain(stage) in known else "a customer",
        )
        for stage, accounts in found
    ]
    return Seed("not_customers.csv", ("lifecycle_stage",), [(stage,) for stage in shipped], guesses)


def _settings() -> Seed:
    row = shipped_rows("settings.csv")["accept_unended_last_row"] | {"value": "1"}
    guess = Guess(
        "accept_unended_last_row", "files without a line end after the last row", "1: they are whole"
    )
    return Seed("settings.csv", tuple(row), [tuple(row.values())], [guess])


def _counted(count: int, what: str) -> str:
    """`1 event`, `2 events`."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


def to_confirm(seeds: Iterable[Seed]) -> Iterator[str]:
    """The guesses as a page."""
    for seed in seeds:
        yield from ("", f"## seeds/{seed.name}", "", "| what | found | taken for |", "| --- | --- | --- |")
        for guess in seed.guesses:
            cells = (guess.word, guess.found, guess.meaning)
            yield "| " + " | ".join(re.sub(r"[|\r\n]", " ", cell) for cell in cells) + " |"
