"""A second reading of the plays: one day after another, in plain Python, sharing no code with the SQL.

What belongs here: when an action begins, what holds it, when it is released and how it ends. What does not:
scores and buckets, which are given as they were told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

CUSTOMER = {"mail_draft", "in_app_guide", "survey"}
NOT_HANDED_OVER = {"failed", "blocked"}
"""Outcomes of a delivery after which its destination surely does not have it."""


@dataclass(frozen=True)
class Play:
    """A row of the playbook."""

    priority: int
    bucket: str | None
    flag: str | None
    play: str
    channel: str
    who: str
    within_hours: int
    mode: str
    cooldown_days: int


@dataclass(frozen=True)
class Told:
    """What was told of an account on a day, and what the day's ledger and signals say beside it."""

    bucket: str
    score: float
    decision: str = "decided"
    is_overridden: bool = False
    flags: frozenset[str] = frozenset()
    unknown_flags: frozenset[str] = frozenset()
    asks_review: bool = False
    reads_stale: bool = False
    owner: str | None = None
    arr: float | None = None
    days_to_renewal: int | None = None


@dataclass(frozen=True)
class Limits:
    """The numbers of the settings."""

    high_value: int
    renewal_near: int
    steep_drop: int
    hysteresis: int
    quiet_days: int
    weekly: int


@dataclass(frozen=True)
class Delivery:
    """What a run wrote down of giving an action to whoever does it; `day` is the run's as-of date."""

    account: str
    play: str
    started: date
    kind: str
    status: str
    day: date


@dataclass(frozen=True)
class World:
    """Days in order with the accounts told on them; contacts are (account, moment), consents first days.

    Every account has one contact; `refused_contacts`: the day of its newest version, where that was refused.
    """

    days: Sequence[date]
    told: Mapping[date, Mapping[str, Told]]
    contacts: Collection[tuple[str, datetime]]
    consents: Mapping[str, date]
    unknown_contact_days: Collection[date]
    playbook: Sequence[Play]
    limits: Limits
    refused_contacts: Mapping[str, date] = field(default_factory=dict)
    unknown_consent_days: Collection[date] = ()


@dataclass
class Action:
    """A row: what identifies it, then its state on `as_of`."""

    account: str
    play: Play
    started: date
    as_of: date
    owner: str | None = None
    needs_person: bool = False
    holds: list[str] = field(default_factory=list)
    released: date | None = None
    ended: date | None = None
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def status(self) -> str:
        """As a rep reads it."""
        if self.ended:
            return "closed" if self.released else "lapsed"
        if self.holds:
            return "suppressed"
        return "ready" if self.mode == "automatic" else "to_approve"

    @property
    def mode(self) -> str:
        return "approve" if self.needs_person else self.play.mode

    @property
    def handed_over(self) -> date | None:
        """The first day on which somebody had it, or may have had it and nobody found otherwise."""
        first: dict[str, date | None] = {}
        for one in self.deliveries:
            if one.status in NOT_HANDED_OVER:
                first[one.kind] = None
            else:
                first[one.kind] = first.get(one.kind) or one.day
        return min((day for day in first.values() if day), default=None)

    @property
    def due(self) -> datetime | None:
        """Hours after the end of the day on which somebody got it; while nobody has, of the newest day."""
        if self.released is None:
            return None
        begins = self.handed_over or (None if self.ended else self.as_of)
        if begins is None:
            return None
        midnight = datetime.combine(begins + timedelta(days=1), time())
        return midnight + timedelta(hours=self.play.within_hours)


def monday(day: date) -> date:
    """The first day of the day's week."""
    return day - timedelta(days=day.weekday())


