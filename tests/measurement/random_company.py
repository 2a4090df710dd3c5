"""A random company that lives on the edges of the definitions of the backtest."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from tests.oracle.measurement import Company, Score, Version

LAST = date(2026, 6, 29)
PLANS = {"free": False, "team": True, "business": True}
AMOUNTS = (
    *(Decimal(0), Decimal("98.99"), Decimal(99), Decimal("99.01"), Decimal(100)),
    *(Decimal("100.99"), Decimal(101), Decimal("101.01"), Decimal(500)),
)
GAPS = (1, 2, 6, 7, 12, 13, 14, 15, 16, 28, 29, 30, 31, 45, 60, 61, 89, 90, 91, 120)
TIMES = (time(0, 0), time(9, 30), time(23, 59, 59))


def company(seed: int, *, accounts: int = 60, step: int | None = None) -> Company:
    """The same company for the same arguments; `step` days between scored dates."""
    rng = random.Random(seed)
    step = step or rng.choice((1, 7, 7, 30))
    first = LAST - timedelta(days=rng.choice((150, 300, 360)))
    dates = [LAST - timedelta(days=step * n) for n in range((LAST - first).days // step + 1)]
    ids = [f"a{number:03}" for number in range(accounts)]
    versions = [version for account in ids for version in _subscriptions(rng, account, first)]
    scores = [score for account in ids for score in _scores(rng, account, sorted(dates))]
    return Company(
        versions=versions,
        plans=PLANS,
        scores=scores,
        deleted_from={account: [_day(rng, first)] for account in ids if rng.random() < 0.1},
        outreach={
            account: [_day(rng, first) for _ in range(rng.randint(1, 9))]
            for account in ids
            if rng.random() < 0.6
        },
        verdicts={
            account: [(_day(rng, first), rng.random() < 0.6) for _ in range(rng.randint(1, 4))]
            for account in ids
            if rng.random() < 0.4
        },
    )


def _day(rng: random.Random, first: date) -> date:
    return first + timedelta(days=rng.randint(0, (LAST - first).days))


def _at(rng: random.Random, day: date) -> datetime:
    return datetime.combine(day, rng.choice(TIMES))


def _subscriptions(rng: random.Random, account: str, first: date) -> list[Version]:
    found: list[Version] = []
    for number in range(rng.choice((0, 1, 1, 1, 1, 2, 2, 3))):
        started = first + timedelta(days=rng.choice((-400, -200, -90, -30, -1, 0, 5, 40, 100, 400)))
        day = started if rng.random() < 0.7 else started + timedelta(days=rng.choice(GAPS))
        plan, amount = rng.choice(("free", "team", "team", "business", "unlisted")), rng.choice(AMOUNTS)
        end = started + timedelta(days=rng.choice((365, 365, 90, 30)))
        canceled: date | None = None
        for _ in range(rng.randint(2, 8)):
            status = rng.choice((*["active"] * 7, "canceled", "canceled", "past_due", "trialing", "paused"))
            if status == "canceled":
                canceled = day + timedelta(days=rng.choice((0, 0, -1, -20, 3)))
            elif rng.random() < 0.8:
                canceled = None
            moment = _at(rng, day)
            found.append(
                Version(
                    subscription_id=f"{account}-{number}",
                    account_id=account,
                    plan_id=plan,
                    status=status,
                    mrr_usd=None if rng.random() < 0.03 else amount,
                    started_at=datetime.combine(started, time(8)),
                    current_period_end=None if rng.random() < 0.1 else datetime.combine(end, time(8)),
                    cancel_at_period_end=rng.random() < 0.06,
                    canceled_at=datetime.combine(canceled, time(8)) if canceled else None,
                    updated_at=moment,
                    landed=len(found),
                )
            )
            if status == "canceled" and rng.random() < 0.6:
                break
            if rng.random() < 0.1:  # the same moment again: the one landed last counts
                continue
            day += timedelta(days=rng.choice(GAPS))
            if rng.random() < 0.3:
                amount = rng.choice(AMOUNTS)
            if rng.random() < 0.1:
                plan = rng.choice(("free", "team", "business", "unlisted"))
            while end < day:
                end += timedelta(days=365)
    return found


def _scores(rng: random.Random, account: str, dates: list[date]) -> list[Score]:
    found: list[Score] = []
    score = rng.choice((100.0, 80.0, 79.5, 50.0, 49.0))
    begin, end = sorted(
        (rng.choice((0, 0, 0, len(dates) // 3)), rng.choice((len(dates), len(dates), len(dates) // 2)))
    )
    for day in dates[begin:end]:
        if rng.random() < 0.03:
            continue
        if rng.random() < 0.2:
            score = min(100.0, max(0.0, score + rng.choice((-30, -15, -5, -4, 4, 5, 20, 30))))
        bucket = "healthy" if score >= 80 else "watch" if score >= 50 else "at_risk"
        found.append(
            Score(account, day, score, bucket, rng.choice(("decided", "decided", "undecided", "conflict")))
        )
    return found
