"""Signals, rules, score and decision of the contract, read letter by letter and computed row by row.

What belongs here: the meaning of the feeds and of the reference data, in exact arithmetic. What does not:
files, tables, speed. Nothing here may come from the dbt project, so that the two can disagree.

Where the contract leaves a choice, the function that makes it says so in its docstring.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

Row = dict[str, Any]
Feeds = Mapping[str, Sequence[Row]]
Number = Fraction | int

KEYS: dict[str, tuple[str, ...]] = {
    "crm/accounts": ("account_id",),
    "crm/owners": ("owner_id",),
    "crm/contacts": ("contact_id",),
    "crm/touchpoints": ("touchpoint_id",),
    "crm/milestones": ("milestone_id",),
    "crm/goals": ("goal_id",),
    "crm/pulses": ("pulse_id",),
    "crm/overrides": ("override_id",),
    "crm/identities": ("source", "source_account_id"),
    "billing/subscriptions": ("subscription_id", "updated_at"),
    "billing/invoices": ("invoice_id",),
    "billing/payments": ("payment_id",),
    "product/events": ("event_id", "account_id"),  # events of different accounts are never one
    "support/tickets": ("ticket_id",),
    "comms/messages": ("message_id",),
    "feedback/surveys": ("response_id",),
}

_EVENTS, _TICKETS = "product/events", "support/tickets"
_SUBSCRIPTIONS, _INVOICES, _PAYMENTS = "billing/subscriptions", "billing/invoices", "billing/payments"
_MESSAGES, _TOUCHPOINTS, _SURVEYS = "comms/messages", "crm/touchpoints", "feedback/surveys"

# The oracle's own reading of the end of section 3; `load_seeds` takes the catalogue instead.
FAMILIES: dict[str, dict[str, tuple[str, ...]]] = {
    "usage": {
        "days_since_login": (_EVENTS,),
        "logins_7d": (_EVENTS,),
        "logins_30d": (_EVENTS,),
        "active_days_7d": (_EVENTS,),
        "active_days_30d": (_EVENTS,),
        "active_users_30d": (_EVENTS,),
        "seat_utilization_30d_pct": (_EVENTS, _SUBSCRIPTIONS),
        "usage_trend_14d_pct": (_EVENTS,),
    },
    "adoption": {
        "days_since_key_feature": (_EVENTS,),
        "key_features_used_90d": (_EVENTS,),
        "adoption_milestones": (_EVENTS,),
        "advanced_events_30d": (_EVENTS,),
        "premium_usage_14d_pct": (_EVENTS,),
    },
    "support": {
        "open_tickets": (_TICKETS,),
        "open_urgent_tickets": (_TICKETS,),
        "tickets_30d": (_TICKETS,),
        "fast_resolutions_30d": (_TICKETS,),
        "median_resolution_90d_hours": (_TICKETS,),
        "ticket_sentiment_30d": (_TICKETS,),
        "competitor_mentions_30d": (_TICKETS,),
    },
    "billing": {
        "failed_payments_30d": (_PAYMENTS,),
        "is_last_invoice_failed": (_INVOICES, _PAYMENTS),
        "overdue_invoices": (_INVOICES,),
        "days_past_due": (_INVOICES,),
        "is_downgraded_90d": (_SUBSCRIPTIONS,),
        "seats_change_14d_pct": (_SUBSCRIPTIONS,),
        "days_to_renewal": (_SUBSCRIPTIONS,),
        "days_to_card_expiry": (_SUBSCRIPTIONS,),
        "is_paid_plan": (_SUBSCRIPTIONS,),
        "mrr_usd": (_SUBSCRIPTIONS,),
    },
    "comms": {
        "onboarding_open_rate_30d_pct": (_MESSAGES,),
        "feature_clicks_30d": (_MESSAGES,),
        "is_reminder_unclicked_7d": (_MESSAGES, _INVOICES),
    },
    "relationship": {
        "days_since_reply": (_TOUCHPOINTS,),
        "days_since_contact": (_TOUCHPOINTS,),
        "active_stakeholders_90d": (_TOUCHPOINTS,),
        "has_active_champion": ("crm/contacts",),
    },
    "value": {
        "overdue_milestones": ("crm/milestones",),
        "milestones_met_pct": ("crm/milestones",),
    },
    "sentiment": {
        "nps_latest": (_SURVEYS,),
        "csat_90d": (_SURVEYS,),
        "pulse_latest": ("crm/pulses",),
    },
}
SIGNAL_FEEDS: dict[str, tuple[str, ...]] = {
    signal: feeds for family in FAMILIES.values() for signal, feeds in family.items()
}

# Signals that can be below zero; every other one is a count, an age, an amount or a rating.
_SIGNED = {"usage_trend_14d_pct", "premium_usage_14d_pct", "seats_change_14d_pct", "ticket_sentiment_30d"}

_LIVE = {"trialing", "active", "past_due"}

# Ticket statuses by meaning, as the contract lists them; case and spacing make no difference.
_CLOSED = {"closed", "solved", "resolved", "deleted", "merged", "spam"}
_OPEN = {"new", "open", "pending", "onhold", "reopened"}

# Lifecycle stages whose accounts are no customers, as the contract ships them.
_NOT_CUSTOMERS = frozenset(
    [
        "subscriber",
        "lead",
        "marketingqualifiedlead",
        "salesqualifiedlead",
        "opportunity",
        "prospect",
        "churned",
        "formercustomer",
    ]
)
_OVERRIDE_DAYS = 30
_RANKS = {"at_risk": 0, "watch": 1, "healthy": 2}


# ------------------------------------------------------------------------------------------ reference data


@dataclass(frozen=True)
class Plan:
    plan_id: str
    is_paid: bool | None = None
    rank: int | None = None


@dataclass(frozen=True)
class ProductEvent:
    event_name: str
    is_login: bool = False
    is_key_feature: bool = False
    is_premium: bool = False
    is_advanced: bool = False
    milestone: str | None = None


@dataclass(frozen=True)
class RuleSet:
    rule_set: str
    status: str
    base_score: Decimal
    watch_from: Decimal
    healthy_from: Decimal
    smoothing_days: int | None = None

    def bucket(self, score: Number) -> str:
        """Bounds are closed below."""
        if score >= _exact(self.healthy_from):
            return "healthy"
        return "watch" if score >= _exact(self.watch_from) else "at_risk"


@dataclass(frozen=True)
class Rule:
    rule_set: str
    rule_id: str
    segment: str | None
    effect: str
    points: Decimal | None = None
    per_unit: bool = False
    max_points: Decimal | None = None
    bucket: str | None = None
    flag: str | None = None
    needs_review: bool = False
    renewal_within_days: int | None = None
    renewal_factor: Decimal | None = None


@dataclass(frozen=True)
class Condition:
    rule_set: str
    rule_id: str
    segment: str | None
    position: int
    signal: str
    operator: str
    threshold: Decimal
    when_null: str | None = None


@dataclass(frozen=True)
class Seeds:
    """Reference data as people keep it; `signals` names the feeds that each signal needs."""

    plans: Mapping[str, Plan]
    product_events: Mapping[str, ProductEvent]
    competitors: tuple[str, ...]
    signals: Mapping[str, tuple[str, ...]]
    rule_sets: Mapping[str, RuleSet]
    rules: tuple[Rule, ...]
    rule_conditions: tuple[Condition, ...]
    not_customers: frozenset[str] = _NOT_CUSTOMERS
    excluded: tuple[tuple[str, str], ...] = ()  # kind and value
    fx_rates: tuple[tuple[str, date, Decimal], ...] = ()  # currency, the first day, USD for one unit

    def usd(self, amount: Decimal | None, currency: str, day: date) -> Fraction | None:
        """Of an amount of the day by the last rate that began by then; nothing is nothing in any currency."""
        if amount is None or currency == "USD" or amount == 0:
            return None if amount is None else _exact(amount)
        rates = {begins: rate for code, begins, rate in self.fx_rates if code == currency and begins <= day}
        return _exact(amount) * _exact(rates[max(rates)]) if rates else None


def load_seeds(folder: Path, fallback: Path | None = None) -> Seeds:
    """Read the CSV files of `folder`; one that it lacks is taken from `fallback`."""

    def read(name: str, *, is_optional: bool = False) -> list[dict[str, str | None]]:
        path = folder / f"{name}.csv"
        if not path.exists() and fallback is not None:
            path = fallback / f"{name}.csv"
        if is_optional and not path.exists():
            return []
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [{k: (v or "").strip() or None for k, v in row.items()} for row in csv.DictReader(file)]

    plans = {
        text(row, "plan_id"): Plan(text(row, "plan_id"), _flag(row.get("is_paid")), _whole(row.get("rank")))
        for row in read("plans")
    }
    events = {
        text(row, "event_name"): ProductEvent(
            text(row, "event_name"),
            _flag(row.get("is_login")) is True,
            _flag(row.get("is_key_feature")) is True,
            _flag(row.get("is_premium")) is True,
            _flag(row.get("is_advanced")) is True,
            row.get("milestone"),
        )
        for row in read("product_events")
    }
    rule_sets = {
        text(row, "rule_set"): RuleSet(
            text(row, "rule_set"),
            text(row, "status"),
            Decimal(text(row, "base_score")),
            Decimal(text(row, "watch_from")),
            Decimal(text(row, "healthy_from")),
            _whole(row.get("smoothing_days")),
        )
        for row in read("rule_sets")
    }
    rules = tuple(
        Rule(
            text(row, "rule_set"),
            text(row, "rule_id"),
            row.get("segment"),
            text(row, "effect"),
            _decimal(row.get("points")),
            _flag(row.get("per_unit")) is True,
            _decimal(row.get("max_points")),
            row.get("bucket"),
            row.get("flag"),
            _flag(row.get("needs_review")) is True,
            _whole(row.get("renewal_within_days")),
            _decimal(row.get("renewal_factor")),
        )
        for row in read("rules")
    )
    conditions = tuple(
        Condition(
            text(row, "rule_set"),
            text(row, "rule_id"),
            row.get("segment"),
            int(text(row, "position")),
            text(row, "signal"),
            text(row, "operator"),
            Decimal(text(row, "threshold")),
            (row.get("when_null") or "").lower() or None,
        )
        for row in read("rule_conditions")
    )
    return Seeds(
        plans=plans,
        product_events=events,
        competitors=tuple(text(row, "name") for row in read("competitors")),
        signals={text(row, "signal"): tuple(text(row, "feeds").split()) for row in read("signals")},
        rule_sets=rule_sets,
        rules=rules,
        rule_conditions=conditions,
        not_customers=frozenset(
            _letters(text(row, "lifecycle_stage")) for row in read("not_customers", is_optional=True)
        )
        or _NOT_CUSTOMERS,
        excluded=tuple(
            (text(row, "kind"), text(row, "value").lower()) for row in read("excluded", is_optional=True)
        ),
        fx_rates=tuple(
            (
                text(row, "currency").upper(),
                date.fromisoformat(text(row, "valid_from")),
                Decimal(text(row, "usd_per_unit")),
            )
            for row in read("fx_rates", is_optional=True)
        ),
    )


def _letters(word: str) -> str:
    return "".join(c for c in word.lower() if c.isalpha())


def text(row: Mapping[str, str | None], column: str) -> str:
    """A value that must be there."""
    value = row.get(column)
    if value is None:
        raise ValueError(f"{column} is empty in {dict(row)}")
    return value


def _flag(value: str | None) -> bool | None:
    return None if value is None else value.lower() in {"true", "t", "1", "yes"}


def _whole(value: str | None) -> int | None:
    return None if value is None else int(value)


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


# ------------------------------------------------------------------------------------------------- results


class RuleResult(NamedTuple):
    """`result` is true, false, unknown or off; an unbounded end of the points is infinite.

    The ends of a true rule differ where its weight hangs on an unknown renewal.
    """

    result: str
    points: float
    points_low: float
    points_high: float


@dataclass(frozen=True)
class SetResult:
    """What one rule set says about one account; `bucket` is the model's, before any override."""

    score: float
    low: float
    high: float
    bucket: str
    decision: str
    flags: frozenset[str]
    needs_review: bool
    rules: Mapping[str, RuleResult]


