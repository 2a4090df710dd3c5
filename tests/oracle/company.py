"""A random company that lives on the edges of the contract, and files of it in the feeds' layout.

What belongs here: rows that are all valid (nothing that hygiene refuses) and that sit on windows' ends,
thresholds, ties, repeats, late versions and nulls. What does not: stories, volume, dirt.

Facts after the as-of date are part of it, so the as-of date must lie at least 60 days before the day on which
the files land, or they would be refused as times of the future.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from radar.landing.feeds import load_feeds

from .contract import KEYS, Feeds, Row, Seeds
from .reference import default_seeds

# The headers of the feeds' contracts; the oracle reads no reviews.
COLUMNS: dict[str, tuple[str, ...]] = {feed: load_feeds()[feed].column_names for feed in KEYS}

_AGES = (
    0,
    1,
    6,
    7,
    8,
    13,
    14,
    15,
    20,
    21,
    22,
    27,
    28,
    29,
    30,
    31,
    44,
    45,
    46,
    89,
    90,
    91,
    179,
    180,
    200,
    390,
)
_MAIL_DOMAINS = (*["example.com"] * 5, "EU.Staff.example", "notstaff.example")
_TICKET_STATUSES = ("Solved", "on-hold", "On Hold", "RESOLVED", "spam", "escalated", "new", "  Closed ")


def _currency_of(text: str) -> str | None:
    """One of several, by the text alone: most are USD, the rate of CHF is not known."""
    return (None, "USD", None, "USD", "EUR", "eur", "CHF", "USD")[zlib.crc32(text.encode()) % 8]


def _spellings_of(name: str) -> tuple[str, ...]:
    """How other products write the name of an event; the last one is another name."""
    words = name.split("_")
    camel = words[0] + "".join(word.title() for word in words[1:])
    accented = name.replace("e", "\u00e9").replace("o", "o\u0308")
    return (
        name.upper(),
        name.replace("_", "-"),
        " ".join(words).title(),
        camel,
        ".".join(words),
        accented,
        f"{name}_2",
    )


_HOURS = (time(0, 0), time(0, 0, 1), time(9, 30), time(23, 59, 59), time(23, 59, 59, 999999))
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


class _Maker:
    """Draws the rows of one account after another. All times hang on the as-of date."""

    def __init__(self, seed: int, as_of: date, seeds: Seeds, changed_events: bool) -> None:
        self.rng = random.Random(seed)
        self.as_of = as_of
        self.seeds = seeds
        self.changed_events = changed_events
        self.feeds: dict[str, list[Row]] = {feed: [] for feed in COLUMNS}
        self.account_id = ""
        self.contacts: list[str] = []
        self.invoices: list[Row] = []

    # -- draws

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def pick(self, *values: Any) -> Any:
        return self.rng.choice(values)

    def at(self, age: int) -> datetime:
        """A moment on the day that is `age` days before the as-of date, mostly at one of its ends."""
        return datetime.combine(self.as_of - timedelta(days=age), self.pick(*_HOURS))

    def moment(self, *, future: float = 0.1, oldest: int = 390) -> datetime:
        if self.chance(future):
            return self.at(self.pick(-1, -1, -2, -20))
        ages = [age for age in _AGES if age <= oldest]
        return self.at(self.pick(*ages) if self.chance(0.75) else self.rng.randint(0, oldest))

    def maybe(self, share: float, draw: Callable[[], Any]) -> Any:
        return draw() if self.chance(share) else None

    def after(self, start: datetime, *days: float) -> datetime:
        return start + timedelta(days=self.pick(*days))

    def money(self) -> Decimal:
        return Decimal(self.pick("0", "49.99", "50", "99.5", "100", "1200.25"))

    # -- rows

    def put(self, feed: str, row: Row, *, again: Callable[[], Row] | None = None) -> None:
        """Add a row; it may come again as it is, or as another version of its key that `again` draws."""
        rows = self.feeds[feed]
        full = {column: row.get(column) for column in COLUMNS[feed]}
        rows.append(full)
        if self.chance(0.08):
            rows.append(dict(full))
        if again is not None and self.chance(0.12):
            version = again()
            if "updated_at" in full and self.chance(0.3):
                version["updated_at"] = full["updated_at"]
            rows.append({column: version.get(column) for column in COLUMNS[feed]})

    def owners(self) -> None:
        for number in range(3):
            self.put(
                "crm/owners",
                {
                    "owner_id": f"own-{number}",
                    "name": f"Owner {number}",
                    "email": f"owner{number}@example.com",
                    "is_active": True,
                    "updated_at": self.at(200),
                },
            )

    def account(self, number: int) -> None:
        self.account_id = f"acc-{number}"
        self.contacts, self.invoices = [], []
        created_at = self.at(self.pick(-1, 0, 6, 7, 13, 14, 20, 21, 29, 30, 44, 45, 200, 390, 390, 390, 390))
        moments = [self.pick(None, created_at, self.at(300))]
        moments += [self.moment(future=0.3) for _ in range(self.pick(0, 0, 0, 1, 2))]
        if self.chance(0.1):
            moments.append(moments[0])
        for updated_at in moments:
            self.put("crm/accounts", self._account_row(number, created_at, updated_at))
        self._subscriptions()
        self._contacts()
        self._touchpoints()
        self._milestones()
        self._goals()
        self._simple_feedback()
        self._overrides()
        self._identities()
        self._invoices()
        self._payments()
        self._events()
        self._tickets()
        self._messages()
        if self.chance(0.25):
            self._unpaid_story()
        if self.chance(0.2):
            self._clicks_story()

    def _account_row(self, number: int, created_at: datetime, updated_at: datetime | None) -> Row:
        return {
            "account_id": self.account_id,
            "name": f'Company {number}, "{self.pick("North", "South")}"',
            "domain": f"company{number}.example.com",
            "owner_id": self.pick("own-0", "own-1", "own-2", None),
            "segment": self.pick("smb", "smb", "enterprise", "mid", None),
            "arr_usd": self.maybe(0.8, self.money),
            "lifecycle_stage": self.pick("customer", "customer", "onboarding", None, *self._churned()),
            "plan_id": self.pick(*self.seeds.plans),
            "created_at": created_at,
            "updated_at": updated_at,
            "is_deleted": True if self.chance(0.03) else self.pick(False, None),
        }

    def _churned(self) -> list[str]:
        return [self.pick("churned", "Churned", "CHURNED")] if self.chance(0.3) else []

    def _subscriptions(self) -> None:
        for number in range(self.pick(0, 1, 1, 1, 1, 2, 3)):
            subscription_id = f"sub-{self.account_id}-{number}"
            started_at = self.at(self.pick(-3, 0, 13, 14, 15, 90, 300, 300, 300))
            first = max(started_at, self.at(self.pick(-2, -1, 0, 5, 13, 14, 30, 200, 300)))
            stamps = [first] + [self.moment(future=0.25) for _ in range(self.pick(0, 0, 1, 1, 2, 3))]
            stamps = sorted({max(stamp, started_at) for stamp in stamps})
            if self.chance(0.1):
                stamps.append(stamps[-1])
            for stamp in stamps:
                self.put("billing/subscriptions", self._subscription_row(subscription_id, started_at, stamp))
        if self.chance(0.3):
            self._seats_story()

    def _seats_story(self) -> None:
        """Seats that rise or fall about 14 days before: by a fifth, by a little less, to none."""
        started_at, changed_at = self.at(200), self.at(self.pick(-1, 0, 6, 13, 14, 15))
        before, now = self.pick((10, 12), (50, 60), (10, 11), (10, 8), (6, 7), (0, 5), (None, 5), (5, None))
        for updated_at, seats in ((started_at, before), (changed_at, now)):
            row = self._subscription_row(f"sub-{self.account_id}-seats", started_at, updated_at)
            row |= {"status": self.pick("active", "past_due"), "seats": seats, "canceled_at": None}
            self.put("billing/subscriptions", row)

    def _subscription_row(self, subscription_id: str, started_at: datetime, updated_at: datetime) -> Row:
        status = self.pick(
            "active", "active", "active", "active", "trialing", "past_due", "paused", "canceled", "canceled"
        )
        canceled_at = None
        if status == "canceled" and self.chance(0.7):
            before = self.at(self.pick(-1, 0, 1, 5, 13, 14, 15, 60))
            canceled_at = self.pick(updated_at, max(started_at, before))
        plans = [*self.seeds.plans, *self.seeds.plans, "plan-nobody-knows"]
        return {
            "subscription_id": subscription_id,
            "account_id": self.account_id,
            "plan_id": self.pick(*plans),
            "status": status,
            "seats": self.pick(None, 0, 10, 10, 11, 12, 12, 15),
            "mrr_usd": self.maybe(0.85, self.money),
            "currency": _currency_of(f"{subscription_id} {started_at:%H} {status}"),
            "started_at": started_at,
            "current_period_end": self.maybe(0.8, lambda: self.at(self.pick(1, 0, -1, -29, -30, -31, -200))),
            "cancel_at_period_end": self.pick(None, True, False),
            "canceled_at": canceled_at,
            "card_expires_on": self.maybe(0.6, lambda: self.at(self.pick(1, 0, -1, -60)).date()),
            "updated_at": updated_at,
        }

    def _contacts(self) -> None:
        for number in range(self.pick(0, 1, 2, 3)):
            contact_id = f"con-{self.account_id}-{number}"
            self.contacts.append(contact_id)

            def row(contact_id: str = contact_id) -> Row:
                return {
                    "contact_id": contact_id,
                    "account_id": self.account_id,
                    "email": f"{contact_id}@{self.pick(*_MAIL_DOMAINS)}",
                    "full_name": f"Zoë {contact_id}",
                    "role": self.pick("champion", "sponsor", "admin", "user", "other", None),
                    "is_active": self.pick(True, True, False, None),
                    "marketing_consent": self.pick(True, False, None),
                    "created_at": self.maybe(0.7, lambda: self.moment(future=0.3)),
                    "updated_at": self.maybe(0.7, self.moment),
                }

            self.put("crm/contacts", row(), again=row)

    def _contact(self) -> str | None:
        return self.rng.choice([None, *self.contacts])

    def _touchpoints(self) -> None:
        youngest = self.pick(0, 0, 44, 45, 46, 89, 90)
        for number in range(self.pick(0, 1, 3, 6)):

            def row(number: int = number) -> Row:
                occurred_at = self.moment()
                if self.as_of - timedelta(days=youngest) < occurred_at.date() <= self.as_of:
                    occurred_at = self.at(youngest)
                return {
                    "touchpoint_id": f"tou-{self.account_id}-{number}",
                    "account_id": self.account_id,
                    "contact_id": self._contact(),
                    "owner_id": "own-1",
                    "channel": self.pick("call", "email", "meeting", "note"),
                    "direction": self.pick("inbound", "outbound"),
                    "is_automated": self.pick(None, False, False, True),
                    "occurred_at": occurred_at,
                }

            self.put("crm/touchpoints", row(), again=row)

    def _milestones(self) -> None:
        for number in range(self.pick(0, 1, 2, 3, 4)):

            def row(number: int = number) -> Row:
                return {
                    "milestone_id": f"mil-{self.account_id}-{number}",
                    "account_id": self.account_id,
                    "name": "Go-live",
                    "due_date": self.at(self.pick(-1, 0, 1, 2, 40)).date(),
                    "completed_at": self.maybe(0.4, lambda: self.moment(future=0.5)),
                    "updated_at": self.maybe(0.7, self.moment),
                }

            self.put("crm/milestones", row(), again=row)

    def _goals(self) -> None:
        conditions = [c for c in self.seeds.rule_conditions if c.operator != "="]
        for number in range(self.pick(0, 0, 0, 1, 2)):

            def row(number: int = number) -> Row:
                condition = self.rng.choice(conditions)
                begins = self.maybe(0.7, lambda: self.at(self.pick(-1, 0, 1, 40)).date())
                earliest = begins or self.as_of - timedelta(days=50)
                ends = self.maybe(0.5, lambda: max(earliest, self.at(self.pick(-9, 0, 1)).date()))
                return {
                    "goal_id": f"goa-{self.account_id}-{number}",
                    "account_id": self.account_id,
                    "signal": condition.signal,
                    "target": condition.threshold + Decimal(self.pick("-1", "0", "0.5", "1", "7")),
                    "valid_from": begins,
                    "valid_to": ends,
                }

            self.put("crm/goals", row(), again=row)

    def _simple_feedback(self) -> None:
        for number in range(self.pick(0, 0, 1, 2)):

            def pulse(number: int = number) -> Row:
                return {
                    "pulse_id": f"pul-{self.account_id}-{number}",
                    "account_id": self.account_id,
                    "owner_id": "own-0",
                    "sentiment": Decimal(self.pick(1, 2, 3, 4, 5)),
                    "recorded_at": self.pick(self.moment(), self._shared(2)),
                }

            self.put("crm/pulses", pulse(), again=pulse)
        for number in range(self.pick(0, 1, 2, 4)):

            def survey(number: int = number) -> Row:
                kind = self.pick("nps", "nps", "csat", "ces")
                scores = range(11) if kind == "nps" else range(1, 6)
                return {
                    "response_id": f"res-{self.account_id}-{number}",
                    "account_id": self.account_id,
                    "contact_id": self._contact(),
                    "kind": kind,
                    "score": Decimal(self.pick(*scores)),
                    "comment": self.maybe(0.4, self._text),
                    "responded_at": self.pick(self.moment(), self._shared(3)),
                }

            self.put("feedback/surveys", survey(), again=survey)

    def _shared(self, age: int) -> datetime:
        """The same moment each time, so that ties happen."""
        return datetime.combine(self.as_of - timedelta(days=age), time(12, 0))

    def _overrides(self) -> None:
        for number in range(self.pick(0, 0, 0, 1, 2)):

            def row(number: int = number) -> Row:
                made = self.pick(self._shared(1), self.at(self.pick(-1, 0, 5, 29, 30, 31)))
                return {
                    "override_id": f"ove-{self.account_id}-{number}",
                    "account_id": self.account_id,
                    "bucket": self.pick("healthy", "watch", "at_risk"),
                    "reason": "Spoke with the sponsor",
                    "overridden_by": "own-1",
                    "overridden_at": made,
                    "expires_at": self.maybe(0.5, lambda: max(made, self.at(self.pick(-1, 0, 1, -40)))),
                }

            self.put("crm/overrides", row(), again=row)

    def _identities(self) -> None:
        for source in ("stripe", "zendesk"):
            if self.chance(0.5):
                theirs = self.account_id if self.chance(0.9) else "shared"
                self.put(
                    "crm/identities",
                    {
                        "source": source,
                        "source_account_id": f"{source}-{theirs}",
                        "account_id": self.account_id,
                    },
                )

    def _invoices(self) -> None:
        for number in range(self.pick(0, 1, 2, 2, 3)):
            # Numbers of one and two digits, so that the order of texts is not that of numbers.
            invoice_id = f"inv-{self.account_id}-{number + 8}"

            def row(invoice_id: str = invoice_id) -> Row:
                issued_at = self.pick(self._shared(20), self.moment(oldest=120))
                status = self.pick("open", "open", "open", "paid", "void", "draft", "uncollectible")
                is_stable = status == "paid" or self.chance(0.15)
                paid_at = self.after(issued_at, 0, 1, 6, 20, 21) if is_stable else None
                return {
                    "invoice_id": invoice_id,
                    "account_id": self.account_id,
                    "amount_usd": self.money(),
                    "status": status,
                    "issued_at": issued_at,
                    "due_at": self.maybe(0.9, lambda: self.after(issued_at, 0, 14, 19, 20, 21, 30)),
                    "paid_at": None if self.chance(0.3) else paid_at,
                    "updated_at": self.maybe(0.8, lambda: self.after(issued_at, 0, 1, 30)),
                }

            first = row()
            self.invoices.append(first)
            self.put("billing/invoices", first, again=row)

    def _payments(self) -> None:
        bills = [None, *(invoice["invoice_id"] for invoice in self.invoices)]
        for number in range(self.pick(0, 0, 1, 2, 3, 6)):

            def row(number: int = number) -> Row:
                return {
                    "payment_id": f"pay-{self.account_id}-{number + 8}",
                    "invoice_id": self.pick(bills[-1], *bills),
                    "account_id": self.account_id,
                    "amount_usd": self.money(),
                    "status": self.pick("failed", "failed", "succeeded", "refunded"),
                    "failure_code": self.pick(None, "card_declined"),
                    "attempted_at": self.pick(self._shared(10), self.moment(oldest=60)),
                }

            self.put("billing/payments", row(), again=row)

    def _events(self) -> None:
        number = 0
        quiet = self.pick(0, 0, 0, 13, 14, 20, 21, 29, 30, 31)
        names = [*self.seeds.product_events, "something_new"]
        names += [self.pick(*_spellings_of(name)) for name in self.rng.sample(names, 3)]
        rng_ages = [age for age in _AGES if age >= quiet]
        bursts: dict[str, list[datetime]] = defaultdict(list)
        for name in names:
            if self.chance(0.5):
                bursts[name] = [self.at(self.rng.choice(rng_ages)) for _ in range(self.pick(1, 1, 2, 4))]
        if self.chance(0.5):
            before, now = self.pick((1, 2), (2, 4), (3, 5), (2, 3), (4, 1), (0, 2), (10, 12), (3, 4))
            name = self.pick(*(n for n, e in self.seeds.product_events.items() if e.is_premium), "login")
            bursts[name] += [self.at(self.pick(14, 20, 27)) for _ in range(before)]
            bursts[name] += [self.at(self.pick(0, 5, 13)) for _ in range(now)]
        if self.chance(0.3):
            bursts[self.pick(*names)].append(self.at(self.pick(-1, -2)))
        for name, moments in bursts.items():
            for moment in moments:
                number += 1
                self._event(f"eve-{self.account_id}-{number}", name, moment)

    def _event(self, event_id: str, name: str, moment: datetime) -> None:
        def row(name: str = name, moment: datetime = moment) -> Row:
            return {
                "event_id": event_id,
                "account_id": self.account_id,
                "user_id": self.pick("u1", "u2", "u3", "u4", "u5", "Bot-1", None),
                "event_name": name,
                "occurred_at": moment,
                "properties": self.pick(None, '{"page": "home", "n": 1}'),
            }

        def again() -> Row:
            return row(self.pick(name, *self.seeds.product_events), self.moment(oldest=390))

        self.put("product/events", row(), again=again if self.changed_events else None)

    def _text(self) -> str:
        name = self.rng.choice(self.seeds.competitors or ("nobody",))
        texts = [
            "All is well.",
            'It says "cannot load",\nthen stops; see the log, please',
            f"We look at {name} now",
            f"{name.upper()}: cheaper?",
            f"we like {name.lower()}, and\n{name}",
            f"the {name}s of this world",
            f"my_{name} and {name}_x and 9{name} and {name}9",
            f"é{name} {name}é",
            f"({name})",
            name,
        ]
        return self.rng.choice(texts)

    def _tickets(self) -> None:
        for number in range(self.pick(0, 0, 1, 2, 4)):

            def row(number: int = number) -> Row:
                opened_at = self.moment(oldest=200)
                day = timedelta(hours=24)
                spent = self.pick(
                    None, None, _MINUTE, day - _MINUTE, day, day + timedelta(seconds=1), 5 * day, 30 * day
                )
                return {
                    "ticket_id": f"tic-{self.account_id}-{number}",
                    "account_id": self.account_id,
                    "contact_id": self._contact(),
                    "status": self.pick("open", "closed", None),
                    "priority": self.pick("low", "normal", "high", "urgent", None),
                    "sentiment": self.maybe(0.7, lambda: Decimal(self.pick("-1", "-0.25", "0", "0.3", "1"))),
                    "subject": self.maybe(0.8, self._text),
                    "body": self.maybe(0.8, self._text),
                    "opened_at": opened_at,
                    "resolved_at": None if spent is None else opened_at + spent,
                    "updated_at": self.maybe(0.8, lambda: self.after(opened_at, 0, 1, 5)),
                }

            self.put("support/tickets", row(), again=row)

    def _messages(self) -> None:
        bills = [None, *(invoice["invoice_id"] for invoice in self.invoices)]
        for number in range(self.pick(0, 1, 3, 5)):

            def row(number: int = number) -> Row:
                kind = self.pick(
                    "onboarding", "feature", "billing_reminder", "billing_reminder", "newsletter", "survey"
                )
                sent_at = self.at(self.pick(-1, 0, 5, 6, 7, 8, 20, 29, 30))
                if kind == "billing_reminder" and self.chance(0.15):
                    sent_at = self._shared(20)
                opened_at = self.maybe(0.5, lambda: self.after(sent_at, 0, 1, 7))
                is_clicked = opened_at is not None and self.chance(0.5)
                return {
                    "message_id": f"mes-{self.account_id}-{number}",
                    "account_id": self.account_id,
                    "contact_id": self._contact(),
                    "kind": kind,
                    "invoice_id": self.pick(*bills) if kind == "billing_reminder" else None,
                    "sent_at": sent_at,
                    "opened_at": opened_at,
                    "clicked_at": self.after(opened_at, 0, 1, 8) if is_clicked else None,
                    "updated_at": self.maybe(0.8, lambda: self.after(sent_at, 0, 1, 9)),
                }

            self.put("comms/messages", row(), again=row)

    def _unpaid_story(self) -> None:
        """The last invoice failed, and the reminder lies on one side or the other of its 7 days."""
        issued_at = self.at(self.pick(0, 7, 8)) if self.chance(0.2) else self.at(self.pick(9, 20))
        invoice_id = f"inv-{self.account_id}-unpaid"
        self.put(
            "billing/invoices",
            {
                "invoice_id": invoice_id,
                "account_id": self.account_id,
                "amount_usd": self.money(),
                "status": self.pick("open", "open", "uncollectible"),
                "issued_at": issued_at,
                "paid_at": self.maybe(0.2, lambda: max(issued_at, self.at(self.pick(-1, 0)))),
            },
        )
        for number, status in enumerate(
            self.pick(("failed",), ("succeeded", "failed"), ("failed", "refunded"))
        ):
            attempted_at = self.pick(issued_at, issued_at + number * _MINUTE)
            self.put(
                "billing/payments",
                {
                    "payment_id": f"pay-{self.account_id}-unpaid-{number}",
                    "invoice_id": invoice_id,
                    "account_id": self.account_id,
                    "status": status,
                    "attempted_at": attempted_at,
                },
            )
        sent_at = max(issued_at, self.at(self.pick(6, 7, 7, 8)))
        clicked_at = self.maybe(0.3, lambda: max(sent_at, self.at(self.pick(-1, 0, 5))))
        self.put(
            "comms/messages",
            {
                "message_id": f"mes-{self.account_id}-unpaid",
                "account_id": self.account_id,
                "kind": "billing_reminder",
                "invoice_id": self.pick(None, invoice_id),
                "sent_at": sent_at,
                "opened_at": clicked_at,
                "clicked_at": clicked_at,
            },
        )

    def _clicks_story(self) -> None:
        """Onboarding mail of which about half is opened, and one to three clicks on features."""
        kinds = ["onboarding", "onboarding", *["feature"] * self.pick(1, 2, 3)]
        for number, kind in enumerate(kinds):
            is_opened = kind == "feature" or self.chance(0.5)
            sent_at = self.at(self.pick(1, 20, 29, 30))
            self.put(
                "comms/messages",
                {
                    "message_id": f"mes-{self.account_id}-clicks-{number}",
                    "account_id": self.account_id,
                    "kind": kind,
                    "sent_at": sent_at,
                    "opened_at": sent_at if is_opened else None,
                    "clicked_at": self.after(sent_at, 0, 1) if kind == "feature" else None,
                },
            )

    def orphans(self) -> None:
        """One row in each big feed whose account never came: it waits, and counts nowhere."""
        for feed, rows in self.feeds.items():
            if feed in {"crm/accounts", "crm/owners"} or len(rows) < 20:
                continue
            lost = {**self.rng.choice(rows), "account_id": "acc-nobody-knows"}
            lost[COLUMNS[feed][0]] = f"{lost[COLUMNS[feed][0]]}-lost"
            rows.append(lost)


def random_company(
    seed: int, accounts: int, as_of: date, *, seeds: Seeds | None = None, changed_events: bool = True
) -> dict[str, list[Row]]:
    """The feeds that scoring reads, of a company, in a random landing order; the same for the same arguments.

    `seeds` gives the names of plans, events and competitors. `changed_events`: an event may land again under
    its id with another content (the last landed then counts); without it, they land again only as they were.
    """
    maker = _Maker(seed, as_of, seeds or default_seeds(), changed_events)
    maker.owners()
    for number in range(accounts):
        maker.account(number)
    maker.orphans()
    for rows in maker.feeds.values():
        maker.rng.shuffle(rows)
    _with_deletions(maker.feeds, seed, changed_events=changed_events)
    return maker.feeds


def _with_deletions(feeds: dict[str, list[Row]], seed: int, *, changed_events: bool) -> None:
    """Some rows say that they are deleted, and help desks write their statuses in more than one way."""
    rng = random.Random(f"deletions {seed}")
    for row in feeds["crm/accounts"]:
        if rng.random() < 0.05:
            row["lifecycle_stage"] = rng.choice(("Lead", "Sales Qualified Lead", "FORMER_CUSTOMER", "leads"))
    for feed, rows in feeds.items():
        if feed == "crm/accounts" or (feed == "product/events" and not changed_events):
            continue
        for row in rows:
            row["is_deleted"] = True if rng.random() < 0.06 else rng.choice((False, None))
    for row in feeds["support/tickets"]:
        if rng.random() < 0.5:
            row["status"] = rng.choice(_TICKET_STATUSES)


def shift(feeds: Feeds, days: int) -> dict[str, list[Row]]:
    """The same company, all its times moved by whole days."""
    by = timedelta(days=days)
    return {
        feed: [{k: v + by if isinstance(v, date) else v for k, v in row.items()} for row in rows]
        for feed, rows in feeds.items()
    }


def safely_shuffled(feeds: Feeds, seed: int) -> dict[str, list[Row]]:
    """Another landing order that means the same: the rows of one key (or subscription) keep theirs."""
    rng = random.Random(seed)
    result: dict[str, list[Row]] = {}
    for feed, rows in feeds.items():
        order = list(rows)
        rng.shuffle(order)
        waiting: dict[Any, list[Row]] = defaultdict(list)
        for row in reversed(rows):
            waiting[_identity(feed, row)].append(row)
        result[feed] = [waiting[_identity(feed, row)].pop() for row in order]
    return result


def _identity(feed: str, row: Row) -> tuple[Any, ...]:
    key = ("source", "source_account_id") if feed == "crm/identities" else COLUMNS[feed][:1]
    return tuple(row[column] for column in key)


# ---------------------------------------------------------------------------------------------- files

_DATES = {"due_date", "valid_from", "valid_to", "card_expires_on"}
_BOOLEANS = {"is_deleted", "is_active", "marketing_consent", "is_automated", "cancel_at_period_end"}
_DECIMALS = {"arr_usd", "mrr_usd", "amount_usd", "sentiment", "score", "target"}


def write(feeds: Feeds, folder: Path, *, shuffle_seed: int | None = None, files: int = 3) -> None:
    """Write `<folder>/<source>/<feed>/part-NNN.*`, CSV, gzipped NDJSON and Parquet in turn.

    Rows keep their order over the files in the order of the names, so that ties are settled as in memory. A
    `shuffle_seed` changes the order and the split, never the order within a key. A feed with no rows becomes
    a header alone; a feed that `feeds` lacks has no folder.
    """
    ordered = feeds if shuffle_seed is None else safely_shuffled(feeds, shuffle_seed)
    for turn, (feed, rows) in enumerate(sorted(ordered.items())):
        home = folder / feed
        home.mkdir(parents=True, exist_ok=True)
        if not rows:
            _write_csv(home / "part-000.csv", COLUMNS[feed], [])
            continue
        size = -(-len(rows) // files)
        for part, start in enumerate(range(0, len(rows), size)):
            chunk = rows[start : start + size]
            turned = (turn + part) % len(COLUMNS[feed])
            columns = (*COLUMNS[feed][turned:], *COLUMNS[feed][:turned])
            suffix, writer = _FORMATS[(turn + part) % len(_FORMATS)]
            writer(home / f"part-{part:03d}{suffix}", columns, chunk)


def _moment_text(moment: datetime, form: int) -> str:
    """ISO 8601 in the forms that extracts come in: without an offset, with Z, with another offset."""
    if form == 0:
        return moment.isoformat(sep=" ")
    aware = moment.replace(tzinfo=UTC)
    if form == 1:
        return aware.isoformat().replace("+00:00", "Z")
    return aware.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()


def _cell(value: Any, number: int) -> Any:
    if isinstance(value, datetime):
        return _moment_text(value, number % 3)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_cell(row.get(c), number) for c in columns] for number, row in enumerate(rows))


def _json_value(value: Any, number: int) -> Any:
    if isinstance(value, datetime):
        return _moment_text(value, number % 3)
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def _write_ndjson(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="\n") as file:
        for number, row in enumerate(rows):
            line = {c: _json_value(row.get(c), number) for c in columns}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _arrow_type(column: str) -> pa.DataType:
    if column in _DATES:
        return pa.date32()
    if column in _BOOLEANS:
        return pa.bool_()
    if column in _DECIMALS:
        return pa.decimal128(18, 6)
    if column == "seats":
        return pa.int64()
    is_time = column.endswith("_at") or column == "current_period_end"
    return pa.timestamp("us") if is_time else pa.string()


def _write_parquet(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    schema = pa.schema([(column, _arrow_type(column)) for column in columns])
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), path)


_FORMATS: tuple[tuple[str, Callable[[Path, Sequence[str], Sequence[Row]], None]], ...] = (
    (".csv", _write_csv),
    (".ndjson.gz", _write_ndjson),
    (".parquet", _write_parquet),
)


def rows_per_feed(feeds: Mapping[str, Sequence[Row]]) -> dict[str, int]:
    """How many rows each feed holds, repeats included."""
    return {feed: len(rows) for feed, rows in feeds.items()}
