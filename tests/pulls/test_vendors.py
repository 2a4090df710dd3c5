"""The shipped pulls of other vendors and of databases, each against what its vendor's reference describes."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from radar.core.errors import RadarError, UsageError
from radar.core.settings import SHIPPED_PULLS
from radar.core.warehouse import connect
from radar.landing import schema
from radar.landing.adapters import load_adapters
from radar.landing.land import land
from radar.pulls import reading
from radar.pulls.definitions import Definition, load_definitions
from radar.pulls.pulling import pull
from tests.pulls.vendors import (
    Asked,
    Record,
    Vendor,
    intercom_scroll,
    intercom_search,
    mixpanel_export,
    serving,
    zendesk,
)

NOW = datetime.now(UTC)
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "pulls.md").read_text(encoding="utf-8")
SHIPPED = load_definitions(SHIPPED_PULLS)
VARIABLES = {one.name for each in SHIPPED.values() for one in each.variables}


@pytest.fixture(autouse=True)
def just_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """NOW is when the test begins: of a long run of tests it is not when the file was loaded."""
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC))


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    monkeypatch.setattr(reading, "BACKOFF_SECONDS", 0)
    with serving() as vendor:
        for name in VARIABLES:
            key = name.removeprefix("RADAR_").lower()
            monkeypatch.setenv(name, vendor.url if name.endswith("_URL") else key)
        yield vendor


def shipped(title: str, **export: Any) -> Definition:
    definition = SHIPPED[title]
    return replace(definition, requests_per_second=1_000, read=definition.read | export)


def pulled(extracts: Path, folder: str) -> list[Record]:
    files = sorted((extracts / folder).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_every_pull_fills_a_folder_that_landing_reads_and_every_key_is_explained() -> None:
    assert {one.folder for one in SHIPPED.values()} <= set(load_adapters())
    assert all(re.fullmatch("RADAR_[A-Z_]+", name) for name in VARIABLES)
    for one in SHIPPED.values():
        assert one.reference.startswith("https://"), one.file
        assert one.client["base_url"].startswith("{RADAR_"), one.file
        assert all(variable.where for variable in one.variables), one.file


@pytest.mark.parametrize(
    ("name", "path", "next_name"),
    [
        ("tickets", "/api/v2/incremental/tickets/cursor.json", "after_url"),
        ("users", "/api/v2/incremental/users/cursor.json", "after_url"),
        ("organizations", "/api/v2/incremental/organizations.json", "next_page"),
    ],
)
def test_zendesk_is_read_to_the_end_of_the_stream_and_then_from_there(
    vendor: Vendor, tmp_path: Path, name: str, path: str, next_name: str
) -> None:
    at = int(NOW.timestamp()) - 5_000
    when = [datetime.fromtimestamp(at + number, UTC).isoformat() for number in range(8)]
    records = [{"id": number, "updated_at": when[number], "generated_timestamp": at + number}
               for number in range(8)]  # fmt: skip
    vendor.answers[path] = zendesk(name, records, next_name)
    pull(shipped(f"zendesk/{name}"), tmp_path)
    assert pulled(tmp_path, f"zendesk/{name}") == records
    login = base64.b64encode(b"zendesk_user/token:zendesk_token").decode()
    assert vendor.asked[0].headers["Authorization"] == f"Basic {login}"
    records.append({"id": 3, "updated_at": NOW.isoformat(), "generated_timestamp": int(NOW.timestamp())})
    del vendor.asked[:]
    assert pull(shipped(f"zendesk/{name}"), tmp_path).records == 1
    assert int(vendor.asked[0].query["start_time"][0]) == at + 7 - 600


def test_ratings_of_zendesk_end_where_there_are_no_more(vendor: Vendor, tmp_path: Path) -> None:
    ratings = [{"id": number, "score": "good", "updated_at": NOW.isoformat()} for number in range(4)]

    def answer(asked: Asked) -> tuple[int, Any]:
        after = int(asked.query.get("page[after]", ["0"])[0])
        link = f"{vendor.url}{asked.path}?page[after]={after + 3}"
        return 200, {
            "satisfaction_ratings": ratings[after : after + 3],
            "meta": {"has_more": after + 3 < len(ratings)},
            "links": {"next": link},
        }

    vendor.answers["/api/v2/satisfaction_ratings.json"] = answer
    pull(shipped("zendesk/satisfaction_ratings"), tmp_path)
    assert pulled(tmp_path, "zendesk/satisfaction_ratings") == ratings
    assert "start_time" not in vendor.asked[0].query


@pytest.mark.parametrize(("name", "key"), [("contacts", "data"), ("conversations", "conversations")])
def test_intercom_is_searched_by_the_last_change(vendor: Vendor, tmp_path: Path, name: str, key: str) -> None:
    at = int(NOW.timestamp()) - 1_000
    records = [{"id": str(number), "updated_at": at + number} for number in range(7)]
    vendor.answers[f"/{name}/search"] = intercom_search(key, records)
    pull(shipped(f"intercom/{name}"), tmp_path)
    assert pulled(tmp_path, f"intercom/{name}") == records
    records.append({"id": "1", "updated_at": at + 900})
    assert pull(shipped(f"intercom/{name}"), tmp_path).records == 1


def test_intercoms_scroll_gives_its_pages_by_one_parameter(vendor: Vendor, tmp_path: Path) -> None:
    companies = [{"id": str(number)} for number in range(7)]
    vendor.answers["/companies/scroll"] = intercom_scroll(companies)
    pull(shipped("intercom/companies"), tmp_path)
    assert pulled(tmp_path, "intercom/companies") == companies


def test_what_dlt_says_of_an_answer_does_not_show_it(vendor: Vendor, tmp_path: Path) -> None:
    definition = shipped("keap/transactions")
    paginator = {"type": "offset", "limit": 10, "total_path": "total"}
    definition = replace(definition, read=definition.read | {"paginator": paginator})
    vendor.answers["/crm/rest/v1/transactions"] = lambda _: (200, {"transactions": [{"id": "Ann Lee"}]})
    with pytest.raises(RadarError, match="Total `items` not found in the response") as failed:
        pull(definition, tmp_path)
    assert "Ann" not in str(failed.value)


@pytest.mark.parametrize("name", ["companies", "contacts", "orders"])
def test_keap_is_read_by_page_tokens(vendor: Vendor, tmp_path: Path, name: str) -> None:
    records = [{"id": str(number), "update_time": NOW.isoformat()} for number in range(5)]

    def answer(asked: Asked) -> tuple[int, Any]:
        at = int(asked.query.get("page_token", ["0"])[0])
        return 200, {name: records[at : at + 2], "next_page_token": str(at + 2) if at + 2 < 5 else ""}

    vendor.answers[f"/crm/rest/v2/{name}"] = answer
    pull(shipped(f"keap/{name}"), tmp_path)
    assert pulled(tmp_path, f"keap/{name}") == records
    assert pull(shipped(f"keap/{name}"), tmp_path).files == []
    asked_since = [one for one in vendor.asked if "start_update_time==" in one.query.get("filter", [""])[0]]
    assert bool(asked_since) == (name == "contacts")


def test_transactions_of_keap_end_with_an_empty_page(vendor: Vendor, tmp_path: Path) -> None:
    records = [{"id": number, "transaction_date": NOW.isoformat()} for number in range(1_500)]

    def answer(asked: Asked) -> tuple[int, Any]:
        at, size = (int(asked.query[name][0]) for name in ("offset", "limit"))
        return 200, {"transactions": records[at : at + size], "count": len(records), "next": "a link"}

    vendor.answers["/crm/rest/v1/transactions"] = answer
    assert pull(shipped("keap/transactions"), tmp_path).records == 1_500
    assert "since" not in vendor.asked[0].query
    assert pull(shipped("keap/transactions"), tmp_path).files == []
    assert "since" in vendor.asked[-1].query


def day(ago: int) -> str:
    return (NOW.date() - timedelta(days=ago)).isoformat()


def test_mixpanel_gives_a_file_for_each_day_that_has_ended(vendor: Vendor, tmp_path: Path) -> None:
    days = {day(ago): [{"event": f"e{ago}", "properties": {"time": ago}}] for ago in (0, 1, 3, 4)}
    vendor.answers["/api/2.0/export"] = mixpanel_export(days)
    vendor.faults[:] = ["broken"]
    done = pull(shipped("mixpanel/events", first_days=4), tmp_path)
    assert [path.name for path in done.files] == [f"pulled-{day(ago)}.jsonl" for ago in (4, 3, 1)]
    assert vendor.asked[0].query["project_id"] == ["mixpanel_project"]
    assert [one["event"] for one in pulled(tmp_path, "mixpanel/events")] == ["e4", "e3", "e1"]
    del vendor.asked[:]
    assert pull(shipped("mixpanel/events", first_days=4), tmp_path).files == []
    assert vendor.asked == [], "a day was asked for twice without need"


def test_a_day_that_is_read_again_replaces_its_file(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = {day(ago): [{"event": f"e{ago}"}] for ago in range(5)}
    vendor.answers["/api/2.0/export"] = mixpanel_export(days)
    with monkeypatch.context() as patched:
        yesterday = (NOW - timedelta(days=1)).replace(tzinfo=None)
        patched.setattr("radar.pulls.pulling.utc_now", lambda: yesterday)
        pull(shipped("mixpanel/events", first_days=2), tmp_path)
    days[day(2)].append({"event": "late"})
    del vendor.asked[:]
    pull(shipped("mixpanel/events"), tmp_path)
    assert [one.query["from_date"][0] for one in vendor.asked] == [day(3), day(2), day(1)]
    assert [one["event"] for one in pulled(tmp_path, "mixpanel/events")] == ["e3", "e2", "late", "e1"]


def zipped(*events: Record) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        lines = "".join(json.dumps(event) + "\n" for event in events)
        archive.writestr("123/123_2026-06-30_1#0.json.gz", gzip.compress(lines.encode()))
    return packed.getvalue()


def test_amplitude_gives_a_zip_for_each_day_and_none_where_nothing_happened(
    vendor: Vendor, tmp_path: Path
) -> None:
    with_events = f"{NOW - timedelta(days=2, hours=3):%Y%m%d}T00"

    def answer(asked: Asked) -> tuple[int, Any]:
        return (200, zipped({"event_type": "login"})) if asked.query["start"] == [with_events] else (404, {})

    vendor.answers["/api/2/export"] = answer
    done = pull(shipped("amplitude/events", first_days=3), tmp_path)
    assert len(done.files) == 1
    assert zipfile.ZipFile(done.files[0]).testzip() is None
    assert len(vendor.asked) == 3


def test_an_export_that_ends_in_the_middle_is_not_taken(vendor: Vendor, tmp_path: Path) -> None:
    vendor.answers["/api/2/export"] = lambda _: (200, zipped({"event_type": "login"})[:-30])
    with pytest.raises(RadarError, match="ends in the middle"):
        pull(shipped("amplitude/events"), tmp_path)
    vendor.answers["/api/2.0/export"] = lambda _: (200, b'{"event": "a"}\n{"event": "b", "pro')
    with pytest.raises(RadarError, match="ends in the middle"):
        pull(shipped("mixpanel/events"), tmp_path)
    assert list(tmp_path.glob("*/events/*")) == []


def test_what_is_pulled_lands_through_the_adapters(vendor: Vendor, tmp_path: Path) -> None:
    extracts, at, day_1 = tmp_path / "extracts", int(NOW.timestamp()) - 90_000, "2026-06-30T10:00:00Z"
    person = {"type": "user", "id": "c1", "email": "ann@acme.example", "updated_at": at}
    talk = {"id": "t1", "created_at": at, "updated_at": at, "state": "open", "source": {"author": person}}
    vendor.answers["/conversations/search"] = intercom_search("conversations", [talk])
    vendor.answers["/contacts/search"] = intercom_search("data", [person])
    login = {"uuid": "e1", "event_type": "login", "event_time": day_1, "user_id": "ann@acme.example"}
    vendor.answers["/api/2/export"] = lambda _: (200, zipped(login))
    total = {"amount": 20, "currency_code": "USD"}
    keap = {
        "companies": {"id": "a1", "company_name": "Acme", "website": "acme.example", "create_time": day_1},
        "contacts": {"id": "5", "company": {"id": "a1"}, "email_addresses": [{"email": "ann@acme.example"}]},
        "orders": {"id": "7", "status": "PAID", "contact": {"id": "5"}, "total": total, "order_time": day_1},
    }
    for name, record in keap.items():
        page = {name: [record]}
        vendor.answers[f"/crm/rest/v2/{name}"] = lambda _, page=page: (200, page)
    for title in ("intercom/conversations", "intercom/contacts", *(f"keap/{name}" for name in keap)):
        pull(shipped(title), extracts)
    pull(shipped("amplitude/events", first_days=1), extracts)
    tables = ("crm_accounts", "crm_contacts", "billing_invoices", "support_tickets", "product_events")
    with connect(tmp_path / "warehouse.duckdb") as con:
        schema.create(con)
        report = land(con, extracts, run_id="run-1", batch_id=1, now=NOW.replace(tzinfo=None))
        assert report.notices == []
        for table in tables:
            query = f"select count(*) from raw.{table}"
            assert con.execute(query).fetchone() == (1,), table


TABLE = """
description: Accounts of our own application.
reference: ours
into: crm/accounts
table: {connection_env: RADAR_APP_DATABASE, name: accounts}
cursor: {path: %s%s}
"""


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "app.sqlite"
    monkeypatch.setenv("RADAR_APP_DATABASE", f"sqlite:///{path}")
    con = sqlite3.connect(path, isolation_level=None)
    con.execute("create table accounts (id integer, account_id text, name text, arr_usd decimal(18, 2), "
                "updated_at timestamp)")  # fmt: skip
    for number in (1, 2, 3):
        row = (number, f"a{number}", f"Company {number}", 1200.5, f"2026-06-0{number} 10:00:00")
        con.execute("insert into accounts values (?, ?, ?, ?, ?)", row)
    yield con
    con.close()


def own(tmp_path: Path, text: str) -> Definition:
    file = tmp_path / "pulls" / "app" / "accounts.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return load_definitions(SHIPPED_PULLS, tmp_path / "pulls")["app/accounts"]


@pytest.mark.parametrize(("column", "form"), [("updated_at", ""), ("id", ", as: value")])
def test_a_table_of_ones_own_database_is_read_from_its_cursor(
    database: sqlite3.Connection, tmp_path: Path, column: str, form: str
) -> None:
    definition = own(tmp_path, TABLE % (column, form))
    pull(definition, tmp_path)
    first = pulled(tmp_path, "crm/accounts")
    assert [one["account_id"] for one in first] == ["a1", "a2", "a3"]
    assert first[0]["updated_at"] == "2026-06-01T10:00:00"
    assert float(first[0]["arr_usd"]) == 1200.5
    database.execute("insert into accounts values (4, 'a4', 'Company 4', null, '2026-06-09 10:00:00')")
    database.execute("update accounts set name = 'hidden' where id = 1")  # before the cursor
    assert pull(definition, tmp_path).records == 1
    assert pull(definition, tmp_path).files == []


@pytest.mark.parametrize(
    ("column", "form", "said"),
    [
        ("changed", "", "has no column changed"),
        ("updated_at", ", as: value", "updated_at is a time"),
        ("account_id", "", "account_id is no time"),
    ],
)
def test_a_cursor_that_does_not_fit_the_table_is_refused(
    database: sqlite3.Connection, tmp_path: Path, column: str, form: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        pull(own(tmp_path, TABLE % (column, form)), tmp_path)


def test_a_database_that_is_not_reached_is_no_stack_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_APP_DATABASE", f"sqlite:///{tmp_path}/secret/app.sqlite")
    with pytest.raises(RadarError, match="the table cannot be read") as failed:
        pull(own(tmp_path, TABLE % ("id", ", as: value")), tmp_path)
    assert "secret" not in str(failed.value)


def example(kind: str) -> str:
    (found,) = re.findall(rf"```yaml {kind}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_a_vendor_is_added_by_the_yaml_of_the_page_alone(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pulls" / "freshdesk"
    folder.mkdir(parents=True)
    (folder / "_vendor.yml").write_text(example("vendor"))
    (folder / "surveys.yml").write_text(example("pull"))
    definition = load_definitions(SHIPPED_PULLS, tmp_path / "pulls")["freshdesk/surveys"]
    definition = replace(definition, requests_per_second=1_000)
    with pytest.raises(UsageError, match="FRESHDESK_URL is not set"):
        pull(definition, tmp_path)
    monkeypatch.setenv("FRESHDESK_URL", vendor.url)
    monkeypatch.setenv("FRESHDESK_KEY", "key")
    answer = {"response_id": "r1", "account_id": "a1", "kind": "nps", "score": 9}
    answers = [{**answer, "responded_at": "2026-06-30T10:00:00Z"}]
    vendor.answers["/api/v2/surveys"] = lambda _: (200, answers)
    pull(definition, tmp_path)
    pull(definition, tmp_path)
    assert pulled(tmp_path, "feedback/surveys") == answers
    assert vendor.asked[-1].query["created_since"] == ["2026-06-30T09:50:00Z"]


def test_the_page_names_every_object_and_variable_and_its_table_is_one(tmp_path: Path) -> None:
    for one in SHIPPED.values():
        (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{one.vendor}` |")]
        assert f"`{one.name}`" in line, one.title
        for variable in one.variables:
            assert f"`{variable.name}`" in (line if variable.default is None else PAGE), variable.name
    assert own(tmp_path, example("table")).folder == "crm/accounts"


def test_files_of_a_bucket_are_copied_once_and_again_where_they_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, extracts = tmp_path / "bucket", tmp_path / "extracts"
    (bucket / "2026").mkdir(parents=True)
    (bucket / "2026" / "june.csv").write_text("a,b\n1,2\n")
    (bucket / "july.csv.gz").write_bytes(gzip.compress(b"a,b\n3,4\n"))
    (bucket / "notes.txt").write_text("none")
    monkeypatch.setenv("BUCKET", bucket.as_uri())
    definition = own(tmp_path, example("files"))
    done = pull(definition, extracts)
    assert sorted(path.name for path in done.files) == ["2026__june.csv", "july.csv.gz"]
    assert (extracts / "crm/accounts/2026__june.csv").read_text() == "a,b\n1,2\n"
    assert gzip.decompress((extracts / "crm/accounts/july.csv.gz").read_bytes()) == b"a,b\n3,4\n"
    assert pull(definition, extracts).files == []
    (bucket / "2026" / "june.csv").write_text("a,b\n1,2\n5,6\n")
    assert [path.name for path in pull(definition, extracts).files] == ["2026__june.csv"]
    monkeypatch.setenv("BUCKET", f"s3x://{bucket}")
    with pytest.raises(RadarError, match="app/accounts"):
        pull(definition, extracts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("description: x\nendpoint: {path: x}\ntable: {name: x}\n", "does not say what is read"),
        ("description: x\nendpoint: {path: x}\n", "nothing says where the vendor's API is"),
        ("description: x\ninto: crm/acounts\ntable: {connection_env: X, name: x}\n", "crm/acounts"),
        ("description: x\ntable: {connection_env: 'sqlite:///x', name: x}\n", "no name of a variable"),
        ("description: x\npath: x\n", "a pull has no property path"),
        ("description: x\nendpoint: {params: {a: b}}\n", "endpoint has no path"),
        ("description: x\nendpoint: x\n", "endpoint is not a mapping"),
        ("description: x\ntable: {connection_env: X, table: x}\n", "table has no property table"),
        ("description: x\nfiles: {file_glob: x}\n", "files has no bucket_url"),
        (TABLE % ("id", ", as: number"), "cannot be given as number"),
    ],
)
def test_a_wrong_definition_is_refused_with_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        own(tmp_path, text)
    assert refused.value.line
    assert refused.value.file == tmp_path / "pulls/app/accounts.yml"