@dataclass(frozen=True)
class AccountResult:
    """One account on one day. Unscored accounts (`why_not` says why) carry nothing else."""

    scored: bool
    why_not: str | None = None
    signals: Mapping[str, float | None] = field(default_factory=dict)
    exact: Mapping[str, Fraction | None] = field(default_factory=dict)
    known: Mapping[str, bool] = field(default_factory=dict)
    rules: Mapping[tuple[str, str], RuleResult] = field(default_factory=dict)
    sets: Mapping[str, SetResult] = field(default_factory=dict)
    champion: SetResult | None = None
    override: str | None = None

    def _of_champion(self) -> SetResult:
        if self.champion is None:
            raise LookupError("the account is not scored on this day, or no rule set is champion")
        return self.champion

    @property
    def score(self) -> float:
        return self._of_champion().score

    @property
    def low(self) -> float:
        return self._of_champion().low

    @property
    def high(self) -> float:
        return self._of_champion().high

    @property
    def bucket(self) -> str:
        return self._of_champion().bucket

    @property
    def decision(self) -> str:
        return self._of_champion().decision

    @property
    def flags(self) -> frozenset[str]:
        return self._of_champion().flags

    @property
    def needs_review(self) -> bool:
        return self._of_champion().needs_review

    @property
    def final_bucket(self) -> str:
        """A live override replaces the bucket, never the score."""
        return self.override or self.bucket


# ------------------------------------------------------------------------------------------------ versions


