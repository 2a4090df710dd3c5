"""Files as programs and people write them: other separators, encodings, reports, workbooks, archives."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
from inbox import Inbox

from radar.landing.files import kind_of_members
from radar.onboarding.file_keys import keys

FEED = "crm/owners"
ROWS = [("o1", "Ana Müller", "ana@acme.com"), ("o2", "Bo, Jr.", "bo@acme.com")]


def owners(inbox: Inbox) -> list[tuple[str, str, str]]:
    report = inbox.land_feed(FEED)
    assert inbox.rejected() == [], report
    return inbox.all("select owner_id, name, email from raw.crm_owners order by owner_id")


def text(separator: str, before: str = "", after: str = "") -> str:
    lines = [separator.join(cells) for cells in [("owner_id", "name", "email"), *ROWS]]
    if separator == ",":
        lines = [line.replace("Bo, Jr.", '"Bo, Jr."') for line in lines]
    return before + "\n".join(lines) + "\n" + after


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["day.csv", "day.tsv", "day.csv.gz"])
def test_cells_are_separated_by_what_the_header_is_separated_by(
    inbox: Inbox, separator: str, name: str
) -> None:
    inbox.put(f"{FEED}/{name}", text(separator))
    assert owners(inbox) == ROWS


ESCAPED = r"""owner_id,name,email
o1,"Ana \"Bo\" Lee",ana@acme.com
o2,"Cy, \"Jr.\"",cy@acme.com
o3,"back\\",di@acme.com
o4,"",ed@acme.com
"""


@pytest.mark.parametrize("name", ["day.csv", "day.csv.gz"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("before", ["", "Owners,2026\n"])
def test_quotes_that_a_backslash_escapes_are_part_of_the_value(
    inbox: Inbox, name: str, line_end: str, before: str
) -> None:
    inbox.put(f"{FEED}/{name}", before + ESCAPED.replace('o4,""', 'o4,"a ""b"""').replace("\n", line_end))
    assert owners(inbox) == [
        ("o1", 'Ana "Bo" Lee', "ana@acme.com"),
        ("o2", 'Cy, "Jr."', "cy@acme.com"),
        ("o3", "back\\", "di@acme.com"),
        ("o4", 'a "b"', "ed@acme.com"),
    ]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_quotes_are_escaped_between_other_separators_too(inbox: Inbox, separator: str) -> None:
    lines = ["owner_id,name,email", r'o1,"a \"b\" c",ana@acme.com']
    inbox.put(f"{FEED}/day.csv", "\n".join(line.replace(",", separator) for line in lines) + "\n")
    assert owners(inbox) == [("o1", 'a "b" c', "ana@acme.com")]


def test_json_in_a_cell_with_escaped_quotes_is_json(inbox: Inbox) -> None:
    inbox.put_accounts()
    head = "event_id,account_id,event_name,occurred_at,properties"
    inbox.put("product/events/day.csv", head + '\ne1,a1,login,2026-01-01,"{\\"plan\\": \\"pro\\"}"\n')
    inbox.land_feed("product/events")
    assert inbox.column("select properties ->> '$.plan' from raw.product_events") == ["pro"]


def test_a_backslash_before_the_quote_that_ends_a_cell_is_a_letter(inbox: Inbox) -> None:
    rows = ['o1,"C:\\dir\\",a@acme.com', 'o2,"x ""y"" \\""",b@acme.com']
    inbox.put(f"{FEED}/day.csv", "\n".join(["owner_id,name,email", *rows]) + "\n")
    assert owners(inbox) == [("o1", "C:\\dir\\", "a@acme.com"), ("o2", 'x "y" \\"', "b@acme.com")]


def test_a_file_in_which_quotes_are_escaped_and_not_is_read_as_it_is(inbox: Inbox) -> None:
    rows = ['o1,"a \\"b\\" c",a@acme.com', 'o2,"C:\\dir\\",b@acme.com', "o3,Cy,c@acme.com"]
    inbox.put(f"{FEED}/day.csv", "\n".join(["owner_id,name,email", *rows]) + "\n")
    inbox.land_feed(FEED)
    assert ("o2", "C:\\dir\\", "b@acme.com") in inbox.all("select owner_id, name, email from raw.crm_owners")
    assert [row[1] for row in inbox.rejected()] == [1]


def test_a_decimal_comma_between_semicolons_is_one(inbox: Inbox) -> None:
    inbox.put(
        "billing/payments/day.csv",
        "payment_id;account_id;status;attempted_at;amount_usd\np1;a1;succeeded;13.03.2026;1.234,50\n",
    )
    inbox.land_feed("billing/payments")
    assert inbox.rejected() == inbox.rejected("rejected_values") == []
    found = inbox.all("select attempted_at, amount_usd::double from raw.billing_payments")
    assert found == [(datetime(2026, 3, 13), 1234.5)]


