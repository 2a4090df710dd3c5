"""What a value means: from itself alone, as its system wrote it, never from another row."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from inbox import Inbox, ndjson

from radar.landing.feeds import load_feeds
from radar.quality.suites import rules

FEEDS = load_feeds()

TOUCHPOINTS = "touchpoint_id,account_id,channel,direction,occurred_at\n"
PLAIN = datetime(2026, 3, 13, 22, 30)


def touchpoints(*times: str) -> str:
    return TOUCHPOINTS + "".join(
        f'tp{number:05},a1,call,inbound,"{time}"\n' for number, time in enumerate(times)
    )


def landed_times(inbox: Inbox, *times: str) -> list[datetime | None]:
    """The times as they land; None where the row was refused."""
    inbox.put(f"crm/touchpoints/{inbox.batch}.csv", touchpoints(*times))
    inbox.land_feed("crm/touchpoints")
    found = dict(inbox.all("select touchpoint_id, occurred_at from raw.crm_touchpoints"))
    return [found.get(f"tp{number:05}") for number in range(len(times))]


WRITTEN = {
    "2026-03-13T22:30:00Z": PLAIN,
    "2026-03-13 22:30:00": PLAIN,
    "2026-03-13T22:30": PLAIN,
    "2026-03-13t22:30:00z": PLAIN,
    "2026-03-13 22:30:00 UTC": PLAIN,
    "2026-03-13 22:30:00 utc": PLAIN,
    "2026-03-13 22:30:00 GMT": PLAIN,
    "2026-03-13 22:30:00Z  ": PLAIN,
    "\u00a02026-03-13 22:30:00\u200b": PLAIN,
    "2026-03-13T22:30:00+00:00": PLAIN,
    "2026-03-14T00:30:00+02:00": PLAIN,
    "2026-03-14 00:30:00+02": PLAIN,
    "2026-03-14 00:30:00 +0200": PLAIN,
    "2026-03-13T17:00:00-05:30": PLAIN,
    "2026-03-13T18:30:00.000-0400": PLAIN,
    "2026-03-14T11:30:00+13:00": PLAIN,
    "2026-03-13 23:30:00 Europe/Berlin": PLAIN,
    "2026-03-13 18:30:00 America/New_York": PLAIN,
    "2026-03-13T18:30:00 america/new_york": PLAIN,
    "2026-03-13T19:30:00 America/Argentina/Buenos_Aires": PLAIN,
    "2026-03-13T23:30:00+01:00[Europe/Berlin]": PLAIN,
    "2026-03-13T22:30:00Z[UTC]": PLAIN,
    "2026-07-13 18:30:00 America/New_York": datetime(2026, 7, 13, 22, 30),
    "2026-03-13": datetime(2026, 3, 13),
    "2026-03-13T24:00:00": datetime(2026, 3, 14),
}
NOT_READ = [
    *(f"2026-{month}-13 22:30:00 {zone}" for month in ("01", "07") for zone in
      ("PST", "PDT", "EST", "EDT", "CST", "CDT", "CET", "CEST", "BST", "IST", "MSK", "JST", "EST5EDT")),
    "2026-03-13 22:30:00 Mars/Olympus", "2026-03-13 22:30:00 Europe/", "2026-03-13 22:30:00 Berlin",
    "2026-03-13T22:30:00+99:99", "2026-03-13T22:30:00+02:75", "2026-03-13T22:30:00+24:00",
    "2026-03-13T22:30:00+2", "2026-03-13T22:30:00+02:00:30", "2026-03-13T22:30:00 GMT+02:00",
    "infinity", "-infinity", "epoch", "now", "today", "13.03.2026", "1773441000", "2026-03-13Z", "2026-13-01",
]  # fmt: skip


def test_times_are_read_as_they_are_written(inbox: Inbox) -> None:
    assert dict(zip(WRITTEN, landed_times(inbox, *WRITTEN), strict=True)) == WRITTEN
    assert inbox.rejected() == []


def test_a_zone_that_is_no_offset_and_no_whole_name_is_refused_and_the_remedy_is_given(inbox: Inbox) -> None:
    times = [*NOT_READ, "2026-03-13 22:30:00"]
    assert landed_times(inbox, *times) == [None] * len(NOT_READ) + [PLAIN]
    assert {row[2] for row in inbox.rejected()} == {"wrong_type"}
    message = inbox.column("select message from quarantine.rejected_rows where row_number = 1")[0]
    assert message == (
        "expected a time such as 2026-03-13T10:00:00Z; abbreviations of zones are not read:"
        " write an offset such as +01:00, Z, or a whole name such as Europe/Berlin"
    )


ROWS = 5_000  # more than two vectors of 2,048


def mixed_times() -> list[tuple[str, datetime | None]]:
    """Every kind of time in turn, so that each comes behind each other one, in one vector."""
    kinds: list[Any] = [
        lambda at: (f"{at:%Y-%m-%d %H:%M:%S} PST", None),
        lambda at: (f"{at:%Y-%m-%d %H:%M:%S}", at),
        *[
            lambda at, zone=zone: (
                f"{at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} {zone}",
                at,
            )
            for zone in ("America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata")
        ],
        lambda at: (f"{at:%Y-%m-%dT%H:%M:%S}Z", at),
        lambda at: (at.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=-7))).isoformat(), at),
        lambda at: (f"{at:%Y-%m-%d %H:%M:%S} Nowhere/Land", None),
    ]
    start = datetime(2026, 1, 1, 22, 30)
    return [
        kinds[(number * number + number) % 7 if number % 2 else number % len(kinds)](
            start + timedelta(hours=7 * (number % 300))
        )
        for number in range(ROWS)
    ]


@pytest.mark.parametrize("ending", ["csv", "ndjson", "json", "parquet"])
def test_no_time_changes_how_another_row_is_read(inbox: Inbox, ending: str) -> None:
    rows = mixed_times()
    records = [
        {"event_id": f"e{number}", "account_id": "a1", "event_name": "x", "occurred_at": text}
        for number, (text, _) in enumerate(rows)
    ]
    if ending == "csv":
        lines = [",".join(record.values()) for record in records]
        inbox.put("product/events/day.csv", "\n".join([",".join(records[0]), *lines, ""]))
    elif ending == "parquet":
        inbox.con.execute("create temp table texts as select unnest(?) as record", [records])
        inbox.put_parquet("product/events/day.parquet", "select record.* from texts")
    else:
        text = ndjson(*records) if ending == "ndjson" else json.dumps(records)
        inbox.put(f"product/events/day.{ending}", text)
    inbox.land_feed("product/events")
    landed = dict(inbox.all("select event_id, occurred_at from raw.product_events"))
    assert landed == {f"e{number}": at for number, (_, at) in enumerate(rows) if at}


def test_no_date_changes_how_another_row_is_read(inbox: Inbox) -> None:
    head = "milestone_id,account_id,due_date\n"
    rows = ["m0,a1,2026-11-26 22:30:00 PST", *(f"m{n},a1,2026-11-26 22:30:00" for n in range(1, ROWS))]
    rows.append("m9999,a1,2026-11-26 22:30:00 America/Los_Angeles")
    inbox.put("crm/milestones/day.csv", head + "\n".join(rows) + "\n")
    inbox.land_feed("crm/milestones")
    assert inbox.all("select due_date, count(*) from raw.crm_milestones group by 1 order by 1") == [
        (date(2026, 11, 26), ROWS - 1),
        (date(2026, 11, 27), 1),
    ]
    assert [row[1:4] for row in inbox.rejected()] == [(1, "wrong_type", "due_date")]


INVISIBLE = [
    "{} ",
    " {}",
    "\u00a0{}",
    "{}\u00a0",
    "\u200b{}\ufeff",
    "\t{}",
    "{}\u2009",
    "\u3000{}\u2060",
    "{}\r",
]


@pytest.mark.parametrize("ending", ["csv", "ndjson", "parquet"])
def test_invisible_characters_are_no_part_of_ids_words_and_names(inbox: Inbox, ending: str) -> None:
    columns = ("subscription_id", "account_id", "plan_id", "status", "started_at", "updated_at")
    rows = [
        (form.format(f"s{number}"), form.format("a1"), form.format("team"), form.format("active"),
         form.format("2026-01-01"), form.format("2026-02-01"))
        for number, form in enumerate(INVISIBLE)
    ]  # fmt: skip
    rows.append(("s\u200b9", "\ufeffa1", "te\u200dam", "act\u200bive", "2026-01-01", "2026-02-01"))
    if ending == "csv":
        lines = [",".join(f'"{cell}"' for cell in row) for row in rows]
        inbox.put("billing/subscriptions/day.csv", "\n".join([",".join(columns), *lines, ""]))
    elif ending == "ndjson":
        inbox.put(
            "billing/subscriptions/day.ndjson",
            ndjson(*(dict(zip(columns, row, strict=True)) for row in rows)),
        )
    else:
        values = ", ".join("(" + ", ".join(f"'{cell}'" for cell in row) + ")" for row in rows)
        inbox.put_parquet(
            "billing/subscriptions/day.parquet",
            f"select * from (values {values}) as t ({', '.join(columns)})",
        )
    inbox.land_feed("billing/subscriptions")
    assert inbox.rejected() == []
    landed = inbox.all(f"select {', '.join(columns)} from raw.billing_subscriptions order by 1")
    assert landed == [
        (f"s{number}", "a1", "team", "active", datetime(2026, 1, 1), datetime(2026, 2, 1))
        for number in range(len(rows))
    ]
    inbox.put("crm/owners/day.csv", 'owner_id,name,email\n"o1"," Ann  Lee\u00a0","a@b.co\u200b"\n')
    inbox.land_feed("crm/owners")
    assert inbox.all("select owner_id, name, email from raw.crm_owners") == [("o1", "Ann  Lee", "a@b.co")]


@pytest.mark.parametrize(
    "empty", ["NULL", "null", "N/A", "n/a", "NaN", "None", "-", "\\N", "#N/A", "(null)", "  "]
)
def test_words_for_empty_are_empty_in_optional_columns_of_a_type_and_in_ids(inbox: Inbox, empty: str) -> None:
    head = (
        "account_id,name,owner_id,parent_account_id,arr_usd,segment,created_at,updated_at,is_deleted\n"
        f"a1,Null,{empty},{empty},{empty},smb,2026-01-01,{empty},{empty}\n"
    )
    inbox.put_accounts(head)
    inbox.put(
        "billing/subscriptions/day.csv",
        "subscription_id,account_id,plan_id,status,seats,mrr_usd,started_at,canceled_at,cancel_at_period_end,"
        f"updated_at\ns1,a1,team,active,{empty},{empty},2026-01-01,{empty},{empty},2026-01-01\n"
        f"{empty},a1,team,active,1,1,2026-01-01,,,2026-01-01\n",
    )
    inbox.put("crm/contacts/day.ndjson", ndjson({"contact_id": "c1", "account_id": "a1", "role": empty}))
    inbox.land()
    columns = "name, owner_id, parent_account_id, arr_usd, updated_at, is_deleted"
    assert inbox.all(f"select {columns} from raw.crm_accounts") == [("Null", None, None, None, None, None)]
    assert inbox.all(
        "select seats, mrr_usd, canceled_at, cancel_at_period_end from raw.billing_subscriptions"
    ) == [(None, None, None, None)]
    assert inbox.column("select role from raw.crm_contacts") == [None]
    assert [row[1:4] for row in inbox.rejected()] == [(2, "missing_required", "subscription_id")]
    assert inbox.rejected("rejected_values") == []


def test_no_limit_on_seats_is_no_number_of_seats(inbox: Inbox) -> None:
    words = ["-1", "unlimited", "Unlimited ", "-1.0", "∞"]
    head = "subscription_id,account_id,plan_id,status,seats,started_at,updated_at\n"
    rows = [f"s{n},a1,team,active,{word},2026-01-01,2026-01-01\n" for n, word in enumerate(words)]
    inbox.put(
        "billing/subscriptions/day.csv",
        head + "".join(rows) + "s8,a1,team,active,many,2026-01-01,2026-01-01\n",
    )
    inbox.put_parquet(
        "billing/subscriptions/day.parquet",
        "select 's9' subscription_id, 'a1' account_id, 'team' plan_id, 'active' status, -1 seats,"
        " '2026-01-01' started_at, '2026-01-01' updated_at",
    )
    inbox.land_feed("billing/subscriptions")
    assert inbox.all("select seats, count(*) from raw.billing_subscriptions group by 1") == [(None, 7)]
    assert [row[1:4] for row in inbox.rejected("rejected_values")] == [(6, "wrong_type", "seats")]


OPEN = ["9999-12-31", "9999-12-30", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999-08:00", "2999-12-31"]


def test_a_date_for_no_end_is_no_end_and_an_override_keeps_it(inbox: Inbox) -> None:
    for number, end in enumerate(OPEN):
        inbox.put(
            f"crm/goals/{number}.csv",
            f"goal_id,account_id,signal,target,valid_from,valid_to\ng{number},a1,logins_7d,1,2026-01-01,{end}\n",
        )
        inbox.put(
            f"crm/overrides/{number}.csv",
            "override_id,account_id,bucket,reason,overridden_by,overridden_at,expires_at\n"
            f"o{number},a1,At Risk,why,ann,2026-01-01,{end}\n",
        )
        inbox.put(
            f"billing/subscriptions/{number}.csv",
            "subscription_id,account_id,plan_id,status,started_at,current_period_end,canceled_at,card_expires_on,"
            f"updated_at\ns{number},a1,team,active,2026-01-01,{end},{end},{end},2026-01-01\n",
        )
        inbox.put(
            f"billing/invoices/{number}.csv",
            "invoice_id,account_id,status,issued_at,due_at,paid_at\n"
            f"i{number},a1,open,2026-01-01,{end},{end}\n",
        )
    inbox.put_parquet(
        "crm/goals/typed.parquet",
        "select 'gp' as goal_id, 'a1' as account_id, 'logins_7d' as signal, 1 as target,"
        " date '9999-12-31' as valid_to",
    )
    inbox.land_feed("crm/goals")
    assert inbox.rejected() == inbox.rejected("rejected_values") == []
    assert inbox.all("select valid_to, count(*) from raw.crm_goals group by 1") == [(None, len(OPEN) + 1)]
    assert inbox.column("select min(year(expires_at)) from raw.crm_overrides where override_id < 'o4'") == [
        9999
    ]
    assert inbox.column("select max(expires_at) from raw.crm_overrides") == [
        datetime(9999, 12, 31, 23, 59, 59, 999999)
    ]
    assert inbox.all(
        "select distinct current_period_end, canceled_at, card_expires_on from raw.billing_subscriptions"
    ) == [(None, None, None)]
    assert inbox.all("select distinct due_at, paid_at from raw.billing_invoices") == [(None, None)]


SPELLINGS = [
    ("billing/subscriptions", "status", "canceled", ["Canceled", "cancelled", "CANCELLED", " Canceled "]),
    ("billing/subscriptions", "status", "past_due", ["past due", "Past-Due", "PAST_DUE", "pastDue"]),
    ("billing/subscriptions", "status", "trialing", ["Trialling", "in trial"]),
    ("billing/payments", "status", "succeeded", ["SUCCEEDED", "Success"]),
    ("billing/invoices", "status", "uncollectible", ["Un-collectible"]),
    ("crm/touchpoints", "channel", "email", ["E-Mail", "EMAIL"]),
    ("crm/overrides", "bucket", "at_risk", ["At Risk", "at-risk"]),
    ("comms/messages", "kind", "billing_reminder", ["Billing reminder", "billing-reminder"]),
    ("feedback/surveys", "kind", "nps", ["NPS", "N.P.S."]),
    ("support/tickets", "priority", "urgent", ["Urgent", "URGENT"]),
]
UNKNOWN = ["unpaid", "inactive", "Kanceled!", "refunding"]


@pytest.mark.parametrize(("feed", "column", "word", "written"), SPELLINGS)
def test_words_of_an_enumeration_are_known_in_other_spellings(
    inbox: Inbox, feed: str, column: str, word: str, written: list[str]
) -> None:
    other = {
        one.name: one.words[0] if one.type == "enum" else {"decimal": "3"}.get(one.type, "2026-01-01")
        for one in FEEDS[feed].columns
        if one.required
    }
    inbox.put(
        f"{feed}/day.ndjson",
        ndjson(
            *(
                {**other, "account_id": "a1", FEEDS[feed].key[0]: f"k{n}", column: text}
                for n, text in enumerate([*written, word, *UNKNOWN])
            )
        ),
    )
    inbox.land_feed(feed)
    found = inbox.column(f"select {column} from {FEEDS[feed].raw_table} order by _row_number")
    assert found == [word] * (len(written) + 1) + UNKNOWN


def test_the_words_of_the_feeds_are_those_that_the_suites_allow() -> None:
    for feed in FEEDS.values():
        allowed: dict[str, set[str]] = {}
        for rule in rules()[feed.name]:
            if rule.expectation_type == "expect_column_values_to_be_in_set":
                allowed.setdefault(str(rule.column), set()).update(rule.kwargs["value_set"])
        assert allowed == {one.name: set(one.words) for one in feed.columns if one.type == "enum"}


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_ids_that_a_data_frame_made_decimal_are_whole_where_all_are_numbers(
    inbox: Inbox, ending: str
) -> None:
    inbox.put_accounts("account_id,name,created_at\n7,Acme,2026-01-01\n")
    events = [("1.0", "7.0", "31.0"), ("2.0", "7.0", ""), ("3.0", "7.0", "u.0")]
    owners = [("o1", "A"), ("12.0", "B")]
    if ending == "csv":
        rows = "".join(f"{event},{account},{user},x,2026-01-01\n" for event, account, user in events)
        inbox.put("product/events/day.csv", f"event_id,account_id,user_id,event_name,occurred_at\n{rows}")
        inbox.put("crm/owners/day.csv", "owner_id,name\n" + "".join(f"{id},{name}\n" for id, name in owners))
    else:
        rest = {"event_name": "x", "occurred_at": "2026-01-01"}
        inbox.put(
            "product/events/day.ndjson",
            ndjson(*({"event_id": float(e), "account_id": 7.0, "user_id": u, **rest} for e, _, u in events)),
        )
        inbox.put("crm/owners/day.ndjson", ndjson(*({"owner_id": id, "name": name} for id, name in owners)))
    inbox.land()
    assert inbox.all("select event_id, account_id, user_id from raw.product_events order by 1") == [
        ("1", "7", "31.0"), ("2", "7", None), ("3", "7", "u.0"),
    ]  # fmt: skip
    assert inbox.column("select owner_id from raw.crm_owners order by 1") == ["12.0", "o1"]


def test_ids_in_scientific_notation_are_refused_and_never_taken_for_one(inbox: Inbox) -> None:
    ids = ["1.23457E+11", "1.23457E+11", "1,23457E+11", "1e+11", "123456789444", "12e34", "E+1x"]
    inbox.put_accounts(
        "account_id,name,owner_id,created_at\n"
        + "".join(f'"{id}",N{n},1.2E+05,2026-01-01\n' for n, id in enumerate(ids))
    )
    inbox.land()
    assert inbox.all("select account_id, owner_id from raw.crm_accounts order by _row_number") == [
        ("123456789444", None), ("12e34", None), ("E+1x", None),
    ]  # fmt: skip
    assert [row[1:4] for row in inbox.rejected()] == [(n, "wrong_type", "account_id") for n in (1, 2, 3, 4)]
    (message,) = set(inbox.column("select message from quarantine.rejected_rows"))
    assert message.startswith(
        "expected the whole id, not in scientific notation: format the column as text and send it again"
    )
