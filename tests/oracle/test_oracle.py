"""Is the oracle right? Examples computed by hand on both sides of every boundary, then properties."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.frozen import SEEDS as FROZEN

from .company import COLUMNS, random_company, safely_shuffled, shift, write
from .compare import compare, compare_snapshot, same
from .contract import FAMILIES, KEYS, SIGNAL_FEEDS, AccountResult, Row, Seeds, evaluate, load_seeds
from .examples import (
    EXAMPLES,
    D,
    E,
    H,
    K,
    P,
    R,
    S,
    T,
    V,
    account,
    d,
    event,
    goal,
    ignored,
    maybe,
    milestone,
    override,
    payment,
    premium,
    said,
    seats,
    subscription,
    survey,
    t,
    ticket,
    touch,
)
from .reference import Book, default_seeds, write_seeds

BUCKETS = ("at_risk", "watch", "healthy")
SEEDS = default_seeds()


def judge(
    feeds: Mapping[str, list[Row]] | None = None,
    *,
    accounts: list[Row] | None = None,
    seeds: Seeds = SEEDS,
    as_of: date = D,
    unknown: tuple[str, ...] = (),
    off: tuple[str, ...] = (),
    account_id: str = "a",
) -> AccountResult:
    """One account, all feeds known and empty but the ones given."""
    everything: dict[str, list[Row]] = {feed: [] for feed in KEYS}
    everything |= {"crm/accounts": accounts or [account()], **(feeds or {})}
    states = {f: "unknown" if f in unknown else "off" if f in off else "known" for f in KEYS}
    return evaluate(everything, seeds, as_of, states)[account_id]


@pytest.mark.parametrize(
    ("signal", "feeds", "expected"),
    [pytest.param(*e, id=f"{n}-{e[0]}") for n, e in enumerate(EXAMPLES)],
)
def test_signal_has_the_value_computed_by_hand(
    signal: str, feeds: dict[str, list[Row]], expected: float | None
) -> None:
    value = judge(feeds).signals[signal]
    assert value == (None if expected is None else pytest.approx(expected, rel=1e-12, abs=0))


def test_every_signal_has_an_example() -> None:
    assert {signal for signal, _, _ in EXAMPLES} == set(SIGNAL_FEEDS)


# -------------------------------------------------------------------------------------------------- versions


@pytest.mark.parametrize(
    ("versions", "segment"),
    [
        ([("s1", None), ("s2", "2026-01-01"), ("s3", "2026-03-31 23:59:59")], "s3"),
        ([("s1", None), ("s2", "2026-01-01"), ("s3", "2026-04-01")], "s2"),
        ([("s3", "2026-03-01"), ("s1", None)], "s3"),
        ([("s2", "2026-05-01"), ("s1", "2026-04-01"), ("s3", "2026-06-01")], "s1"),
        ([("s1", "2026-03-01"), ("s2", "2026-03-01")], "s2"),
        ([("s2", "2026-04-01"), ("s1", "2026-04-01"), ("s3", "2026-05-01")], "s1"),
        ([("s1", "2025-12-31 12:00"), ("s2", None)], "s2"),
        ([("s2", None), ("s1", "2025-12-31 12:00")], "s1"),
    ],
)
def test_account_is_read_as_of_the_day(versions: list[tuple[str, str | None]], segment: str) -> None:
    """Seen through a rule of the segment alone."""
    book = Book()
    for name in ("s1", "s2", "s3"):
        book.add("playbook_v1", name, "flag", "tickets_30d = 0", segment=name, flag=name)
    seeds = replace(SEEDS, rules=tuple(book.rules), rule_conditions=tuple(book.conditions))
    accounts = [account(segment=name, updated_at=maybe(updated)) for name, updated in versions]
    assert judge(accounts=accounts, seeds=seeds).flags == {segment}


@pytest.mark.parametrize(
    ("values", "why_not"),
    [
        ({"created_at": t("03-31 23:59:59")}, None),
        ({"created_at": t("04-01")}, "not yet created"),
        ({"is_deleted": True}, "deleted"),
        ({"is_deleted": False}, None),
        ({"lifecycle_stage": "churned"}, "not a customer"),
        ({"lifecycle_stage": "Marketing Qualified-Lead"}, "not a customer"),
        ({"lifecycle_stage": "leads"}, None),
        ({"lifecycle_stage": "customer"}, None),
    ],
)
def test_accounts_that_exist_are_scored(values: dict[str, Any], why_not: str | None) -> None:
    assert judge(accounts=[account(**values)]).why_not == why_not


@pytest.mark.parametrize(
    ("subscriptions", "is_churned"),
    [
        ([], False),
        ([subscription(status="paused")], False),
        ([subscription(), subscription("03-31 23:59:59", status="canceled")], True),
        ([subscription(), subscription("04-01", status="canceled")], False),
        ([subscription(status="canceled"), subscription(sid="s2", status="paused")], False),
        ([subscription(status="canceled"), subscription(sid="s2", started_at=t("04-01"))], True),
        ([subscription(status="canceled", started_at=t("04-01"))], False),
        ([subscription("03-01", status="canceled"), subscription("03-01")], False),
        ([subscription("03-01"), subscription("03-01", status="canceled")], True),
        # A first version that is already canceled.
        ([subscription("05-01", status="canceled", canceled_at=t("04-01"))], False),
        ([subscription("05-01", status="canceled", canceled_at=t("03-31 23:59:59"))], True),
        ([subscription("04-01", status="canceled")], False),
        ([subscription("03-31", status="canceled", canceled_at=t("04-05"))], True),
        ([subscription("05-01", status="canceled", canceled_at=t("04-01"), started_at=t("04-01"))], False),
        ([subscription("04-02", status="canceled"), subscription("04-03")], False),
    ],
)
def test_churned_accounts_are_not_scored(subscriptions: list[Row], is_churned: bool) -> None:
    assert (judge({S: subscriptions}).why_not == "churned") is is_churned


def test_first_version_that_is_canceled_keeps_all_else() -> None:
    gone = subscription("05-01", status="canceled", canceled_at=t("04-01"), seats=7, mrr_usd=Decimal(9))
    result = judge({S: [gone]})
    assert (result.signals["mrr_usd"], result.signals["is_paid_plan"]) == (9, 1)


def test_subscription_before_its_first_version_reads_as_that() -> None:
    versions = [subscription("05-02", mrr_usd=Decimal(5)), subscription("05-01", mrr_usd=Decimal(9))]
    assert judge({S: versions}).signals["mrr_usd"] == 9


@pytest.mark.parametrize(
    ("stamps", "winner"),
    [
        (("2026-03-01", "2026-03-02"), 1),
        (("2026-03-02", "2026-03-01"), 0),
        (("2026-03-02", "2026-03-02"), 1),
        ((None, "2026-03-01"), 1),
        (("2026-03-01", None), 0),
        ((None, None), 1),
        (("2026-03-01", "2026-05-01"), 1),
    ],
)
def test_newest_version_wins_then_the_last_landed(stamps: tuple[str | None, str | None], winner: int) -> None:
    rows = [
        ticket("03-01", ticket_id="same", priority=priority, updated_at=maybe(stamp))
        for priority, stamp in zip(("urgent", "low"), stamps, strict=True)
    ]
    assert judge({T: rows}).signals["open_urgent_tickets"] == (1, 0)[winner]


def test_event_that_lands_again_counts_once_as_the_last_says() -> None:
    rows = [event("03-30", event_id="same"), event("03-29", "login", event_id="same")]
    result = judge({E: rows})
    assert (result.signals["active_days_7d"], result.signals["logins_7d"]) == (1, 1)


def test_rows_of_an_account_that_has_not_arrived_count_nowhere() -> None:
    feeds = {
        "crm/identities": [_identity("a"), _identity("nobody")],
        T: [ticket("03-30", account_id="nobody")],
    }
    result = judge(feeds)
    assert result.decision == "decided"
    assert result.signals["tickets_30d"] == 0


# -------------------------------------------------------------------------------------------------- scoring


def quiet(days: int) -> dict[str, list[Row]]:
    """Last login so many days ago, key features used today."""
    last = date.fromordinal(D.toordinal() - days)
    return {E: [event(f"{last}", "login"), event("03-31", "report_built")]}


def one_rule(effect: str, *conditions: str, **values: Any) -> Seeds:
    book = Book()
    book.add("playbook_v1", "only", effect, *conditions, **values)
    return replace(SEEDS, rules=tuple(book.rules), rule_conditions=tuple(book.conditions))


BUSY = quiet(0)


@pytest.mark.parametrize(
    ("feeds", "score", "bucket"),
    [
        (quiet(13), 100, "healthy"),
        (quiet(14), 80, "healthy"),
        ({}, 50, "watch"),
        ({P: [payment("03-10")]}, 35, "at_risk"),
        (BUSY | {P: [payment("03-10")]}, 85, "healthy"),
        (BUSY | {P: [payment("03-10"), payment("03-11")]}, 70, "watch"),
        (BUSY | {P: [payment("03-10") for _ in range(9)]}, 0, "at_risk"),
        (BUSY | {T: [ticket("03-10", "03-11")]}, 100, "healthy"),
        (quiet(14) | {T: [ticket("03-10", "03-11")]}, 90, "healthy"),
        ({S: [subscription()]}, 50, "at_risk"),
        ({S: [subscription(plan_id="free")]}, 50, "watch"),
    ],
)
def test_playbook_gives_the_points_of_the_contract(feeds: Any, score: float, bucket: str) -> None:
    result = judge(feeds)
    assert (result.score, result.bucket, result.decision) == (score, bucket, "decided")


def test_playbook_flags_caps_and_reviews() -> None:
    risk = judge({S: [subscription()]})
    assert (risk.flags, risk.bucket, risk.needs_review) == (frozenset({"churn_risk"}), "at_risk", False)
    pay = judge(BUSY | ignored() | {P: [payment("02-11")]})
    assert (pay.score, pay.flags, pay.bucket) == (100, frozenset({"payment_risk"}), "watch")
    assert judge(BUSY | {S: seats(10, 12)}).flags == {"upsell"}
    assert judge(BUSY | {S: seats(50, 59)}).flags == frozenset()
    assert judge({E: [*BUSY[E], *premium(2, 4)]}).flags == {"upsell"}
    late = {K: [milestone("03-01"), milestone("03-02")]}
    silent = judge(BUSY | late | {H: [touch("02-14")]})
    assert (silent.bucket, silent.needs_review, silent.flags) == ("watch", True, frozenset())
    assert judge(BUSY | late | {H: [touch("02-15")]}).bucket == "healthy"
    named = judge(BUSY | said("Northwind"))
    assert (named.bucket, named.needs_review) == ("healthy", True)


@pytest.mark.parametrize(
    ("operator", "results"),
    [
        (">=", ("false", "true", "true")),
        (">", ("false", "false", "true")),
        ("<=", ("true", "true", "false")),
        ("<", ("true", "false", "false")),
        ("=", ("false", "true", "false")),
        ("<>", ("true", "false", "true")),
    ],
)
def test_operators_on_both_sides_and_on_the_threshold(operator: str, results: tuple[str, ...]) -> None:
    seeds = one_rule("points", f"tickets_30d {operator} 2", points="-1")
    for number, expected in zip((1, 2, 3), results, strict=True):
        result = judge({T: [ticket("03-10") for _ in range(number)]}, seeds=seeds)
        assert result.rules["playbook_v1", "only"].result == expected


@pytest.mark.parametrize(
    ("feeds", "unknown", "off", "expected"),
    [
        ({T: [ticket("03-10")]}, (), (), "unknown"),
        ({}, (), (), "false"),
        ({T: [ticket("03-10")], R: [survey("nps", "3", "03-10")]}, (), (), "true"),
        ({T: [ticket("03-10")], R: [survey("nps", "9", "03-10")]}, (), (), "false"),
        ({R: [survey("nps", "3", "03-10")]}, (T,), (), "unknown"),
        ({R: [survey("nps", "9", "03-10")]}, (T,), (), "false"),
        ({}, (R,), (), "false"),
        ({}, (), (R,), "off"),
        ({}, (T,), (R,), "off"),
    ],
)
def test_three_values_and_off(feeds: Any, unknown: Any, off: Any, expected: str) -> None:
    seeds = one_rule("points", "tickets_30d >= 1", "nps_latest <= 6", points="-10")
    result = judge(feeds, seeds=seeds, unknown=unknown, off=off).rules["playbook_v1", "only"]
    points = -10 if expected == "true" else 0
    assert result == (expected, points, -10 if expected == "unknown" else points, points)


def test_when_null_false_makes_the_condition_false() -> None:
    seeds = one_rule("points", "nps_latest <= 6 ?", points="-10")
    assert judge(seeds=seeds).rules["playbook_v1", "only"].result == "false"
    assert judge(seeds=seeds, unknown=(R,)).rules["playbook_v1", "only"].result == "false"
    assert judge(seeds=seeds, off=(R,)).rules["playbook_v1", "only"].result == "off"


def smoothed(*days: int, unknown_on: int | None = None) -> list[tuple[float, str, str]]:
    """Score, bucket and decision of these days, by a median of three dates; a ticket from the 28th on."""
    seeds = one_rule("points", "tickets_30d >= 1", points="-60")
    playbook = replace(SEEDS.rule_sets["playbook_v1"], smoothing_days=3)
    seeds = replace(seeds, rule_sets={"playbook_v1": playbook})
    feeds: dict[str, list[Row]] = {feed: [] for feed in KEYS}
    feeds |= {"crm/accounts": [account()], T: [ticket("03-28")]}
    found: list[Mapping[str, AccountResult]] = []
    for day in days:
        states = {feed: "unknown" if feed == T and day == unknown_on else "known" for feed in KEYS}
        found.append(evaluate(feeds, seeds, date(2026, 3, day), states, earlier=found))
    return [(day["a"].score, day["a"].bucket, day["a"].decision) for day in found]


def test_the_bucket_reads_the_median_where_the_rule_set_says_so() -> None:
    before, dip = (100, "healthy", "decided"), (40, "healthy", "decided")
    assert smoothed(26, 27, 28) == [before, before, dip], "one bad day moves nobody"
    assert smoothed(26, 27, 28, 29)[-1] == (40, "at_risk", "decided")
    assert smoothed(27, 28) == [before, (40, "watch", "decided")], "the mean of the middle two: 70"
    assert smoothed(20, 21, 28)[-1] == dip, "scored dates count, not days"
    assert smoothed(28) == [(40, "at_risk", "decided")]
    assert smoothed(26, 27, 28, unknown_on=28)[-1] == (100, "healthy", "decided"), "low is 40, once"
    assert smoothed(27, 28, unknown_on=28)[-1] == (100, "healthy", "undecided")


def ranked(condition: str, active_days: list[int], *more: Row, unknown: tuple[str, ...] = ()) -> list[str]:
    """What a rank finds of customers with so many active days, in their order; then of those without any."""
    names = [f"n{number:02}" for number in range(len(active_days))]
    feeds = {
        E: [
            event(f"03-{day:02}", account_id=name)
            for name, days in zip(names, active_days, strict=True)
            for day in range(2, days + 2)
        ],
        S: [subscription(sid=name, account_id=name) for name in names],
    }
    accounts = [*(account(account_id=name) for name in names), *more]
    seeds = one_rule("points", condition, points="-10")
    return [
        judge(feeds, accounts=accounts, seeds=seeds, unknown=unknown, account_id=row["account_id"])
        .rules["playbook_v1", "only"]
        .result
        for row in accounts
    ]


def test_a_rank_compares_with_that_days_customers() -> None:
    days = list(range(1, 21))
    lowest, highest = "active_days_30d lowest 10", "active_days_30d highest 10"
    assert ranked(lowest, days) == ["true"] * 2 + ["false"] * 18
    assert ranked(highest, days) == ["false"] * 18 + ["true"] * 2
    assert ranked("active_days_30d lowest 10.5", days)[:4] == ["true", "true", "true", "false"]
    assert set(ranked(lowest, days[:19])) == {"false"}, "19 customers"
    assert ranked(lowest, [1, 1, 1, 1, *days[4:]])[:5] == ["true"] * 4 + ["false"], "a fifth ties"
    assert set(ranked(lowest, [1, 1, 1, 1, 1, *days[5:]])) == {"false"}, "more than a fifth"
    assert set(ranked(lowest, days, unknown=(E,))) == {"unknown"}
    prospects = [account(account_id=f"p{number}") for number in range(9)]
    found = ranked(lowest, days, *prospects)
    assert found == ["true"] * 2 + ["false"] * 18 + ["true"] * 9, "no customer, and read like one"
    found = ranked(lowest, days, *prospects, unknown=(S,))
    assert found == ["false"] * 29, "without billing everybody counts, and too many tie"


def test_one_feed_that_is_off_puts_out_a_rule_that_needs_two() -> None:
    seeds = one_rule("points", "seat_utilization_30d_pct < 50", points="-10")
    assert judge(seeds=seeds, off=(S,)).rules["playbook_v1", "only"].result == "off"
    assert judge(seeds=seeds, off=(S,), unknown=(E,)).rules["playbook_v1", "only"].result == "off"


INF = float("inf")


@pytest.mark.parametrize(
    ("conditions", "points", "bound", "feeds", "expected"),
    [
        (["failed_payments_30d >= 1"], "-15", None, {}, ("unknown", 0, -INF, 0)),
        (["failed_payments_30d >= 1"], "-15", "20", {}, ("unknown", 0, -20, 0)),
        (["failed_payments_30d >= 1"], "-15", "-20", {}, ("unknown", 0, -20, 0)),
        (["failed_payments_30d >= 1"], "2.5", "20", {}, ("unknown", 0, 0, 20)),
        (["failed_payments_30d >= 1"], "2.5", None, {}, ("unknown", 0, 0, INF)),
        (
            ["usage_trend_14d_pct <= -20", "failed_payments_30d >= 1"],
            "0.5",
            "30",
            None,
            ("unknown", 0, -30, 0),
        ),
        (["usage_trend_14d_pct >= 20", "failed_payments_30d >= 1"], "0.5", "30", None, ("unknown", 0, 0, 30)),
        (
            ["usage_trend_14d_pct <= 1", "failed_payments_30d >= 1"],
            "0.5",
            "30",
            None,
            ("unknown", 0, -30, 30),
        ),
        (["usage_trend_14d_pct >= 0", "failed_payments_30d >= 1"], "0.5", "30", None, ("unknown", 0, 0, 30)),
        (
            ["usage_trend_14d_pct >= 0", "failed_payments_30d >= 1"],
            "-0.5",
            "30",
            None,
            ("unknown", 0, -30, 0),
        ),
        (["usage_trend_14d_pct <= 0", "failed_payments_30d >= 1"], "0.5", "30", None, ("unknown", 0, -30, 0)),
        (
            ["usage_trend_14d_pct >= -1", "failed_payments_30d >= 1"],
            "-1",
            "30",
            None,
            ("unknown", 0, -30, 30),
        ),
        (["tickets_30d >= 2", "failed_payments_30d >= 1"], "-3", "10", {T: 3}, ("unknown", 0, -9, 0)),
        (["tickets_30d >= 2", "failed_payments_30d >= 1"], "-3", "10", {T: 4}, ("unknown", 0, -10, 0)),
        (["tickets_30d >= 2"], "-3", "10", {T: 3}, ("true", -9, -9, -9)),
        (["tickets_30d >= 2"], "-3", "10", {T: 4}, ("true", -10, -10, -10)),
        (["tickets_30d >= 2"], "3", "10", {T: 4}, ("true", 10, 10, 10)),
        (["tickets_30d >= 2"], "3", None, {T: 4}, ("true", 12, 12, 12)),
        (["tickets_30d >= 2"], "-3", None, {T: 1}, ("false", 0, 0, 0)),
    ],
)
def test_points_per_unit(
    conditions: list[str], points: str, bound: str | None, feeds: Any, expected: tuple[Any, ...]
) -> None:
    seeds = one_rule("points", *conditions, points=points, per_unit=True, max_points=bound)
    rows = {T: [ticket("03-10") for _ in range((feeds or {}).get(T, 0))]}
    unknown = (P,) if feeds is not None else (P, E)
    assert judge(rows, seeds=seeds, unknown=unknown).rules["playbook_v1", "only"] == expected


def test_interval_reaches_the_end_of_the_scale_where_points_have_no_bound() -> None:
    result = judge(BUSY, unknown=(P,))
    assert (result.low, result.score, result.high, result.decision) == (0, 100, 100, "undecided")


def test_unknown_caps_worsen_the_lower_end_alone() -> None:
    seeds = one_rule("cap", "tickets_30d >= 1", bucket="watch")
    result = judge(seeds=seeds, unknown=(T,))
    assert (result.low, result.high, result.bucket, result.decision) == (100, 100, "healthy", "undecided")
    capped = judge({T: [ticket("03-10")]}, seeds=seeds)
    assert (capped.score, capped.bucket, capped.decision) == (100, "watch", "decided")
    review = one_rule("review", "tickets_30d >= 1")
    assert judge(seeds=review, unknown=(T,)).decision == "decided"


def test_unknown_that_cannot_move_the_bucket_is_decided() -> None:
    seeds = one_rule("points", "tickets_30d >= 1", points="-20")
    near = judge(seeds=seeds, unknown=(T,))
    assert (near.low, near.high, near.decision, near.needs_review) == (80, 100, "decided", False)
    far = judge(seeds=one_rule("points", "tickets_30d >= 1", points="-20.5"), unknown=(T,))
    assert (far.low, far.high, far.decision, far.needs_review) == (79.5, 100, "undecided", True)


@pytest.mark.parametrize(
    ("points", "score", "bucket"),
    [
        ("-20", 80, "healthy"),
        ("-20.5", 79.5, "watch"),
        ("-50", 50, "watch"),
        ("-50.001", 49.999, "at_risk"),
        ("-101", 0, "at_risk"),
        ("5", 100, "healthy"),
    ],
)
def test_bounds_are_closed_below_and_the_score_is_clamped(points: str, score: float, bucket: str) -> None:
    result = judge(seeds=one_rule("points", "tickets_30d = 0", points=points))
    assert (result.score, result.bucket) == (score, bucket)


def test_rule_of_the_segment_replaces_the_general_one_there() -> None:
    book = Book()
    book.add("playbook_v1", "quiet", "points", "days_since_login >= 14", points="-20")
    book.add("playbook_v1", "quiet", "points", "days_since_login >= 7", points="-35", segment="big")
    book.add("playbook_v1", "extra", "points", "tickets_30d = 0", points="-1", segment="big")
    seeds = replace(SEEDS, rules=tuple(book.rules), rule_conditions=tuple(book.conditions))
    big = judge(quiet(7), accounts=[account(segment="big")], seeds=seeds)
    assert (big.score, set(big.champion.rules if big.champion else ())) == (64, {"quiet", "extra"})
    small = judge(quiet(7), accounts=[account(segment="small")], seeds=seeds)
    assert (small.score, set(small.champion.rules if small.champion else ())) == (100, {"quiet"})
    assert judge(quiet(14), accounts=[account(segment=None)], seeds=seeds).score == 80


@pytest.mark.parametrize(
    ("goals", "score"),
    [
        ([], 100),
        ([goal("days_since_login", "7")], 80),
        ([goal("days_since_login", "7", "03-31", "03-31")], 80),
        ([goal("days_since_login", "7", "04-01")], 100),
        ([goal("days_since_login", "7", None, "03-30")], 100),
        (
            [
                goal("days_since_login", "7", "02-01", None, "g1"),
                goal("days_since_login", "9", "01-01", None, "g2"),
            ],
            80,
        ),
        (
            [
                goal("days_since_login", "9", "02-01", None, "g1"),
                goal("days_since_login", "7", "01-01", None, "g2"),
            ],
            100,
        ),
        (
            [
                goal("days_since_login", "9", None, None, "g2"),
                goal("days_since_login", "7", "01-01", None, "g1"),
            ],
            80,
        ),
        (
            [
                goal("days_since_login", "7", "02-01", None, "g2"),
                goal("days_since_login", "9", "02-01", None, "g1"),
            ],
            80,
        ),
        (
            [goal("days_since_login", "9", None, None, "g"), goal("days_since_login", "7", None, None, "g")],
            80,
        ),
        ([goal("tickets_30d", "7")], 100),
    ],
)
def test_the_accounts_own_goal_is_the_threshold(goals: list[Row], score: float) -> None:
    assert judge(quiet(7) | {"crm/goals": goals}).score == score


def test_goal_goes_before_the_rule_of_the_segment() -> None:
    feeds = quiet(7) | {"crm/goals": [goal("days_since_login", "8")]}
    corners = judge(feeds, accounts=[account(segment="enterprise")]).rules["corners_v1", "quiet"]
    assert corners.result == "false"
    without = judge(quiet(7), accounts=[account(segment="enterprise")]).rules["corners_v1", "quiet"]
    assert without == ("true", -35, -35, -35)


@pytest.mark.parametrize(
    ("ends", "unknown", "off", "expected"),
    [
        ("04-29", (), (), ("true", -30, -30, -30)),
        ("04-30", (), (), ("true", -30, -30, -30)),
        ("05-01", (), (), ("true", -20, -20, -20)),
        ("03-30", (), (), ("true", -20, -20, -20)),
        (None, (), (), ("true", -20, -20, -20)),
        ("04-29", (S,), (), ("true", -20, -30, -20)),
        ("04-29", (), (S,), ("true", -20, -20, -20)),
        ("04-29", (T,), (), ("unknown", 0, -30, 0)),
        ("05-01", (T,), (), ("unknown", 0, -20, 0)),
        ("04-29", (T, S), (), ("unknown", 0, -30, 0)),
    ],
)
def test_points_weigh_by_the_nearness_of_the_renewal(
    ends: str | None, unknown: tuple[str, ...], off: tuple[str, ...], expected: tuple[Any, ...]
) -> None:
    seeds = one_rule("points", "tickets_30d = 0", points="-20", weight=(30, "1.5"))
    feeds = {S: [subscription(current_period_end=t(ends))]} if ends else {}
    judged = judge(feeds, seeds=seeds, unknown=unknown, off=off)
    assert judged.rules["playbook_v1", "only"] == expected


def test_a_weight_below_one_and_a_limit() -> None:
    ends = {S: [subscription(current_period_end=t("04-10"))]}
    less = one_rule("points", "tickets_30d = 0", points="-20", weight=(30, "0.5"))
    assert judge(ends, seeds=less).rules["playbook_v1", "only"] == ("true", -10, -10, -10)
    assert judge(ends, seeds=less, unknown=(S,)).rules["playbook_v1", "only"] == ("true", -20, -20, -10)
    limit = {"points": "-3", "per_unit": True, "max_points": "10", "weight": (30, "2")}
    tickets = {T: [ticket("03-10") for _ in range(4)]}
    held = one_rule("points", "tickets_30d >= 2", **limit)
    assert judge(ends | tickets, seeds=held).score == 80, "the limit holds before the weight"


def test_retired_rule_sets_are_not_scored_and_shadows_are() -> None:
    assert set(judge().sets) == {"playbook_v1", "corners_v1"}


@pytest.mark.parametrize("signal", sorted(SIGNAL_FEEDS))
def test_signal_is_unknown_where_any_feed_it_needs_is(signal: str) -> None:
    for feed in KEYS:
        is_needed = feed in SIGNAL_FEEDS[signal]
        for state in ("unknown", "off"):
            result = judge(**{state: (feed,)})  # type: ignore[arg-type]
            assert result.known[signal] is not is_needed
            if is_needed:
                assert result.signals[signal] is None


@pytest.mark.parametrize(
    ("feed", "decision"), [("billing/subscriptions", "undecided"), ("comms/messages", "decided")]
)
def test_what_was_refused_is_unknown_for_that_account_alone(feed: str, decision: str) -> None:
    feeds = company(1)
    before = evaluate(feeds, SEEDS, D)
    one = next(a for a, r in before.items() if r.scored and r.decision == "decided")
    after = evaluate(feeds, SEEDS, D, None, {one: frozenset({feed})})
    assert after[one].decision == decision
    assert {s for s, is_known in after[one].known.items() if before[one].known[s] and not is_known} == {
        s for s, needs in SEEDS.signals.items() if feed in needs and before[one].known[s]
    }
    assert {a: r for a, r in after.items() if a != one} == {a: r for a, r in before.items() if a != one}


def test_feed_without_a_state_is_known_where_it_is_there() -> None:
    result = evaluate({"crm/accounts": [account()], T: []}, SEEDS, D)["a"]
    assert (result.known["tickets_30d"], result.known["logins_7d"]) == (True, False)


def test_surveys_that_are_unknown_leave_mentions_known() -> None:
    assert judge(said("Northwind"), unknown=(R,)).signals["competitor_mentions_30d"] == 1


# ------------------------------------------------------------------------------ conflicts and overrides


def _identity(account_id: str, number: str = "x", **values: Any) -> Row:
    return {"source": "stripe", "source_account_id": number, "account_id": account_id, **values}


@pytest.mark.parametrize(
    ("stage", "status", "decision"),
    [
        ("churned", "active", "conflict"),
        ("Churned", "past_due", "conflict"),
        ("CHURNED", "trialing", "conflict"),
        ("customer", "active", "decided"),
        (None, "active", "decided"),
    ],
)
def test_live_subscription_of_a_churned_stage_is_a_conflict(stage: str, status: str, decision: str) -> None:
    feeds = BUSY | {S: [subscription(status=status)]}
    result = judge(feeds, accounts=[account(lifecycle_stage=stage)])
    assert (result.decision, result.needs_review) == (decision, decision == "conflict")


def test_conflict_is_read_as_of_the_day() -> None:
    accounts = [account(), account(lifecycle_stage="churned", updated_at=t("04-01"))]
    feeds = BUSY | {S: [subscription()]}
    assert judge(feeds, accounts=accounts).decision == "decided"
    assert judge(feeds, accounts=accounts, as_of=d("04-01")).decision == "conflict"


@pytest.mark.parametrize(
    ("rows", "decision"),
    [
        ([_identity("a"), _identity("b")], "conflict"),
        ([_identity("a"), _identity("a")], "decided"),
        ([_identity("a"), _identity("b", "y")], "decided"),
        ([_identity("a"), _identity("b", source="zendesk")], "decided"),
        ([_identity("a", _batch_id=1), _identity("b", _batch_id=2)], "decided"),
        ([_identity("a", _batch_id=2), _identity("b", _batch_id=2), _identity("c", _batch_id=1)], "conflict"),
        ([_identity("b", _batch_id=2), _identity("c", _batch_id=2), _identity("a", _batch_id=1)], "decided"),
    ],
)
def test_one_source_id_of_two_accounts_is_a_conflict(rows: list[Row], decision: str) -> None:
    accounts = [account(), account(account_id="b"), account(account_id="c")]
    feeds = BUSY | {"crm/identities": rows}
    assert judge(feeds, accounts=accounts).decision == decision


@pytest.mark.parametrize(
    ("overrides", "bucket"),
    [
        ([], None),
        ([override("watch", "03-31 23:59:59")], "watch"),
        ([override("watch", "04-01")], None),
        ([override("watch", "03-02 00:00")], "watch"),
        ([override("watch", "03-01 23:59:59")], None),
        ([override("watch", "01-01", "04-01")], "watch"),
        ([override("watch", "01-01", "03-31 23:59:59")], None),
        ([override("watch", "03-02", None, "o1"), override("at_risk", "03-03", None, "o0")], "at_risk"),
        ([override("watch", "03-02", None, "o9"), override("at_risk", "03-02", None, "o10")], "watch"),
        ([override("watch", "03-02", "05-01", "o1"), override("at_risk", "03-03", "03-05", "o2")], None),
        ([override("watch", "03-02"), override("at_risk", "03-02")], "at_risk"),
    ],
)
def test_live_override_replaces_the_bucket_and_never_the_score(
    overrides: list[Row], bucket: str | None
) -> None:
    result = judge(BUSY | {"crm/overrides": overrides})
    assert (result.override, result.score, result.bucket) == (bucket, 100, "healthy")
    assert result.final_bucket == (bucket or "healthy")


# -------------------------------------------------------------------------------- properties of companies

companies = st.integers(min_value=0, max_value=10**6)
properties = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
feeds_unknown = st.sets(st.sampled_from(sorted(set(KEYS) - {"crm/accounts"})), max_size=5)


def company(seed: int, accounts: int = 12) -> dict[str, list[Row]]:
    return random_company(seed, accounts, D)


def scored(feeds: Mapping[str, list[Row]], *unknown: str, seeds: Seeds = SEEDS) -> dict[str, AccountResult]:
    results = evaluate(feeds, seeds, D, dict.fromkeys(unknown, "unknown"))
    return {account_id: result for account_id, result in results.items() if result.scored}


@properties
@given(companies, feeds_unknown)
def test_points_add_up_to_the_score_and_the_interval_holds_it(seed: int, unknown: set[str]) -> None:
    for result in scored(company(seed), *unknown).values():
        for name, rule_set in result.sets.items():
            base = float(SEEDS.rule_sets[name].base_score)
            for attribute, points in (("score", "points"), ("low", "points_low"), ("high", "points_high")):
                total = base + sum(getattr(rule, points) for rule in rule_set.rules.values())
                assert getattr(rule_set, attribute) == pytest.approx(min(100, max(0, total)))
            assert 0 <= rule_set.low <= rule_set.score <= rule_set.high <= 100
            for rule in rule_set.rules.values():
                if rule.result != "unknown" and S not in unknown:
                    assert rule.points == rule.points_low == rule.points_high


@properties
@given(companies, companies)
def test_landing_order_changes_nothing(seed: int, order: int) -> None:
    feeds = company(seed)
    assert evaluate(safely_shuffled(feeds, order), SEEDS, D) == evaluate(feeds, SEEDS, D)


@properties
@given(companies, st.integers(min_value=-900, max_value=900))
def test_a_company_moved_in_time_is_judged_the_same(seed: int, days: int) -> None:
    feeds = company(seed)
    moved = evaluate(shift(feeds, days), SEEDS, date.fromordinal(D.toordinal() + days))
    assert moved == evaluate(feeds, SEEDS, D)


@properties
@given(companies)
def test_everything_landing_again_changes_nothing(seed: int) -> None:
    feeds = company(seed)
    twice = {feed: [*rows, *rows] for feed, rows in feeds.items()}
    assert evaluate(twice, SEEDS, D) == evaluate(feeds, SEEDS, D)


@properties
@given(companies, feeds_unknown, feeds_unknown)
def test_knowing_less_widens_the_interval_and_never_decides_otherwise(
    seed: int, unknown: set[str], more: set[str]
) -> None:
    """Of rule sets without `when_null = false`, which makes a choice of its own where a value is missing."""
    feeds = company(seed)
    corners = [replace(c, when_null=None) for c in SEEDS.rule_conditions]
    seeds = replace(SEEDS, rule_conditions=tuple(corners))
    knowing = scored(feeds, *unknown, seeds=seeds)
    for account_id, less in scored(feeds, *unknown, *more, seeds=seeds).items():
        for name, result in less.sets.items():
            before = knowing[account_id].sets[name]
            assert result.low <= before.low
            assert result.high >= before.high
            if result.decision == "decided":
                assert (before.decision, before.bucket) == ("decided", result.bucket)


@properties
@given(companies, st.randoms(use_true_random=False))
def test_worse_input_never_raises_the_score(seed: int, rng: Any) -> None:
    feeds = company(seed)
    # A login from before the account was made counts for less than none at all, which counts from that day.
    feeds["crm/accounts"] = [{**row, "created_at": t("2024-12-31")} for row in feeds["crm/accounts"]]
    before = scored(feeds)

    def fewer(feed: str, keep: Callable[[Row], bool]) -> list[Row]:
        ids = sorted({row[KEYS[feed][0]] for row in feeds[feed] if not keep(row)})
        gone = set(ids[: rng.randint(0, len(ids))])
        return [row for row in feeds[feed] if row[KEYS[feed][0]] not in gone]

    unpaid = [
        {"payment_id": f"more-{a}", "account_id": a, "status": "failed", "attempted_at": t("03-31")}
        for a in before
    ]
    worse: list[dict[str, list[Row]]] = [
        {P: [*feeds[P], *unpaid]},
        {E: fewer(E, lambda row: row["event_name"] not in {"login", "sso_login", "report_built"})},
        {T: fewer(T, lambda row: row["resolved_at"] is None)},
    ]
    for change in worse:
        for account_id, after in scored(feeds | change).items():
            assert after.score <= before[account_id].score
            assert BUCKETS.index(after.bucket) <= BUCKETS.index(before[account_id].bucket)


@properties
@given(companies)
def test_facts_after_the_day_change_nothing(seed: int) -> None:
    """Of the feeds whose rows are facts with one time and no versions."""
    times = {E: "occurred_at", P: "attempted_at", H: "occurred_at", V: "recorded_at", R: "responded_at"}
    times["crm/overrides"] = "overridden_at"
    feeds = company(seed)
    for feed in times:
        key = KEYS[feed][0]
        feeds[feed] = list({row[key]: row for row in feeds[feed]}.values())
    seen = {
        feed: [row for row in rows if feed not in times or row[times[feed]] < datetime(2026, 4, 1)]
        for feed, rows in feeds.items()
    }
    assert evaluate(seen, SEEDS, D) == evaluate(feeds, SEEDS, D)


# ---------------------------------------------------------------------------------------- the company itself


def test_company_is_the_same_for_the_same_arguments_and_another_for_others() -> None:
    assert company(3) == company(3)
    assert company(3) != company(4)


def test_company_reaches_both_sides_of_every_rule() -> None:
    seen: dict[tuple[str, str], set[str]] = {}
    values: dict[str, set[float | None]] = {}
    outcomes: Counter[str | None] = Counter()
    for seed in range(6):
        for result in evaluate(company(seed, 60), SEEDS, D).values():
            outcomes[result.why_not or result.decision] += 1
            outcomes[f"override {result.override}"] += 1
            for rule, judged in result.rules.items():
                seen.setdefault(rule, set()).add(judged.result)
            for signal, value in result.signals.items():
                values.setdefault(signal, set()).add(value)
    assert {rule for rule, results in seen.items() if not {"true", "false"} <= results} == set()
    assert {signal for signal, found in values.items() if len(found) < 2} == set()
    wanted = {"not yet created", "deleted", "churned", "decided", "undecided", "conflict", "override watch"}
    assert wanted <= set(outcomes)


def test_company_holds_valid_rows_and_all_feeds() -> None:
    feeds = company(1, 60)
    assert set(feeds) == set(KEYS) == set(COLUMNS)
    for feed, rows in feeds.items():
        assert rows, feed
        assert all(tuple(row) == COLUMNS[feed] for row in rows)
    oldest = min(row["occurred_at"] for row in feeds[E])
    assert (D - oldest.date()).days <= 390
    for row in feeds[T]:
        assert row["resolved_at"] is None or row["resolved_at"] >= row["opened_at"]


# ------------------------------------------------------------------------------------------------- files


def _typed(feed: str, row: Mapping[str, Any]) -> Row:
    """A row of text or JSON back as it was."""
    times = {c for c in COLUMNS[feed] if c.endswith("_at") or c == "current_period_end"}
    typed: Row = {}
    for column in COLUMNS[feed]:
        value = row[column]
        if value is None or value == "":
            typed[column] = None
        elif column in times:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else value
            offset = moment.utcoffset()
            typed[column] = moment.replace(tzinfo=None) - offset if offset is not None else moment
        elif column in {"due_date", "valid_from", "valid_to", "card_expires_on"}:
            typed[column] = date.fromisoformat(value) if isinstance(value, str) else value
        elif value in {"true", "false"}:
            typed[column] = value == "true"
        elif column in {"arr_usd", "mrr_usd", "amount_usd", "sentiment", "score", "target"}:
            typed[column] = Decimal(str(value))
        else:
            typed[column] = int(value) if column == "seats" else value
    return typed


def _read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        table: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return table
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("shuffle_seed", [None, 5])
def test_files_hold_the_rows_in_order(tmp_path: Path, shuffle_seed: int | None) -> None:
    feeds = company(2, 20)
    write(feeds, tmp_path, shuffle_seed=shuffle_seed, files=4)
    expected = feeds if shuffle_seed is None else safely_shuffled(feeds, shuffle_seed)
    suffixes = Counter(path.suffix for path in tmp_path.rglob("part-*"))
    assert set(suffixes) == {".csv", ".gz", ".parquet"}
    for feed, rows in expected.items():
        found = [_typed(feed, row) for path in sorted((tmp_path / feed).iterdir()) for row in _read(path)]
        assert found == rows, feed


def test_feed_without_rows_is_a_header_alone(tmp_path: Path) -> None:
    write({"crm/accounts": [], T: []}, tmp_path)
    assert (tmp_path / T / "part-000.csv").read_text().strip() == ",".join(COLUMNS[T])
    assert not (tmp_path / E).exists()


def test_seeds_written_and_read_are_the_same(tmp_path: Path) -> None:
    write_seeds(SEEDS, tmp_path)
    (tmp_path / "signals.csv").write_text(
        "signal,feeds\n" + "\n".join(f"{s},{' '.join(f)}" for s, f in SIGNAL_FEEDS.items())
    )
    assert load_seeds(tmp_path) == SEEDS
    (tmp_path / "fallback").mkdir()
    (tmp_path / "competitors.csv").rename(tmp_path / "fallback" / "competitors.csv")
    assert load_seeds(tmp_path, tmp_path / "fallback") == SEEDS


def test_projects_catalogue_of_signals_needs_the_feeds_of_the_contract() -> None:
    path = FROZEN / "signals.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["signal"]: tuple(row["feeds"].split()) for row in rows} == SIGNAL_FEEDS
    assert {row["signal"]: row["family"] for row in rows} == {
        signal: family for family, signals in FAMILIES.items() for signal in signals
    }


def test_projects_playbook_is_that_of_the_contract() -> None:
    shipped = load_seeds(FROZEN)

    def playbook(seeds: Seeds) -> tuple[Any, ...]:
        return (
            seeds.rule_sets["playbook_v1"],
            {r for r in seeds.rules if r.rule_set == "playbook_v1"},
            {c for c in seeds.rule_conditions if c.rule_set == "playbook_v1"},
        )

    assert playbook(shipped) == playbook(SEEDS)


# ------------------------------------------------------------------------------------------------ compare


@pytest.fixture
def warehouse(agreeing: Path, tmp_path: Path) -> Path:
    """A copy of the agreeing warehouse that a test may spoil, with its seeds beside it."""
    shutil.copytree(agreeing, tmp_path, dirs_exist_ok=True)
    return tmp_path / "warehouse.duckdb"


@pytest.fixture(scope="module")
def agreeing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose warehouse says what the oracle says of one small company, two feeds unknown."""
    tmp_path = tmp_path_factory.mktemp("agreeing")
    write_seeds(SEEDS, tmp_path / "seeds")
    (tmp_path / "seeds" / "signals.csv").write_text(
        "signal,feeds\n" + "\n".join(f"{s},{' '.join(f)}" for s, f in SIGNAL_FEEDS.items())
    )
    results = scored(company(1), P, R)
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as con:
        for schema in ("signals", "scoring", "marts"):
            con.execute(f"create schema {schema}")
        for family, names in FAMILIES.items():
            rows = [(a, D, *(r.signals[s] for s in names)) for a, r in results.items()]
            _fill(con, f"signals.sig_{family}", ("account_id", "as_of_date", *names), rows)
        _fill(
            con,
            "scoring.fct_rule_results",
            (
                "account_id",
                "as_of_date",
                "rule_set",
                "rule_id",
                "result",
                "points",
                "points_low",
                "points_high",
            ),
            [(a, D, *rule, *judged) for a, r in results.items() for rule, judged in r.rules.items()],
        )
        _fill(
            con,
            "scoring.fct_health_scores",
            (
                "account_id",
                "as_of_date",
                "rule_set",
                "score",
                "score_low",
                "score_high",
                "bucket",
                "decision",
            ),
            [
                (a, D, name, s.score, s.low, s.high, s.bucket, s.decision)
                for a, r in results.items()
                for name, s in r.sets.items()
            ],
        )
        _fill(
            con,
            "marts.rpt_account_health",
            (
                "account_id",
                "as_of_date",
                "score",
                "score_low",
                "score_high",
                "model_bucket",
                "bucket",
                "decision",
                "is_overridden",
            ),
            [
                (a, D, r.score, r.low, r.high, r.bucket, r.final_bucket, r.decision, r.override is not None)
                for a, r in results.items()
            ],
        )
        flags = [(a, D, flag) for a, r in results.items() for flag in r.flags]
        _fill(con, "marts.fct_account_flags", ("account_id", "as_of_date", "flag"), flags)
    return tmp_path


