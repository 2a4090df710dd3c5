"""What the demo's files hold: every feed whole and consistent, and the deliberate dirt where it was put."""

from __future__ import annotations

import csv
import gzip

import pytest
from written_demo import END, Demo

from radar.demo import usage
from radar.demo.files import DELIVERY, NOT_SENT, columns_of
from radar.demo.names import COMPETITORS
from radar.demo.stories import PAID, PRICE_CENTS, UNKNOWN_PLAN
from radar.landing.feeds import ALLOWED, TIMES, load_feeds
from tests.frozen import SEEDS

FEEDS = {name: feed for name, feed in load_feeds().items() if name in DELIVERY}
STRANGERS = ("acc-999001", "acc-999002", "acc-999003")
FACT_TIMES = [
    (name, column.name)
    for name, feed in FEEDS.items()
    for column in feed.columns
    if column.is_own and column.type in TIMES and column.future != ALLOWED
]


def table(feed: str) -> str:
    return feed.replace("/", "_")


def seed_rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- whole ------------------------------------------------------------------------------------------


def test_every_shipped_feed_is_there_with_the_header_of_its_contract(demo: Demo) -> None:
    with (SEEDS / "feeds.csv").open(encoding="utf-8", newline="") as file:
        assert set(DELIVERY) == {row["feed"] for row in csv.DictReader(file)} == set(FEEDS)
    for name, feed in FEEDS.items():
        unknown = {"time_zone"} if name == "crm/contacts" else set()
        own = {column.name for column in feed.columns if column.is_own} - set(NOT_SENT)
        assert set(columns_of(name)) - unknown == own
    with (demo.folder / "crm/owners/2026-06-30.csv").open(encoding="utf-8") as file:
        assert file.readline().strip().split(",") == list(columns_of("crm/owners"))
    assert tuple(usage.SCHEMA.names) == columns_of("product/events")


@pytest.mark.parametrize("feed", FEEDS)
def test_the_counts_are_those_of_the_files(demo: Demo, feed: str) -> None:
    assert demo.rows[feed] == demo.number(f"select count(*) from {table(feed)}")
    assert demo.rows[feed] > 0


def test_formats_are_mixed(demo: Demo) -> None:
    endings = {"".join(file.suffixes) for file in demo.folder.glob("*/*/*")}
    assert endings == {".csv", ".csv.gz", ".csv.gz.part", ".ndjson.gz", ".parquet"}
    months = sorted(file.name for file in (demo.folder / "product/events").iterdir())
    assert len(months) == 12
    assert months[-1] == "2026-06.parquet"


@pytest.mark.parametrize("feed", FEEDS)
def test_required_columns_are_never_empty(demo: Demo, feed: str) -> None:
    required = [column.name for column in FEEDS[feed].columns if column.required]
    empty = " or ".join(f"{column} is null" for column in required)
    assert demo.number(f"select count(*) from {table(feed)} where {empty}") == 0


@pytest.mark.parametrize(("feed", "column"), FACT_TIMES)
def test_no_fact_is_later_than_the_last_day(demo: Demo, feed: str, column: str) -> None:
    latest = demo.ask(f"select max({column}::timestamptz)::date from {table(feed)}")[0][0]
    assert latest is None or latest <= END


@pytest.mark.parametrize("feed", [feed for feed in FEEDS if "account_id" in columns_of(feed)])
def test_every_row_has_a_known_account_but_for_three_events(demo: Demo, feed: str) -> None:
    strangers = demo.ask(f"""
        select distinct account_id from {table(feed)}
        where account_id not in (select account_id from crm_accounts) order by 1
    """)
    assert [row[0] for row in strangers] == (list(STRANGERS) if feed == "product/events" else [])


