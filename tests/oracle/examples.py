"""Rows written by hand, and what each signal is with them: on both sides of every boundary.

The as-of date is 2026-03-31. Its windows begin on: 7 days 03-25, 14 days 03-18 (the 14 before 03-04), 30 days
03-02, 90 days 01-01, 180 days 2025-10-03. The account `a` is created on 2025-12-31, 90 days before.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from .contract import Row

D = date(2026, 3, 31)
_numbers = count(1)


def t(text: str) -> datetime:
    """`03-25` is the beginning of that day of 2026; a longer text is taken as it is."""
    if len(text.partition(" ")[0]) == 5:
        text = f"2026-{text}"
    return datetime.fromisoformat(text)


def d(text: str) -> date:
    return t(text).date()


def maybe(text: str | None) -> datetime | None:
    return None if text is None else t(text)


def account(**values: Any) -> Row:
    return {"account_id": "a", "name": "A", "created_at": t("2025-12-31 12:00"), **values}


def event(at: str, name: str = "page_viewed", user: str | None = "u1", **values: Any) -> Row:
    return {
        "event_id": f"e{next(_numbers)}",
        "account_id": "a",
        "event_name": name,
        "occurred_at": t(at),
        "user_id": user,
        **values,
    }


def subscription(updated_at: str = "2025-06-01", sid: str = "s", **values: Any) -> Row:
    return {
        "subscription_id": sid,
        "account_id": "a",
        "plan_id": "team",
        "status": "active",
        "started_at": t("2025-06-01"),
        "updated_at": t(updated_at),
        **values,
    }


def in_francs(after: str, currency: str, updated_at: str, **values: Any) -> list[Row]:
    """A subscription of 50 francs, for which there is no rate, and its next version."""
    later = subscription(updated_at, mrr_usd=Decimal(after), currency=currency, **values)
    return [subscription(mrr_usd=Decimal(50), currency="CHF"), later]


def invoice(issued_at: str, invoice_id: str = "i1", status: str = "open", **values: Any) -> Row:
    row = {"invoice_id": invoice_id, "account_id": "a", "status": status, "issued_at": t(issued_at)}
    return {**row, **values}


def payment(at: str, status: str = "failed", invoice_id: str | None = "i1", **values: Any) -> Row:
    row = {"payment_id": f"p{next(_numbers)}", "account_id": "a", "invoice_id": invoice_id}
    return {**row, "status": status, "attempted_at": t(at), **values}


def ticket(opened_at: str, resolved_at: str | None = None, **values: Any) -> Row:
    row = {"ticket_id": f"t{next(_numbers)}", "account_id": "a", "opened_at": t(opened_at)}
    return {**row, "resolved_at": maybe(resolved_at), **values}


def message(kind: str, sent_at: str, **values: Any) -> Row:
    return {
        "message_id": f"m{next(_numbers)}",
        "account_id": "a",
        "kind": kind,
        "sent_at": t(sent_at),
        **{k: t(v) if k.endswith("_at") and isinstance(v, str) else v for k, v in values.items()},
    }


def touch(at: str, direction: str = "inbound", channel: str = "email", **values: Any) -> Row:
    row = {"touchpoint_id": f"h{next(_numbers)}", "account_id": "a", "occurred_at": t(at)}
    return {**row, "direction": direction, "channel": channel, **values}


def contact(role: str | None = "champion", **values: Any) -> Row:
    return {"contact_id": f"c{next(_numbers)}", "account_id": "a", "role": role, **values}


def milestone(due: str, completed_at: str | None = None, **values: Any) -> Row:
    row = {"milestone_id": f"k{next(_numbers)}", "account_id": "a", "due_date": d(due)}
    return {**row, "completed_at": maybe(completed_at), **values}


def survey(kind: str, score: str, at: str, **values: Any) -> Row:
    row = {"response_id": f"r{next(_numbers)}", "account_id": "a", "kind": kind}
    return {**row, "score": Decimal(score), "responded_at": t(at), **values}


def pulse(sentiment: str, at: str, **values: Any) -> Row:
    row = {"pulse_id": f"v{next(_numbers)}", "account_id": "a", "recorded_at": t(at)}
    return {**row, "sentiment": Decimal(sentiment), **values}


def override(bucket: str, at: str, expires_at: str | None = None, override_id: str = "o1") -> Row:
    return {
        "override_id": override_id,
        "account_id": "a",
        "bucket": bucket,
        "overridden_at": t(at),
        "expires_at": maybe(expires_at),
    }


def goal(signal: str, target: str, begins: str | None = None, ends: str | None = None, gid: str = "g") -> Row:
    return {
        "goal_id": gid,
        "account_id": "a",
        "signal": signal,
        "target": Decimal(target),
        "valid_from": d(begins) if begins else None,
        "valid_to": d(ends) if ends else None,
    }


E, S, INV, P, T = (
    "product/events",
    "billing/subscriptions",
    "billing/invoices",
    "billing/payments",
    "support/tickets",
)
M, H, C, K = "comms/messages", "crm/touchpoints", "crm/contacts", "crm/milestones"
R, V = "feedback/surveys", "crm/pulses"


def seats(old: int | None, new: int | None, changed: str = "03-18") -> list[Row]:
    return [subscription(seats=old), subscription(changed, seats=new)]


def premium(before: int, now: int) -> list[Row]:
    return [event("03-10", "forecast_run") for _ in range(before)] + [
        event("03-20", "forecast_run") for _ in range(now)
    ]


def ignored(sent: str = "03-24 23:59:59", **values: Any) -> dict[str, list[Row]]:
    """An unpaid invoice of 03-10 and one reminder."""
    kept = {"kind": "billing_reminder", "sent_at": sent, "invoice_id": "i1", **values}
    return {INV: [invoice("03-10")], M: [message(**kept)]}


def said(text: str) -> dict[str, list[Row]]:
    return {T: [ticket("03-30", subject=text)]}


# Each line: the signal, the feeds, the value at the end of 2026-03-31.
EXAMPLES: list[tuple[str, dict[str, list[Row]], float | None]] = [
    # -- usage
    ("days_since_login", {}, 90),
    ("days_since_login", {E: [event("03-31 23:59:59.999999", "login")]}, 0),
    ("days_since_login", {E: [event("04-01", "login")]}, 90),
    ("days_since_login", {E: [event("03-30 23:59:59", "sso_login"), event("03-01", "login")]}, 1),
    ("days_since_login", {E: [event("03-31", "page_viewed"), event("03-17", "login")]}, 14),
    ("days_since_login", {E: [event("2025-06-04", "login")]}, 300),
    ("logins_7d", {}, 0),
    ("logins_7d", {E: [event("03-25", "login"), event("03-31 23:59:59", "login")]}, 2),
    ("logins_7d", {E: [event("03-24 23:59:59.999999", "login"), event("04-01", "login")]}, 0),
    ("logins_7d", {E: [event("03-26", "page_viewed")]}, None),
    ("logins_7d", {E: [event("03-26", "page_viewed"), event("01-01", "login")]}, 0),
    ("logins_30d", {E: [event("03-02", "login"), event("03-31 23:59:59", "sso_login")]}, 2),
    ("logins_30d", {E: [event("03-01 23:59:59", "login"), event("04-01", "login")]}, 0),
    ("active_days_7d", {E: [event("03-25"), event("03-25 23:59:59", "login"), event("03-31")]}, 2),
    ("active_days_7d", {E: [event("03-24 23:59:59"), event("04-01")]}, 0),
    ("active_days_7d", {E: [event("03-28", "never_heard_of")]}, 1),
    ("active_days_30d", {E: [event("03-02"), event("03-03"), event("03-03 01:00"), event("03-31")]}, 3),
    ("active_days_30d", {E: [event("03-01 23:59:59")]}, 0),
    ("active_users_30d", {E: [event("03-02"), event("03-31", user="u2"), event("03-30", user="u2")]}, 2),
    ("active_users_30d", {E: [event("03-10", user=None)]}, 0),
    ("active_users_30d", {E: [event("03-01 23:59:59"), event("04-01", user="u2")]}, 0),
    ("seat_utilization_30d_pct", {E: [event("03-10")]}, None),
    ("seat_utilization_30d_pct", {E: [event("03-10")], S: [subscription(seats=0)]}, None),
    ("seat_utilization_30d_pct", {E: [event("03-10")], S: [subscription(seats=None)]}, None),
    ("seat_utilization_30d_pct", {S: [subscription(seats=3)]}, 0),
    ("seat_utilization_30d_pct", {E: [event("03-10")], S: [subscription(seats=3)]}, 100 / 3),
    (
        "seat_utilization_30d_pct",
        {
            E: [event("03-10"), event("03-11", user="u2"), event("03-12", user="u3")],
            S: [
                subscription(seats=1),
                subscription(sid="s2", seats=1, status="past_due"),
                subscription(sid="s3", seats=None, status="trialing"),
                subscription(sid="s4", seats=9, status="paused"),
            ],
        },
        150,
    ),
    ("usage_trend_14d_pct", {}, 0),
    ("usage_trend_14d_pct", {E: [event("03-31")]}, 0),
    ("usage_trend_14d_pct", {E: [event("03-17 23:59:59")]}, -100),
    ("usage_trend_14d_pct", {E: [event("03-17 23:59:59"), event("03-18")]}, 0),
    ("usage_trend_14d_pct", {E: [event("03-04"), event("03-18"), event("03-31 23:59:59")]}, 100),
    ("usage_trend_14d_pct", {E: [event("03-03 23:59:59"), event("03-04"), event("03-20")]}, 0),
    ("usage_trend_14d_pct", {E: [*[event("03-05")] * 1, event("03-31"), event("04-01")]}, 0),
    (
        "usage_trend_14d_pct",
        {E: [event("03-05") for _ in range(10)] + [event("03-19") for _ in range(12)]},
        20,
    ),
    # -- adoption
    ("days_since_key_feature", {}, 90),
    ("days_since_key_feature", {E: [event("03-01 23:59:59", "report_built")]}, 30),
    ("days_since_key_feature", {E: [event("03-02", "api_called")]}, 29),
    ("days_since_key_feature", {E: [event("03-30", "login"), event("04-01", "report_built")]}, None),
    (
        "key_features_used_90d",
        {E: [event("01-01", "report_built"), event("03-31", "api_called"), event("02-01", "api_called")]},
        2,
    ),
    (
        "key_features_used_90d",
        {E: [event("2025-12-31 23:59:59", "report_built"), event("03-01", "login")]},
        0,
    ),
    (
        "adoption_milestones",
        {
            E: [
                event("2025-06-04", "report_built"),
                event("03-01", "dashboard_shared"),
                event("03-31 23:59:59", "member_invited"),
                event("03-31", "login"),
            ]
        },
        2,
    ),
    ("adoption_milestones", {E: [event("04-01", "member_invited")]}, 0),
    ("advanced_events_30d", {E: [event("03-02", "template_saved"), event("03-31", "project_made")]}, 2),
    ("advanced_events_30d", {E: [event("03-01 23:59:59", "template_saved"), event("03-20", "login")]}, 0),
    ("premium_usage_14d_pct", {}, 0),
    ("premium_usage_14d_pct", {E: premium(0, 5)}, 0),
    ("premium_usage_14d_pct", {E: premium(2, 4)}, 100),
    ("premium_usage_14d_pct", {E: premium(3, 5)}, 200 / 3),
    ("premium_usage_14d_pct", {E: premium(10, 12)}, 20),
    ("premium_usage_14d_pct", {E: [*premium(1, 1), event("03-20"), event("03-20", "api_called")]}, 100),
    # -- support
    ("open_tickets", {}, 0),
    ("open_tickets", {T: [ticket("03-31 23:59:59"), ticket("2025-01-01", "04-01")]}, 2),
    ("open_tickets", {T: [ticket("04-01"), ticket("03-01", "03-31 23:59:59")]}, 0),
    ("open_tickets", {T: [ticket("03-01", status="closed")]}, 0),
    ("open_urgent_tickets", {T: [ticket("03-01", priority="urgent"), ticket("03-01", priority="high")]}, 1),
    ("open_urgent_tickets", {T: [ticket("03-01", "03-02", priority="urgent")]}, 0),
    ("tickets_30d", {T: [ticket("03-02"), ticket("03-31 23:59:59", "03-31 23:59:59")]}, 2),
    ("tickets_30d", {T: [ticket("03-01 23:59:59"), ticket("04-01")]}, 0),
    ("fast_resolutions_30d", {T: [ticket("03-10 08:00", "03-11 08:00")]}, 1),
    ("fast_resolutions_30d", {T: [ticket("03-10 08:00", "03-11 08:00:00.000001")]}, 0),
    ("fast_resolutions_30d", {T: [ticket("03-01 12:00", "03-02"), ticket("03-31", "03-31 23:59:59")]}, 2),
    ("fast_resolutions_30d", {T: [ticket("03-01 12:00", "03-01 23:59:59"), ticket("03-31", "04-01")]}, 0),
    ("fast_resolutions_30d", {T: [ticket("03-20")]}, 0),
    ("median_resolution_90d_hours", {}, None),
    ("median_resolution_90d_hours", {T: [ticket("03-20")]}, None),
    ("median_resolution_90d_hours", {T: [ticket("03-01", "03-02 12:00")]}, 36),
    (
        "median_resolution_90d_hours",
        {T: [ticket("03-01", "03-01 01:00"), ticket("03-02", "03-02 04:00")]},
        2.5,
    ),
    (
        "median_resolution_90d_hours",
        {T: [ticket("03-01", "03-01 01:00"), ticket("03-02", "03-02 04:00"), ticket("03-03", "03-13")]},
        4,
    ),
    (
        "median_resolution_90d_hours",
        {T: [ticket("03-01", f"03-01 {hours}:00") for hours in ("01", "02", "04", "08", "16")]},
        4,
    ),
    ("median_resolution_90d_hours", {T: [ticket("2025-12-31 22:00", "01-01")]}, 2),
    ("median_resolution_90d_hours", {T: [ticket("2025-12-31 22:00", "2025-12-31 23:59:59")]}, None),
    ("median_resolution_90d_hours", {T: [ticket("03-31 22:00", "04-01")]}, None),
    ("ticket_sentiment_30d", {T: [ticket("03-10"), ticket("03-01 23:59:59", sentiment=Decimal(1))]}, None),
    (
        "ticket_sentiment_30d",
        {
            T: [
                ticket("03-02", sentiment=Decimal("-0.5")),
                ticket("03-31 23:59:59", "03-31 23:59:59", sentiment=Decimal("0.2")),
                ticket("03-20"),
            ]
        },
        -0.15,
    ),
    ("competitor_mentions_30d", {}, 0),
    ("competitor_mentions_30d", said("We look at NORTHWIND."), 1),
    ("competitor_mentions_30d", said("northwind"), 1),
    ("competitor_mentions_30d", said("Northwind and Acme CRM, northwind again"), 1),
    ("competitor_mentions_30d", said("Northwinds"), 0),
    ("competitor_mentions_30d", said("_Northwind Northwind_ 9Northwind Northwind9"), 0),
    ("competitor_mentions_30d", said("éNorthwind Northwindé"), 0),
    ("competitor_mentions_30d", said("Northwinds, but (northwind)!"), 1),
    ("competitor_mentions_30d", said("northwind-like"), 1),
    ("competitor_mentions_30d", said("über-tool"), 1),
    ("competitor_mentions_30d", said("we use c++suite now"), 1),
    ("competitor_mentions_30d", said("we use cccsuite now"), 0),
    ("competitor_mentions_30d", {T: [ticket("03-30", subject="Acme", body="CRM")]}, 0),
    ("competitor_mentions_30d", {T: [ticket("03-30", body="Acme CRM")]}, 1),
    ("competitor_mentions_30d", {T: [ticket("03-30", subject="North", body="wind")]}, 0),
    (
        "competitor_mentions_30d",
        {T: [ticket("03-02", body="Northwind"), ticket("03-31", body="Northwind")]},
        2,
    ),
    ("competitor_mentions_30d", {T: [ticket("03-01 23:59:59", body="Northwind")]}, 0),
    ("competitor_mentions_30d", {R: [survey("ces", "3", "03-02", comment="Northwind is better")]}, 1),
    ("competitor_mentions_30d", {R: [survey("nps", "3", "03-01 23:59:59", comment="Northwind")]}, 0),
    ("competitor_mentions_30d", {R: [survey("nps", "3", "04-01", comment="Northwind")]}, 0),
    # -- billing: payments and invoices
    ("failed_payments_30d", {}, 0),
    ("failed_payments_30d", {P: [payment("03-02"), payment("03-31 23:59:59", invoice_id=None)]}, 2),
    (
        "failed_payments_30d",
        {P: [payment("03-01 23:59:59"), payment("04-01"), payment("03-10", "refunded")]},
        0,
    ),
    ("is_last_invoice_failed", {}, 0),
    ("is_last_invoice_failed", {P: [payment("03-10")]}, 0),
    ("is_last_invoice_failed", {INV: [invoice("03-10")]}, 0),
    ("is_last_invoice_failed", {INV: [invoice("03-10")], P: [payment("03-11")]}, 1),
    ("is_last_invoice_failed", {INV: [invoice("03-10")], P: [payment("04-01")]}, 0),
    (
        "is_last_invoice_failed",
        {INV: [invoice("03-10")], P: [payment("03-11"), payment("04-01", "succeeded")]},
        1,
    ),
    (
        "is_last_invoice_failed",
        {INV: [invoice("03-10")], P: [payment("03-11"), payment("03-12", "refunded")]},
        0,
    ),
    (
        "is_last_invoice_failed",
        {
            INV: [invoice("03-10")],
            P: [
                payment("03-11", "succeeded", payment_id="p-10"),
                payment("03-11", "failed", payment_id="p-9"),
            ],
        },
        1,
    ),
    (
        "is_last_invoice_failed",
        {
            INV: [invoice("03-10")],
            P: [
                payment("03-11", "failed", payment_id="p-10"),
                payment("03-11", "succeeded", payment_id="p-9"),
            ],
        },
        0,
    ),
    ("is_last_invoice_failed", {INV: [invoice("03-10", status="void")], P: [payment("03-11")]}, 0),
    ("is_last_invoice_failed", {INV: [invoice("03-10", status="draft")], P: [payment("03-11")]}, 0),
    ("is_last_invoice_failed", {INV: [invoice("03-10", status="uncollectible")], P: [payment("03-11")]}, 1),
    ("is_last_invoice_failed", {INV: [invoice("03-10", status="paid")], P: [payment("03-11")]}, 0),
    (
        "is_last_invoice_failed",
        {INV: [invoice("03-10", status="paid", paid_at=t("03-31 23:59:59"))], P: [payment("03-11")]},
        0,
    ),
    (
        "is_last_invoice_failed",
        {INV: [invoice("03-10", status="paid", paid_at=t("04-01"))], P: [payment("03-11")]},
        1,
    ),
    ("is_last_invoice_failed", {INV: [invoice("03-10"), invoice("03-11", "i2")], P: [payment("03-11")]}, 0),
    ("is_last_invoice_failed", {INV: [invoice("03-10"), invoice("04-01", "i2")], P: [payment("03-11")]}, 1),
    (
        "is_last_invoice_failed",
        {INV: [invoice("03-10"), invoice("03-11", "i2", "void")], P: [payment("03-11")]},
        1,
    ),
    (
        "is_last_invoice_failed",
        {INV: [invoice("03-10", "i9"), invoice("03-10", "i10")], P: [payment("03-11", invoice_id="i9")]},
        1,
    ),
    (
        "is_last_invoice_failed",
        {INV: [invoice("03-10", "i9"), invoice("03-10", "i10")], P: [payment("03-11", invoice_id="i10")]},
        0,
    ),
    ("overdue_invoices", {INV: [invoice("03-01")]}, 0),
    ("overdue_invoices", {INV: [invoice("03-01", due_at=t("03-30 23:59:59"))]}, 1),
    ("overdue_invoices", {INV: [invoice("03-01", due_at=t("03-31"))]}, 0),
    ("overdue_invoices", {INV: [invoice("04-01", due_at=t("03-01"))]}, 0),
    ("overdue_invoices", {INV: [invoice("03-01", due_at=t("03-02"), paid_at=t("03-31 23:59"))]}, 0),
    ("overdue_invoices", {INV: [invoice("03-01", due_at=t("03-02"), paid_at=t("04-01"))]}, 1),
    ("overdue_invoices", {INV: [invoice("03-01", "i1", "paid", due_at=t("03-02"))]}, 0),
    ("overdue_invoices", {INV: [invoice("03-01", "i1", "uncollectible", due_at=t("03-02"))]}, 1),
    (
        "overdue_invoices",
        {INV: [invoice("03-01", f"i-{s}", s, due_at=t("03-02")) for s in ("draft", "void")]},
        0,
    ),
    ("overdue_invoices", {INV: [invoice("03-01", i, due_at=t("03-02")) for i in ("i1", "i2")]}, 2),
    ("days_past_due", {}, 0),
    ("days_past_due", {INV: [invoice("03-01", due_at=t("03-31"))]}, 0),
    (
        "days_past_due",
        {INV: [invoice("03-01", due_at=t("03-30 23:59:59")), invoice("02-01", "i2", due_at=t("03-01"))]},
        30,
    ),
    # -- billing: subscriptions
    ("is_downgraded_90d", {S: [subscription()]}, 0),
    ("is_downgraded_90d", {S: [subscription(), subscription("01-01", plan_id="starter")]}, 1),
    ("is_downgraded_90d", {S: [subscription(), subscription("03-31 23:59:59", plan_id="free")]}, 1),
    ("is_downgraded_90d", {S: [subscription(), subscription("2025-12-31 23:59:59", plan_id="starter")]}, 0),
    ("is_downgraded_90d", {S: [subscription(), subscription("04-01", plan_id="starter")]}, 0),
    ("is_downgraded_90d", {S: [subscription(), subscription("03-01", plan_id="team_annual")]}, 0),
    ("is_downgraded_90d", {S: [subscription(), subscription("03-01", plan_id="enterprise")]}, 0),
    ("is_downgraded_90d", {S: [subscription(), subscription("03-01", plan_id="what")]}, 0),
    (
        "is_downgraded_90d",
        {S: [subscription(), subscription("02-01", plan_id="what"), subscription("03-01", plan_id="free")]},
        0,
    ),
    (
        "is_downgraded_90d",
        {S: [subscription(mrr_usd=Decimal(50)), subscription("03-01", mrr_usd=Decimal("49.99"))]},
        1,
    ),
    ("is_downgraded_90d", {S: [subscription(mrr_usd=Decimal(50)), subscription("03-01", mrr_usd=None)]}, 0),
    (
        "is_downgraded_90d",
        {S: [subscription(mrr_usd=Decimal(50)), subscription("03-01", mrr_usd=Decimal(50))]},
        0,
    ),
    ("is_downgraded_90d", {S: [subscription(), subscription("03-01", sid="s2", plan_id="free")]}, 0),
    ("is_downgraded_90d", {S: in_francs("49.99", "CHF", "03-01")}, 1),
    ("is_downgraded_90d", {S: in_francs("50", "CHF", "03-01")}, 0),
    ("is_downgraded_90d", {S: in_francs("50", "USD", "03-01")}, None),
    ("is_downgraded_90d", {S: in_francs("50", "USD", "01-01")}, None),
    ("is_downgraded_90d", {S: in_francs("50", "USD", "2025-12-31 23:59:59")}, 0),
    ("is_downgraded_90d", {S: in_francs("50", "USD", "04-01")}, 0),
    ("is_downgraded_90d", {S: in_francs("50", "USD", "03-01", plan_id="starter")}, 1),
    (
        "is_downgraded_90d",
        {
            S: [
                *in_francs("50", "USD", "03-01"),
                subscription(sid="s2"),
                subscription("01-01", sid="s2", plan_id="starter"),
            ]
        },
        1,
    ),
    (
        "is_downgraded_90d",
        {
            S: [
                *in_francs("50", "USD", "03-01"),
                subscription(sid="s2"),
                subscription("2025-12-31", sid="s2", plan_id="starter"),
            ]
        },
        None,
    ),
    (
        "is_downgraded_90d",
        {
            S: [
                subscription(mrr_usd=Decimal(40), currency="EUR"),
                subscription("03-01", mrr_usd=Decimal("49.99")),
            ]
        },
        1,
    ),
    (
        "is_downgraded_90d",
        {S: [subscription(mrr_usd=Decimal(40), currency="EUR"), subscription("03-01", mrr_usd=Decimal(50))]},
        0,
    ),
    (
        "is_downgraded_90d",
        {S: [subscription("03-01", plan_id="free"), subscription("02-01", plan_id="team"), subscription()]},
        1,
    ),
    ("seats_change_14d_pct", {}, 0),
    ("seats_change_14d_pct", {S: seats(10, 12)}, 20),
    ("seats_change_14d_pct", {S: seats(10, 12, "03-17 23:59:59")}, 0),
    ("seats_change_14d_pct", {S: seats(10, 12, "03-31 23:59:59")}, 20),
    ("seats_change_14d_pct", {S: seats(10, 12, "04-01")}, 0),
    ("seats_change_14d_pct", {S: seats(0, 12)}, 0),
    ("seats_change_14d_pct", {S: seats(None, 12)}, 0),
    ("seats_change_14d_pct", {S: seats(10, None)}, None),
    ("seats_change_14d_pct", {S: seats(None, None)}, 0),
    ("seats_change_14d_pct", {S: seats(6, 7)}, 100 / 6),
    (
        "seats_change_14d_pct",
        {S: [subscription(seats=8), subscription("03-20", seats=8, status="paused")]},
        -100,
    ),
    (
        "seats_change_14d_pct",
        {S: [subscription(seats=10), subscription("03-20", "s2", seats=5, started_at=t("03-20"))]},
        50,
    ),
    (
        "seats_change_14d_pct",
        {S: [subscription(seats=10), subscription("03-20", "s2", seats=None, started_at=t("03-20"))]},
        0,
    ),
    ("days_to_renewal", {S: [subscription()]}, None),
    ("days_to_renewal", {S: [subscription(current_period_end=t("03-30 23:59:59"))]}, None),
    ("days_to_renewal", {S: [subscription(current_period_end=t("03-31"))]}, 0),
    (
        "days_to_renewal",
        {
            S: [
                subscription(current_period_end=t("04-30 23:59")),
                subscription(sid="s2", current_period_end=t("04-20")),
                subscription(sid="s3", current_period_end=t("04-01"), status="paused"),
            ]
        },
        20,
    ),
    ("days_to_card_expiry", {S: [subscription(card_expires_on=d("03-30"))]}, None),
    ("days_to_card_expiry", {S: [subscription(card_expires_on=d("03-31"))]}, 0),
    ("days_to_card_expiry", {S: [subscription(card_expires_on=d("04-30"))]}, 30),
    ("is_paid_plan", {}, 0),
    ("is_paid_plan", {S: [subscription(plan_id="free")]}, 0),
    ("is_paid_plan", {S: [subscription()]}, 1),
    ("is_paid_plan", {S: [subscription(plan_id="what")]}, None),
    ("is_paid_plan", {S: [subscription(plan_id="what"), subscription(sid="s2", plan_id="free")]}, None),
    ("is_paid_plan", {S: [subscription(plan_id="what"), subscription(sid="s2")]}, 1),
    ("is_paid_plan", {S: [subscription(status="paused"), subscription(sid="s2", plan_id="free")]}, 0),
    ("mrr_usd", {}, 0),
    (
        "mrr_usd",
        {S: [subscription(mrr_usd=Decimal(40), currency="GBP", started_at=t("2025-06-01 23:59:59"))]},
        None,
    ),
    ("mrr_usd", {S: [subscription(mrr_usd=Decimal(40), currency="GBP", started_at=t("2025-06-02"))]}, 60),
    (
        "mrr_usd",
        {S: [subscription(mrr_usd=Decimal(40), currency="GBP", started_at=t("2025-12-31 23:59:59"))]},
        60,
    ),
    ("mrr_usd", {S: [subscription(mrr_usd=Decimal(40), currency="GBP", started_at=t("2026-01-01"))]}, 80),
    ("mrr_usd", {S: [subscription("03-01", mrr_usd=Decimal(40), currency="EUR"), subscription()]}, 50),
    ("mrr_usd", {S: [subscription(mrr_usd=Decimal(40), currency="CHF")]}, None),
    ("mrr_usd", {S: [subscription(mrr_usd=Decimal(0), currency="CHF")]}, 0),
    ("mrr_usd", {S: [subscription(mrr_usd=None, currency="CHF")]}, 0),
    ("mrr_usd", {S: [subscription(mrr_usd=Decimal(40), currency="XXX")]}, None),
    (
        "mrr_usd",
        {S: [subscription(mrr_usd=Decimal(40)), subscription(sid="s2", mrr_usd=Decimal(1), currency="CHF")]},
        None,
    ),
    (
        "mrr_usd",
        {
            S: [
                subscription(mrr_usd=Decimal(40)),
                subscription(sid="s2", mrr_usd=Decimal(1), currency="CHF", status="paused"),
            ]
        },
        40,
    ),
    (
        "days_to_renewal",
        {S: [subscription(mrr_usd=Decimal(40), currency="CHF", current_period_end=t("04-02"))]},
        2,
    ),
    ("mrr_usd", {S: [subscription(mrr_usd=None)]}, 0),
    (
        "mrr_usd",
        {
            S: [
                subscription(mrr_usd=Decimal("49.99")),
                subscription(sid="s2", mrr_usd=Decimal("0.01"), status="trialing"),
                subscription(sid="s3", mrr_usd=Decimal(7), status="paused"),
                subscription(sid="s4", mrr_usd=Decimal(9), started_at=t("04-01")),
            ]
        },
        50,
    ),
    # -- comms
    ("onboarding_open_rate_30d_pct", {M: [message("newsletter", "03-10", opened_at="03-11")]}, None),
    ("onboarding_open_rate_30d_pct", {M: [message("onboarding", "03-01 23:59:59")]}, None),
    ("onboarding_open_rate_30d_pct", {M: [message("onboarding", "04-01", opened_at="04-01")]}, None),
    (
        "onboarding_open_rate_30d_pct",
        {
            M: [
                message("onboarding", "03-02", opened_at="03-31 23:59:59"),
                message("onboarding", "03-31 23:59:59", opened_at="04-01"),
                message("onboarding", "03-20"),
            ]
        },
        100 / 3,
    ),
    ("feature_clicks_30d", {M: [message("feature", "02-01", clicked_at="03-02")]}, 1),
    ("feature_clicks_30d", {M: [message("feature", "02-01", clicked_at="03-01 23:59:59")]}, 0),
    ("feature_clicks_30d", {M: [message("feature", "03-30", clicked_at="04-01")]}, 0),
    (
        "feature_clicks_30d",
        {M: [message("feature", "03-30"), message("survey", "03-30", clicked_at="03-31")]},
        0,
    ),
    ("is_reminder_unclicked_7d", {}, 0),
    ("is_reminder_unclicked_7d", ignored(), 1),
    ("is_reminder_unclicked_7d", ignored("03-25"), 0),
    ("is_reminder_unclicked_7d", ignored(clicked_at="03-31 23:59:59"), 0),
    ("is_reminder_unclicked_7d", ignored(clicked_at="04-01"), 1),
    ("is_reminder_unclicked_7d", ignored(opened_at="03-25"), 1),
    ("is_reminder_unclicked_7d", ignored(kind="newsletter"), 0),
    ("is_reminder_unclicked_7d", ignored(invoice_id=None), 1),
    ("is_reminder_unclicked_7d", ignored("03-10", invoice_id=None), 0),
    ("is_reminder_unclicked_7d", ignored("03-10 00:00:01", invoice_id=None), 1),
    ("is_reminder_unclicked_7d", ignored("03-09"), 1),
    ("is_reminder_unclicked_7d", ignored(invoice_id="another"), 0),
    ("is_reminder_unclicked_7d", ignored() | {INV: [invoice("03-10"), invoice("03-31", "i2")]}, 0),
    ("is_reminder_unclicked_7d", ignored() | {INV: [invoice("03-10", paid_at=t("03-31"))]}, 0),
    ("is_reminder_unclicked_7d", ignored() | {INV: [invoice("03-10", paid_at=t("04-01"))]}, 1),
    (
        "is_reminder_unclicked_7d",
        {
            INV: [invoice("03-10")],
            M: [
                message("billing_reminder", "03-12", invoice_id="i1", clicked_at="03-13"),
                message("billing_reminder", "03-20", invoice_id="i1"),
            ],
        },
        1,
    ),
    (
        "is_reminder_unclicked_7d",
        {
            INV: [invoice("03-10")],
            M: [
                message("billing_reminder", "03-27", invoice_id="i1", clicked_at="03-28"),
                message("billing_reminder", "03-20", invoice_id="i1"),
            ],
        },
        1,
    ),
    # -- relationship
    ("days_since_reply", {}, 90),
    ("days_since_reply", {H: [touch("03-31 23:59:59")]}, 0),
    ("days_since_reply", {H: [touch("04-01")]}, 90),
    ("days_since_reply", {H: [touch("03-20", "outbound"), touch("02-14")]}, 45),
    ("days_since_reply", {H: [touch("03-20", "outbound", "meeting")]}, 11),
    ("days_since_reply", {H: [touch("03-20", is_automated=True), touch("03-01", is_automated=False)]}, 30),
    ("days_since_reply", {H: [touch("03-20", "outbound", "meeting", is_automated=True)]}, 90),
    ("days_since_contact", {}, 90),
    ("days_since_contact", {H: [touch("03-30", owner_id="o"), touch("04-01", owner_id="o")]}, 1),
    ("days_since_contact", {H: [touch("03-30", "outbound"), touch("03-11", "outbound", owner_id="o")]}, 20),
    ("days_since_contact", {H: [touch("03-30", "inbound", owner_id="o")]}, 1),
    ("days_since_contact", {H: [touch("03-30", "outbound", owner_id="o", is_automated=True)]}, 90),
    ("active_stakeholders_90d", {H: [touch("03-30")]}, 0),
    (
        "active_stakeholders_90d",
        {
            H: [
                touch("01-01", contact_id="x"),
                touch("03-31 23:59:59", "outbound", "meeting", contact_id="y"),
                touch("03-01", contact_id="y"),
                touch("03-01", "outbound", contact_id="z"),
                touch("03-01", contact_id="q", is_automated=True),
            ]
        },
        3,
    ),
    (
        "active_stakeholders_90d",
        {H: [touch("2025-12-31 23:59:59", contact_id="x"), touch("04-01", contact_id="y")]},
        0,
    ),
    ("has_active_champion", {}, 0),
    ("has_active_champion", {C: [contact(is_active=True)]}, 1),
    ("has_active_champion", {C: [contact("sponsor")]}, 1),
    ("has_active_champion", {C: [contact(is_active=False), contact("admin"), contact(None)]}, 0),
    ("has_active_champion", {C: [contact(created_at=t("03-31 23:59:59"))]}, 1),
    ("has_active_champion", {C: [contact(created_at=t("04-01"))]}, 0),
    # -- value
    ("overdue_milestones", {}, 0),
    ("overdue_milestones", {K: [milestone("03-30"), milestone("03-31")]}, 1),
    ("overdue_milestones", {K: [milestone("03-01", "03-31 23:59:59"), milestone("03-01", "04-01")]}, 1),
    ("milestones_met_pct", {K: [milestone("04-01", "03-01")]}, None),
    ("milestones_met_pct", {K: [milestone("03-31", "03-31 23:59:59")]}, 100),
    (
        "milestones_met_pct",
        {K: [milestone("03-31"), milestone("03-30", "04-01"), milestone("01-01", "02-01")]},
        100 / 3,
    ),
    # -- sentiment
    ("nps_latest", {R: [survey("csat", "4", "03-01")]}, None),
    ("nps_latest", {R: [survey("nps", "9", "2025-10-03"), survey("nps", "3", "2025-10-02 23:59:59")]}, 9),
    ("nps_latest", {R: [survey("nps", "9", "2025-10-02 23:59:59")]}, None),
    ("nps_latest", {R: [survey("nps", "9", "03-31 23:59:59"), survey("nps", "2", "03-31")]}, 9),
    ("nps_latest", {R: [survey("nps", "9", "03-01"), survey("nps", "2", "04-01")]}, 9),
    (
        "nps_latest",
        {
            R: [
                survey("nps", "9", "03-01", response_id="r-9"),
                survey("nps", "2", "03-01", response_id="r-10"),
            ]
        },
        9,
    ),
    ("csat_90d", {R: [survey("nps", "4", "03-01"), survey("csat", "4", "2025-12-31 23:59:59")]}, None),
    ("csat_90d", {R: [survey("csat", "4", "01-01"), survey("csat", "1.5", "03-31 23:59:59")]}, 2.75),
    ("pulse_latest", {V: [pulse("2", "2025-12-31 23:59:59"), pulse("5", "04-01")]}, None),
    ("pulse_latest", {V: [pulse("2", "01-01")]}, 2),
    ("pulse_latest", {V: [pulse("2", "03-31 23:59:59"), pulse("4", "03-31 23:59:58")]}, 2),
    ("pulse_latest", {V: [pulse("2", "03-01", pulse_id="v-8"), pulse("4", "03-01", pulse_id="v-10")]}, 2),
]