def _fill(con: Any, relation: str, columns: tuple[str, ...], rows: list[Any]) -> None:
    text = {"account_id", "rule_set", "rule_id", "result", "bucket", "model_bucket", "decision", "flag"}
    kinds = {"as_of_date": "date", "is_overridden": "boolean"} | dict.fromkeys(text, "varchar")
    typed = [f"{column} {kinds.get(column, 'double')}" for column in columns]
    con.execute(f"create table {relation} ({', '.join(typed)})")
    con.executemany(f"insert into {relation} values ({', '.join('?' * len(columns))})", rows)


def _differences(path: Path) -> list[str]:
    given = (path, company(1), path.parent / "seeds", D, {P: "unknown", R: "unknown"})
    return compare(*given) + compare_snapshot(*given)


def test_warehouse_that_agrees_has_no_differences(warehouse: Path) -> None:
    assert _differences(warehouse) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            "update signals.sig_usage set logins_7d = logins_7d + 1",
            "signals.sig_usage {a} logins_7d: warehouse",
        ),
        (
            "update signals.sig_billing set failed_payments_30d = 0",
            "signals.sig_billing {a} failed_payments_30d: warehouse 0.0, contract None",
        ),
        ("delete from signals.sig_value", "signals.sig_value {a}: missing"),
        ("drop table signals.sig_comms", "signals.sig_comms: Catalog Error"),
        ("alter table signals.sig_comms drop feature_clicks_30d", "sig_comms: no column feature_clicks_30d"),
        (
            "insert into signals.sig_value select * from signals.sig_value",
            "signals.sig_value {a}: more than one",
        ),
        (
            "insert into signals.sig_value (account_id, as_of_date) values ('ghost', date '2026-03-31')",
            "signals.sig_value ghost: not in the contract",
        ),
        (
            "update scoring.fct_rule_results set result = 'false' where rule_id = 'failed_payment'",
            " result: ",
        ),
        (
            "update scoring.fct_rule_results set points_low = -7 where rule_id = 'failed_payment'",
            "points_low",
        ),
        (
            "update scoring.fct_rule_results set points = 3 where rule_id = 'churn_risk'",
            " points: warehouse 3",
        ),
        ("update scoring.fct_health_scores set score_high = score_high - 1e-6", "{a} playbook_v1 score_high"),
        ("update scoring.fct_health_scores set decision = 'decided'", " decision: "),
        ("delete from scoring.fct_health_scores where rule_set = 'corners_v1'", "{a} corners_v1: missing"),
        ("update marts.rpt_account_health set is_overridden = not is_overridden", "{a} is_overridden"),
        ("insert into marts.fct_account_flags values ('ghost', date '2026-03-31', 'f')", "ghost f: not in"),
        ("drop table marts.fct_account_flags", "marts.fct_account_flags: Catalog Error"),
    ],
)
def test_every_difference_is_told(warehouse: Path, change: str, line: str) -> None:
    some_account = min(scored(company(1)))
    with duckdb.connect(str(warehouse)) as con:
        con.execute(change)
    assert any(line.format(a=some_account) in told for told in _differences(warehouse))


