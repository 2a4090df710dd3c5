"""Files that are broken but look whole: nothing is lost, shifted or believed in silence."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from inbox import NOW, Inbox, ndjson

from radar.landing import records
from radar.landing.file_rules import FileRules
from radar.landing.land import land
from tests.frozen import SEEDS

ROOT = Path(__file__).parents[2]
OWNER = "owner_id,name,email\n"
TICKETS = "ticket_id,account_id,subject,body,status,opened_at\n"
PAYMENTS = "payment_id,account_id,status,attempted_at,amount_usd\n"


def counts(inbox: Inbox, source_file: str) -> tuple[int, ...]:
    """Rows read, landed, repeated and rejected, which have to add up to what a second count found."""
    load = inbox.load(source_file)
    found = tuple(load[name] for name in ("rows_read", "rows_landed", "rows_repeated", "rows_rejected"))
    assert load["records_counted"] == found[0] == sum(found[1:])
    return found


ACCOUNTED = ROOT / "dbt_project/tests/assert_rows_in_are_accounted_for.sql"


def test_the_data_test_finds_a_file_whose_rows_do_not_add_up(inbox: Inbox) -> None:
    query = ACCOUNTED.read_text().replace("{{ source('audit', 'loads') }}", "audit.loads")
    inbox.put("crm/owners/day.csv", OWNER + "o1,A,\no2\n,B,\no1,A,\n")
    inbox.land_feed("crm/owners")
    assert counts(inbox, "crm/owners/day.csv") == (4, 1, 1, 2)
    assert inbox.all(query) == []
    for column in ("rows_landed", "rows_repeated", "rows_rejected", "records_counted"):
        inbox.con.begin()
        inbox.con.execute(f"update audit.loads set {column} = {column} + 1 where feed = 'crm/owners'")
        assert [row[0] for row in inbox.all(query)] == ["crm/owners/day.csv"]
        inbox.con.rollback()


def test_the_setting_is_read_from_the_seeds(tmp_path: Path) -> None:
    settings = (SEEDS / "settings.csv").read_text()
    (tmp_path / "settings.csv").write_text(settings)
    assert FileRules.of(tmp_path) == FileRules(needs_line_end=True, least_rows_pct=20)
    changed = settings.replace("unended_last_row,0", "unended_last_row,1").replace(
        "least_pct,20", "least_pct,5"
    )
    (tmp_path / "settings.csv").write_text(changed)
    assert FileRules.of(tmp_path) == FileRules(needs_line_end=False, least_rows_pct=5)
    (tmp_path / "settings.csv").write_text("setting,value,unit,description\n")  # of an earlier release
    assert FileRules.of(tmp_path) == FileRules()


def test_a_feed_whose_files_all_lack_the_last_line_end_is_reported_in_one_line(inbox: Inbox) -> None:
    for number in range(3):
        inbox.put(f"crm/owners/{number}.csv", f"{OWNER}o{number},A,\np{number},B,")
    inbox.put_accounts()
    (notice,) = inbox.land().notices
    assert notice.startswith("crm/owners: the last row of 3 of 3 files has no line end")
    assert "set accept_unended_last_row to 1" in notice
    inbox.put("crm/owners/4.csv", f"{OWNER}o4,A,\n")
    inbox.put("crm/owners/5.csv", f"{OWNER}o5,A,\no6,B,")
    (notice,) = inbox.land().notices
    assert "1 of 2 files" in notice
    assert "accept_unended_last_row" not in notice


def test_a_file_with_far_fewer_rows_than_the_one_before_it_is_reported(inbox: Inbox) -> None:
    def rows(count: int, day: int) -> str:
        return OWNER + "".join(f"o{n},Name of day {day},\n" for n in range(count))

    inbox.put_accounts()
    inbox.put("crm/owners/1.csv", rows(200, 1))
    inbox.put("crm/owners/2.csv", rows(40, 2))  # a fifth is enough
    assert inbox.land().notices == []
    inbox.put("crm/owners/3.csv", rows(200, 3))
    inbox.land()
    inbox.put("crm/owners/4.csv", rows(39, 4))
    (notice,) = inbox.land().notices
    assert notice.startswith("crm/owners/4.csv has 39 rows, and crm/owners/3.csv before it 200")
    inbox.put("crm/owners/5.csv", rows(1, 5))  # 39 rows before it say nothing
    assert inbox.land().notices == []


def test_another_vendors_file_of_the_feed_is_not_the_one_before(inbox: Inbox) -> None:
    def owners(count: int) -> str:
        return "id,email,firstName,lastName\n" + "".join(f"{n},a{n}@b.co,Ann,Lee\n" for n in range(count))

    inbox.put_accounts()
    inbox.put("hubspot/owners/2026-01-01.csv", owners(200))
    inbox.put("salesforce/user/2026-01-01.csv", "Id,Name,Email\n005000000000001,Ann Lee,ann@b.co\n")
    assert inbox.land().notices == []
    inbox.put("hubspot/owners/2026-01-02.csv", owners(3))
    (notice,) = inbox.land().notices
    assert "2026-01-02.csv has 3 rows, and hubspot/owners/2026-01-01.csv before it 200" in notice


@pytest.mark.parametrize(("begin", "warned"), [("export-", True), ("pulled-", False), ("received-", False)])
def test_a_file_that_radar_itself_wrote_is_not_taken_for_cut(inbox: Inbox, begin: str, warned: bool) -> None:
    inbox.put_accounts()
    for day, rows in ((1, 200), (2, 3)):
        lines = [f'{{"owner_id": "o{number}", "name": "Ann"}}\n' for number in range(rows)]
        inbox.put(f"crm/owners/{begin}2026-01-0{day}.ndjson", "".join(lines))
        report = inbox.land()
    assert any("it is cut" in notice for notice in report.notices) == warned


# a last line without its end


def test_a_last_row_without_a_line_end_waits_until_the_file_arrives_with_it(inbox: Inbox) -> None:
    whole = PAYMENTS + "p1,a1,succeeded,2026-01-01,5\np2,a1,failed,2026-01-02,98000.00\n"
    inbox.put("billing/payments/1.csv", whole[: whole.index("98000") + 2])
    report = inbox.land_feed("billing/payments")
    assert (report.rows_landed, report.rows_rejected) == (1, 1)
    assert inbox.rejected() == [("billing/payments/1.csv", 2, "unfinished_line", None, None)]
    (message,) = report.messages
    assert "row 2: has no line end" in message
    assert "accept_unended_last_row" in message
    assert counts(inbox, "billing/payments/1.csv") == (2, 1, 0, 1)
    inbox.put("billing/payments/1.csv", whole)
    report = inbox.land_feed("billing/payments")
    assert (report.rows_landed, report.rows_repeated, report.messages) == (1, 1, [])
    assert inbox.column("select cast(amount_usd as int) from raw.billing_payments order by 1") == [5, 98000]


@pytest.mark.parametrize("name", ["day.csv", "day.tsv.gz", "day.csv.zst"])
def test_a_system_that_never_ends_the_last_line_is_believed_where_a_setting_says_so(
    inbox: Inbox, name: str
) -> None:
    text = (OWNER + "o1,Ann,\no2,Bob,b").replace(",", "\t" if "tsv" in name else ",")
    inbox.put(f"crm/owners/{name}", text)
    inbox.put_accounts()
    land(inbox.con, inbox.root, run_id="r", batch_id=1, now=NOW, file_rules=FileRules(needs_line_end=False))
    assert inbox.all("select name, email from raw.crm_owners order by 1") == [("Ann", None), ("Bob", "b")]
    assert counts(inbox, f"crm/owners/{name}") == (2, 2, 0, 0)


def test_a_header_without_a_line_end_may_be_cut(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", "owner_id,name,ema")
    inbox.land_feed("crm/owners")
    assert "ends inside its header" in inbox.refusal("crm/owners/day.csv")


@pytest.mark.parametrize("ending", ["", "\n"])
def test_a_last_line_of_json_is_whole_where_it_closes(inbox: Inbox, ending: str) -> None:
    lines = ndjson({"owner_id": "o1", "name": "A"}, {"owner_id": "o2", "name": "B"}).strip()
    inbox.put("crm/owners/1.ndjson", lines + ending)
    inbox.put("crm/owners/2.ndjson", lines.replace('"o1"', '"p1"').replace('"o2"', '"p2"')[:-4] + ending)
    inbox.land_feed("crm/owners")
    assert counts(inbox, "crm/owners/1.ndjson") == (2, 2, 0, 0)
    assert counts(inbox, "crm/owners/2.ndjson") == (2, 1, 0, 1)
    rule = "malformed_row" if ending else "unfinished_line"
    assert inbox.rejected() == [("crm/owners/2.ndjson", 2, rule, None, None)]


# quotes


def ticket(number: int, body: str = "all is well") -> str:
    return f"tkt_{number:03},a1,Help,{body},open,2026-01-01T10:00:00Z\n"


def test_a_quote_that_is_not_closed_does_not_swallow_rows_in_silence(inbox: Inbox) -> None:
    rows = [ticket(n) for n in range(1, 201)]
    rows[49] = ticket(50, '"the screen')
    rows[159] = ticket(160, 'it has 27"')
    inbox.put("support/tickets/day.csv", TICKETS + "".join(rows))
    inbox.land_feed("support/tickets")
    message = inbox.refusal("support/tickets/day.csv")
    assert "spans the lines 51 to 161, and 110 of them look like rows of their own" in message
    assert "close the quote in line 51" in message


@pytest.mark.parametrize("distance", [1, 2])
def test_also_where_the_quote_is_closed_in_the_next_rows(inbox: Inbox, distance: int) -> None:
    rows = [ticket(n) for n in range(1, 9)]
    rows[2] = ticket(3, '"the screen')
    rows[2 + distance] = ticket(3 + distance, 'it has 27"')
    inbox.put("support/tickets/day.tsv", (TICKETS + "".join(rows)).replace(",", "\t"))
    inbox.land_feed("support/tickets")
    assert f"and {distance} of them look like rows" in inbox.refusal("support/tickets/day.tsv")


TEXTS = [
    "Hello,\n\nthe export fails, since Monday, for all of us,\nand nobody, not even Ann, knows why, or how\n",
    "Our list:\nid,name,amount,day,city,note\n1,Ann,12,2026,Rome,x\n2,Bob,13,2026,Oslo,y\n",
    "a,b,c,d,e,f\na,b,c,d,e,f\n",
    "on\n2026-01-01, 2026-01-02, 2026-01-03, 2026-01-04, 2026-01-05, 2026-01-06",
    'He said "no", and left,\n,,,,,\n"x",\n',
    "\n\n\n",
    "see tkt_001,a1,Help\nand tkt_002,a1,Help,too\n",
]


def test_texts_of_people_with_commas_and_line_ends_land(inbox: Inbox) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(TICKETS.strip().split(","))
    writer.writerows(
        [f"tkt_{n:03}", "a1", "Help", text, "open", "2026-01-01"] for n, text in enumerate(TEXTS)
    )
    inbox.put("support/tickets/day.csv", written.getvalue())
    inbox.land_feed("support/tickets")
    bodies = [text.strip() or None for text in TEXTS]
    assert inbox.column("select body from raw.support_tickets order by _row_number") == bodies


def test_a_line_beyond_the_longest_is_not_lost_from_the_count(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", OWNER + "o1,A,\n" + "x" * 3_000_000)
    inbox.land_feed("crm/owners")
    load = inbox.load("crm/owners/day.csv")
    assert load["status"] == "refused" or load["rows_read"] == 2


# fields


def test_a_comma_in_a_name_does_not_shift_the_row(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", OWNER + "o1,Ann,\no2,Smith, Jones,\no3,Cy,\n")
    inbox.land_feed("crm/owners")
    assert counts(inbox, "crm/owners/day.csv") == (3, 2, 0, 1)
    assert inbox.rejected() == [("crm/owners/day.csv", 2, "wrong_field_count", None, None)]
    assert inbox.all("select owner_id, _row_number from raw.crm_owners order by 1") == [("o1", 1), ("o3", 3)]


def test_with_rows_that_do_not_split_the_numbers_are_still_those_of_the_file(inbox: Inbox) -> None:
    inbox.put(
        "product/events/day.csv",
        "event_id,account_id,event_name,occurred_at\n"
        "e1,a1\ne2,a1,x,2026-01-01\ne3,a1,x,2026-01-01,\n\ne4,a1,x,2026-01-01\ne5\ne6,a1,x,2026-01-01,\n"
        "e7,a1,x,2026-01-01\ne8,a1,x,20",
    )
    inbox.land_feed("product/events")
    assert inbox.all("select event_id, _row_number from raw.product_events order by 1") == [
        ("e2", 2),
        ("e4", 4),
        ("e7", 7),
    ]
    assert [row[1:3] for row in inbox.rejected()] == [
        (1, "wrong_field_count"),
        (3, "wrong_field_count"),
        (5, "wrong_field_count"),
        (6, "wrong_field_count"),
        (8, "unfinished_line"),
    ]
    assert counts(inbox, "product/events/day.csv") == (8, 3, 0, 5)


def test_a_comma_at_the_end_of_every_row_is_harmless(inbox: Inbox) -> None:
    inbox.put("crm/owners/1.csv", OWNER + "o1,Ann,a@x.io,\no2,Bob,,\n")
    inbox.put("crm/owners/2.csv", OWNER + "o3,Smith, Jones,\n")  # of one row alone nobody can know
    inbox.land_feed("crm/owners")
    assert inbox.all("select owner_id, name, email from raw.crm_owners order by 1") == [
        ("o1", "Ann", "a@x.io"),
        ("o2", "Bob", None),
    ]
    assert "not one of its 1 rows is good" in inbox.refusal("crm/owners/2.csv")


def test_a_header_that_lacks_the_name_of_the_row_number(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", OWNER + "1,o1,Ann,\n2,o2,Bob,\n")
    inbox.land_feed("crm/owners")
    assert "the first of them counts the rows" in inbox.refusal("crm/owners/day.csv")


# JSON, and files without anything

ARRAY = json.dumps([{"owner_id": f"o{n}", "name": "A", "x": [{"y": "],{"}]} for n in range(40)])


@pytest.mark.parametrize("name", ["day.json", "day.json.gz", "day.json.zst"])
@pytest.mark.parametrize("blank", ["", "\n", " \n\n"])
def test_an_array_cut_behind_a_comma(inbox: Inbox, name: str, blank: str) -> None:
    inbox.put(f"crm/owners/{name}", ARRAY[: ARRAY.index('{"owner_id": "o30"')].strip() + blank)
    inbox.land_feed("crm/owners")
    assert "is a JSON array that does not end" in inbox.refusal(f"crm/owners/{name}")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (ARRAY, 40),
        (ARRAY.replace("}, {", "}\n,\n{"), 40),
        ("\n\n[ ]\n", 0),
        (ARRAY[1:-1].replace('{"owner', '{\n"owner').replace("}, {", "}\n\n{"), 40),
    ],
)
def test_a_second_count_of_json_finds_what_lands(inbox: Inbox, text: str, rows: int) -> None:
    inbox.put("crm/owners/day.json", text)
    inbox.land_feed("crm/owners")
    assert counts(inbox, "crm/owners/day.json") == (rows, rows, 0, 0)


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_the_second_count_does_not_depend_on_where_the_pieces_end(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "CHUNK", size)
    dice = random.Random(size)

    def value(depth: int) -> object:
        kinds = [dice.random(), 'a"[{\\', None, "é\\\\", [], {}]
        if depth:
            kinds += [[value(depth - 1) for _ in range(dice.randint(0, 3))], {"k,]": value(depth - 1)}] * 2
        return dice.choice(kinds)

    path = tmp_path / "x.json"
    file = records.ExtractFile(path, "x.json", "json")
    for _ in range(20):
        found = [{"v": value(4)} for _ in range(dice.randint(0, 5))]
        path.write_text(json.dumps(found, indent=dice.choice([None, 1])))
        assert records.count_values(file, path, is_array=True).count == len(found)
        path.write_text("\n".join(json.dumps(one, indent=2) for one in found))
        assert records.count_values(file, path, is_array=False).count == len(found)


@pytest.mark.parametrize("text", ["\ufeff", "\ufeff\n", " ", "\n\n\r\n", "\t \u00a0\u200b\n"])
@pytest.mark.parametrize("name", ["day.csv", "day.ndjson", "day.json.gz", "day.tsv.zst"])
def test_a_blank_file_is_no_empty_feed(inbox: Inbox, name: str, text: str) -> None:
    inbox.put(f"crm/owners/{name}", text)
    inbox.land_feed("crm/owners")
    assert "is blank" in inbox.refusal(f"crm/owners/{name}")


# a name that is a customer's


@pytest.mark.parametrize("name", ["day.csv", "day.parquet"])
def test_a_file_without_a_header_shows_nothing_of_its_first_row(inbox: Inbox, name: str) -> None:
    row = ["o1", "Ann Smith", "ann@secret.example", "49 170 1234567"]
    if name == "day.csv":
        inbox.put("crm/owners/day.csv", ",".join(row) + "\no2,B,b@x.io,1\n")
    else:
        (inbox.root / "crm/owners").mkdir(parents=True)
        pq.write_table(pa.table({cell: ["x"] for cell in row}), inbox.root / "crm/owners/day.parquet")
    report = inbox.land_feed("crm/owners")
    message = inbox.refusal(f"crm/owners/{name}")
    assert "o***(2), A***(9), a***(18), 4***(14)" in message
    assert not any(cell in str(report) + message for cell in row[1:])


def test_a_cell_that_comes_twice_in_a_first_row_is_masked(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", "o1,ann@secret.example,ann@secret.example\n")
    inbox.land_feed("crm/owners")
    assert "column a***(18): the header names a column twice" in inbox.refusal("crm/owners/day.csv")


def test_names_that_are_kept_aside_are_shown_only_where_they_are_names(inbox: Inbox) -> None:
    inbox.put(
        "crm/owners/1.csv", "owner_id,name,Team Name,ann@secret.example,paid_on,0170 1234567\no1,A,,,,\n"
    )
    inbox.put(
        "crm/owners/2.ndjson",
        ndjson({"owner_id": "o2", "name": "B", "bob@secret.example": 1, "Bob Smith": 1, "teamName": 2}),
    )
    report = inbox.land_feed("crm/owners")
    assert inbox.load("crm/owners/1.csv")["extra_columns"] == "Team Name, a***(18), paid_on, 0***(12)"
    assert inbox.load("crm/owners/2.ndjson")["extra_columns"] == "B***(9), b***(18), teamName"
    assert "secret" not in str(report)
    extra = json.loads(inbox.column("select _extra from raw.crm_owners where owner_id = 'o2'")[0])
    assert extra["bob@secret.example"] == 1  # the data itself is kept as it came


# cut anywhere

ROWS = [(f"o{n}", f'Name, "{n}"\nof {n * 37}', f"{n}@x.io") for n in range(6)]


def texts() -> dict[str, bytes]:
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(("owner_id", "name", "email"))
    writer.writerows(ROWS)
    found = [dict(zip(("owner_id", "name", "email"), row, strict=True)) for row in ROWS]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(found), sink)
    return {
        "csv": written.getvalue().encode(),
        "ndjson": ndjson(*found).encode(),
        "json": json.dumps(found).encode(),
        "parquet": sink.getvalue(),
    }


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "ndjson", "json", "parquet"])
def test_a_file_cut_anywhere_lands_only_rows_that_were_in_it(inbox: Inbox, ending: str) -> None:
    """At every byte of the text; at 100 bytes of the Parquet file. All cuts land in one run."""
    data = texts()[ending]
    cuts = range(1, len(data)) if ending != "parquet" else random.Random(1).sample(range(1, len(data)), 100)
    for cut in cuts:
        inbox.put(f"crm/owners/{cut:04}.{ending}", data[:cut])
    inbox.land_feed("crm/owners")
    landed = inbox.all("select owner_id, name, email from raw.crm_owners")
    assert set(landed) <= set(ROWS)
    loads = inbox.all(
        "select count(*), count(*) filter (status = 'landed' and"
        " (rows_read != rows_landed + rows_repeated + rows_rejected or records_counted != rows_read))"
        " from audit.loads where feed = 'crm/owners'"
    )
    assert loads == [(len(cuts), 0)]


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "ndjson", "json"])
def test_a_file_with_signs_in_wrong_places_ends_nothing_and_adds_up(inbox: Inbox, ending: str) -> None:
    """A quote, comma, bracket or line end more or less, anywhere: every file is accounted for."""
    data, dice = texts()[ending].decode(), random.Random(5)
    for number in range(60):
        at = dice.randrange(len(data))
        wrong = (
            data[:at]
            + dice.choice(['"', ",", "\n", "\r", "[", "}", "\\", ""])
            + data[at + dice.randint(0, 1) :]
        )
        inbox.put(f"crm/owners/{number:03}.{ending}", wrong)
    inbox.land_feed("crm/owners")
    query = ACCOUNTED.read_text().replace("{{ source('audit', 'loads') }}", "audit.loads")
    assert inbox.all(query) == []
    assert inbox.column("select count(*) from audit.loads where feed = 'crm/owners'") == [60]
    messages = inbox.column("select distinct message from audit.loads where message is not null")
    assert not [message for message in messages if "ended the process" in message or "@x.io" in message]
