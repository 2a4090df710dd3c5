"""Stripe's objects in every shape in which they arrive, and what a subscription is worth a month."""

from __future__ import annotations

from typing import Any

import pytest
import vendor_shapes as shapes
from inbox import Inbox, ndjson

Record = dict[str, Any]


def price(amount: int | None, interval: str = "month", count: int = 1, **more: Any) -> Record:
    recurring = {"interval": interval, "interval_count": count, "usage_type": more.pop("usage", "licensed")}
    return {"id": "price_1", "product": "prod_pro", "unit_amount": amount, "recurring": recurring, **more}


def subscription(*items: tuple[Record, int], **properties: Any) -> Record:
    """As GET /v1/subscriptions gives one."""
    return {
        "id": "sub_1",
        "object": "subscription",
        "customer": "cus_1",
        "status": "active",
        "currency": "usd",
        "created": 1735689600,
        "start_date": 1735689600,
        "current_period_end": 1767225600,
        "cancel_at_period_end": False,
        "livemode": True,
        "items": {
            "object": "list",
            "data": [{"id": "si_1", "quantity": quantity, "price": one} for one, quantity in items],
        },
        **properties,
    }


def landed(inbox: Inbox, columns: str, feed: str = "billing_subscriptions") -> list[tuple[Any, ...]]:
    inbox.put_accounts()
    inbox.land()
    return inbox.all(f"select {columns} from raw.{feed} order by all")


TEAM = [
    subscription((price(2000), 5)),
    subscription((price(120000, "year"), 1), id="sub_2", customer="cus_2", status="past_due"),
]
TEAM_ROWS = [
    ("sub_1", "cus_1", "prod_pro", "active", 5, 100.0),
    ("sub_2", "cus_2", "prod_pro", "past_due", None, 100.0),
]
COLUMNS = "subscription_id, account_id, plan_id, status, seats, cast(mrr_usd as double)"


def with_plan_in_columns(records: list[Record]) -> list[Record]:
    """A table has no list of items: it is joined with those of items and plans, as docs/sources.md says."""
    rows = []
    for record in records:
        (item,) = record["items"]["data"]
        rest = {name: value for name, value in record.items() if name != "items"}
        recurring = item["price"]["recurring"]
        plan = {
            "id": item["price"]["id"],
            "product": item["price"]["product"],
            "amount": item["price"]["unit_amount"],
            "interval": recurring["interval"],
            "interval_count": recurring["interval_count"],
        }
        rows.append({**rest, "quantity": item["quantity"], "plan": plan})
    return rows


def with_ids_of_a_table(records: list[Record]) -> list[Record]:
    return [
        {("customer_id" if name == "customer" else name): value for name, value in one.items()}
        for one in records
    ]