def newest(rows: Iterable[Row], key: tuple[str, ...], as_of: date) -> list[Row]:
    """The newest version per key: greatest updated_at (a null one is the oldest), then the last landed.

    A deleted one counts until its updated_at. A deletion that does not say from when, and landed last, ends
    the fact for all days, also where an older version does have an updated_at.
    """
    held: dict[tuple[Any, ...], Row] = {}
    last: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        identity = tuple(row[column] for column in key)
        last[identity] = row
        old = held.get(identity)
        if old is None or _stamp(row) >= _stamp(old):
            held[identity] = row
    return [
        row
        for identity, row in held.items()
        if not _is_gone(last[identity]) and not (row.get("is_deleted") and _stamp(row) < _end(as_of))
    ]


def _is_gone(row: Row) -> bool:
    """Deleted, and nobody says since when."""
    return bool(row.get("is_deleted")) and row.get("updated_at") is None


def _stamp(row: Row) -> datetime:
    stamp: datetime | None = row.get("updated_at")
    return datetime.min if stamp is None else stamp


def account_as_of(versions: Sequence[Row], as_of: date) -> Row:
    """The account's version at the end of the day, else its first; among equal times the last landed."""

    def stamp(row: Row) -> Any:
        return row.get("updated_at") or row["created_at"]

    end = _end(as_of)
    past = [row for row in versions if stamp(row) < end]
    wanted = max(map(stamp, past)) if past else min(map(stamp, versions))
    return [row for row in versions if stamp(row) == wanted][-1]


def subscription_as_of(versions: Sequence[Row], as_of: date) -> Row | None:
    """The subscription's version at the end of the day, else its first; none from a deletion on.

    A first version that is already canceled counts as active before it, until canceled_at (or, where that is
    empty, until the version itself), and where it was to end with a period that ends after canceled_at, until
    the end of that. From the version on its status is the state: the exception is for the days before it.
    """
    by_time = {row["updated_at"]: row for row in versions}
    past = [stamp for stamp in by_time if stamp < _end(as_of)]
    first = by_time[min(by_time)]
    in_force = by_time[max(past)] if past else first
    if past and in_force.get("is_deleted"):
        return None
    if in_force is first and first["status"] == "canceled":
        asked, period_end = first.get("canceled_at"), first.get("current_period_end")
        until = asked or first["updated_at"]
        if first.get("cancel_at_period_end") and asked and period_end and period_end > asked:
            until = period_end
        if not past and as_of < until.date():
            return {**first, "status": "active"}
    return in_force


def _end(day: date) -> datetime:
    """The first moment that the day does not see."""
    return datetime.combine(day, time()) + timedelta(days=1)


def _exact(value: Decimal | int) -> Fraction:
    return Fraction(value)


# ------------------------------------------------------------------------------------ one account, one day


def _is_heard_from(touchpoint: Row) -> bool:
    return touchpoint["direction"] == "inbound" or touchpoint["channel"] == "meeting"


