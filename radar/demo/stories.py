"""The customers of the invented company: who they are, and the story that each of them lives through.

A story sets curves (how much an account does, day by day) and turning points; the feed writers follow them
and decide nothing. Days are counted from the first day of the extracts (0); `calendar.last` is the last. What
happened before day 0 has a negative day.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from radar.demo.draws import Draws, mix
from radar.demo.names import INDUSTRIES, REGIONS_BY_WEIGHT, Region, ascii_slug, customer

Curve = list[tuple[int, float]]

ACCOUNTS_PER_OWNER = 40
PRICE_CENTS = {"trial": 0, "free": 0, "starter": 1200, "team": 2500, "business": 4500, "enterprise": 7000}
PAID = frozenset({"starter", "team", "business", "enterprise"})
DOWNGRADE = {"enterprise": "business", "business": "team", "team": "starter"}
UNKNOWN_PLAN = "legacy_gold"
_PLANS = {
    "smb": (("starter", 50), ("team", 40), ("business", 10)),
    "mid_market": (("team", 40), ("business", 55), ("enterprise", 5)),
    "enterprise": (("business", 30), ("enterprise", 70)),
}
_SESSIONS_A_DAY = {"smb": (0.9, 1.6), "mid_market": (1.6, 3.2), "enterprise": (3.5, 8.0)}
_USERS = {"smb": (3, 9), "mid_market": (10, 28), "enterprise": (30, 70)}
_TOPIC = 1


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of the extracts: `days` of them, from `first` on."""

    first: dt.date
    days: int

    @property
    def last(self) -> int:
        """The last day that has facts."""
        return self.days - 1

    def date(self, day: int) -> dt.date:
        """The date of a day number."""
        return self.first + dt.timedelta(days=day)

    def day(self, when: dt.date) -> int:
        """The day number of a date."""
        return (when - self.first).days

    def at(self, day: int, second: int) -> str:
        """A time in UTC as the feeds write it; seconds beyond the day move on to the next."""
        extra, second = divmod(second, 86400)
        minute, second = divmod(second, 60)
        hour, minute = divmod(minute, 60)
        return f"{self.date(day + extra).isoformat()}T{hour:02d}:{minute:02d}:{second:02d}Z"


@dataclass(slots=True)
class Account:
    """One customer and the turning points of its story."""

    number: int
    account_id: str
    name: str
    domain: str
    region: Region
    industry: str
    segment: str
    owner: int
    story: str
    plan: str
    created: int
    sessions_a_day: float
    users: int
    seats: int
    billing_day: int = 0
    activity: Curve = field(default_factory=lambda: [(0, 1.0)])
    key_use: Curve = field(default_factory=lambda: [(0, 1.0)])
    premium: Curve = field(default_factory=lambda: [(0, 1.0)])
    mood: Curve = field(default_factory=lambda: [(0, 0.8)])  # 0 furious, 1 delighted
    premium_a_day: int = 0
    weekend_share: float = 0.12
    trial_days: int = 0
    downgraded: int | None = None
    seat_steps: list[tuple[int, float]] = field(default_factory=list)
    replies_until: int | None = None
    champion_left: int | None = None
    missed_milestones: int = 0
    card_fails_from: int | None = None
    card_attempts: tuple[int, ...] = ()
    canceled: int | None = None
    paused: tuple[int, int | None] | None = None
    tickets_a_year: float = 4.0
    trouble_from: int | None = None
    quick_support: bool = False

    def is_there(self, day: int) -> bool:
        """Whether the account is a customer on that day."""
        return self.created <= day and (self.canceled is None or day < self.canceled)


def level(curve: Curve, day: int) -> float:
    """The value of a curve on a day: straight lines between its points, flat outside."""
    after = bisect_right(curve, (day, float("inf")))
    if after == 0:
        return curve[0][1]
    if after == len(curve):
        return curve[-1][1]
    (left, low), (right, high) = curve[after - 1], curve[after]
    return low + (high - low) * (day - left) / (right - left)


def until(day: int, high: float, fade_days: int, fading_to: float) -> Curve:
    """Flat, then a slow fade that ends on `day`; nothing at all after it."""
    return [(day - fade_days, high), (day, fading_to), (day + 1, 0.0)]