DASHBOARD = """\
id,Customer ID,Customer Email,Plan,Product,Quantity,Currency,Interval,Amount,Status,Created (UTC),\
Start Date (UTC),Current Period End (UTC),Cancel At Period End,Canceled At (UTC),Ended At (UTC)
sub_1,cus_1,ann@acme.com,price_1,prod_pro,5,usd,month,20.00,active,2025-01-01 00:00,\
2025-01-01 00:00,2026-01-01 00:00,false,,
sub_2,cus_2,bob@beta.io,price_1,prod_pro,1,usd,year,"1,200.00",past_due,2025-01-01 00:00,\
2025-01-01 00:00,2026-01-01 00:00,false,,
"""
EVENTS = [
    {
        "id": f"evt_{number}",
        "object": "event",
        "type": "customer.subscription.updated",
        "created": 1772323200,
        "data": {"object": record, "previous_attributes": {"quantity": 4}},
    }
    for number, record in enumerate(TEAM)
]
SHAPES = {
    "pages.json": shapes.pages(TEAM),
    "array.json": shapes.array(TEAM),
    "lines.jsonl": shapes.lines(TEAM),
    "list_of_pages.json": shapes.list_of_pages(TEAM),
    "page_a_line.ndjson": shapes.lines([{"object": "list", "data": TEAM}]),
    "events.ndjson": shapes.lines(EVENTS),
    "singer.jsonl": shapes.singer(TEAM),
    "airbyte_raw.csv": shapes.airbyte_raw(TEAM),
    "airbyte.jsonl.gz": shapes.airbyte_lines(TEAM),
    "airbyte_table.csv": shapes.table([{**one, "items": shapes.array([one["items"]])[1:-1]} for one in TEAM]),
    "fivetran.csv": shapes.fivetran(with_ids_of_a_table(with_plan_in_columns(TEAM))),
    "dlt.csv": shapes.dlt(with_plan_in_columns(TEAM)),
    "dashboard.csv": DASHBOARD,
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_subscription_is_the_same_in_every_shape(inbox: Inbox, name: str) -> None:
    inbox.put(f"stripe/subscriptions/{name}", SHAPES[name])
    assert landed(inbox, COLUMNS) == TEAM_ROWS
    started = "distinct started_at, current_period_end"
    assert [str(one) for one in inbox.all(f"select {started} from raw.billing_subscriptions")[0]] == [
        "2025-01-01 00:00:00",
        "2026-01-01 00:00:00",
    ]
    assert inbox.rejected() == inbox.rejected("rejected_values") == []
    load = inbox.load(f"stripe/subscriptions/{name}")
    assert (load["records_counted"], load["rows_read"], load["rows_landed"]) == (2, 2, 2)


def test_a_table_of_parquet_with_nested_columns_is_read_too(inbox: Inbox) -> None:
    source = inbox.put("../two.ndjson", shapes.lines(TEAM))
    inbox.put_parquet("stripe/subscriptions/table.parquet", f"from read_json('{source}')")
    assert landed(inbox, COLUMNS) == TEAM_ROWS


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (subscription((price(2000), 3)), ("active", 3, 60)),
        (subscription((price(120000, "year"), 1)), ("active", None, 100)),
        (subscription((price(30000, "month", 3), 2)), ("active", 2, 200)),
        (subscription((price(1200, "week"), 1)), ("active", None, 52)),
        (subscription((price(36500, "day", 365), 1)), ("active", None, 365 / 12)),
        (subscription((price(5000), 1), (price(1000, id="price_2"), 10)), ("active", 10, 150)),
        (subscription((price(None, unit_amount_decimal="0.5"), 2000)), ("active", 2000, 10)),
        (subscription((price(2000), 5), status="trialing"), ("trialing", 5, 0)),
        (subscription((price(2000), 5), status="unpaid"), ("past_due", 5, 100)),
        (subscription((price(2000), 5), status="incomplete"), ("paused", 5, 100)),
        (subscription((price(2000), 5), status="incomplete_expired"), ("canceled", 5, 100)),
        (subscription((price(2000), 5), pause_collection={"behavior": "void"}), ("paused", 5, 100)),
        (subscription((price(2000), 5), metadata={"seats": "7"}), ("active", 7, 100)),
        # a price by tiers, or by use alone, has no amount: unknown, and never 0
        (subscription((price(None, billing_scheme="tiered"), 5)), ("active", 5, None)),
        (subscription((price(100, usage="metered"), 1)), ("active", None, None)),
        (subscription((price(2000), 5), (price(None, usage="metered"), 1)), ("active", 5, 100)),
        (
            subscription((price(2000), 5), discount={"coupon": {"percent_off": 25.0, "duration": "forever"}}),
            ("active", 5, 75),
        ),
        (
            subscription((price(2000), 5), discount={"coupon": {"percent_off": 25.0, "duration": "once"}}),
            ("active", 5, 100),
        ),
    ],
)
def test_what_a_subscription_is_and_is_worth_a_month(
    inbox: Inbox, record: Record, expected: tuple[str, int | None, float | None]
) -> None:
    inbox.put("stripe/subscriptions/one.json", shapes.array([record]))
    ((status, seats, mrr),) = landed(inbox, "status, seats, cast(mrr_usd as double)")
    assert (status, seats) == expected[:2]
    assert mrr == (None if expected[2] is None else pytest.approx(expected[2], abs=1e-5))