@pytest.mark.parametrize(
    "change",
    [
        "update signals.sig_usage set usage_trend_14d_pct = usage_trend_14d_pct * (1 + 1e-12)",
        "update scoring.fct_rule_results set points = null where rule_id = 'churn_risk'",
        "update scoring.fct_rule_results set points_low = null where isinf(points_low)",
        "update scoring.fct_rule_results set points_low = -1000 where isinf(points_low)",
        "insert into scoring.fct_health_scores values ('x', date '2026-03-31', 'old_v1', 1, 1, 1, 'b', 'd')",
        "insert into signals.sig_value values ('x', date '2026-03-30', 1, 1)",
    ],
)
def test_what_means_the_same_is_no_difference(warehouse: Path, change: str) -> None:
    with duckdb.connect(str(warehouse)) as con:
        con.execute(change)
    assert _differences(warehouse) == []


@pytest.mark.parametrize(
    ("theirs", "ours", "equal"),
    [
        (Decimal("33.333333333333336"), 100 / 3, True),
        (33.33333, 100 / 3, False),
        (True, 1.0, True),
        (None, 0.0, False),
        (0, None, False),
        (None, None, True),
        ("watch", "watch", True),
        ("watch", "healthy", False),
        (-99.0, -INF, False),
        (100.0, -INF, False),
        (-INF, -INF, True),
    ],
)
def test_values_are_the_same_within_a_billionth(theirs: Any, ours: Any, equal: bool) -> None:
    assert same(theirs, ours) is equal


