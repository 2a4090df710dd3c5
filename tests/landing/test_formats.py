"""Every format lands the same rows, with everything that makes real files differ."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from inbox import Inbox, ndjson

OWNERS = [
    {"owner_id": "o1", "name": 'Ann "A." Lee', "email": "ann@x.io", "is_active": True},
    {"owner_id": "o2", "name": "line one\nline two, and more", "is_active": False},
    {"owner_id": "o3", "name": "Zoë Łukasz 東京", "updated_at": "2026-01-02T03:04:05Z"},
]
COLUMNS = ("owner_id", "name", "email", "slack_user_id", "is_active", "updated_at")
EXPECTED = [
    ("o1", 'Ann "A." Lee', "ann@x.io", None, True, None, 1),
    ("o2", "line one\nline two, and more", None, None, False, None, 2),
    ("o3", "Zoë Łukasz 東京", None, None, None, dt.datetime(2026, 1, 2, 3, 4, 5), 3),
]


def delimited(delimiter: str, line_end: str = "\n") -> str:
    def cell(value: object) -> str:
        text = "" if value is None else str(value)
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in '",\n\t') else text

    rows = [COLUMNS, *([owner.get(name) for name in COLUMNS] for owner in OWNERS)]
    return "".join(delimiter.join(cell(value) for value in row) + line_end for row in rows)


TEXTS = {
    "csv": delimited(","),
    "tsv": delimited("\t"),
    "ndjson": ndjson(*OWNERS),
    "jsonl": ndjson(*OWNERS),
    "json": json.dumps(OWNERS, indent=1),
}


def landed_owners(inbox: Inbox) -> list[tuple[object, ...]]:
    return inbox.all(f"select {', '.join(COLUMNS)}, _row_number from raw.crm_owners order by _row_number")


@pytest.mark.parametrize("packed", ["", ".gz", ".zst"])
@pytest.mark.parametrize("ending", TEXTS)
def test_every_text_format_lands_the_same_rows(inbox: Inbox, ending: str, packed: str) -> None:
    inbox.put(f"crm/owners/day.{ending}{packed}", TEXTS[ending])
    report = inbox.land_feed("crm/owners")
    assert (report.files_landed, report.rows_read, report.rows_landed, report.messages) == (1, 3, 3, [])
    assert landed_owners(inbox) == EXPECTED


@pytest.mark.parametrize("is_packed", [False, True])
def test_parquet_lands_the_same_rows_plain_and_packed(inbox: Inbox, is_packed: bool) -> None:
    table = pa.Table.from_pylist([{name: owner.get(name) for name in COLUMNS} for owner in OWNERS])
    path = inbox.root / "crm/owners/day.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(table, path)
    if is_packed:
        inbox.put("crm/owners/day.parquet.gz", path.read_bytes())
        path.unlink()
    inbox.land_feed("crm/owners")
    assert landed_owners(inbox) == EXPECTED


def test_json_also_comes_in_lines_and_over_several_lines(inbox: Inbox) -> None:
    inbox.put("crm/owners/1.json", ndjson(*OWNERS))
    inbox.land_feed("crm/owners")
    assert landed_owners(inbox) == EXPECTED
    spread = "\n".join(json.dumps({"owner_id": f"s{n}", "name": "S"}, indent=2) for n in range(3))
    inbox.put("crm/owners/2.json", spread)
    assert inbox.land_feed("crm/owners").rows_landed == 3


def test_an_empty_json_array_is_a_known_and_empty_feed(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.json", "[]")
    assert inbox.land_feed("crm/owners").rows_read == 0
    assert inbox.load("crm/owners/day.json")["status"] == "landed"


def test_the_order_of_the_header_is_free(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", "is_active,name,owner_id\ntrue,Ann,o1\n")
    inbox.land_feed("crm/owners")
    assert inbox.all("select owner_id, name, is_active from raw.crm_owners") == [("o1", "Ann", True)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_line_ends(inbox: Inbox, line_end: str) -> None:
    text = line_end.join(["owner_id,name", "o1,Ann", '"o2","B,ob"', ""])
    inbox.put("crm/owners/day.csv", b"\xef\xbb\xbf" + text.encode())
    inbox.land_feed("crm/owners")
    assert inbox.all("select owner_id, name from raw.crm_owners order by 1") == [
        ("o1", "Ann"),
        ("o2", "B,ob"),
    ]


def test_mixed_line_ends(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", 'owner_id,name\no1,Ann\r\no2,"two\nlines"\r\n\no3,Cy\n')
    inbox.land_feed("crm/owners")
    assert inbox.all("select owner_id, name, _row_number from raw.crm_owners order by 1") == [
        ("o1", "Ann", 1),
        ("o2", "two\nlines", 2),
        ("o3", "Cy", 3),
    ]


@pytest.mark.parametrize("ending", ["ndjson", "json"])
def test_json_with_a_byte_order_mark_and_windows_line_ends(inbox: Inbox, ending: str) -> None:
    text = ndjson(*OWNERS).replace("\n", "\r\n")
    inbox.put(f"crm/owners/day.{ending}", b"\xef\xbb\xbf" + text.encode())
    inbox.land_feed("crm/owners")
    assert landed_owners(inbox) == EXPECTED


def test_several_packed_members_are_one_file(inbox: Inbox) -> None:
    head, tail = b"owner_id,name\no1,A\n", b"o2,B\n"
    inbox.put("crm/owners/1.csv.gz", gzip.compress(head) + gzip.compress(tail), packed=False)
    inbox.put("crm/owners/2.csv.zst", zstandard.compress(head.replace(b"o1", b"o3")), packed=False)
    both = zstandard.compress(b"owner_id,name\no4,A\n") + zstandard.compress(b"o5,B\n")
    inbox.put("crm/owners/3.csv.zst", both, packed=False)
    inbox.land_feed("crm/owners")
    assert inbox.column("select owner_id from raw.crm_owners order by 1") == ["o1", "o2", "o3", "o4", "o5"]


def test_names_of_files_may_be_in_capitals_and_hold_quotes(inbox: Inbox) -> None:
    inbox.put("crm/owners/It's DAY 1.CSV", "owner_id,name\no1,Ann\n")
    assert inbox.land_feed("crm/owners").rows_landed == 1
    assert inbox.column("select _source_file from raw.crm_owners") == ["crm/owners/It's DAY 1.CSV"]


TIMES = {
    "2026-01-01T10:00:00Z": "2026-01-01 10:00:00",
    "2026-01-01T10:00:00+02:00": "2026-01-01 08:00:00",
    "2026-01-01T10:00:00-0530": "2026-01-01 15:30:00",
    "2026-01-01 10:00:00": "2026-01-01 10:00:00",
    "2026-01-01 10:00:00 +02:00": "2026-01-01 08:00:00",
    "2026-01-01 10:00:00.250 UTC": "2026-01-01 10:00:00.25",
    "2026-01-01T10:00:00.123456789Z": "2026-01-01 10:00:00.123456",
    "2026-01-01t10:00:00.5z": "2026-01-01 10:00:00.5",
    "2026-01-01T10:00": "2026-01-01 10:00:00",
    "2026-01-01": "2026-01-01 00:00:00",
    " 2026-01-01T10:00:00Z ": "2026-01-01 10:00:00",
}


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_times_become_utc(inbox: Inbox, ending: str) -> None:
    if ending == "csv":
        text = "owner_id,name,updated_at\n" + "".join(f"o{n},A,{time}\n" for n, time in enumerate(TIMES))
    else:
        text = ndjson(
            *({"owner_id": f"o{n}", "name": "A", "updated_at": time} for n, time in enumerate(TIMES))
        )
    inbox.put(f"crm/owners/day.{ending}", text)
    assert inbox.land_feed("crm/owners").rows_rejected == 0, inbox.rejected()
    landed = inbox.column("select cast(updated_at as varchar) from raw.crm_owners order by _row_number")
    assert landed == list(TIMES.values())


NO_TIMES = [
    "01/02/2026",
    "1767225600",
    "infinity",
    "epoch",
    "2026-02-30",
    "2026-01-01 (BC)",
    "yesterday",
    "12026-01-01",
    "2026-01-01T25:00:00Z",
]


def test_what_is_no_time_is_refused(inbox: Inbox) -> None:
    text = "owner_id,name,updated_at\ngood,A,\n" + "".join(
        f"o{n},A,{time}\n" for n, time in enumerate(NO_TIMES)
    )
    inbox.put("crm/owners/day.csv", text)
    inbox.land_feed("crm/owners")
    assert [row[1:4] for row in inbox.rejected()] == [
        (number, "wrong_type", "updated_at") for number in range(2, len(NO_TIMES) + 2)
    ]


def test_numbers_and_truth_values(inbox: Inbox) -> None:
    good = [("12", 12, "true"), ("12.0", 12, "T"), (" 7 ", 7, "no"), ("", None, "0"), ("-3", -3, " FALSE ")]
    bad = ["12.5", "1e3", "1_000", "0x10", "1,000", "few", "99999999999999999999"]
    head = "subscription_id,account_id,plan_id,status,started_at,updated_at,seats,cancel_at_period_end\n"
    rows = [
        f's{n},a1,p,active,2026-01-01,2026-01-01,"{seats}",{cancel}'
        for n, (seats, _, cancel) in enumerate(good)
    ]
    rows += [f'b{n},a1,p,active,2026-01-01,2026-01-01,"{seats}",' for n, seats in enumerate(bad)]
    inbox.put("billing/subscriptions/day.csv", head + "\n".join(rows) + "\n")
    inbox.land_feed("billing/subscriptions")
    assert inbox.all(
        "select seats, cancel_at_period_end from raw.billing_subscriptions order by _row_number"
    ) == [(12, True), (12, True), (7, False), (None, False), (-3, False)] + [(None, None)] * len(bad)
    refused = inbox.rejected("rejected_values")
    assert [row[1:4] for row in refused] == [(n, "wrong_type", "seats") for n in range(6, 6 + len(bad))]
    assert inbox.rejected() == []


def test_amounts_keep_six_places_and_refuse_what_is_no_number(inbox: Inbox) -> None:
    head = "payment_id,account_id,status,attempted_at,amount_usd\n"
    amounts = ["1639.61", "0.1", "1e3", ".5", "-20", "", "nan", "inf", "1_0", "$5", "1234567890123"]
    rows = [f"p{n},a1,succeeded,2026-01-01,{amount}" for n, amount in enumerate(amounts)]
    inbox.put("billing/payments/day.csv", head + "\n".join(rows))
    inbox.land_feed("billing/payments")
    landed = inbox.column("select cast(amount_usd as varchar) from raw.billing_payments order by _row_number")
    assert landed == ["1639.610000", "0.100000", "1000.000000", "0.500000", "-20.000000", None, None]
    assert len(inbox.rejected()) == 4


def test_parquet_types_become_those_of_the_contract(inbox: Inbox) -> None:
    utc, ny = dt.UTC, "America/New_York"
    noon = dt.datetime(2026, 1, 1, 12)
    table = pa.table(
        {
            "invoice_id": pa.array([1, 2]),
            "account_id": pa.array([7.0, None]),
            "subscription_id": pa.array(["x", "y"]).dictionary_encode(),
            "amount_usd": pa.array([Decimal("12.5"), Decimal("3")], pa.decimal128(30, 4)),
            "status": pa.array([b"paid", b"open"]),
            "issued_at": pa.array([noon.replace(tzinfo=utc)] * 2, pa.timestamp("us", ny)),
            "due_at": pa.array([dt.date(2026, 2, 1)] * 2),
            "paid_at": pa.array([noon, None], pa.timestamp("ns")),
            "updated_at": pa.array([noon, noon], pa.timestamp("s")),
            "tags": pa.array([["a", "b"], None]),
        }
    )
    path = inbox.root / "billing/invoices/day.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(table, path)
    report = inbox.land_feed("billing/invoices")
    assert report.extra_columns == ("tags",)
    assert inbox.all("select * exclude (_loaded_at, currency, is_deleted) from raw.billing_invoices") == [
        (
            *("1", "7", "x", Decimal("12.500000"), "paid", noon, dt.datetime(2026, 2, 1), noon, noon),
            *('{"tags":["a","b"]}', 1, "billing/invoices/day.parquet", 1),
        )
    ]
    assert inbox.rejected() == [("billing/invoices/day.parquet", 2, "missing_required", "account_id", None)]


def test_parquet_floats_that_are_no_number_are_empty_and_numbers_are_no_time(inbox: Inbox) -> None:
    inbox.put_parquet(
        "support/tickets/day.parquet",
        "select * from (values ('t1', 'a1', 1767225600, 'nan'::double), ('t2', 'a1', null, 0.5))"
        " as t (ticket_id, account_id, first_response_at, sentiment),"
        " (select timestamp '2026-01-01' as opened_at)",
    )
    inbox.land_feed("support/tickets")
    assert inbox.all(
        "select ticket_id, first_response_at, cast(sentiment as double) from raw.support_tickets"
    ) == [
        ("t1", None, None),
        ("t2", None, 0.5),
    ]
    assert [row[1:4] for row in inbox.rejected("rejected_values")] == [
        (1, "wrong_type", "first_response_at"),
    ]


def test_nested_values_land_as_json(inbox: Inbox) -> None:
    head = {"account_id": "a1", "event_name": "login", "occurred_at": "2026-01-01"}
    inbox.put("product/events/1.ndjson", ndjson({"event_id": 1, **head, "properties": {"ms": [1, None]}}))
    inbox.put_parquet(
        "product/events/2.parquet",
        "select 2 as event_id, 'a1' as account_id, 'x' as event_name, now() as occurred_at,"
        " {'ms': 5} as properties",
    )
    inbox.put(
        "product/events/3.csv",
        'event_id,account_id,event_name,occurred_at,properties\n3,a1,x,2026-01-01,"{""a"":1}"\n4,a1,x,2026-01-01,{a\n',
    )
    inbox.land_feed("product/events")
    assert inbox.all("select event_id, properties from raw.product_events order by 1") == [
        ("1", '{"ms":[1,null]}'),
        ("2", '{"ms":5}'),
        ("3", '{"a":1}'),
        ("4", None),
    ]
    assert inbox.rejected("rejected_values") == [
        ("product/events/3.csv", 2, "wrong_type", "properties", "{***(2)")
    ]


def test_a_parquet_column_called_like_the_row_number(inbox: Inbox) -> None:
    inbox.put_parquet(
        "crm/owners/day.parquet",
        "select 'o' || i as owner_id, 'A' as name, i as file_row_number from range(3) t(i)",
    )
    inbox.land_feed("crm/owners")
    assert inbox.all("select owner_id, _row_number from raw.crm_owners order by 1") == [
        ("o0", 1),
        ("o1", 2),
        ("o2", 3),
    ]


def test_the_folder_may_itself_be_a_link(inbox: Inbox, tmp_path: Path) -> None:
    inbox.put_accounts()
    (tmp_path / "link").symlink_to(inbox.root)
    inbox.root = tmp_path / "link"
    inbox.land()
    assert inbox.column("select account_id from raw.crm_accounts") == ["a1"]


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "parquet"])
def test_the_names_that_loading_tools_give_a_deletion_are_read(inbox: Inbox, suffix: str) -> None:
    """A time is true where it is filled; of several names the one that says true decides."""
    rows = [
        {"owner_id": "o1", "name": "A", "_fivetran_deleted": True, "deleted_at": None, "rank": "1"},
        {"owner_id": "o2", "name": "B", "_fivetran_deleted": False, "deleted_at": "2026-01-01", "rank": "2"},
        {"owner_id": "o3", "name": "C", "_fivetran_deleted": False, "deleted_at": None, "rank": "3"},
        {"owner_id": "o4", "name": "D", "_fivetran_deleted": None, "deleted_at": None, "rank": "4"},
    ]
    path = inbox.root / f"crm/owners/day.{suffix}"
    path.parent.mkdir(parents=True)
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif suffix == "ndjson":
        path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    else:
        lines = [",".join("" if v is None else str(v).lower() for v in row.values()) for row in rows]
        path.write_text("\n".join([",".join(rows[0]), *lines]) + "\n")
    report = inbox.land_feed("crm/owners")
    assert report.extra_columns == ("rank",)
    assert inbox.all("select owner_id, is_deleted from raw.crm_owners order by 1") == [
        ("o1", True),
        ("o2", True),
        ("o3", False),
        ("o4", None),
    ]


def test_a_deletion_that_cannot_be_read_costs_the_value(inbox: Inbox) -> None:
    path = inbox.root / "crm/owners/day.csv"
    path.parent.mkdir(parents=True)
    path.write_text("owner_id,name,deleted\no1,A,perhaps\n")
    report = inbox.land_feed("crm/owners")
    assert (report.rows_landed, report.values_rejected) == (1, 1)
    assert inbox.all("select owner_id, is_deleted from raw.crm_owners") == [("o1", None)]