def test_the_item_with_the_most_revenue_says_the_plan_and_metadata_goes_first(inbox: Inbox) -> None:
    add_on = price(500, id="price_2", product="prod_add_on")
    named = price(500, id="price_3", product="prod_x", metadata={"plan_id": "team"})
    inbox.put(
        "stripe/subscriptions/some.json",
        shapes.array(
            [
                subscription((add_on, 1), (price(9000), 1)),
                subscription((add_on, 1), (named, 3), id="sub_2"),
                subscription((price(9000), 1), id="sub_3", metadata={"plan_id": "enterprise"}),
                subscription((price(9000, product={"id": "prod_expanded", "name": "Pro"}), 1), id="sub_4"),
            ]
        ),
    )
    assert landed(inbox, "subscription_id, plan_id") == [
        ("sub_1", "prod_pro"),
        ("sub_2", "team"),
        ("sub_3", "enterprise"),
        ("sub_4", "prod_expanded"),
    ]


def test_a_subscription_that_ended_names_its_end_and_one_that_is_to_end_says_so(inbox: Inbox) -> None:
    asked, ended = 1736294400, 1738368000  # 2025-01-08, 2025-02-01
    inbox.put(
        "stripe/subscriptions/2025-02-03.json",
        shapes.array(
            [
                subscription((price(2000), 5), status="canceled", canceled_at=asked, ended_at=ended),
                subscription(
                    (price(2000), 5),
                    id="sub_2",
                    cancel_at_period_end=True,
                    cancel_at=1767225600,
                    canceled_at=asked,
                ),
            ]
        ),
    )
    columns = (
        "subscription_id, cast(canceled_at as varchar), cancel_at_period_end, cast(updated_at as varchar)"
    )
    assert landed(inbox, columns) == [
        ("sub_1", "2025-02-01 00:00:00", False, "2025-02-03 00:00:00"),
        ("sub_2", None, True, "2025-02-03 00:00:00"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", shapes.array(TEAM[:1]), "2025-01-01 00:00:00"),
        ("extract_2026-02-03.json", shapes.array(TEAM[:1]), "2026-02-03 00:00:00"),
        ("20260203T0415Z.json", shapes.array(TEAM[:1]), "2026-02-03 04:15:00"),
        ("events_2026-02-03.json", shapes.lines(EVENTS[:1]), "2026-03-01 00:00:00"),
        ("fivetran.csv", SHAPES["fivetran.csv"], "2026-03-01 00:00:00.123"),
        ("airbyte_raw.csv", SHAPES["airbyte_raw.csv"], "2026-03-01 00:00:00"),
    ],
)
def test_from_when_on_a_state_is_true(inbox: Inbox, name: str, content: str, expected: str) -> None:
    """Stripe's subscription has no time of its last change: the message's, the tool's or the file's is."""
    inbox.put(f"stripe/subscriptions/{name}", content)
    assert landed(inbox, "max(cast(updated_at as varchar))") == [(expected,)]


def test_states_of_several_days_are_versions_also_where_one_comes_back(inbox: Inbox) -> None:
    for day, seats in (("2026-03-01", 5), ("2026-03-02", 9), ("2026-03-03", 5), ("2026-03-04", 5)):
        inbox.put(f"stripe/subscriptions/{day}.json", shapes.array([subscription((price(2000), seats))]))
    assert landed(inbox, "cast(updated_at as date)::varchar, seats") == [
        ("2026-03-01", 5),
        ("2026-03-02", 9),
        ("2026-03-03", 5),
    ]
    assert inbox.load("stripe/subscriptions/2026-03-04.json")["status"] == "repeated"
    inbox.land()
    assert len(inbox.all("from audit.loads where feed = 'billing/subscriptions'")) == 4


def test_amounts_are_in_the_smallest_unit_of_their_currency(inbox: Inbox) -> None:
    charges = [
        {
            "id": f"ch_{currency}",
            "customer": "cus_1",
            "status": "succeeded",
            "amount": 12345,
            "currency": currency,
            "created": 1772323200,
        }
        for currency in ("usd", "jpy", "kwd")
    ]
    inbox.put("stripe/charges/c.json", shapes.pages(charges))
    assert landed(inbox, "payment_id, cast(amount_usd as double), currency", "billing_payments") == [
        ("ch_jpy", 12345, "JPY"),
        ("ch_kwd", 12.345, "KWD"),
        ("ch_usd", 123.45, "USD"),
    ]
    assert inbox.rejected("rejected_values") == []