# --- the stories ----------------------------------------------------------------------------------


def _steady(account: Account, draws: Draws, calendar: Calendar) -> None:
    account.activity = [(day, draws.real(0.85, 1.2)) for day in range(-30, calendar.days + 60, 60)]
    account.key_use = [(0, draws.real(0.8, 1.2))]
    account.mood = [(0, draws.real(0.65, 0.95))]
    if draws.chance(0.03):
        day = draws.whole(min(20, calendar.last), calendar.last)
        account.paused = (day, day + 45 if day + 45 < calendar.last else None)
    elif draws.chance(0.2):
        account.seat_steps = [(draws.whole(0, calendar.last), draws.real(1.05, 1.15))]


def _weekdays_only(account: Account, draws: Draws, calendar: Calendar) -> None:
    _steady(account, draws, calendar)
    account.weekend_share = 0.0


def _seasonal(account: Account, draws: Draws, calendar: Calendar) -> None:
    peak = draws.whole(1, 12)
    by_distance = (1.5, 1.3, 0.9, 0.6, 0.45, 0.4, 0.4)
    account.activity, account.key_use = [], []
    for day in range(-30, calendar.days + 15, 15):
        apart = abs(calendar.date(day).month - peak)
        apart = min(apart, 12 - apart)
        account.activity.append((day, by_distance[apart]))
        account.key_use.append((day, 1.0 if apart < 5 else 0.0))
    account.mood = [(0, draws.real(0.6, 0.9))]


def _fast_growth(account: Account, draws: Draws, calendar: Calendar) -> None:
    last = calendar.last
    account.activity = [(last - 150, 0.7), (last - 30, 1.2), (last, 1.8)]
    step = draws.whole(1, 11)
    account.seat_steps = [
        (last - 130 + draws.whole(0, 9), draws.real(1.08, 1.15)),
        (last - 75 + draws.whole(0, 9), draws.real(1.08, 1.15)),
        (last - step, draws.real(1.25, 1.45)),
    ]
    account.plan = "enterprise" if account.segment == "enterprise" else "business"
    account.premium_a_day = max(2, account.premium_a_day)
    account.premium = [(last - 14, 1.0), (last - 13, 2.6), (last, 3.0)]
    account.mood = [(0, 0.8), (last, 0.95)]


def _quick_support(account: Account, draws: Draws, calendar: Calendar) -> None:
    _steady(account, draws, calendar)
    account.tickets_a_year, account.quick_support = 26.0, True


def _trial(account: Account, draws: Draws, calendar: Calendar) -> None:
    account.plan = "trial"
    stalled = draws.chance(0.3)
    account.created = calendar.last - (draws.whole(31, 44) if stalled else draws.whole(2, 27))
    account.trial_days = 60 if stalled else 30
    account.seats = account.users
    account.premium_a_day = 0
    if stalled:
        account.activity = [(account.created, 0.6), (account.created + 20, 0.35)]
        account.key_use = [(0, 0.0)]
        account.mood = [(0, 0.45)]


def _recovered(account: Account, draws: Draws, calendar: Calendar) -> None:
    dip = int(calendar.days * draws.real(0.3, 0.7))
    gap = draws.whole(24, 36)
    account.activity = [
        *until(dip, 1.0, 45, 0.35),
        (dip + gap, 0.0),
        (dip + gap + 1, 0.6),
        (dip + gap + 40, 1.0),
    ]
    account.key_use = [*until(dip - 12, 1.0, 30, 0.2), (dip + gap, 0.0), (dip + gap + 1, 0.8)]
    account.mood = [(dip - 60, 0.8), (dip, 0.35), (dip + gap + 60, 0.8)]


def _fade_out(account: Account, draws: Draws, last_login: int, fade_days: int = 70) -> None:
    account.activity = until(last_login, 1.0, fade_days, 0.25)
    account.key_use = until(last_login - draws.whole(10, 35), 1.0, fade_days, 0.1)
    account.premium = account.key_use
    account.mood = [(last_login - fade_days - 20, 0.7), (last_login, 0.25)]