@pytest.mark.parametrize(
    ("values", "as_of", "why_not"),
    [
        ({"cancel_at_period_end": True}, "03-19", None),
        ({"cancel_at_period_end": True}, "03-20", "churned"),
        ({"cancel_at_period_end": False}, "01-09", None),
        ({"cancel_at_period_end": False}, "01-10", "churned"),
        ({"cancel_at_period_end": True, "current_period_end": t("01-10")}, "01-10", "churned"),
        ({"cancel_at_period_end": True, "current_period_end": t("04-20")}, "03-24", None),
        ({"cancel_at_period_end": True, "current_period_end": t("04-20")}, "03-25", "churned"),
        ({"status": "active", "is_deleted": True}, "03-25", None),
    ],
)
def test_a_first_version_that_is_canceled_ends_with_its_period(
    values: dict[str, Any], as_of: str, why_not: str | None
) -> None:
    row = subscription("03-25", status="canceled", canceled_at=t("01-10"), current_period_end=t("03-20"))
    accounts = [account(created_at=t("01-01"))]
    result = judge({S: [row | {"started_at": t("01-01")} | values]}, accounts=accounts, as_of=d(as_of))
    assert result.why_not == why_not


@pytest.mark.parametrize(
    ("status", "resolved_at", "is_open", "fast"),
    [
        ("open", None, 1, 0),
        ("On Hold", t("03-30 10:00:00"), 1, 0),
        ("closed", None, 0, 0),
        ("SPAM", None, 0, 0),
        ("closed", t("03-30 10:00:00"), 0, 1),
        ("closed", t("04-01"), 1, 0),
        ("escalated", None, 1, 0),
        ("escalated", t("03-30 10:00:00"), 0, 1),
    ],
)
def test_a_ticket_is_what_its_status_means(
    status: str, resolved_at: datetime | None, is_open: int, fast: int
) -> None:
    known = ticket("2025-12-01", "2025-12-31", status="closed")
    result = judge({T: [known, {**ticket("03-30", status=status), "resolved_at": resolved_at}]})
    found = (result.signals["open_tickets"], result.signals["fast_resolutions_30d"])
    assert found == (is_open, fast)


@pytest.mark.parametrize(("updated_at", "opened"), [(t("03-31 23:59:59"), 0), (t("04-01"), 1), (None, 0)])
def test_a_deleted_row_counts_until_its_time(updated_at: datetime | None, opened: int) -> None:
    row = ticket("03-30", updated_at=updated_at, is_deleted=True)
    assert judge({T: [row]}).signals["tickets_30d"] == opened
    first = {**row, "updated_at": t("03-30"), "is_deleted": None}
    assert judge({T: [first, row]}).signals["tickets_30d"] == opened


def test_words_of_which_none_is_known_leave_their_signals_unknown() -> None:
    result = judge(
        {
            E: [event("03-20", "Sign In")],
            S: [subscription(plan_id="plus-2026")],
            T: [ticket("03-30", status="escalated")],
        }
    )
    unknown = {signal for signal, is_known in result.known.items() if not is_known}
    assert {"days_since_login", "adoption_milestones", "is_paid_plan", "open_tickets"} <= unknown
    assert not {"active_days_30d", "mrr_usd", "tickets_30d", "has_active_champion"} & unknown