@dataclass
class _Account:
    """All that is known of one account, and the signals that follow from it on one day."""

    seeds: Seeds
    day: date
    versions: list[Row] = field(default_factory=list)
    subscriptions: dict[str, list[Row]] = field(default_factory=dict)  # all versions of those it ever held
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    payments_by_invoice: Mapping[str, list[Row]] = field(default_factory=dict)
    account_id: str = ""

    # -- time

    def by_day(self, moment: datetime | None) -> bool:
        return moment is not None and moment < _end(self.day)

    def within(self, moment: datetime | None, days: int, *, ending: int = 0) -> bool:
        """In the window of `days` days that ends `ending` days before the as-of date."""
        if moment is None:
            return False
        last = self.day - timedelta(days=ending)
        return last - timedelta(days=days - 1) <= moment.date() <= last

    def days_since(self, moments: Iterable[datetime]) -> int:
        past = [moment.date() for moment in moments if self.by_day(moment)]
        last = max(past) if past else self.row["created_at"].date()
        return (self.day - last).days

    # -- state

    @property
    def row(self) -> Row:
        return account_as_of(self.versions, self.day)

    def held(self, day: date) -> list[Row]:
        """Subscriptions of this account that had started by `day`, as of `day`."""
        in_force = [subscription_as_of(versions, day) for versions in self.subscriptions.values()]
        return [
            s
            for s in in_force
            if s is not None and s["account_id"] == self.account_id and s["started_at"] < _end(day)
        ]

    def live(self, day: date | None = None) -> list[Row]:
        return [s for s in self.held(day or self.day) if s["status"] in _LIVE]

    def why_not_scored(self) -> str | None:
        row, held = self.row, self.held(self.day)
        if not self.by_day(row["created_at"]):
            return "not yet created"
        if row.get("is_deleted") or _is_gone(self.versions[-1]):
            return "deleted"
        if self._is_excluded():
            return "excluded"
        if held and all(s["status"] == "canceled" for s in held):
            return "churned"
        stage = _letters(row.get("lifecycle_stage") or "")
        if stage in self.seeds.not_customers and not self.live():
            return "not a customer"
        return None

    def _is_excluded(self) -> bool:
        domain = (self.row.get("domain") or "").lower()
        return any(
            self.account_id.lower() == value if kind == "account_id" else _is_under(domain, value)
            for kind, value in self.seeds.excluded
            if kind in {"account_id", "domain"}
        )

    def _is_user_excluded(self, user_id: str | None) -> bool:
        user = (user_id or "").strip().lower()
        return bool(user) and (
            ("user_id", user) in self.seeds.excluded
            or is_address_excluded(user, self.seeds.excluded)
            or any(kind == "bot" and _fits(user, value) for kind, value in self.seeds.excluded)
        )

    def is_stage_churned(self) -> bool:
        return (self.row.get("lifecycle_stage") or "").lower() == "churned"

    # -- usage and adoption

    def _events(self, kind: str | None = None) -> list[Row]:
        events = [
            e
            for e in self.rows[_EVENTS]
            if self.by_day(e["occurred_at"]) and not self._is_user_excluded(e.get("user_id"))
        ]
        if kind is None:
            return events
        return [e for e in events if getattr(self._meaning(e), kind)]

    def _meaning(self, event: Row) -> ProductEvent:
        return meaning_of(event["event_name"], self.seeds)

    def _event_count(self, days: int, kind: str | None = None, *, ending: int = 0) -> int:
        return sum(self.within(e["occurred_at"], days, ending=ending) for e in self._events(kind))

    def _event_trend(self, kind: str | None = None) -> Number:
        return change_pct(self._event_count(14, kind, ending=14), self._event_count(14, kind))

    def _active_days(self, days: int) -> int:
        return len({e["occurred_at"].date() for e in self._events() if self.within(e["occurred_at"], days)})

    def _active_users(self) -> int:
        users = {e.get("user_id") for e in self._events() if self.within(e["occurred_at"], 30)}
        return len(users - {None})

    def usage(self) -> dict[str, Number | None]:
        seats = seats_of(self.live())
        return {
            "days_since_login": self.days_since(e["occurred_at"] for e in self._events("is_login")),
            "logins_7d": self._event_count(7, "is_login"),
            "logins_30d": self._event_count(30, "is_login"),
            "active_days_7d": self._active_days(7),
            "active_days_30d": self._active_days(30),
            "active_users_30d": self._active_users(),
            "seat_utilization_30d_pct": Fraction(100 * self._active_users(), seats) if seats else None,
            "usage_trend_14d_pct": self._event_trend(),
        }

    def adoption(self) -> dict[str, Number | None]:
        key_features = self._events("is_key_feature")
        recent = [e for e in key_features if self.within(e["occurred_at"], 90)]
        return {
            "days_since_key_feature": self.days_since(e["occurred_at"] for e in key_features),
            "key_features_used_90d": len({self._meaning(e).event_name for e in recent}),
            "adoption_milestones": len({self._meaning(e).milestone for e in self._events()} - {None}),
            "advanced_events_30d": self._event_count(30, "is_advanced"),
            "premium_usage_14d_pct": self._event_trend("is_premium"),
        }

    # -- support

    def _resolution_times(self, days: int) -> list[timedelta]:
        """A ticket that was opened after the day does not exist yet, whatever its resolved_at says."""
        return [
            t["resolved_at"] - t["opened_at"]
            for t in self.rows[_TICKETS]
            if self.by_day(t["opened_at"])
            and self.within(t.get("resolved_at"), days)
            and _status_of(t) not in _OPEN
        ]

    def _is_open(self, ticket: Row) -> bool:
        """A status that is open or closed in meaning decides; of any other, or none, resolved_at does."""
        status, resolved_at = _status_of(ticket), ticket.get("resolved_at")
        if status in _OPEN:
            return True
        if status in _CLOSED and resolved_at is None:
            return False
        return not self.by_day(resolved_at)

    def support(self) -> dict[str, Number | None]:
        tickets = [t for t in self.rows[_TICKETS] if self.by_day(t["opened_at"])]
        still_open = [t for t in tickets if self._is_open(t)]
        recent = [t for t in tickets if self.within(t["opened_at"], 30)]
        comments = [s.get("comment") for s in self.rows[_SURVEYS] if self.within(s["responded_at"], 30)]
        texts = [f"{t.get('subject') or ''}\n{t.get('body') or ''}" for t in recent]
        hours = [_hours(spent) for spent in self._resolution_times(90)]
        return {
            "open_tickets": len(still_open),
            "open_urgent_tickets": sum(t.get("priority") == "urgent" for t in still_open),
            "tickets_30d": len(recent),
            "fast_resolutions_30d": sum(t <= timedelta(hours=24) for t in self._resolution_times(30)),
            "median_resolution_90d_hours": median(hours),
            "ticket_sentiment_30d": mean(t.get("sentiment") for t in recent),
            "competitor_mentions_30d": sum(
                any(names(text, competitor) for competitor in self.seeds.competitors)
                for text in [*texts, *(comment or "" for comment in comments)]
            ),
        }

    # -- billing

    def _invoices(self) -> list[Row]:
        return [
            i
            for i in self.rows[_INVOICES]
            if i["status"] not in {"draft", "void"} and self.by_day(i["issued_at"])
        ]

    def _last_invoice(self) -> Row | None:
        return max(self._invoices(), key=lambda i: (i["issued_at"], i["invoice_id"]), default=None)

    def _is_paid(self, invoice: Row) -> bool:
        paid_at = invoice.get("paid_at")
        return self.by_day(paid_at) or (paid_at is None and invoice["status"] == "paid")

    def _is_last_invoice_failed(self) -> int:
        invoice = self._last_invoice()
        if invoice is None or self._is_paid(invoice):
            return 0
        attempts = [
            p
            for p in self.payments_by_invoice.get(invoice["invoice_id"], [])
            if self.by_day(p["attempted_at"])
        ]
        latest = max(attempts, key=lambda p: (p["attempted_at"], p["payment_id"]), default=None)
        return int(latest is not None and latest["status"] == "failed")

    def _past_due(self) -> list[int]:
        return [
            (self.day - i["due_at"].date()).days
            for i in self._invoices()
            if i.get("due_at") is not None and i["due_at"].date() < self.day and not self._is_paid(i)
        ]

    def _revenue(self, subscription: Row) -> Fraction | None:
        """In USD by the rate of the day on which the subscription started; null where there is none."""
        started = subscription["started_at"].date()
        return self.seeds.usd(subscription.get("mrr_usd"), _currency(subscription), started)

    def _is_revenue_unknown(self, subscription: Row) -> bool:
        return subscription.get("mrr_usd") is not None and self._revenue(subscription) is None

    def unknown_signals(self) -> set[str]:
        """Those that an amount without a rate leaves open."""
        unknown = set()
        if any(map(self._is_revenue_unknown, self.live())):
            unknown.add("mrr_usd")
        if self._is_downgraded() is None:
            unknown.add("is_downgraded_90d")
        return unknown

    def _is_downgraded(self) -> int | None:
        """Account and day are the later version's; a rank or an amount that is missing decides nothing.

        Amounts of one currency are compared as they are. Null where one has no rate and nothing else decides.
        """
        is_open = False
        for versions in self.subscriptions.values():
            by_time = {v["updated_at"]: v for v in versions}
            states = [v for v in by_time.values() if not v.get("is_deleted")]
            in_order = sorted(states, key=lambda v: v["updated_at"])
            for old, new in pairwise(in_order):
                if new["account_id"] != self.account_id or not self.within(new["updated_at"], 90):
                    continue
                if _is_less(self._rank(new), self._rank(old)):
                    return 1
                if _currency(new) == _currency(old) != "XXX":
                    is_less = _is_less(new.get("mrr_usd"), old.get("mrr_usd"))
                else:
                    is_less = _is_less(self._revenue(new), self._revenue(old))
                    both = new.get("mrr_usd") is not None and old.get("mrr_usd") is not None
                    unknown = self._is_revenue_unknown(new) or self._is_revenue_unknown(old)
                    is_open = is_open or (both and unknown)
                if is_less:
                    return 1
        return None if is_open else 0

    def _rank(self, subscription: Row) -> int | None:
        plan = self.seeds.plans.get(subscription["plan_id"])
        return plan.rank if plan else None

    def _seats_change(self) -> Number | None:
        old = seats_of(self.live(self.day - timedelta(days=14)))
        if not old:
            return 0
        live = self.live()
        new = seats_of(live) if live else 0
        return None if new is None else change_pct(old, new)

    def _is_paid_plan(self) -> int | None:
        plans = [self.seeds.plans.get(s["plan_id"]) for s in self.live()]
        paid = [plan.is_paid if plan else None for plan in plans]
        if True in paid:
            return 1
        return None if None in paid else 0

    def _days_to(self, days: Iterable[date | None]) -> int | None:
        return min(
            ((day - self.day).days for day in days if day is not None and day >= self.day), default=None
        )

    def billing(self) -> dict[str, Number | None]:
        live, past_due = self.live(), self._past_due()
        ends = [s.get("current_period_end") for s in live]
        return {
            "failed_payments_30d": sum(
                p["status"] == "failed" and self.within(p["attempted_at"], 30) for p in self.rows[_PAYMENTS]
            ),
            "is_last_invoice_failed": self._is_last_invoice_failed(),
            "overdue_invoices": len(past_due),
            "days_past_due": max(past_due, default=0),
            "is_downgraded_90d": self._is_downgraded(),
            "seats_change_14d_pct": self._seats_change(),
            "days_to_renewal": self._days_to(end.date() if end else None for end in ends),
            "days_to_card_expiry": self._days_to(s.get("card_expires_on") for s in live),
            "is_paid_plan": self._is_paid_plan(),
            "mrr_usd": sum((self._revenue(s) or Fraction() for s in live), Fraction()),
        }

    # -- comms

    def _is_reminder_unclicked(self) -> int:
        """Of several such reminders one that was never clicked is enough."""
        invoice = self._last_invoice()
        if invoice is None or self._is_paid(invoice):
            return 0
        reminders = [
            m
            for m in self.rows[_MESSAGES]
            if m["kind"] == "billing_reminder"
            and m["sent_at"].date() <= self.day - timedelta(days=7)
            and (
                m["sent_at"] > invoice["issued_at"]
                if m.get("invoice_id") is None
                else m["invoice_id"] == invoice["invoice_id"]
            )
        ]
        return int(any(not self.by_day(m.get("clicked_at")) for m in reminders))

    def comms(self) -> dict[str, Number | None]:
        messages = self.rows[_MESSAGES]
        sent = [m for m in messages if m["kind"] == "onboarding" and self.within(m["sent_at"], 30)]
        opened = sum(self.by_day(m.get("opened_at")) for m in sent)
        return {
            "onboarding_open_rate_30d_pct": Fraction(100 * opened, len(sent)) if sent else None,
            "feature_clicks_30d": sum(
                m["kind"] == "feature" and self.within(m.get("clicked_at"), 30) for m in messages
            ),
            "is_reminder_unclicked_7d": self._is_reminder_unclicked(),
        }

    # -- relationship

    def relationship(self) -> dict[str, Number | None]:
        """Only replies and contacts leave automated touchpoints out; without the mark one is a person's."""
        personal = [t for t in self.rows[_TOUCHPOINTS] if not t.get("is_automated")]
        replies = [t for t in personal if _is_heard_from(t)]
        by_owner = [t for t in personal if t.get("owner_id") is not None]
        heard_from = {
            t.get("contact_id")
            for t in self.rows[_TOUCHPOINTS]
            if _is_heard_from(t) and self.within(t["occurred_at"], 90)
        }
        return {
            "days_since_reply": self.days_since(t["occurred_at"] for t in replies),
            "days_since_contact": self.days_since(t["occurred_at"] for t in by_owner),
            "active_stakeholders_90d": len(heard_from - {None}),
            "has_active_champion": int(any(self._is_champion(c) for c in self.rows["crm/contacts"])),
        }

    def _is_champion(self, contact: Row) -> bool:
        created_at = contact.get("created_at")
        return (
            contact.get("role") in {"champion", "sponsor"}
            and contact.get("is_active") is not False
            and (created_at is None or self.by_day(created_at))
        )

    # -- value and sentiment

    def value(self) -> dict[str, Number | None]:
        milestones = self.rows["crm/milestones"]
        late = [m for m in milestones if m["due_date"] < self.day and not self.by_day(m.get("completed_at"))]
        due = [m for m in milestones if m["due_date"] <= self.day]
        met = sum(self.by_day(m.get("completed_at")) for m in due)
        return {
            "overdue_milestones": len(late),
            "milestones_met_pct": Fraction(100 * met, len(due)) if due else None,
        }

    def sentiment(self) -> dict[str, Number | None]:
        surveys, pulses = self.rows[_SURVEYS], self.rows["crm/pulses"]
        nps = [s for s in surveys if s["kind"] == "nps" and self.within(s["responded_at"], 180)]
        csat = [s for s in surveys if s["kind"] == "csat" and self.within(s["responded_at"], 90)]
        recent = [p for p in pulses if self.within(p["recorded_at"], 90)]
        last_nps = max(nps, key=lambda s: (s["responded_at"], s["response_id"]), default=None)
        last_pulse = max(recent, key=lambda p: (p["recorded_at"], p["pulse_id"]), default=None)
        return {
            "nps_latest": _exact(last_nps["score"]) if last_nps else None,
            "csat_90d": mean(s["score"] for s in csat),
            "pulse_latest": _exact(last_pulse["sentiment"]) if last_pulse else None,
        }

    def all_signals(self) -> dict[str, Fraction | None]:
        families: list[Callable[[], dict[str, Number | None]]] = [
            self.usage,
            self.adoption,
            self.support,
            self.billing,
            self.comms,
            self.relationship,
            self.value,
            self.sentiment,
        ]
        return {
            name: None if value is None else Fraction(value)
            for family in families
            for name, value in family().items()
        }

    # -- people's say

    def goals(self) -> dict[str, Fraction]:
        """The account's own thresholds: per signal the newest valid_from (ties: greatest goal_id)."""
        best: dict[str, Row] = {}
        for goal in self.rows["crm/goals"]:
            begins, ends = goal.get("valid_from"), goal.get("valid_to")
            if (begins is not None and begins > self.day) or (ends is not None and ends < self.day):
                continue
            old = best.get(goal["signal"])
            if old is None or _goal_order(goal) > _goal_order(old):
                best[goal["signal"]] = goal
        return {signal: _exact(goal["target"]) for signal, goal in best.items()}

    def override(self) -> str | None:
        """The bucket of the latest override by the day (ties: greatest id), if it has not expired by its end.

        A later override supersedes an earlier one for good: the earlier does not come back when it expires.
        """
        made = [o for o in self.rows["crm/overrides"] if self.by_day(o["overridden_at"])]
        latest = max(made, key=lambda o: (o["overridden_at"], o["override_id"]), default=None)
        if latest is None:
            return None
        expires = latest.get("expires_at") or latest["overridden_at"] + timedelta(days=_OVERRIDE_DAYS)
        return str(latest["bucket"]) if expires.date() > self.day else None