def _lose_key_feature(account: Account, draws: Draws, last_key: int) -> None:
    account.activity = [(last_key - 40, 1.0), (last_key + 30, 0.55)]
    account.key_use = until(last_key, 1.0, 40, 0.15)
    account.premium = account.key_use
    account.mood = [(last_key - 40, 0.7), (last_key + 30, draws.real(0.35, 0.5))]


def _quiet_decline(account: Account, draws: Draws, calendar: Calendar) -> None:
    last = calendar.last
    account.replies_until = last - draws.whole(25, 80)
    if draws.chance(0.4):
        _lose_key_feature(account, draws, last - draws.whole(32, 75))
        return
    _fade_out(account, draws, last - draws.whole(22, 60))
    if draws.chance(0.4):
        account.downgraded = last - draws.whole(15, 85)


def _champion_left(account: Account, draws: Draws, calendar: Calendar) -> None:
    last = calendar.last
    account.champion_left = last - draws.whole(52, 110)
    account.replies_until = account.champion_left
    account.missed_milestones = 2
    if draws.chance(0.45):
        _fade_out(account, draws, last - draws.whole(22, 45), 50)
        return
    account.activity = [(account.champion_left, 1.0), (account.champion_left + 40, 0.6)]
    account.key_use = [(account.champion_left, 1.0), (account.champion_left + 40, 0.6)]
    account.mood = [(account.champion_left, 0.75), (last, 0.4)]


def _failed_card(account: Account, draws: Draws, calendar: Calendar) -> None:
    days_ago = draws.whole(13, 24)
    while calendar.date(calendar.last - days_ago).day > 28:
        days_ago = 13 if days_ago == 24 else days_ago + 1
    account.card_fails_from = calendar.last - days_ago
    account.billing_day = calendar.date(account.card_fails_from).day
    account.card_attempts = (0, 2, 5, 8, 11) if draws.chance(0.25) else (0, 3, 7)
    account.mood = [(0, draws.real(0.6, 0.85))]


def _silent_green(account: Account, draws: Draws, calendar: Calendar) -> None:
    _steady(account, draws, calendar)
    account.replies_until = calendar.last - draws.whole(48, 120)
    account.missed_milestones = draws.whole(2, 3)


def _ticket_heavy(account: Account, draws: Draws, calendar: Calendar) -> None:
    last = calendar.last
    account.trouble_from = last - draws.whole(70, 110)
    turn = draws.real(0, 1)
    if turn < 0.45:
        _lose_key_feature(account, draws, last - draws.whole(32, 50))
    elif turn < 0.6:
        _fade_out(account, draws, last - draws.whole(22, 30), 40)
    account.mood = [(account.trouble_from, 0.75), (account.trouble_from + 40, 0.2)]


def _churned(account: Account, draws: Draws, calendar: Calendar) -> None:
    earliest = min(max(account.created + 90, 0), max(calendar.last - 3, 0))
    gone = draws.whole(earliest, max(calendar.last - 3, 0))
    account.canceled = gone
    account.created = min(account.created, gone - 30)
    cause = draws.weighted((("decline", 40), ("champion", 16), ("card", 12), ("trouble", 18), ("sudden", 14)))
    account.story = f"churned_{cause}"
    if cause == "sudden":
        account.mood = [(0, 0.7)]
        return
    if cause == "card":
        account.card_fails_from = gone - draws.whole(25, 40)
        account.card_attempts = (0, 3, 7, 12)
        _fade_out(account, draws, gone - draws.whole(3, 15), 30)
        return
    _fade_out(account, draws, gone - draws.whole(8, 45))
    account.replies_until = gone - draws.whole(30, 80)
    if cause == "champion":
        account.champion_left = gone - draws.whole(70, 130)
        account.replies_until = account.champion_left
        account.missed_milestones = 1
    elif cause == "trouble":
        account.trouble_from = gone - draws.whole(60, 110)


@dataclass(frozen=True, slots=True)
class Story:
    """An archetype: its share, where the champion rule set puts most of it on the last day, its story."""

    name: str
    share_pct: int
    lands_in: str
    summary: str
    tell: Callable[[Account, Draws, Calendar], None]
    least_age_days: int = 120