def test_names_with_separators_in_a_header_of_commas_change_nothing(inbox: Inbox) -> None:
    inbox.put(f"{FEED}/day.csv", "owner_id,name,email,a;b;c\no1,Ana,ana@acme.com,x;y\n")
    assert owners(inbox) == [("o1", "Ana", "ana@acme.com")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("name", ["day.csv", "day.csv.zst"])
def test_text_with_a_byte_order_mark_is_read_in_its_encoding(inbox: Inbox, encoding: str, name: str) -> None:
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    inbox.put(f"{FEED}/{name}", (mark + text("\t").replace("\n", "\r\n")).encode(encoding))
    assert owners(inbox) == ROWS


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (text(",").encode("latin-1"), "line 2 is not UTF-8 text, perhaps Windows-1252 or Latin-1"),
        (text(",").encode("utf-16")[:-1], "begins as UTF-16 text and does not go on as such"),
        ("\ufeff".encode("utf-16-le") + b"\0\0\0\0", "begins as UTF-16 text and does not go on as such"),
    ],
)
def test_text_in_an_encoding_that_is_not_known_is_refused_by_name(
    inbox: Inbox, content: bytes, problem: str
) -> None:
    inbox.put(f"{FEED}/day.csv", content)
    inbox.land_feed(FEED)
    load = inbox.load(f"{FEED}/day.csv")
    assert (load["status"], load["rows_landed"]) == ("refused", 0)
    assert problem in load["message"]


TITLE = "Accounts by owner\n\nFiltered by:,my team\n"
END = '""\n""\n"Owners"\n"Copyright (c) 2026 vendor.example, all rights reserved."\n"Generated By: Ana"\n'


@pytest.mark.parametrize(
    ("before", "after", "left_out"),
    [
        (TITLE, "", "3 lines before its header are no rows and were left out"),
        ("", END, "3 lines after its last row are no rows and were left out"),
        (
            "Owners\n",
            "\n2 rows",
            "1 line before its header and 1 line after its last row are no rows and were left out",
        ),
        ("\n\n", "", "2 lines before its header are no rows and were left out"),
    ],
)
def test_title_and_end_of_a_report_are_no_rows(inbox: Inbox, before: str, after: str, left_out: str) -> None:
    inbox.put(f"{FEED}/day.csv", text(",", before, after))
    assert owners(inbox) == ROWS
    assert left_out == inbox.load(f"{FEED}/day.csv")["message"]


@pytest.mark.parametrize(
    ("after", "rejected"),
    [
        ("\no3\n", 1),  # a cut row
        ("Copyright 2026\n", 1),  # no empty line before it
        ('\n"o4","Copyright","x@acme.com"\n', 0),
    ],
)
def test_a_row_is_never_taken_for_the_end_of_a_report(inbox: Inbox, after: str, rejected: int) -> None:
    inbox.put(f"{FEED}/day.csv", text(",", "", after))
    inbox.land_feed(FEED)
    load = inbox.load(f"{FEED}/day.csv")
    assert (load["rows_read"], load["rows_rejected"]) == (3, rejected)


def test_a_text_of_several_lines_is_no_end_of_a_report(inbox: Inbox) -> None:
    rows = 'o1,ana@acme.com,"Ana\n\nCopyright\n"\n'
    inbox.put(f"{FEED}/day.csv", f"owner_id,email,name\n{rows}")
    assert owners(inbox) == [("o1", "Ana\n\nCopyright", "ana@acme.com")]


def test_rows_before_a_second_header_are_not_left_out(inbox: Inbox) -> None:
    rows = "\n".join(text(",").splitlines()[1:]) + "\n"
    inbox.put(f"{FEED}/day.csv", rows + text(","))
    inbox.land_feed(FEED)
    assert inbox.load(f"{FEED}/day.csv")["status"] == "refused"


# workbooks


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


PAYMENTS = ["payment_id", "account_id", "status", "attempted_at", "amount_usd"]


def test_a_workbook_with_one_sheet_lands_with_its_types(inbox: Inbox) -> None:
    rows = [
        PAYMENTS,
        [1, "a1", "succeeded", datetime(2026, 3, 13, 4, 5), 12.5],
        [],
        [2, "a1", "failed", date(2026, 3, 14), 1234],
    ]
    inbox.put("billing/payments/day.xlsx", workbook({"Payments": rows, "empty": []}))
    inbox.land_feed("billing/payments")
    assert inbox.rejected() == inbox.rejected("rejected_values") == []
    assert inbox.all(
        "select payment_id, attempted_at, amount_usd::double from raw.billing_payments order by payment_id"
    ) == [("1", datetime(2026, 3, 13, 4, 5), 12.5), ("2", datetime(2026, 3, 14), 1234.0)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (workbook({"A": [["x"]], "B": [["y"]]}), "has rows in 2 sheets: A, B"),
        (workbook({"A": []}), "is a workbook without a row"),
        (b"PK\x03\x04 not a zip", "is no workbook that can be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is a workbook with a password"),
    ],
)
def test_a_workbook_that_cannot_be_read_is_refused(inbox: Inbox, content: bytes, problem: str) -> None:
    inbox.put(f"{FEED}/day.xlsx", content)
    inbox.land_feed(FEED)
    load = inbox.load(f"{FEED}/day.xlsx")
    assert load["status"] == "refused"
    assert problem in load["message"]