class Life:
    """Lives through a world; `actions` holds every action that ever began.

    `deliveries` are what was written down of handing them over, in order.
    """

    def __init__(self, world: World, deliveries: Sequence[Delivery] = ()) -> None:
        self.world = world
        self.actions: list[Action] = []
        self.current: dict[tuple[str, str], Action] = {}
        self.last_release: dict[tuple[str, str], date] = {}
        self.week_owner: dict[tuple[str, date], str | None] = {}
        self.given: dict[tuple[str, date], int] = {}
        before: date | None = None
        for day in world.days:
            self._live(day, world.told[day], world.told[before] if before else {})
            before = day
        known = {(one.account, one.play.play, one.started): one for one in self.actions}
        for one in deliveries:
            known[one.account, one.play, one.started].deliveries.append(one)

    def _live(self, day: date, told: Mapping[str, Told], before: Mapping[str, Told]) -> None:
        for account, facts in told.items():
            self.week_owner.setdefault((account, monday(day)), facts.owner)
        for (account, _), action in list(self.current.items()):
            if account not in told or _fits(action.play, told[account]) is False:
                action.ended = action.as_of = day
                if action.released:
                    action.holds = []
                del self.current[account, action.play.play]
        for account, facts in told.items():
            for play in self.world.playbook:
                if (account, play.play) not in self.current and _fits(play, facts) is True:
                    action = Action(account, play, started=day, as_of=day)
                    self.current[account, play.play] = action
                    self.actions.append(action)
        claims = []
        for (account, _), action in self.current.items():
            facts = told[account]
            action.as_of, action.owner = day, facts.owner
            action.needs_person |= self._needs_person(account, facts, before.get(account), day)
            action.holds = list(self._holds(action, facts, before.get(account), day))
            if action.released is None:
                if self._cools(action, day):
                    action.holds.append("cooldown")
                elif not action.holds:
                    claims.append(action)
        for action in sorted(claims, key=lambda one: self._urgency(one, told[one.account])):
            self._claim(action, day)

    def _holds(self, action: Action, facts: Told, before: Told | None, day: date) -> Iterator[str]:
        if facts.decision != "decided":
            yield facts.decision
        elif facts.reads_stale:
            yield "stale"
        if action.play.flag is None and action.started == day:
            fell = before is not None and before.score - facts.score >= self.world.limits.hysteresis
            if not fell:
                yield "hysteresis"
        if action.play.channel in CUSTOMER:
            first = day - timedelta(days=self.world.limits.quiet_days - 1)
            if any(one == action.account and first <= at.date() <= day for one, at in self.world.contacts):
                yield "quiet_mode"
            elif day in self.world.unknown_contact_days:
                yield "contact_unknown"
            consent = self.world.consents.get(action.account)
            refused = self.world.refused_contacts.get(action.account)
            if (refused is not None and refused <= day) or day in self.world.unknown_consent_days:
                yield "consent_unknown"
            elif consent is None or consent > day:
                yield "no_consent"

    def _needs_person(self, account: str, facts: Told, before: Told | None, day: date) -> bool:
        limits = self.world.limits
        week = [
            self.world.told[earlier][account].score
            for earlier in self.world.days
            if 1 <= (day - earlier).days <= 7 and account in self.world.told[earlier]
        ]
        changed = before is not None and before.bucket != facts.bucket
        return (
            facts.decision != "decided"
            or facts.reads_stale
            or facts.asks_review
            or (facts.arr is not None and facts.arr >= limits.high_value)
            or (
                changed and facts.days_to_renewal is not None and facts.days_to_renewal <= limits.renewal_near
            )
            or (bool(week) and max(week) - facts.score >= limits.steep_drop)
        )

    def _cools(self, action: Action, day: date) -> bool:
        last = self.last_release.get((action.account, action.play.play))
        if last is None:
            return False
        return (day - last).days < action.play.cooldown_days or monday(last) == monday(day)

    @staticmethod
    def _urgency(action: Action, facts: Told) -> tuple[int, float, str]:
        return action.play.priority, -facts.arr if facts.arr is not None else float("inf"), action.account

    def _claim(self, action: Action, day: date) -> None:
        owner = self.week_owner[action.account, monday(day)] if action.play.who == "owner" else None
        if owner is not None:
            if self.given.get((owner, monday(day)), 0) >= self.world.limits.weekly:
                action.holds.append("budget")
                return
            self.given[owner, monday(day)] = self.given.get((owner, monday(day)), 0) + 1
        action.released = day
        self.last_release[action.account, action.play.play] = day


def _fits(play: Play, facts: Told) -> bool | None:
    """Whether the play fits the day; None where that can't be told."""
    bucket: bool | None = play.bucket is None or play.bucket == facts.bucket
    if not bucket and facts.decision != "decided" and not facts.is_overridden:
        bucket = None
    flag: bool | None = play.flag is None or play.flag in facts.flags
    if not flag and play.flag in facts.unknown_flags:
        flag = None
    if bucket is False or flag is False:
        return False
    return None if bucket is None or flag is None else True
