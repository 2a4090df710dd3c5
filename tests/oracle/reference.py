"""Reference data for property tests: the contract's `playbook_v1`, and a shadow that is all corners."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

from .contract import SIGNAL_FEEDS, Condition, Plan, ProductEvent, Rule, RuleSet, Seeds

PLANS = (
    Plan("free", is_paid=False, rank=0),
    Plan("starter", is_paid=True, rank=1),
    Plan("team", is_paid=True, rank=2),
    Plan("team_annual", is_paid=True, rank=2),
    Plan("enterprise", is_paid=True, rank=3),
)
EVENTS = (
    ProductEvent("login", is_login=True),
    ProductEvent("sso_login", is_login=True),
    ProductEvent("report_built", is_key_feature=True, milestone="first_report"),
    ProductEvent("dashboard_shared", is_key_feature=True, milestone="first_report"),
    ProductEvent("api_called", is_key_feature=True, is_premium=True, milestone="first_api_call"),
    ProductEvent("forecast_run", is_premium=True),
    ProductEvent("template_saved", is_advanced=True),
    ProductEvent("project_made", is_advanced=True, milestone="first_project"),
    ProductEvent("member_invited", milestone="first_invite"),
    ProductEvent("page_viewed"),
)
EXCLUDED = (
    ("account_id", "acc-7"),
    ("domain", "company3.example.com"),
    ("user_id", "u5"),
    ("bot", "bot-*"),
    ("email", "con-acc-5-0@example.com"),
    ("email_domain", "staff.example"),
)
COMPETITORS = ("Northwind", "Acme CRM", "Über-Tool", "C++Suite")

RULE_SETS = (
    RuleSet("playbook_v1", "champion", Decimal(100), Decimal(50), Decimal(80)),
    RuleSet("corners_v1", "shadow", Decimal("70.5"), Decimal(40), Decimal("75.5"), smoothing_days=4),
    RuleSet("old_v1", "retired", Decimal(100), Decimal(50), Decimal(80)),
)


class Book:
    """Collects rules and conditions, these as `signal operator threshold` and `?` for when_null = false.

    `weight`: days to the renewal and the factor within them.
    """

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.conditions: list[Condition] = []

    def add(
        self,
        rule_set: str,
        rule_id: str,
        effect: str,
        *conditions: str,
        segment: str | None = None,
        points: str | None = None,
        per_unit: bool = False,
        max_points: str | None = None,
        bucket: str | None = None,
        flag: str | None = None,
        needs_review: bool = False,
        weight: tuple[int, str] | None = None,
    ) -> None:
        self.rules.append(
            Rule(
                rule_set,
                rule_id,
                segment,
                effect,
                None if points is None else Decimal(points),
                per_unit,
                None if max_points is None else Decimal(max_points),
                bucket,
                flag,
                needs_review,
                None if weight is None else weight[0],
                None if weight is None else Decimal(weight[1]),
            )
        )
        for position, condition in enumerate(conditions, start=1):
            signal, operator, threshold, *when_null = condition.split()
            self.conditions.append(
                Condition(
                    rule_set,
                    rule_id,
                    segment,
                    position,
                    signal,
                    operator,
                    Decimal(threshold),
                    "false" if when_null else None,
                )
            )


def _playbook(book: Book) -> None:
    name = "playbook_v1"
    book.add(name, "no_login_14d", "points", "days_since_login >= 14", points="-20")
    book.add(name, "key_feature_unused_30d", "points", "days_since_key_feature >= 30", points="-30")
    book.add(name, "failed_payment", "points", "failed_payments_30d >= 1", points="-15", per_unit=True)
    book.add(name, "fast_resolution", "points", "fast_resolutions_30d >= 1", points="10")
    book.add(
        name,
        "churn_risk",
        "flag",
        "days_since_login >= 21",
        "days_since_key_feature >= 30",
        "is_paid_plan = 1",
        flag="churn_risk",
        bucket="at_risk",
    )
    book.add(
        name,
        "payment_risk",
        "flag",
        "is_last_invoice_failed = 1",
        "is_reminder_unclicked_7d = 1",
        flag="payment_risk",
        bucket="watch",
    )
    book.add(name, "expansion_seats", "flag", "seats_change_14d_pct >= 20", flag="upsell")
    book.add(name, "expansion_premium", "flag", "premium_usage_14d_pct >= 100", flag="upsell")
    book.add(
        name,
        "silent_relationship",
        "cap",
        "days_since_reply >= 45",
        "overdue_milestones >= 2",
        bucket="watch",
        needs_review=True,
    )
    book.add(name, "competitor_named", "review", "competitor_mentions_30d >= 1", needs_review=True)


def _corners(book: Book) -> None:
    """Segments, weights, bounds in size, fractions, ranks, both meanings of null, every operator."""
    name = "corners_v1"
    book.add(name, "quiet", "points", "days_since_login >= 14", points="-20")
    book.add(
        name,
        "quiet",
        "points",
        "days_since_login >= 7",
        points="-35",
        segment="enterprise",
        weight=(30, "1.5"),
    )
    book.add(name, "few_seats", "points", "seat_utilization_30d_pct < 50", points="-10", segment="smb")
    book.add(
        name,
        "failed",
        "points",
        "failed_payments_30d >= 1",
        points="-7.5",
        per_unit=True,
        max_points="20",
        weight=(29, "2"),
    )
    book.add(
        name,
        "clicks",
        "points",
        "feature_clicks_30d >= 1",
        "onboarding_open_rate_30d_pct >= 50",
        points="2.25",
        per_unit=True,
        max_points="4.5",
    )
    book.add(name, "detractor", "points", "nps_latest <= 6 ?", points="-15")
    book.add(name, "promoter", "points", "nps_latest >= 9", points="10", weight=(0, "0.5"))
    book.add(
        name,
        "angry",
        "points",
        "ticket_sentiment_30d < 0",
        "open_urgent_tickets >= 1",
        points="-12.25",
        weight=(30, "2"),
    )
    book.add(name, "slow_support", "points", "median_resolution_90d_hours > 24", points="-5")
    book.add(name, "falling_use", "points", "usage_trend_14d_pct <= -50", points="-10")
    book.add(name, "long_overdue", "cap", "days_past_due > 30", bucket="at_risk")
    book.add(
        name, "renewal_near", "cap", "days_to_renewal <= 30", "milestones_met_pct < 66.5", bucket="watch"
    )
    book.add(name, "no_champion", "flag", "has_active_champion = 0", flag="no_champion")
    book.add(name, "downgraded", "flag", "is_downgraded_90d = 1", flag="shrinking", bucket="watch")
    book.add(name, "unhappy_owner", "review", "pulse_latest <= 2", needs_review=True)
    book.add(name, "least_active", "points", "active_days_30d lowest 30", points="-4.5")
    book.add(name, "latest_replies", "points", "days_since_reply highest 12.5 ?", points="-3", segment="smb")
    book.add(name, "most_tied", "points", "has_active_champion lowest 10", points="-50")
    book.add(name, "unhappy_users", "points", "csat_90d < 3", points="-6", needs_review=True)


FX_RATES = (
    ("EUR", date(2000, 1, 1), Decimal("1.25")),
    ("GBP", date(2025, 6, 2), Decimal("1.5")),
    ("GBP", date(2026, 1, 1), Decimal(2)),
)
"""Of EUR one rate for all days, so that a company may be moved in time; CHF has none."""


def default_seeds() -> Seeds:
    """`playbook_v1` as champion, `corners_v1` as shadow, `old_v1` retired; five plans and ten event names."""
    book = Book()
    _playbook(book)
    _corners(book)
    book.add("old_v1", "quiet", "points", "days_since_login >= 5", points="-50")
    return Seeds(
        plans={plan.plan_id: plan for plan in PLANS},
        product_events={event.event_name: event for event in EVENTS},
        competitors=COMPETITORS,
        signals=dict(SIGNAL_FEEDS),
        rule_sets={rule_set.rule_set: rule_set for rule_set in RULE_SETS},
        rules=tuple(book.rules),
        rule_conditions=tuple(book.conditions),
        excluded=EXCLUDED,
        fx_rates=FX_RATES,
    )


def write_seeds(seeds: Seeds, folder: Path) -> None:
    """Write what `--seeds` takes: everything but the catalogue of signals, which is the project's own."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, "plans", [vars(p) | {"name": p.plan_id} for p in seeds.plans.values()])
    _write(folder, "product_events", [vars(e) for e in seeds.product_events.values()])
    _write(folder, "not_customers", [{"lifecycle_stage": stage} for stage in sorted(seeds.not_customers)])
    excluded = [{"kind": kind, "value": value, "reason": "of the tests"} for kind, value in seeds.excluded]
    _write(folder, "excluded", excluded)
    rates = [
        dict(zip(("currency", "valid_from", "usd_per_unit"), rate, strict=True)) for rate in seeds.fx_rates
    ]
    _write(folder, "fx_rates", rates)
    _write(folder, "competitors", [{"name": name} for name in seeds.competitors])
    sets = [vars(s) | {"description": f"{s.rule_set} of the tests"} for s in seeds.rule_sets.values()]
    _write(folder, "rule_sets", sets)
    rules = [
        vars(r) | {"title": r.rule_id.replace("_", " "), "evidence": "Saw {value_1} (limit {threshold_1})"}
        for r in seeds.rules
    ]
    _write(folder, "rules", rules)
    _write(folder, "rule_conditions", [vars(c) for c in seeds.rule_conditions])


def _write(folder: Path, name: str, rows: Iterable[dict[str, object]]) -> None:
    listed = list(rows)
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(listed[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: _cell(v) for k, v in row.items()} for row in listed)


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value
