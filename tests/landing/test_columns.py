"""Which known column an unknown one resembles, and what each file is said to have or to lack."""

from __future__ import annotations

import json

import pytest
from inbox import Inbox, ndjson

from radar.landing.columns import Comparison, FileColumns, nearest
from radar.landing.feeds import load_feeds

FEEDS = load_feeds()

INVOICES = FEEDS["billing/invoices"]
REQUIRED = ("invoice_id", "account_id", "status", "issued_at")


@pytest.mark.parametrize(
    ("feed", "name", "known"),
    [
        ("billing/invoices", "paid_on", "paid_at"),
        ("billing/invoices", "paidAt", "paid_at"),
        ("billing/invoices", "Date Paid", "paid_at"),
        ("billing/invoices", "due_date", "due_at"),
        ("billing/invoices", "amount", "amount_usd"),
        ("billing/invoices", "Currency Code", "currency"),
        ("billing/invoices", "warehouse", None),
        ("billing/invoices", "d***(4)", None),
        ("billing/subscriptions", "cancelled_on", "canceled_at"),
        ("billing/subscriptions", "seat_count", "seats"),
        ("billing/subscriptions", "mrr", "mrr_usd"),
        ("crm/accounts", "hubspot_owner_id", "owner_id"),
        ("crm/contacts", "email_address", "email"),
    ],
)
def test_the_nearest_name(feed: str, name: str, known: str | None) -> None:
    assert nearest(feed, name) == known


def test_a_missing_column_is_nearer_than_one_that_is_there() -> None:
    assert nearest("crm/accounts", "account_owner") == "account_id"
    assert nearest("crm/accounts", "account_owner", frozenset({"owner_id"})) == "owner_id"


def headed(*names: str, extra: tuple[str, ...] = ()) -> FileColumns:
    return FileColumns(3, False, dict.fromkeys((*REQUIRED, *names)), extra)


def records(rows: int, *, extra: tuple[str, ...] = (), **filled: int) -> FileColumns:
    return FileColumns(rows, True, {**dict.fromkeys(REQUIRED, rows), **filled}, extra)


def findings(*files: FileColumns) -> list[list[tuple[str, str, str | None]]]:
    comparison = Comparison(INVOICES, files[0].is_json)
    return [list(comparison.findings(file)) for file in files]


def test_a_missing_column_that_an_unknown_one_resembles_is_misnamed() -> None:
    misnamed, unknown = ("paid_on", "misnamed", "paid_at"), ("paid_on", "unknown", "paid_at")
    assert findings(headed(extra=("paid_on",))) == [[misnamed]]
    assert findings(headed("paid_at", extra=("paid_on",))) == [[unknown]]
    assert findings(headed("paid_at"), headed(extra=("paid_on",)))[1] == [misnamed, ("paid_at", "gone", None)]


def test_the_currency_of_amounts_is_known() -> None:
    assert findings(headed("currency")) == [[]]
    near = [("currency_name", "unknown", "currency")]
    assert findings(records(5, currency=5, extra=("currency_name",))) == [near]


def test_a_column_that_stood_next_to_the_known_one_is_no_other_name_of_it() -> None:
    both = headed("paid_at", extra=("paid_on",))
    assert findings(both, headed(extra=("paid_on",)))[1] == [
        ("paid_on", "unknown", "paid_at"),
        ("paid_at", "gone", None),
    ]


def test_a_column_is_gone_once_and_again_after_all_files_had_it() -> None:
    with_it, without, gone = headed("paid_at"), headed(), [("paid_at", "gone", None)]
    assert findings(with_it, with_it, without) == [[], [], gone]
    assert findings(with_it, without, with_it, without) == [[], gone, [], []]  # two systems, one folder
    assert findings(without, with_it, without) == [[], [], []]


