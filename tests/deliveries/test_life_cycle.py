"""Whole lives of actions over random histories, held against the plain reading, however the days are cut."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.deliveries.sql import Models, Warehouse, expected, limits_of_the_project
from tests.oracle.actions import Delivery, Life, Play, Told, World

pytestmark = pytest.mark.slow

FIRST = date(2026, 3, 2)
SCORES = {
    "healthy": (100.0, 95.0, 85.1, 80.0),
    "watch": (79.9, 75.1, 75.0, 65.0, 50.0),
    "at_risk": (49.9, 40.0, 25.0),
}
lives = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def random_world(rng: random.Random, accounts: int = 7, length: int = 30) -> World:
    """Histories that cross, blink, leave, come back, are in doubt; few places, short cooldowns."""
    days = [FIRST + timedelta(days=n) for n in range(length) if n == 0 or rng.random() < 0.9]
    names = [f"a{n}" for n in range(accounts)]
    told: dict[date, dict[str, Told]] = {day: {} for day in days}
    for name in names:
        for day, facts in _history(rng, days):
            told[day][name] = facts
    days = [day for day in days if told[day]]  # a day on which nobody is scored is no run
    moments = (time(0), time(23, 59, 59))
    return World(
        days=days,
        told=told,
        contacts={
            (rng.choice(names), datetime.combine(rng.choice(days), rng.choice(moments)))
            for _ in range(rng.choice((0, 3, 10)))
        },
        consents={name: rng.choice((FIRST, rng.choice(days))) for name in names if rng.random() < 0.8},
        refused_contacts={name: rng.choice(days) for name in names if rng.random() < 0.2},
        unknown_contact_days={day for day in days if rng.random() < 0.05},
        unknown_consent_days={day for day in days if rng.random() < 0.05},
        playbook=_playbook(rng),
        limits=limits_of_the_project(weekly=rng.choice((0, 1, 2, 3, 25)), quiet_days=rng.choice((1, 3, 7))),
    )


def _history(rng: random.Random, days: Sequence[date]) -> Iterator[tuple[date, Told]]:
    restless = rng.choice((0.05, 0.2, 0.5))
    bucket, flags, owner, is_there = "healthy", frozenset[str](), "own-0", rng.random() < 0.8
    for day in days:
        if rng.random() < 0.06:
            is_there = not is_there
        if rng.random() < restless:
            bucket = rng.choice(("healthy", "watch", "at_risk"))
        if rng.random() < restless:
            flags = frozenset(flag for flag in ("payment_risk", "churn_risk", "upsell") if rng.random() < 0.3)
        if rng.random() < 0.05:
            owner = rng.choice(("own-0", "own-1", None))
        if not is_there:
            continue
        unknown = frozenset(flag for flag in ("payment_risk", "upsell") if rng.random() < 0.1) - flags
        yield (
            day,
            Told(
                bucket=bucket,
                score=rng.choice(SCORES[bucket]),
                decision=rng.choices(("decided", "undecided", "conflict"), (12, 2, 1))[0],
                is_overridden=rng.random() < 0.1,
                flags=flags,
                unknown_flags=unknown,
                asks_review=rng.random() < 0.05,
                reads_stale=rng.random() < 0.05,
                owner=owner,
                arr=rng.choice((None, 100.0, 200.0, 49999.99, 50000.0)),
                days_to_renewal=rng.choice((None, 5, 90, 91)),
            ),
        )


def _playbook(rng: random.Random) -> list[Play]:
    wait = rng.choice((0, 3, 7, 10))
    return [
        Play(1, None, "payment_risk", "fix", "crm_task", "owner", 24, "automatic", wait),
        Play(2, "at_risk", None, "plan", "crm_task", "owner", 24, "automatic", rng.choice((0, 5, 14))),
        Play(3, "at_risk", None, "calm", "crm_task", "marketing", 8, "automatic", wait),
        Play(4, "healthy", "upsell", "offer", "mail_draft", "owner", 72, "approve", wait),
        Play(5, "watch", None, "ask", "survey", "owner", 0, "approve", 10),
        Play(6, "healthy", None, "note", "mail_draft", "owner", 720, "approve", wait),
    ]


def windows(rng: random.Random, days: Sequence[date]) -> Iterator[Sequence[date]]:
    """The days in their order, cut at random."""
    rest = list(days)
    while rest:
        length = rng.choice((1, 1, 2, 5, 12))
        yield rest[:length]
        rest = rest[length:]


@given(st.integers(0, 2**32))
@lives
def test_actions_live_as_the_plain_reading_says_however_the_days_are_cut(models: Models, seed: int) -> None:
    rng = random.Random(seed)
    world = random_world(rng)
    warehouse = Warehouse(models)
    warehouse.fill(world)
    deliveries: list[Delivery] = []
    for days in windows(rng, world.days):
        warehouse.tell(world, days)
        if days[-1] < world.days[-1]:
            deliveries += warehouse.deliver(rng, days[-1])
    assert warehouse.actions() == expected(Life(world, deliveries))
    told = warehouse.con.execute("select * from marts.fct_actions order by all").fetchall()
    again = sorted(rng.sample(range(len(world.days)), 2))
    warehouse.build(world.days[again[0]], world.days[again[1]])
    warehouse.build(world.days[again[1]], world.days[again[1]])
    assert warehouse.con.execute("select * from marts.fct_actions order by all").fetchall() == told


@given(st.integers(0, 2**32))
@lives
def test_days_scored_again_to_the_end_are_as_if_scored_so_from_the_first(models: Models, seed: int) -> None:
    rng = random.Random(seed)
    world = random_world(rng, length=20)
    warehouse = Warehouse(models)
    warehouse.fill(world)
    warehouse.tell(world, world.days)
    late = rng.randrange(len(world.days))
    other = random_world(rng, length=20)
    # a day on which nobody is scored is no run
    told = {day: other.told.get(day) or world.told[day] for day in world.days[late:]}
    changed = replace(world, told={**world.told, **told})
    warehouse.tell(changed, world.days[late:])
    assert warehouse.actions() == expected(Life(changed))


@given(st.integers(0, 2**32))
@lives
def test_one_day_scored_again_leaves_one_open_row_a_play(models: Models, seed: int) -> None:
    """Later days stay as they were recorded; what they do not know any more is over."""
    rng = random.Random(seed)
    world = random_world(rng, length=14)
    warehouse = Warehouse(models)
    warehouse.fill(world)
    warehouse.tell(world, world.days)
    open_actions = """
        select account_id, play, count(*) from marts.fct_actions
        where status in ('ready', 'to_approve', 'suppressed') group by all
    """
    before = warehouse.con.execute(open_actions + " order by all").fetchall()
    late = rng.randrange(len(world.days) - 1)
    day = world.days[late]
    other = random_world(rng, length=14).told.get(day, {})
    warehouse.tell(replace(world, told={**world.told, day: other}), [day])
    after = warehouse.con.execute(open_actions + " order by all").fetchall()
    assert after == before
    assert {count for _, _, count in after} <= {1}