@pytest.mark.parametrize(
    ("feed", "column", "known"),
    [
        ("crm/accounts", "owner_id", "crm_owners"),
        ("crm/touchpoints", "owner_id", "crm_owners"),
        ("crm/touchpoints", "contact_id", "crm_contacts"),
        ("crm/pulses", "owner_id", "crm_owners"),
        ("support/tickets", "contact_id", "crm_contacts"),
        ("comms/messages", "contact_id", "crm_contacts"),
        ("comms/messages", "invoice_id", "billing_invoices"),
        ("feedback/surveys", "contact_id", "crm_contacts"),
        ("billing/invoices", "subscription_id", "billing_subscriptions"),
        ("billing/payments", "invoice_id", "billing_invoices"),
    ],
)
def test_references_resolve_within_the_account(demo: Demo, feed: str, column: str, known: str) -> None:
    keys = f"account_id, {column}" if known != "crm_owners" else column
    rows = f"select {keys} from {table(feed)} where {column} is not null"
    assert demo.number(f"select count(*) from ({rows})") > 0
    assert demo.number(f"select count(*) from ({rows} except select {keys} from {known})") == 0


def test_ids_belong_to_one_fact(demo: Demo) -> None:
    twice = (
        "select event_id from product_events group by 1 having count(distinct (account_id, occurred_at)) > 1"
    )
    assert demo.ask(twice) == []
    for feed, contract in FEEDS.items():
        key = ", ".join(contract.key)
        owners = f"select {key} from {table(feed)} group by all having count(distinct account_id) > 1"
        if "account_id" in columns_of(feed) and feed != "crm/identities":
            assert demo.ask(owners) == [], feed


def test_the_shipped_seeds_fit(demo: Demo) -> None:
    plans = seed_rows("plans")
    assert list(plans[0]) == ["plan_id", "name", "is_paid", "rank"]
    assert {plan["plan_id"] for plan in plans} == set(PRICE_CENTS)
    assert {plan["plan_id"] for plan in plans if plan["is_paid"] == "true"} == PAID
    assert [row["name"] for row in seed_rows("competitors")] == list(COMPETITORS)
    events = {row["event_name"]: row for row in seed_rows("product_events")}
    assert set(events) == set(usage.EVENT_NAMES) - set(usage.UNKNOWN)
    for flag, names in (
        ("is_login", usage.LOGINS),
        ("is_key_feature", usage.KEY_FEATURES),
        ("is_premium", usage.PREMIUM),
        ("is_advanced", usage.ADVANCED),
    ):
        assert {name for name, row in events.items() if row[flag] == "true"} == set(names)
    milestones = {row["milestone"] for row in events.values()}
    assert {"first_report", "first_api_call", "first_invite"} <= milestones


def test_names_are_of_many_scripts(demo: Demo) -> None:
    for script in ("[\u0600-\u06ff]", "[\u4e00-\u9fff]", "[äöüßéçñłåş]"):
        assert demo.number(f"select count(*) from crm_accounts where regexp_matches(name, '{script}')") > 0
        assert (
            demo.number(f"select count(*) from crm_contacts where regexp_matches(full_name, '{script}')") > 0
        )


# --- the deliberate dirt ----------------------------------------------------------------------------


def test_accounts_come_from_a_spreadsheet(demo: Demo) -> None:
    for file in (demo.folder / "crm/accounts").iterdir():
        content = file.read_bytes()
        assert content.startswith(b"\xef\xbb\xbfaccount_id,")
        assert content.count(b"\n") == content.count(b"\r\n")


def test_one_upload_of_surveys_is_under_way_next_to_whole_files(demo: Demo) -> None:
    broken = [file for file in (demo.folder / "feedback/surveys").iterdir() if "interrupted" in file.name]
    assert [file.suffix for file in broken] == [".part"]
    with pytest.raises(EOFError), gzip.open(broken[0]) as file:
        file.read()


def test_one_messages_file_is_delivered_twice(demo: Demo) -> None:
    files = {file.name: file.read_bytes() for file in (demo.folder / "comms/messages").iterdir()}
    again = next(name for name in files if "sent-again" in name)
    assert files[again] == files[again.replace("-sent-again", "")]


def test_some_events_arrive_a_month_late_and_some_twice(demo: Demo) -> None:
    late = demo.number("""
        select count(*) from (
            select event_id from product_events group by event_id
            having bool_and(strftime(occurred_at, '%Y-%m') <> filename[-15:-9])
        )
    """)
    repeated = demo.number("select count(*) - count(distinct event_id) from product_events")
    for count in (late, repeated):
        assert 0 < count < demo.rows["product/events"] / 500