STORIES = (
    Story("steady", 30, "healthy", "uses it every week, answers, pays", _steady, 3),
    Story("weekdays_only", 6, "healthy", "the same, and never on its weekend", _weekdays_only, 3),
    Story("seasonal", 5, "healthy", "strong around its peak month, then quiet for months (watch)", _seasonal),
    Story("fast_growth", 6, "healthy", "in 14 days seats +25 % and more, premium doubled", _fast_growth),
    Story("quick_support", 5, "healthy", "asks often and is answered within the day", _quick_support, 30),
    Story("trial", 4, "healthy", "new; three in ten never used a key feature (watch)", _trial, 2),
    Story("recovered", 3, "healthy", "went silent for a month, was won back", _recovered, 200),
    Story("quiet_decline", 11, "at_risk", "key feature, then logins; two in five still log in (watch)",
          _quiet_decline, 150),
    Story("champion_left", 6, "watch", "champion gone, no replies, plan slips; half fade out (at_risk)",
          _champion_left, 200),
    Story("failed_card", 6, "watch", "last invoice failed three times or more, reminder unclicked",
          _failed_card),
    Story("silent_green", 4, "watch", "busy as ever, but no reply for weeks, milestones missed",
          _silent_green, 150),
    Story("ticket_heavy", 4, "watch", "many slow tickets, a competitor named; half use less", _ticket_heavy),
    Story("churned", 10, "churned", "left by decline, champion, card, trouble, or without a sign", _churned),
)  # fmt: skip


def _story_of(seed: int, number: int) -> Story:
    """Spread over the numbers by the golden ratio: small companies have their share of every story too."""
    percentile = ((number * 0x9E3779B97F4A7C15 + mix(seed, _TOPIC)) & ((1 << 64) - 1)) * 100 >> 64
    for story in STORIES:
        percentile -= story.share_pct
        if percentile < 0:
            return story
    raise AssertionError("the shares of the stories are 100 together")


def account_id(number: int) -> str:
    """The id of the account with that number, from 1."""
    return f"acc-{number:06d}"


def owner_count(accounts: int) -> int:
    """How many customer-success reps look after so many accounts."""
    return -(-accounts // ACCOUNTS_PER_OWNER)


def tell(seed: int, number: int, accounts: int, calendar: Calendar) -> Account:
    """The account with that number, its whole story."""
    draws = Draws(seed, _TOPIC, number)
    story = _story_of(seed, number)
    region = draws.weighted(REGIONS_BY_WEIGHT)
    segment = draws.weighted((("smb", 60), ("mid_market", 28), ("enterprise", 12)))
    users = draws.whole(*_USERS[segment])
    created = _created(draws, story.least_age_days, calendar.last)
    name = customer(draws, region)
    account = Account(
        number=number,
        account_id=account_id(number),
        name=name,
        domain=f"{ascii_slug(name) or 'kaisha'}{number}.example",
        region=region,
        industry=draws.pick(INDUSTRIES),
        segment=segment,
        owner=draws.whole(1, owner_count(accounts)),
        story=story.name,
        plan=draws.weighted(_PLANS[segment]),
        created=created,
        sessions_a_day=draws.real(*_SESSIONS_A_DAY[segment]),
        users=users,
        seats=int(users * draws.real(1.05, 1.5)) + 1,
    )
    if account.plan in {"business", "enterprise"} and draws.chance(0.6):
        account.premium_a_day = draws.whole(1, 3)
    if story.name == "steady" and segment == "smb" and draws.chance(0.12):
        account.plan, account.premium_a_day = "free", 0
    elif draws.chance(0.5):
        account.trial_days = 14
    story.tell(account, draws, calendar)
    account.billing_day = account.billing_day or min(calendar.date(account.created).day, 28)
    return account


def _created(draws: Draws, least_age: int, last: int) -> int:
    youngest = last - least_age
    if youngest > 0 and draws.chance(0.35):
        return draws.whole(0, youngest)
    return min(youngest, -30) - draws.whole(0, 1000)
