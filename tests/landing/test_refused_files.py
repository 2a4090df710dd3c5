"""A file that cannot be read is refused whole, with its reason; the rest goes on."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from inbox import Inbox, ndjson

from radar.core.errors import InputError, UsageError, WarehouseError
from radar.landing.files import ExtractFile
from radar.landing.reader import unreadable

ROWS = "".join(f"o{n},Name {random.Random(n).random()}\n" for n in range(5_000))
CSV = "owner_id,name\n" + ROWS
PARQUET_ROWS = "select 'o' || i as owner_id, 'A' || random() as name from range(5000) t(i)"


def refused(inbox: Inbox, name: str) -> str:
    """Land next to a good file, which must land, and give the message."""
    inbox.put("crm/owners/good.csv", "owner_id,name\ngood,Good\n")
    report = inbox.land_feed("crm/owners")
    assert (report.files_refused, report.files_landed) == (1, 1)
    assert inbox.column("select owner_id from raw.crm_owners") == ["good"]
    message = inbox.refusal(f"crm/owners/{name}")
    assert message.startswith(f"crm/owners/{name}")
    assert "What to do: " in message
    assert message in report.messages
    assert str(inbox.root) not in message
    assert "LINE 1" not in message
    return message


@pytest.mark.parametrize(
    "name", ["empty.csv", "empty.ndjson", "empty.parquet", "empty.csv.gz", "empty.json.zst"]
)
def test_a_file_without_a_byte(inbox: Inbox, name: str) -> None:
    inbox.put(f"crm/owners/{name}", b"")
    assert "is empty" in refused(inbox, name)


def test_a_header_alone_is_a_known_and_empty_feed(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", "owner_id,name\n")
    report = inbox.land_feed("crm/owners")
    assert (report.files_landed, report.rows_read) == (1, 0)
    assert inbox.load("crm/owners/day.csv")["status"] == "landed"


HEADERS = {
    "name,is_active\nA,true\n": "owner_id: required but not in the header",
    "owner_id\no1\n": "name: required but not in the header",
    "Owner_ID,name\no1,A\n": "write owner_id instead of Owner_ID",
    "owner_id:name\no1:A\n": "separate the columns by commas, semicolons",
    "owner_id,name,name\no1,A,B\n": "column name: the header names a column twice",
    "owner_id,name,x,x\no1,A,B,C\n": "column x: the header names a column twice",
    "\nid,title\no1,A\n": "the first line is empty",
    '"owner_id,name\no1,A\n': "the header cannot be read",
}


@pytest.mark.parametrize(("text", "message"), HEADERS.items())
def test_a_header_that_will_not_do(inbox: Inbox, text: str, message: str) -> None:
    inbox.put("crm/owners/day.csv", text)
    assert message in refused(inbox, "day.csv")


def test_a_parquet_header_that_will_not_do(inbox: Inbox) -> None:
    inbox.put_parquet("crm/owners/day.parquet", "select 'o1' as owner_id, {'name': 'inside'} as x")
    assert "column name: required but not in the header" in refused(inbox, "day.parquet")


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.999])
@pytest.mark.parametrize(
    "name", ["day.csv.gz", "day.csv.zst", "day.ndjson.gz", "day.parquet", "day.parquet.gz"]
)
def test_a_file_that_was_cut(inbox: Inbox, name: str, kept: float) -> None:
    if "parquet" in name:
        path = inbox.put_parquet("crm/owners/whole.parquet", PARQUET_ROWS)
        data = path.read_bytes()
        path.unlink()
    else:
        data = CSV.encode()
    if name.endswith(".gz"):
        data = gzip.compress(data)
    if name.endswith(".zst"):
        data = zstandard.compress(data)
    inbox.put(f"crm/owners/{name}", data[: int(len(data) * kept)], packed=False)
    assert "cut short or damaged" in refused(inbox, name)


@pytest.mark.parametrize("name", ["day.csv.gz", "day.csv.zst", "day.parquet"])
def test_a_file_of_another_kind_than_its_name_says(inbox: Inbox, name: str) -> None:
    inbox.put(f"crm/owners/{name}", CSV, packed=False)
    assert "cut short or damaged" in refused(inbox, name)


def test_a_parquet_file_with_damaged_pages(inbox: Inbox) -> None:
    path = inbox.put_parquet("crm/owners/day.parquet", PARQUET_ROWS)
    data = bytearray(path.read_bytes())
    data[2000:6000] = b"\xee" * 4000
    path.write_bytes(data)
    assert "cannot be read" in refused(inbox, "day.parquet")


def test_a_parquet_file_with_text_in_another_encoding_is_refused_without_showing_it(inbox: Inbox) -> None:
    path = inbox.root / "crm/owners/day.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"owner_id": ["o1"], "name": pa.array([b"Zo\xeb Secret"])}), path)
    assert "Secret" not in refused(inbox, "day.parquet")


def test_what_duckdb_says_about_the_warehouse_is_not_blamed_on_the_file() -> None:
    file = ExtractFile(Path("x.csv"), "crm/owners/x.csv", "csv")
    with pytest.raises(WarehouseError, match="the disk is full"):
        unreadable(file, duckdb.IOException('Could not write file "w.duckdb": No space left on device'))


def test_a_csv_file_cut_inside_a_quoted_value(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", 'owner_id,name\no1,A\n"o2","two\nlines"\no3,"cut he\nre,')
    assert "ends inside a quoted value of line 5" in refused(inbox, "day.csv")


@pytest.mark.parametrize("name", ["day.csv", "day.csv.gz", "day.ndjson", "day.json.zst"])
def test_text_in_another_encoding_is_refused_with_its_line(inbox: Inbox, name: str) -> None:
    if "csv" in name:
        text = b'owner_id,name\no1,A\no2,"two\nlines"\no3,Zo\xeb\no4,D\n'
    else:
        text = (
            ndjson(*({"owner_id": f"o{n}", "name": "A"} for n in range(4))).encode() + b'{"name": "Zo\xeb"}\n'
        )
    inbox.put(f"crm/owners/{name}", text)
    assert "line 5 is not UTF-8" in refused(inbox, name)


def test_a_header_in_another_encoding(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", "owner_id,name,größe\no1,A,2\n".encode("latin-1"))
    assert "line 1 is not UTF-8" in refused(inbox, "day.csv")


@pytest.mark.parametrize("name", ["day.csv", "day.csv.gz", "day.ndjson"])
def test_nul_bytes_are_refused_with_their_line(inbox: Inbox, name: str) -> None:
    inbox.put(f"crm/owners/{name}", b"owner_id,name\no1,A\no2,B\0C\n")
    assert "NUL byte in line 3" in refused(inbox, name)


def test_a_json_array_that_is_cut(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.json", '[{"owner_id": "o1", "name": "A"}, {"owner_id": "o2"')
    assert "is a JSON array that does not end" in refused(inbox, "day.json")


def test_a_bomb_is_not_unpacked(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv.gz", "owner_id,name\n" + "x" * (65 << 20))
    assert "unpacks to more than" in refused(inbox, "day.csv.gz")


def test_a_zstd_bomb_is_not_unpacked(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv.zst", "x" * (65 << 20))
    assert "unpacks to more than" in refused(inbox, "day.csv.zst")


def test_a_parquet_bomb_is_not_read(inbox: Inbox) -> None:
    inbox.put_parquet("crm/owners/day.parquet", "select 'o' as owner_id, 'n' as name from range(2000000)")
    assert "claims 2,000,000 rows" in refused(inbox, "day.parquet")


def test_more_columns_than_a_feed_can_have(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", "owner_id,name," + ",".join(f"x{n}" for n in range(2_000)) + "\n")
    assert "2,002 columns" in refused(inbox, "day.csv")


@pytest.mark.parametrize("name", ["o[1].csv", "o*.csv", "o?.csv"])
def test_names_that_are_patterns(inbox: Inbox, name: str) -> None:
    inbox.put("crm/owners/o1.csv.tmp", CSV)
    inbox.put(f"crm/owners/{name}", CSV)
    assert "its name holds one of" in refused(inbox, name)


def test_links_are_not_followed(inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_text(CSV)
    (inbox.root / "crm/owners").mkdir(parents=True)
    (inbox.root / "crm/owners/day.csv").symlink_to(tmp_path / "outside.csv")
    assert "is a link" in refused(inbox, "day.csv")


def test_folders_that_are_links_are_not_followed(inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/day.csv").write_text(CSV)
    (inbox.root / "crm").mkdir()
    (inbox.root / "crm/owners").symlink_to(tmp_path / "outside")
    inbox.put_accounts()
    report = inbox.land()
    assert any("crm/owners is a link" in notice for notice in report.notices)
    assert inbox.column("select owner_id from raw.crm_owners") == []


def test_pipes_are_not_waited_for(inbox: Inbox) -> None:
    (inbox.root / "crm/owners").mkdir(parents=True)
    os.mkfifo(inbox.root / "crm/owners/day.csv")
    assert "is not a regular file" in refused(inbox, "day.csv")


def test_a_name_that_is_not_text(inbox: Inbox) -> None:
    (inbox.root / "crm/owners").mkdir(parents=True)
    (inbox.root / os.fsdecode(b"crm/owners/d\xffy.csv")).write_text(CSV)
    assert "its name is not UTF-8" in refused(inbox, r"d\udcffy.csv")


def test_what_is_no_feed_is_reported_and_left_alone(inbox: Inbox) -> None:
    inbox.put_accounts()
    for name in ("notes.txt", "sales/orders/1.csv", "crm/account/1.csv", "crm/1.csv"):
        inbox.put(name, CSV)
    for name in ("1.xls", "csv", "2.csv.bz2", "3.parquet.zst", "2026/1.csv"):
        inbox.put(f"crm/owners/{name}", CSV, packed=False)
    for name in (".hidden.csv", "1.csv.tmp", "2.csv.part", ".git/1.csv"):
        inbox.put(f"crm/owners/{name}", CSV)
    inbox.put(".cache/x.csv", CSV)
    report = inbox.land()
    assert [notice.split(" ")[0] for notice in report.notices] == [
        "crm/1.csv",
        "folder",
        "notes.txt",
        "folder",
    ]
    owners = next(feed for feed in report if feed.feed == "crm/owners")
    assert len(owners.messages) == 5
    assert inbox.column("select distinct feed from audit.loads") == ["crm/accounts"]


def test_a_refused_file_is_reported_once_and_lands_when_it_is_corrected(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", "name\nA\n")
    assert inbox.land_feed("crm/owners").files_refused == 1
    again = inbox.land_feed("crm/owners")
    assert (again.files_refused, again.files_known) == (0, 1)
    inbox.put("crm/owners/day.csv", "owner_id,name\no1,A\n")
    assert inbox.land_feed("crm/owners").rows_landed == 1


def test_a_file_without_one_good_row_is_refused_and_its_rows_are_named(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.ndjson", ndjson({"owner_id": "o1"}, {"owner_id": "o2"}))
    report = inbox.land_feed("crm/owners")
    assert (report.files_refused, report.rows_rejected) == (1, 2)
    assert "row 1, column name: not one of its 2 rows is good" in inbox.refusal("crm/owners/day.ndjson")
    assert [row[1:4] for row in inbox.rejected()] == [
        (1, "missing_required", "name"),
        (2, "missing_required", "name"),
    ]


def test_the_state_of_a_feed_in_a_run(inbox: Inbox) -> None:
    inbox.put("crm/owners/1.csv", "broken")
    inbox.put("crm/goals/1.csv", "broken")
    inbox.put("crm/goals/2.csv", "goal_id,account_id,signal,target\n")
    inbox.put_accounts()
    inbox.land()
    states = (
        "select feed, state, reason like '%crm/owners/1.csv%' from audit.feed_states"
        " where run_id = '{}' order by 1"
    )
    assert inbox.all(states.format("run-1")) == [
        ("crm/accounts", "ok", None),
        ("crm/goals", "ok", None),
        ("crm/owners", "held", True),
    ]
    inbox.land()
    assert inbox.all(states.format("run-2")) == []


def test_there_is_no_such_folder(inbox: Inbox) -> None:
    inbox.root = inbox.root / "nothing"
    with pytest.raises(UsageError, match="no such folder"):
        inbox.land()


def test_the_folder_is_a_file(inbox: Inbox) -> None:
    inbox.root = inbox.put("x.csv", CSV)
    with pytest.raises(UsageError, match="is not a folder"):
        inbox.land()


def test_the_folder_is_empty(inbox: Inbox) -> None:
    inbox.put("owners.csv", CSV)
    with pytest.raises(
        InputError, match=r"there is no file of any feed\n  owners.csv is in no feed's folder"
    ):
        inbox.land()


def test_accounts_are_missing(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", CSV)
    with pytest.raises(InputError, match="crm/accounts has never landed"):
        inbox.land()
    assert inbox.column("select feed from audit.loads") == []


def test_accounts_were_refused(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", CSV)
    inbox.put("crm/accounts/day.csv", "account_id,created_at\na1,2026-01-01\n")
    for _ in range(2):  # the second run does not read the file again, and still names what is wrong with it
        with pytest.raises(InputError, match=r"crm/accounts/day.csv, column name: required but not in"):
            inbox.land()
    inbox.put_accounts()
    inbox.land()
    assert inbox.column("select count(*) from raw.crm_owners") == [5_000]


def test_accounts_that_landed_before_are_enough(inbox: Inbox) -> None:
    inbox.put_accounts()
    inbox.land()
    (inbox.root / "crm/accounts/accounts.csv").unlink()
    inbox.put("crm/owners/day.csv", CSV)
    inbox.land()
    inbox.put("crm/accounts/bad.csv", "broken")
    inbox.land()
    assert inbox.column("select account_id from raw.crm_accounts") == ["a1"]