def test_times_of_tickets_have_offsets_and_bodies_have_lines(demo: Demo) -> None:
    offsets = demo.ask("select distinct opened_at[-6:] from support_tickets")
    assert {("+00:00",), ("-05:00",), ("+05:30",), ("+09:00",)} <= set(offsets)
    assert demo.number("select count(*) from support_tickets where body like '%' || chr(10) || '%'") > 0
    assert demo.number("select count(*) from support_tickets where body like '%\"%'") > 0


@pytest.mark.parametrize(
    ("what", "feed", "condition", "most"),
    [
        ("bad e-mails", "crm_contacts", "not regexp_full_match(email, '[a-z.0-9]+@[a-z0-9]+[.]example')", 10),
        ("unknown plan", "billing_subscriptions", f"plan_id = '{UNKNOWN_PLAN}'", 60),
        ("unknown events", "product_events", "event_name = 'beta_canvas_opened'", 1000),
        (
            "unknown payment status",
            "billing_payments",
            "status not in ('succeeded', 'failed', 'refunded')",
            5,
        ),
        ("sentiment out of range", "support_tickets", "abs(sentiment::double) > 1", 10),
        ("score out of range", "feedback_surveys", "score::double > 10", 20),
        ("unknown accounts", "product_events", f"account_id in {STRANGERS}", 3),
        ("no owner", "crm_accounts", "owner_id is null", 25),
        ("deleted accounts", "crm_accounts", "is_deleted = 'true'", 4),
        ("unknown column", "crm_contacts", "time_zone is not null", 10**9),
    ],
)
def test_dirt_is_there_and_small(demo: Demo, what: str, feed: str, condition: str, most: int) -> None:
    assert 0 < demo.number(f"select count(*) from {feed} where {condition}") <= most, what


def test_the_crm_repeats_rows_and_billing_overtakes_its_own(demo: Demo) -> None:
    different = "select count(*) from (select distinct * from crm_touchpoints)"
    assert demo.number(different) < demo.rows["crm/touchpoints"]
    states = "select invoice_id from billing_invoices group by 1 having count(distinct updated_at) > 1"
    assert 0 < len(demo.ask(states)) < demo.rows["billing/invoices"] / 4


def test_one_source_id_is_claimed_by_two_accounts(demo: Demo) -> None:
    claims = demo.ask(
        "select source, count(*) from crm_identities group by source, source_account_id having count(*) > 1"
    )
    assert claims == [("zendesk", 2)]


def test_a_churned_account_of_the_crm_has_a_live_subscription(demo: Demo) -> None:
    living = demo.number("""
        with crm as (
            select account_id, max_by(lifecycle_stage, updated_at) as stage from crm_accounts group by 1
        ), states as (
            select account_id, subscription_id, max_by(status, updated_at) as status
            from billing_subscriptions group by all
        )
        select count(distinct account_id) from crm join states using (account_id)
        where stage = 'churned' and status in ('active', 'trialing', 'past_due')
    """)
    assert 1 <= living <= 2


def test_subscriptions_have_a_history(demo: Demo) -> None:
    statuses = {row[0] for row in demo.ask("select distinct status from billing_subscriptions")}
    assert statuses == {"trialing", "active", "past_due", "paused", "canceled"}
    cancels = demo.ask("select distinct left(canceled_at, 7) from billing_subscriptions")
    assert len(cancels) > 8  # months of the year, and the empty one
    latest_only = demo.number(
        "select count(*) from (select subscription_id from billing_subscriptions group by 1 "
        "having bool_and(status = 'canceled'))"
    )
    assert latest_only > 0


def test_periods_go_on_after_the_last_day(demo: Demo) -> None:
    overdue = demo.ask(
        """
        select subscription_id from billing_subscriptions group by 1
        having max_by(status, updated_at) in ('active', 'past_due')
        and max_by(current_period_end, updated_at)::date < $end
        """,
        end=END,
    )
    assert overdue == []
