"""The stories land where they are said to, by a short SQL of the champion's rules of its own."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from written_demo import END, REPOSITORY, Demo

from radar.demo.stories import STORIES, Account, Calendar, account_id, level, tell
from tests.frozen import SEEDS

ACCOUNTS = 400
CALENDAR = Calendar(END - timedelta(days=364), 365)


@pytest.fixture(scope="module")
def stories() -> dict[str, Account]:
    return {account_id(number): tell(1, number, ACCOUNTS, CALENDAR) for number in range(1, ACCOUNTS + 1)}


@pytest.fixture(scope="module")
def facts(demo: Demo) -> dict[str, dict[str, object]]:
    sql = (REPOSITORY / "tests/demo/champion.sql").read_text(encoding="utf-8")
    for name, folder in (("{root}", demo.folder), ("{seeds}", SEEDS)):
        sql = sql.replace(name, str(folder))
    rows = demo.con.execute(sql, {"as_of": END})
    columns = [column[0] for column in rows.description]
    return {row[0]: dict(zip(columns, row, strict=True)) for row in rows.fetchall()}


def test_the_shares_are_a_hundred() -> None:
    assert sum(story.share_pct for story in STORIES) == 100


def test_every_story_has_its_share_in_a_small_company_too() -> None:
    calendar = Calendar(END - timedelta(days=99), 100)
    told = Counter(tell(5, number, 50, calendar).story.split("_")[0] for number in range(1, 51))
    assert set(told) == {story.name.split("_")[0] for story in STORIES}


def test_the_last_day_looks_alive(facts: dict[str, dict[str, object]]) -> None:
    buckets = Counter(fact["bucket"] for fact in facts.values())
    scored = ACCOUNTS - buckets["churned"]
    assert 0.60 <= buckets["healthy"] / scored <= 0.70
    assert 0.20 <= buckets["watch"] / scored <= 0.25
    assert 0.10 <= buckets["at_risk"] / scored <= 0.15


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_most_accounts_of_a_story_land_in_its_bucket(
    stories: dict[str, Account], facts: dict[str, dict[str, object]], story
) -> None:
    landed = [
        facts[account]["bucket"] for account, told in stories.items() if told.story.startswith(story.name)
    ]
    assert landed
    assert Counter(landed)[story.lands_in] == max(Counter(landed).values())


@pytest.mark.parametrize(
    ("story", "fact"),
    [
        ("fast_growth", "has_more_seats"),
        ("fast_growth", "has_more_premium"),
        ("quick_support", "fast"),
        ("failed_card", "is_payment_risk"),
        ("silent_green", "is_silent"),
        ("champion_left", "is_silent"),
        ("ticket_heavy", "competitors"),
    ],
)
def test_the_score_can_find_the_story(
    stories: dict[str, Account], facts: dict[str, dict[str, object]], story: str, fact: str
) -> None:
    seen = [bool(facts[account][fact]) for account, told in stories.items() if told.story == story]
    assert sum(seen) >= 0.9 * len(seen)
    others = [bool(facts[account][fact]) for account, told in stories.items() if told.story == "steady"]
    assert sum(others) <= 0.25 * len(others)


def test_who_churned_had_declined_before_but_for_the_sudden_ones(
    stories: dict[str, Account], facts: dict[str, dict[str, object]]
) -> None:
    churned = [told for told in stories.values() if told.canceled is not None]
    assert all(facts[told.account_id]["is_churned"] for told in churned if told.number % 100 != 33)
    assert len({told.story for told in churned}) == 5
    for told in churned:
        share = level(told.activity, told.canceled - 1)
        assert (share > 0.5) == (told.story == "churned_sudden")


def test_weekdays_only_means_that(demo: Demo, stories: dict[str, Account]) -> None:
    strict = {told.account_id: told for told in stories.values() if told.story == "weekdays_only"}
    days = demo.ask("select distinct account_id, isodow(occurred_at) - 1 from product_events")
    assert strict
    assert not [(a, day) for a, day in days if a in strict and day in strict[a].region.weekend]


def test_a_champion_that_left_is_inactive_and_silent(demo: Demo, stories: dict[str, Account]) -> None:
    left = {
        told.account_id: told.champion_left for told in stories.values() if told.champion_left is not None
    }
    active = demo.ask(
        """
        with newest as (
            select account_id, contact_id, max_by(role, updated_at) as role,
                max_by(is_active, updated_at) as is_active
            from crm_contacts group by all
        )
        select distinct account_id from newest where role in ('champion', 'sponsor') and is_active = 'true'
        """
    )
    assert left
    assert not left.keys() & {row[0] for row in active}
    replies = demo.ask(
        "select account_id, max(occurred_at::date) from crm_touchpoints "
        "where is_automated = 'false' and direction = 'inbound' group by 1"
    )
    for account, day in replies:
        assert account not in left or day <= CALENDAR.date(left[account])