def is_address_excluded(address: str, excluded: Iterable[tuple[str, str]]) -> bool:
    """Whether it is an e-mail address that is named, or that has a domain which is named or under one."""
    address = address.strip().lower()
    _, at, domain = address.partition("@")
    return bool(at) and any(
        (kind == "email" and address == value) or (kind == "email_domain" and _is_under(domain, value))
        for kind, value in excluded
    )


def excluded_contacts(versions: Iterable[Row], excluded: Collection[tuple[str, str]]) -> set[str]:
    """The ids of contacts of whom any version has an address that is left out."""
    return {
        row["contact_id"]
        for row in versions
        if row.get("email") and is_address_excluded(row["email"], excluded)
    }


def _fits(text: str, pattern: str) -> bool:
    """Whether the text is the pattern with any text for each asterisk."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def _is_under(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")


def _status_of(ticket: Row) -> str:
    """Its letters and digits alone, in small."""
    return "".join(c for c in (ticket.get("status") or "").lower() if c.isalnum())


def _goal_order(goal: Row) -> tuple[date, str]:
    return goal.get("valid_from") or date.min, goal["goal_id"]


def seats_of(subscriptions: Sequence[Row]) -> int | None:
    """The sum of the seats that are known; null where none is."""
    seats = [s["seats"] for s in subscriptions if s.get("seats") is not None]
    return sum(seats) if seats else None


def change_pct(old: int, new: int) -> Number:
    """Change in percent; 0 where there was nothing before."""
    return Fraction(100 * (new - old), old) if old else 0


def mean(values: Iterable[Decimal | int | None]) -> Fraction | None:
    known = [_exact(value) for value in values if value is not None]
    return sum(known, Fraction()) / len(known) if known else None


def median(values: Sequence[Fraction]) -> Fraction | None:
    """The middle value, or the mean of the two middle ones."""
    if not values:
        return None
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _hours(spent: timedelta) -> Fraction:
    return Fraction(spent // timedelta(microseconds=1), 3_600_000_000)


def _currency(row: Row) -> str:
    return (row.get("currency") or "USD").upper()


def _is_less(new: Decimal | Fraction | int | None, old: Decimal | Fraction | int | None) -> bool:
    return new is not None and old is not None and new < old


def names(text: str, competitor: str) -> bool:
    """Whether the text holds the name as a whole word: no letter, digit or underscore touches it."""
    for match in re.finditer(f"(?={re.escape(competitor)})", text, re.IGNORECASE):
        begin, end = match.start(), match.start() + len(competitor)
        if not _is_word(text[begin - 1 : begin]) and not _is_word(text[end : end + 1]):
            return True
    return False


def _is_word(character: str) -> bool:
    if not character:
        return False
    category = unicodedata.category(character)
    return character == "_" or category.startswith("L") or category == "Nd"


# ------------------------------------------------------------------------------------------------- scoring

_RANKS_OF_VALUES = {"lowest", "highest"}
_HOLDS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    ">=": lambda value, threshold: value >= threshold,
    ">": lambda value, threshold: value > threshold,
    "<=": lambda value, threshold: value <= threshold,
    "<": lambda value, threshold: value < threshold,
    "=": lambda value, threshold: value == threshold,
    "<>": lambda value, threshold: value != threshold,
}


@dataclass(frozen=True)
class _Input:
    """What scoring may read of one account: values, which are known, which off, its own thresholds."""

    values: Mapping[str, Fraction | None]
    known: Mapping[str, bool]
    off: frozenset[str]
    goals: Mapping[str, Fraction]
    segment: str | None
    is_conflict: bool
    is_customer_unknown: bool = False
    limits: Mapping[tuple[str, str, Decimal], Fraction | None] = field(default_factory=dict)

    def value(self, signal: str) -> Fraction | None:
        return self.values[signal] if self.known[signal] else None


class _Judged(NamedTuple):
    rule: Rule
    result: str
    points: Fraction
    low: Fraction | float
    high: Fraction | float


def rules_for(seeds: Seeds, rule_set: str, segment: str | None) -> list[Rule]:
    """The general rules and the segment's own; one of the segment replaces the general one of the same id."""
    applying = [r for r in seeds.rules if r.rule_set == rule_set and r.segment in {None, segment}]
    own = {r.rule_id for r in applying if r.segment is not None}
    return [r for r in applying if r.segment is not None or r.rule_id not in own]