def test_a_column_that_no_json_record_fills_is_gone_where_that_is_no_chance() -> None:
    gone = [("paid_at", "gone", None)]
    half = records(100, paid_at=50)
    assert findings(half, records(39)) == [[], []]
    assert findings(half, records(40)) == [[], gone]
    assert findings(half, records(100), half, records(100)) == [[], gone, [], []]
    rare = records(1000, paid_at=1)
    assert findings(rare, records(10_000)) == [[], []]
    assert findings(records(0), records(0)) == [[], []]


INVOICE = "i{},a1,paid,2026-01-01"


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "tsv", "parquet"])
def test_the_columns_of_a_header_are_recorded(inbox: Inbox, ending: str) -> None:
    name = f"billing/invoices/1.{ending}"
    if ending == "parquet":
        values = "'i1' as invoice_id, 'a1' as account_id, 'paid' as status, date '2026-01-01' as issued_at"
        more = "null::date as paid_at, 'USD' as currency, 'w' as warehouse"
        inbox.put_parquet(name, f"select {values}, {more}")
    else:
        text = f"{','.join(REQUIRED)},paid_at,currency,warehouse\n{INVOICE.format(1)},,USD,w\n"
        inbox.put(name, text.replace(",", "\t") if ending == "tsv" else text)
    inbox.land_feed("billing/invoices")
    columns = json.loads(inbox.load(name)["columns"])
    assert columns == dict.fromkeys((*REQUIRED, "paid_at", "currency"))


def test_of_json_the_filled_columns_are_recorded(inbox: Inbox) -> None:
    record = dict(zip(REQUIRED, INVOICE.format(1).split(","), strict=True))
    paid = {**record, "invoice_id": "i2", "paid_at": "2026-01-05", "due_at": None, "warehouse": "w"}
    inbox.put("billing/invoices/1.ndjson", ndjson(record, paid))
    inbox.land_feed("billing/invoices")
    columns = json.loads(inbox.load("billing/invoices/1.ndjson")["columns"])
    assert columns == {**dict.fromkeys(REQUIRED, 2), "paid_at": 1}
    inbox.put("billing/invoices/2.ndjson", "{}\n")
    inbox.land_feed("billing/invoices")
    assert inbox.load("billing/invoices/2.ndjson")["columns"] in (None, "{}")


def test_a_deletion_under_the_name_of_a_loading_tool_is_known(inbox: Inbox) -> None:
    header = "account_id,name,created_at,updated_at,_fivetran_deleted"
    inbox.put_accounts(f"{header}\na1,A,2026-01-01,2026-01-01,false\n")
    inbox.land()
    assert "is_deleted" in json.loads(inbox.load("crm/accounts/accounts.csv")["columns"])


def test_a_warehouse_of_an_earlier_release_gets_the_records(inbox: Inbox) -> None:
    inbox.put_accounts()
    inbox.land()
    inbox.con.execute("drop table audit.column_findings")
    inbox.con.execute("alter table audit.loads drop column columns")
    inbox.put("crm/owners/1.csv", "owner_id,name\no1,Ann\n")
    inbox.land()
    assert inbox.load("crm/accounts/accounts.csv")["columns"] is None
    assert inbox.load("crm/owners/1.csv")["columns"]
    assert inbox.all("select * from audit.column_findings") == []


def test_the_required_columns_that_a_refused_file_lacks_are_recorded(inbox: Inbox) -> None:
    inbox.put("crm/contacts/c.csv", "email,full_name\nann@acme.com,Ann\n")
    inbox.put("zendesk/users/u.csv", "name,email\nAnn,ann@acme.com\n")
    inbox.put("crm/owners/o.csv", "owner_id,name,owner_id\no1,Ann,o2\n")
    inbox.put_accounts()
    inbox.land()
    assert inbox.all(
        "select source_file, missing_columns from audit.loads where status = 'refused' order by 1"
    ) == [
        ("crm/contacts/c.csv", "contact_id, account_id"),
        ("crm/owners/o.csv", None),
        ("zendesk/users/u.csv", "id"),
    ]