CHARGE = {
    "customer": "cus_1",
    "status": "succeeded",
    "amount": 1000,
    "currency": "usd",
    "created": 1772323200,
    "invoice": "in_1",
    "refunded": False,
    "disputed": False,
    "failure_code": None,
}


def test_charges_are_payments_with_what_became_of_them(inbox: Inbox) -> None:
    inbox.put(
        "stripe/charges/c.json",
        shapes.pages(
            [
                {**CHARGE, "id": "ch_1"},
                {**CHARGE, "id": "ch_2", "status": "failed", "failure_code": "card_declined"},
                {**CHARGE, "id": "ch_3", "refunded": True, "amount_refunded": 1000},
                {**CHARGE, "id": "ch_4", "amount_refunded": 400},
                {**CHARGE, "id": "ch_5", "disputed": True, "dispute": {"id": "dp_1", "status": "lost"}},
                {
                    **CHARGE,
                    "id": "ch_6",
                    "disputed": True,
                    "dispute": {"id": "dp_2", "status": "under_review"},
                },
                {**CHARGE, "id": "ch_7", "status": "pending"},
                {**CHARGE, "id": "ch_8", "customer": None},
                {**CHARGE, "id": "ch_9", "livemode": False},
            ]
        ),
    )
    assert landed(inbox, "payment_id, status, failure_code, invoice_id", "billing_payments") == [
        ("ch_1", "succeeded", None, "in_1"),
        ("ch_2", "failed", "card_declined", "in_1"),
        ("ch_3", "refunded", None, "in_1"),
        ("ch_4", "succeeded", None, "in_1"),
        ("ch_5", "refunded", None, "in_1"),
        ("ch_6", "succeeded", None, "in_1"),
    ]
    load = inbox.load("stripe/charges/c.json")
    assert (load["records_counted"], load["rows_read"]) == (9, 6)


def test_a_payment_intent_is_the_same_payment_as_its_last_charge(inbox: Inbox) -> None:
    intent = {
        "id": "pi_1",
        "customer": "cus_1",
        "status": "succeeded",
        "amount": 1000,
        "currency": "usd",
        "created": 1772323200,
        "latest_charge": "ch_1",
    }
    failed = {"last_payment_error": {"code": "card_declined", "charge": "ch_2"}, "latest_charge": None}
    inbox.put(
        "stripe/payment_intents/p.json",
        shapes.pages(
            [
                intent,
                {**intent, "id": "pi_2", "status": "requires_payment_method", **failed},
                {**intent, "id": "pi_3", "status": "requires_action", "latest_charge": None},
            ]
        ),
    )
    assert landed(inbox, "payment_id, status, failure_code", "billing_payments") == [
        ("ch_1", "succeeded", None),
        ("ch_2", "failed", "card_declined"),
    ]


INVOICE = {
    "id": "in_1",
    "object": "invoice",
    "customer": "cus_1",
    "subscription": "sub_1",
    "status": "paid",
    "currency": "usd",
    "total": 10000,
    "amount_due": 10000,
    "created": 1772236800,
    "due_date": None,
    "status_transitions": {
        "finalized_at": 1772323200,
        "paid_at": 1772409600,
        "voided_at": None,
        "marked_uncollectible_at": None,
    },
}
INVOICES_CSV = """\
id,Amount Due,Amount Paid,Customer,Date (UTC),Due Date (UTC),Currency,Total,Status,Subscription,\
Finalized At (UTC),Paid At (UTC)
in_1,100.00,100.00,cus_1,2026-02-28 00:00,,usd,100.00,paid,sub_1,2026-03-01 00:00,2026-03-02 00:00
"""


@pytest.mark.parametrize(
    ("name", "content"),
    {
        "pages.json": shapes.pages([INVOICE]),
        "newer_api.json": shapes.pages(
            [
                {name: value for name, value in INVOICE.items() if name != "subscription"}
                | {"parent": {"subscription_details": {"subscription": "sub_1"}}, "customer": {"id": "cus_1"}}
            ]
        ),
        "fivetran.csv": shapes.fivetran(with_ids_of_a_table([{**INVOICE, "subscription_id": "sub_1"}])),
        "dashboard.csv": INVOICES_CSV,
    }.items(),
)
def test_an_invoice_is_the_same_in_every_shape(inbox: Inbox, name: str, content: str) -> None:
    inbox.put(f"stripe/invoices/{name}", content)
    columns = "invoice_id, account_id, subscription_id, cast(amount_usd as double), status"
    assert landed(
        inbox, f"{columns}, issued_at::date::varchar, paid_at::date::varchar", "billing_invoices"
    ) == [("in_1", "cus_1", "sub_1", 100.0, "paid", "2026-03-01", "2026-03-02")]