def conditions_of(seeds: Seeds, rule: Rule) -> list[Condition]:
    """In the order of their positions; a rule without any is broken reference data."""
    identity = (rule.rule_set, rule.rule_id, rule.segment)
    found = [c for c in seeds.rule_conditions if (c.rule_set, c.rule_id, c.segment) == identity]
    if not found:
        raise ValueError(f"rule {identity} has no condition")
    return sorted(found, key=lambda c: c.position)


def _threshold(condition: Condition, given: _Input) -> Fraction:
    own = given.goals.get(condition.signal)
    return _exact(condition.threshold) if own is None else own


def _rank_limits(
    seeds: Seeds, customers: Sequence[_Input]
) -> dict[tuple[str, str, Decimal], Fraction | None]:
    """The limit of each rank: lowest or highest, so many percent of the customers that have a value.

    A customer is an account of which it is not known that it has no paid plan.
    From the worst customer on, the first value by which that many percent are reached. There is none with
    fewer than 20 values, nor where more than a fifth of the customers have that very value.
    """
    limits: dict[tuple[str, str, Decimal], Fraction | None] = {}
    for signal, operator, percent in {
        (c.signal, c.operator, c.threshold) for c in seeds.rule_conditions if c.operator in _RANKS_OF_VALUES
    }:
        values = [value for customer in customers if (value := customer.value(signal)) is not None]
        values.sort(reverse=operator == "highest")
        reached = next(
            (value for n, value in enumerate(values, start=1) if 100 * n >= _exact(percent) * len(values)),
            None,
        )
        is_none = len(values) < 20 or 5 * values.count(reached) > len(values)
        limits[signal, operator, percent] = None if is_none else reached
    return limits


def _test(condition: Condition, given: _Input) -> str:
    value = given.value(condition.signal)
    if value is None:
        return "false" if condition.when_null == "false" else "unknown"
    if condition.operator in _RANKS_OF_VALUES:
        limit = given.goals.get(
            condition.signal, given.limits[condition.signal, condition.operator, condition.threshold]
        )
        if limit is None:
            return "false"
        is_in = value <= limit if condition.operator == "lowest" else value >= limit
        return "true" if is_in else "false"
    return "true" if _HOLDS[condition.operator](value, _threshold(condition, given)) else "false"


def _judge(rule: Rule, conditions: Sequence[Condition], given: _Input) -> _Judged:
    if any(c.signal in given.off for c in conditions):
        return _Judged(rule, "off", Fraction(), Fraction(), Fraction())
    results = {_test(c, given) for c in conditions}
    result = next(r for r in ("false", "unknown", "true") if r in results)
    if result == "false" or rule.effect != "points":
        return _Judged(rule, result, Fraction(), Fraction(), Fraction())
    least, greatest = _potential(rule, conditions, given)
    weights = _weights(rule, given)
    if result == "true":
        every = [Fraction(least) * weight for weight in weights]
        return _Judged(rule, result, every[0], min(every), max(every))
    low = min(Fraction(), *(least * weight for weight in weights))
    return _Judged(rule, result, Fraction(), low, max(Fraction(), *(greatest * weight for weight in weights)))


def _weights(rule: Rule, given: _Input) -> list[Fraction]:
    """How many times the points may count; the first is what they are told with.

    Once with nothing to renew, and where the feed of the renewal is not used: there is nothing to weigh by.
    """
    if rule.renewal_factor is None or rule.renewal_within_days is None or "days_to_renewal" in given.off:
        return [Fraction(1)]
    if not given.known["days_to_renewal"]:
        return [Fraction(1), _exact(rule.renewal_factor)]
    days = given.value("days_to_renewal")
    is_near = days is not None and days <= rule.renewal_within_days
    return [_exact(rule.renewal_factor) if is_near else Fraction(1)]


