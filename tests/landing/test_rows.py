"""Which rows land, which do not, and what is recorded of those."""

from __future__ import annotations

import csv
import io
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inbox import NOW, Inbox, ndjson

from radar.landing.feeds import load_feeds

FEEDS = load_feeds()

OWNER = "owner_id,name,email,is_active,updated_at\n"
PAYMENTS = "payment_id,account_id,status,attempted_at,amount_usd,currency\n"
EVENT = {"account_id": "a1", "event_name": "login", "occurred_at": "2026-01-01T00:00:00Z"}


def test_a_row_without_a_required_value_is_rejected(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", OWNER + 'o1,A,,,\n,B,,,\no3,"",,,\no4,D,,,\n')
    report = inbox.land_feed("crm/owners")
    assert (report.rows_read, report.rows_landed, report.rows_rejected) == (4, 2, 2)
    assert inbox.all("select owner_id, _row_number from raw.crm_owners order by 1") == [("o1", 1), ("o4", 4)]
    assert inbox.rejected() == [
        ("crm/owners/day.csv", 2, "missing_required", "owner_id", None),
        ("crm/owners/day.csv", 3, "missing_required", "name", None),
    ]


def test_a_bad_value_costs_the_row_where_scoring_reads_it_and_else_itself(inbox: Inbox) -> None:
    inbox.put(
        "crm/owners/day.csv", OWNER + "o1,A,,perhaps,\no2,B,,,2026-13-01\no3,C,,maybe,2026-13-01\no4,D,,,\n"
    )
    report = inbox.land_feed("crm/owners")
    assert (report.rows_landed, report.rows_rejected, report.values_rejected) == (2, 2, 1)
    assert inbox.all("select owner_id, is_active from raw.crm_owners order by 1") == [
        ("o1", None),
        ("o4", None),
    ]
    assert inbox.rejected("rejected_values") == [
        ("crm/owners/day.csv", 1, "wrong_type", "is_active", "p***(7)")
    ]
    assert inbox.rejected() == [
        ("crm/owners/day.csv", 2, "wrong_type", "updated_at", "2***(10)"),
        ("crm/owners/day.csv", 3, "wrong_type", "updated_at", "2***(10)"),
    ]


def test_a_rejected_row_is_one_line_with_batch_time_and_message(inbox: Inbox) -> None:
    inbox.put("product/events/day.ndjson", ndjson({"event_id": "e1", **EVENT}, {"event_id": "e2"}))
    inbox.land_feed("product/events")
    assert inbox.all(
        "select feed, column_name, batch_id, message, rejected_at from quarantine.rejected_rows"
    ) == [("product/events", "account_id", 1, "required, and empty (and 2 more in this row)", NOW)]


@pytest.mark.parametrize("feed", ["crm/owners", "product/events"])
def test_rows_with_too_few_and_too_many_fields(inbox: Inbox, feed: str) -> None:
    if feed == "crm/owners":
        head, good, key = "owner_id,name,email", '{},"two\n\nlines",e', "owner_id"
    else:
        head, good, key = "event_id,account_id,event_name,occurred_at", "{},a1,login,2026-01-01", "event_id"
    bad = {2, 3, 7, 11, 12}
    rows = [("x,y,z,1,2" if n % 2 else "x") if n in bad else good.format(f"k{n}") for n in range(1, 15)]
    for line_end in ("\n", "\r\n"):
        blank = line_end * 3
        text = head + blank + line_end.join(rows[:6]) + blank + line_end.join(rows[6:]) + line_end
        inbox.put(f"{feed}/{len(line_end)}.csv", text)
    report = inbox.land_feed(feed)
    assert (report.rows_read, report.rows_rejected) == (28, 10)
    table = FEEDS[feed].raw_table
    landed = inbox.all(f"select {key}, _row_number from {table} where _source_file like '%/1.csv' order by 2")
    assert landed == [(f"k{n}", n) for n in range(1, 15) if n not in bad]
    for file in (f"{feed}/1.csv", f"{feed}/2.csv"):
        numbers = [row[1] for row in inbox.rejected() if row[0] == file]
        assert numbers == sorted(bad)
    assert {row[2] for row in inbox.rejected()} == {"wrong_field_count"}
    if feed == "product/events":
        landed = inbox.all(
            f"select {key}, _row_number from {table} where _source_file like '%/2.csv' order by 2"
        )
        assert landed == [(f"k{n}", n) for n in range(1, 15) if n not in bad]


def test_a_csv_file_cut_inside_a_row_loses_that_row(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", OWNER + "o1,A,,,\no2,B,,")
    inbox.land_feed("crm/owners")
    assert inbox.column("select owner_id from raw.crm_owners") == ["o1"]
    assert inbox.rejected() == [("crm/owners/day.csv", 2, "unfinished_line", None, None)]


def test_a_row_with_text_after_its_quotes_and_one_that_is_too_long(inbox: Inbox) -> None:
    long = "x" * 2_100_000
    inbox.put("crm/owners/day.csv", OWNER + f'o1,A,,,\no2,"B"b,,,\no3,C,,,\no4,{long},,,\no5,E,,,\n')
    inbox.land_feed("crm/owners")
    assert inbox.all("select owner_id, _row_number from raw.crm_owners order by 1") == [
        ("o1", 1),
        ("o3", 3),
        ("o5", 5),
    ]
    assert [row[1:3] for row in inbox.rejected()] == [(2, "malformed_row"), (4, "malformed_row")]


def test_a_broken_line_of_json_is_rejected_with_its_number(inbox: Inbox) -> None:
    good = [ndjson({"event_id": f"e{n}", **EVENT}) for n in range(6)]
    bad = ['{"event_id": "cut\n', "[1, 2]\n", "null\n", "text\n"]
    lines = [good[0], bad[0], good[1], bad[1], good[2], bad[2], good[3], bad[3], good[4], good[5].strip()]
    inbox.put("product/events/day.ndjson", "".join(lines))
    report = inbox.land_feed("product/events")
    assert (report.rows_read, report.rows_landed) == (10, 6)
    assert [row[1:3] for row in inbox.rejected()] == [(number, "malformed_row") for number in (2, 4, 6, 8)]
    assert inbox.all("select event_id, _row_number from raw.product_events order by 1") == [
        ("e0", 1),
        ("e1", 3),
        ("e2", 5),
        ("e3", 7),
        ("e4", 9),
        ("e5", 10),
    ]


@pytest.mark.parametrize("ending", ["csv", "ndjson", "parquet"])
def test_unknown_columns_are_set_aside_and_reported(inbox: Inbox, ending: str) -> None:
    if ending == "csv":
        inbox.put("crm/owners/day.csv", 'owner_id,name,Team "A",\no1,A,red,x\no2,B,,\n')
        expected = '{"Team \\"A\\"":"red","column_4":"x"}'
        names = ("T***(8)", "column_4")  # no plain name: masked
    elif ending == "ndjson":
        inbox.put(
            "crm/owners/day.ndjson",
            ndjson(
                {"owner_id": "o1", "name": "A", "team": "red", "n": {"x": [1]}},
                {"owner_id": "o2", "name": "B"},
            ),
        )
        expected, names = '{"team":"red","n":{"x":[1]}}', ("n", "team")
    else:
        inbox.put_parquet(
            "crm/owners/day.parquet",
            "select * from (values ('o1', 'A', 'red', {'x': [1]}), ('o2', 'B', null, null))"
            " t (owner_id, name, team, n)",
        )
        expected, names = '{"team":"red","n":{"x":[1]}}', ("n", "team")
    report = inbox.land_feed("crm/owners")
    assert inbox.column("select _extra from raw.crm_owners order by owner_id") == [expected, None]
    assert report.extra_columns == names
    assert inbox.column("select extra_columns from audit.loads where feed = 'crm/owners'") in (
        [", ".join(names)],
        [", ".join(reversed(names))],
    )


def test_unknown_columns_survive_next_to_a_bad_value(inbox: Inbox) -> None:
    inbox.put(
        "product/events/day.csv",
        "event_id,account_id,event_name,occurred_at,properties,more\n"
        "e1,a1,x,2026-01-01,{},y\ne2,a1,x,2026-01-01,{bad,y\ne3,a1,x,never,{},y\n",
    )
    inbox.land_feed("product/events")
    assert inbox.all(
        "select event_id, properties, _extra, _row_number from raw.product_events order by 1"
    ) == [
        ("e1", "{}", '{"more":"y"}', 1),
        ("e2", None, '{"more":"y"}', 2),
    ]
    assert inbox.rejected() == [("product/events/day.csv", 3, "wrong_type", "occurred_at", "n***(5)")]


def test_an_amount_lands_as_it_came_with_its_currency(inbox: Inbox) -> None:
    rows = [
        "p1,a1,failed,2026-01-01,5,EUR",
        "p2,a1,failed,2026-01-01,5, nok ",
        "p3,a1,failed,2026-01-01,5,",
        "p4,a1,failed,2026-01-01,,GBP",
        "p5,a1,failed,2026-01-01,5,n/a",
    ]
    inbox.put("billing/payments/1.csv", PAYMENTS + "\n".join(rows) + "\n")
    payment = {"account_id": "a1", "status": "failed", "attempted_at": "2026-01-01", "amount_usd": 7}
    inbox.put(
        "billing/payments/2.ndjson",
        ndjson({"payment_id": "p6", "currency": "usd", **payment}, {"payment_id": "p7", **payment}),
    )
    inbox.land_feed("billing/payments")
    assert inbox.all(
        "select payment_id, cast(amount_usd as int), currency from raw.billing_payments order by 1"
    ) == [
        ("p1", 5, "EUR"),
        ("p2", 5, "NOK"),
        ("p3", 5, None),
        ("p4", None, "GBP"),
        ("p5", 5, None),
        ("p6", 7, "USD"),
        ("p7", 7, None),
    ]
    assert inbox.rejected("rejected_values") == []
    assert inbox.rejected() == []


@pytest.mark.parametrize("code", ["EURO", "E", "€", "US$", "12", "E1R", "éur", "EUR/USD"])
def test_a_currency_that_is_none_is_reported_and_its_amount_is_not_taken_for_one_in_usd(
    inbox: Inbox, code: str
) -> None:
    inbox.put("billing/payments/1.csv", f"{PAYMENTS}p1,a1,failed,2026-01-01,5,{code}\n")
    inbox.land_feed("billing/payments")
    landed = "select cast(amount_usd as int), currency from raw.billing_payments"
    assert inbox.all(landed) == [(5, "XXX")]
    assert [row[1:] for row in inbox.rejected("rejected_values")] == [
        (1, "wrong_type", "currency", f"{code[0]}***({len(code)})")
    ]
    assert inbox.all("select message from quarantine.rejected_values") == [
        ("expected the three letters of a currency, such as EUR: what the amount is in USD is not known",)
    ]


def test_a_row_that_came_without_its_currency_lands_again_with_it(inbox: Inbox) -> None:
    inbox.put("billing/payments/1.csv", f"{PAYMENTS}p1,a1,failed,2026-01-01,5,\n")
    inbox.put("billing/payments/2.csv", f"{PAYMENTS}p1,a1,failed,2026-01-01,5,EUR\n")
    inbox.put("billing/payments/3.csv", f"{PAYMENTS}p1,a1,failed,2026-01-01,5,eur \n")
    inbox.land_feed("billing/payments")
    assert inbox.all("select currency from raw.billing_payments order by _source_file") == [(None,), ("EUR",)]


def test_every_raw_row_says_where_it_came_from(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", "owner_id,name\no1,A\n")
    inbox.land_feed("crm/owners")
    query = "select _loaded_at, _batch_id, _source_file, _row_number, email from raw.crm_owners"
    assert inbox.all(query) == [(NOW, 1, "crm/owners/day.csv", 1, None)]


def test_steps_are_reported_with_rows(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", "owner_id,name\no1,A\no2,B\n")
    inbox.land_feed("crm/owners")
    assert [step[:2] for step in inbox.steps] == [("crm/accounts", 1), ("crm/owners", 2)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_rows_of_a_large_file_keep_their_numbers(inbox: Inbox, line_end: str) -> None:
    """Large enough to be read in parallel, with quoted line ends, empty lines and rows that do not fit."""
    dice = random.Random(7)
    lines, bad = ["event_id,account_id,event_name,occurred_at,properties"], []
    for number in range(1, 150_001):
        roll = dice.random()
        if roll < 0.0003:
            lines.append("too,few")
            bad.append(number)
        elif roll < 0.0006:
            lines.append(f"{number},a1,x,never,")
            bad.append(number)
        else:
            note = f'"{{""text"": ""a{line_end}{line_end}b""}}"' if roll < 0.2 else ""
            lines.append(f"{number},a1,{'x' * dice.randint(1, 150)},2026-01-01T00:00:00Z,{note}")
        if roll > 0.999:
            lines.append("")
    inbox.put("product/events/day.csv.gz", line_end.join(lines) + line_end)
    report = inbox.land_feed("product/events")
    assert (report.rows_read, report.rows_rejected) == (150_000, len(bad))
    assert inbox.column("select count(*) from raw.product_events where event_id != _row_number::varchar") == [
        0
    ]
    assert inbox.column("select row_number from quarantine.rejected_rows order by 1") == bad


text = st.text(alphabet="ab,\"\n\r é\t;'", max_size=6)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(text, text), min_size=1, max_size=8), delimiter=st.sampled_from([",", "\t"]))
def test_any_text_that_is_written_as_csv_lands_as_it_was_but_for_outer_blanks(
    inbox: Inbox, rows: list[tuple[str, str]], delimiter: str
) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["owner_id", "name", "email"])
    writer.writerows([f"o{number}", "N" + name, email] for number, (name, email) in enumerate(rows))
    inbox.con.execute("create schema if not exists raw; drop table if exists raw.crm_owners")
    for old in inbox.root.glob("crm/owners/*"):
        old.unlink()
    ending = "tsv" if delimiter == "\t" else "csv"
    inbox.put(f"crm/owners/{inbox.batch}.{ending}", written.getvalue())
    report = inbox.land_feed("crm/owners")
    if report.files_repeated or report.files_known:
        return
    assert inbox.all("select name, coalesce(email, '') from raw.crm_owners order by _row_number") == [
        (("N" + name).strip(), email.strip()) for name, email in rows
    ]