CUSTOMERS = [
    {"id": "cus_1", "object": "customer", "email": "ann@gmail.com", "metadata": {"account_id": "a1"}},
    {"id": "cus_2", "object": "customer", "email": "Bob@Beta.io", "metadata": {}},
    {"id": "cus_3", "object": "customer", "email": "eve@gmail.com", "metadata": {}},
    {"id": "cus_4", "object": "customer", "email": None, "metadata": {"hubspot_company_id": "77"}},
]


@pytest.mark.parametrize(
    ("name", "content"),
    {
        "pages.json": shapes.pages(CUSTOMERS),
        "airbyte.jsonl": shapes.airbyte_lines(CUSTOMERS),
        "fivetran.csv": shapes.table(
            [{**one, "metadata": shapes.array([one["metadata"]])[1:-1]} for one in CUSTOMERS]
        ),
        "dashboard.csv": "id,Email,Created (UTC),account_id (metadata),hubspot_company_id (metadata)\n"
        "cus_1,ann@gmail.com,2025-01-01,a1,\ncus_2,Bob@Beta.io,2025-01-01,,\n"
        "cus_3,eve@gmail.com,2025-01-01,,\ncus_4,,2025-01-01,,77\n",
    }.items(),
)
def test_a_customer_is_an_account_by_metadata_or_else_by_address(
    inbox: Inbox, name: str, content: str
) -> None:
    inbox.put(f"stripe/customers/{name}", content)
    assert landed(inbox, "source, source_account_id, account_id", "crm_identities") == [
        ("billing", "cus_1", "a1"),
        ("billing", "cus_2", shapes.mail_id("Bob@Beta.io")),
        ("billing", "cus_3", shapes.mail_id("eve@gmail.com")),
        ("billing", "cus_4", "77"),
    ]


def test_a_bad_row_is_named_by_the_vendors_column_and_costs_no_other(inbox: Inbox) -> None:
    good, bad = subscription((price(2000), 5)), subscription((price(2000), 5), id="sub_2", start_date="soon")
    inbox.put(
        "stripe/subscriptions/s.json",
        shapes.pages([good, bad, {**good, "id": None}, {**good, "id": "sub_4"}]),
    )
    inbox.put(
        "stripe/subscriptions/d.csv",
        DASHBOARD.replace("2025-01-01 00:00,2026-01-01", "someday,2026-01-01", 1),
    )
    assert landed(inbox, "subscription_id") == [("sub_1",), ("sub_2",), ("sub_4",)]
    assert inbox.rejected() == [
        ("stripe/subscriptions/d.csv", 1, "wrong_type", "Start Date (UTC)", "s***(7)"),
        ("stripe/subscriptions/s.json", 2, "wrong_type", "start_date", "s***(4)"),
        ("stripe/subscriptions/s.json", 3, "missing_required", "id", None),
    ]


def test_a_column_that_is_missing_is_named_as_the_vendor_names_it_and_where_to_find_it(inbox: Inbox) -> None:
    inbox.put("stripe/subscriptions/d.csv", DASHBOARD.replace("Customer ID", "Customer Name"))
    landed(inbox, "1")
    refusal = inbox.refusal("stripe/subscriptions/d.csv")
    assert "column customer:" in refusal
    assert "tick the column Customer ID" in refusal


def test_unknown_columns_are_reported_and_the_vendors_own_are_not(inbox: Inbox) -> None:
    inbox.put("stripe/subscriptions/s.json", ndjson({**TEAM[0], "shiny_new": 1, "latest_invoice": "in_1"}))
    assert landed(inbox, "subscription_id") == [("sub_1",)]
    assert inbox.load("stripe/subscriptions/s.json")["extra_columns"] == "shiny_new"