def _potential(
    rule: Rule, conditions: Sequence[Condition], given: _Input
) -> tuple[Fraction | float, Fraction | float]:
    """The least and the greatest points of the rule, were it true.

    Per unit and without the value these are the bound `max_points`, or none, on each side that the value's
    sign allows: below zero only for signals that can be, and that the rule's own conditions let be.
    """
    points = _exact(rule.points or Decimal())
    if not rule.per_unit:
        return points, points
    bound = None if rule.max_points is None else abs(_exact(rule.max_points))
    value = given.value(conditions[0].signal)
    if value is not None:
        total = points * value
        if bound is not None:
            total = max(-bound, min(bound, total))
        return total, total
    reach: Fraction | float = float("inf") if bound is None else bound
    nothing = Fraction()
    above, below = _sides(conditions, given)
    if points == 0:
        return nothing, nothing
    if points < 0:
        above, below = below, above
    return (-reach if below else nothing), (reach if above else nothing)


def _sides(conditions: Sequence[Condition], given: _Input) -> tuple[bool, bool]:
    """Whether the first signal may be above zero, and below it, while its conditions hold."""
    signal = conditions[0].signal
    above, below = True, signal in _SIGNED
    for condition in (c for c in conditions if c.signal == signal):
        threshold = _threshold(condition, given)
        if condition.operator in {">=", ">", "="} and threshold >= 0:
            below = False
        if condition.operator in {"<=", "<", "="} and threshold <= 0:
            above = False
    return above, below


def score_set(seeds: Seeds, rule_set: RuleSet, given: _Input, earlier: Sequence[SetResult] = ()) -> SetResult:
    """Score, interval, bucket, decision and flags of one rule set.

    `earlier`: the account's results on the scored dates before, as many as the median of the bucket reads.
    """
    judged = [
        _judge(rule, conditions_of(seeds, rule), given)
        for rule in rules_for(seeds, rule_set.rule_set, given.segment)
    ]
    base = _exact(rule_set.base_score)
    score = _clamp(base + sum((j.points for j in judged), Fraction()))
    low = _clamp(base + sum((j.low for j in judged), Fraction()))
    high = _clamp(base + sum((j.high for j in judged), Fraction()))
    true = [j.rule for j in judged if j.result == "true"]
    unknown = [j.rule for j in judged if j.result == "unknown"]
    read_low = median([*(Fraction(one.low) for one in earlier), low])
    read_high = median([*(Fraction(one.high) for one in earlier), high])
    read = median([*(Fraction(one.score) for one in earlier), score])
    worst = _capped(rule_set.bucket(read_low), [*true, *unknown])
    best = _capped(rule_set.bucket(read_high), true)
    is_open = worst != best or given.is_customer_unknown
    decision = "conflict" if given.is_conflict else "undecided" if is_open else "decided"
    return SetResult(
        score=float(score),
        low=float(low),
        high=float(high),
        bucket=_capped(rule_set.bucket(read), true),
        decision=decision,
        flags=frozenset(r.flag for r in true if r.effect == "flag" and r.flag),
        needs_review=decision != "decided" or any(r.effect == "review" or r.needs_review for r in true),
        rules={
            j.rule.rule_id: RuleResult(j.result, float(j.points), float(j.low), float(j.high)) for j in judged
        },
    )


def _capped(bucket: str, rules: Iterable[Rule]) -> str:
    caps = [r.bucket for r in rules if r.effect in {"cap", "flag"} and r.bucket]
    return min([bucket, *caps], key=_RANKS.__getitem__)


def _clamp(score: Fraction | float) -> Fraction:
    return Fraction(max(Fraction(), min(Fraction(100), score)))


# ------------------------------------------------------------------------------------------- the whole day


def evaluate(
    feeds: Feeds,
    seeds: Seeds,
    as_of: date,
    feed_states: Mapping[str, str] | None = None,
    refused: Mapping[str, frozenset[str]] | None = None,
    earlier: Sequence[Mapping[str, AccountResult]] = (),
) -> dict[str, AccountResult]:
    """Every account that ever landed, on one day.

    `feeds`: rows in landing order, times naive in UTC, a missing column is null. `feed_states`: known,
    unknown or off per feed; one that is not named is known where `feeds` has it, else unknown. Rows of feeds
    that are not known are still read where no signal is concerned (who has churned, who is in conflict).
    `earlier`: the results of the scored dates before, oldest first: some buckets read a median.
    `refused`: account -> feeds of which its newest version was refused that day: unknown for it alone.
    """
    states = feed_states or {}
    state = {feed: states.get(feed, "known" if feed in feeds else "unknown") for feed in KEYS}
    accounts = _accounts(feeds, seeds, as_of)
    without_words = _signals_without_words(feeds, seeds, list(accounts.values()))
    without_marks = _signals_without_marks(seeds)
    known = {
        s: all(state[f] == "known" for f in needs) and s not in without_words and s not in without_marks
        for s, needs in seeds.signals.items()
    }
    off = without_marks | frozenset(
        s for s, needs in seeds.signals.items() if any(state[f] == "off" for f in needs)
    )
    claimed_twice = _claimed_twice(_with_account(feeds, "crm/identities"))
    scored = {
        account_id: _input_of(
            account, known, off, account_id in claimed_twice, (refused or {}).get(account_id, frozenset())
        )
        for account_id, account in accounts.items()
        if not account.why_not_scored()
    }
    customers = [given for given in scored.values() if given.value("is_paid_plan") != 0]
    limits = _rank_limits(seeds, customers)
    return {
        account_id: _evaluate_account(
            account, replace(scored[account_id], limits=limits), [day.get(account_id) for day in earlier]
        )
        if account_id in scored
        else AccountResult(scored=False, why_not=account.why_not_scored())
        for account_id, account in accounts.items()
    }


def meaning_of(name: str, seeds: Seeds) -> ProductEvent:
    """What an event name stands for: the seed of that name, else the one seed that is spelt alike.

    Two spellings are one name where they differ in case, accents and the signs between words alone. A sign
    between two figures is no such sign: 1.2 is not 12.
    """
    if name in seeds.product_events:
        return seeds.product_events[name]
    alike = [
        event for event in seeds.product_events.values() if _spelling(event.event_name) == _spelling(name)
    ]
    return alike[0] if len(alike) == 1 and _spelling(name) else ProductEvent(name)


def _spelling(name: str) -> str:
    """The runs of letters and figures, each run of signs between two figures as one blank."""
    plain = "".join(c for c in unicodedata.normalize("NFD", name.lower()) if not unicodedata.combining(c))
    spelling = ""
    is_after_sign = False
    for c in plain:
        if not c.isalnum():
            is_after_sign = True
            continue
        if is_after_sign and spelling and spelling[-1].isnumeric() and c.isnumeric():
            spelling += " "
        spelling += c
        is_after_sign = False
    return spelling