def test_a_workbook_that_unpacks_to_too_much_is_refused(inbox: Inbox) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(80 << 20))
    inbox.put(f"{FEED}/day.xlsx", out.getvalue())
    inbox.land_feed(FEED)
    assert "unpacks to more than" in inbox.load(f"{FEED}/day.xlsx")["message"]


# archives


def archive(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in members.items():
            packed.writestr(name.replace("__", "."), content)
    return out.getvalue()


@pytest.mark.parametrize("name", ["export.zip", "export.csv.zip"])
def test_the_members_of_an_archive_are_one_file(inbox: Inbox, name: str) -> None:
    header, first, second = text(",").splitlines()
    members = {"a__csv": f"{header}\n{first}\n", "b__csv": f"\ufeff{header}\r\n{second}"}
    inbox.put(f"{FEED}/{name}", archive(**members))
    assert owners(inbox) == ROWS
    assert inbox.load(f"{FEED}/{name}")["rows_read"] == 2


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"a__csv": text(","), "b__csv": "id,name\n1,x\n"}, "its members have different headers"),
        ({"a__json": "[]", "b__json": "[]"}, "has 2 .json members"),
    ],
)
def test_members_that_do_not_belong_together_are_refused(
    inbox: Inbox, members: dict[str, str], problem: str
) -> None:
    inbox.put(f"{FEED}/export.zip", archive(**members))
    inbox.land_feed(FEED)
    load = inbox.load(f"{FEED}/export.zip")
    assert (load["status"], load["rows_landed"]) == ("refused", 0)
    assert problem in load["message"]


def test_an_archive_of_several_types_and_one_that_is_damaged_are_named(inbox: Inbox) -> None:
    inbox.put(f"{FEED}/mixed.zip", archive(a__csv=text(","), b__pdf="x"))
    inbox.put(f"{FEED}/cut.zip", archive(a__csv=text(","))[:-30])
    report = inbox.land_feed(FEED)
    assert any("mixed.zip is not read, its type is unknown" in message for message in report.messages)
    assert "cannot be unpacked" in inbox.load(f"{FEED}/cut.zip")["message"]


# counts of time


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["1773378300", "1773378300.5"], datetime(2026, 3, 13, 5, 5)),
        (["1773378300000"], datetime(2026, 3, 13, 5, 5)),
        (["1773378300000000"], datetime(2026, 3, 13, 5, 5)),
        (["46094", "46094.25"], datetime(2026, 3, 13)),
    ],
)
@pytest.mark.parametrize("name", ["day.csv", "day.ndjson"])
def test_times_that_are_counts_are_read_where_all_of_the_column_are(
    inbox: Inbox, written: list[str], read: datetime, name: str
) -> None:
    rows = [f"p{at},a1,succeeded,{value},1" for at, value in enumerate(written)]
    if name.endswith("ndjson"):
        rows = [
            f'{{"payment_id": "p{at}", "account_id": "a1", "status": "succeeded", "attempted_at": {value}}}'
            for at, value in enumerate(written)
        ]
    header = [] if name.endswith("ndjson") else [",".join(PAYMENTS)]
    inbox.put(f"billing/payments/{name}", "\n".join([*header, *rows]) + "\n")
    inbox.land_feed("billing/payments")
    assert inbox.rejected() == []
    found = inbox.column("select attempted_at from raw.billing_payments order by payment_id")
    assert found[0] == read
    assert len(found) == len(written)


def test_a_count_among_other_times_is_refused(inbox: Inbox) -> None:
    inbox.put(
        "billing/payments/day.csv",
        ",".join(PAYMENTS) + "\np1,a1,failed,1773378300,1\np2,a1,failed,2026-03-13,1\n",
    )
    inbox.land_feed("billing/payments")
    assert inbox.column("select payment_id from raw.billing_payments") == ["p2"]


# what `radar init` finds out about them


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("before", ["", TITLE])
def test_the_names_of_columns_are_found_whatever_the_dialect(
    inbox: Inbox, separator: str, encoding: str, before: str
) -> None:
    path = inbox.put("export.csv", text(separator, before).encode(encoding))
    assert keys(path, "csv", "") == ["owner_id", "name", "email"]


def test_the_names_of_columns_of_a_workbook_and_an_archive(inbox: Inbox) -> None:
    book = inbox.put("export.xlsx", workbook({"empty": [], "Owners": [[], ["owner_id", "name"], [1, "A"]]}))
    packed = inbox.put("export.zip", archive(a__csv=text(";")))
    assert keys(book, "xlsx", "") == ["owner_id", "name"]
    assert keys(packed, *kind_of_members(packed)) == ["owner_id", "name", "email"]