# What a product event can count as, and the signals that count it.
_MEASURES: dict[str, tuple[str, ...]] = {
    "is_login": ("days_since_login", "logins_7d", "logins_30d"),
    "is_key_feature": ("days_since_key_feature", "key_features_used_90d"),
    "is_premium": ("premium_usage_14d_pct",),
    "is_advanced": ("advanced_events_30d",),
    "milestone": ("adoption_milestones",),
}
_ROLES = {"champion", "sponsor", "admin", "user", "other"}
_PRIORITIES = {"low", "normal", "high", "urgent"}


def _signals_without_marks(seeds: Seeds) -> frozenset[str]:
    """Signals of measures that the reference data gives no event name: the company says it has none of it."""
    return frozenset(
        signal
        for mark, signals in _MEASURES.items()
        if not any(getattr(event, mark) for event in seeds.product_events.values())
        for signal in signals
    )


def _signals_without_words(feeds: Feeds, seeds: Seeds, accounts: Sequence[_Account]) -> set[str]:
    """Signals that count by words of which, over all accounts and by the day, some came and none is known."""
    unknown: set[str] = set()
    names = {
        meaning_of(e["event_name"], seeds).event_name
        for a in accounts
        for e in a.rows[_EVENTS]
        if a.by_day(e["occurred_at"])
    }
    for mark, signals in _MEASURES.items():
        marked = {name for name, event in seeds.product_events.items() if getattr(event, mark)}
        if names and not names & marked:
            unknown.update(signals)
    plans = {s["plan_id"] for a in accounts for s in a.live()}
    if plans and not plans & set(seeds.plans):
        unknown.add("is_paid_plan")
    tickets = [(a, t) for a in accounts for t in a.rows[_TICKETS] if a.by_day(t["opened_at"])]
    statuses = {_status_of(t) for _, t in tickets} - {""}
    is_any_resolved = any(a.by_day(t.get("resolved_at")) and not a._is_open(t) for a, t in tickets)
    if statuses and not statuses & (_OPEN | _CLOSED) and not is_any_resolved:
        unknown |= {"open_tickets", "open_urgent_tickets", "fast_resolutions_30d"}
        unknown.add("median_resolution_90d_hours")
    priorities = {t.get("priority") for _, t in tickets}
    if _is_any_strange(feeds, _TICKETS, "priority", _PRIORITIES) and not priorities & _PRIORITIES:
        unknown.add("open_urgent_tickets")
    roles = {
        c.get("role")
        for a in accounts
        for c in a.rows["crm/contacts"]
        if c.get("created_at") is None or a.by_day(c["created_at"])
    }
    if _is_any_strange(feeds, "crm/contacts", "role", _ROLES) and not roles & _ROLES:
        unknown.add("has_active_champion")
    return unknown


def _is_any_strange(feeds: Feeds, feed: str, column: str, words: set[str]) -> bool:
    return any(row.get(column) not in words | {None} for row in _with_account(feeds, feed))


def _input_of(
    account: _Account,
    known: Mapping[str, bool],
    off: frozenset[str],
    is_claimed_twice: bool,
    refused: frozenset[str],
) -> _Input:
    """Where a subscription or the account itself is among `refused`, whether it is a customer is not known.

    It may have left, and would then not be scored at all: no bucket is the same at both ends.
    """
    unknown = account.unknown_signals()
    known = {
        s: is_known and refused.isdisjoint(account.seeds.signals[s]) and s not in unknown
        for s, is_known in known.items()
    }
    values = {s: v if known[s] else None for s, v in account.all_signals().items()}
    return _Input(
        values=values,
        known=known,
        off=off,
        goals=account.goals(),
        segment=account.row.get("segment"),
        is_customer_unknown=not refused.isdisjoint({"crm/accounts", _SUBSCRIPTIONS}),
        is_conflict=is_claimed_twice or (account.is_stage_churned() and bool(account.live())),
    )


def _evaluate_account(
    account: _Account, given: _Input, earlier: Sequence[AccountResult | None] = ()
) -> AccountResult:
    kept = {name: rs for name, rs in account.seeds.rule_sets.items() if rs.status != "retired"}
    sets = {}
    for name, rs in kept.items():
        days = earlier[-(rs.smoothing_days - 1) :] if (rs.smoothing_days or 1) > 1 else []
        read = [day.sets[name] for day in days if day is not None and day.scored]
        sets[name] = score_set(account.seeds, rs, given, read)
    champion = next((sets[name] for name, rs in kept.items() if rs.status == "champion"), None)
    return AccountResult(
        scored=True,
        signals={s: None if v is None else float(v) for s, v in given.values.items()},
        exact=given.values,
        known=dict(given.known),
        rules={(name, rule_id): r for name, s in sets.items() for rule_id, r in s.rules.items()},
        sets=sets,
        champion=champion,
        override=account.override(),
    )


def _with_account(feeds: Feeds, feed: str) -> list[Row]:
    """The feed's rows whose account has arrived; the others wait."""
    arrived = {row["account_id"] for row in feeds.get("crm/accounts", ())}
    return [row for row in feeds.get(feed, ()) if row["account_id"] in arrived]


def _accounts(feeds: Feeds, seeds: Seeds, as_of: date) -> dict[str, _Account]:
    accounts: dict[str, _Account] = {}
    for row in feeds["crm/accounts"]:
        account_id = row["account_id"]
        accounts.setdefault(account_id, _Account(seeds, as_of, account_id=account_id)).versions.append(row)
    left_out = excluded_contacts(_with_account(feeds, "crm/contacts"), seeds.excluded)
    for feed, key in KEYS.items():
        if feed in {"crm/accounts", "crm/owners", "crm/identities", _SUBSCRIPTIONS}:
            continue
        for row in newest(_with_account(feeds, feed), key, as_of):
            if row.get("contact_id") in left_out:
                continue
            accounts[row["account_id"]].rows[feed].append(row)
    subscriptions: dict[str, list[Row]] = defaultdict(list)
    for row in _with_account(feeds, _SUBSCRIPTIONS):
        subscriptions[row["subscription_id"]].append(row)
    for subscription_id, versions in subscriptions.items():
        for account_id in {row["account_id"] for row in versions}:
            accounts[account_id].subscriptions[subscription_id] = versions
    payments: dict[str, list[Row]] = defaultdict(list)
    for account in accounts.values():
        for row in account.rows[_PAYMENTS]:
            if row.get("invoice_id") is not None:
                payments[row["invoice_id"]].append(row)
        account.payments_by_invoice = payments
    return accounts


def _claimed_twice(identities: Sequence[Row]) -> set[str]:
    """Accounts that one source id names together in the last batch that carries it.

    A row's batch is its `_batch_id`; rows without one are of the same batch.
    """
    last: dict[tuple[str, str], tuple[int, set[str]]] = {}
    for row in identities:
        key, batch = (row["source"], row["source_account_id"]), row.get("_batch_id", 1)
        held, accounts = last.get(key, (batch, set()))
        if batch > held:
            accounts = set()
        if batch >= held:
            claim = {row["account_id"]}
            last[key] = (batch, accounts - claim if row.get("is_deleted") else accounts | claim)
    return {account_id for _, accounts in last.values() if len(accounts) > 1 for account_id in accounts}
