"""What holds for every adapter, and what becomes of vendors' files that are not as they should be."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import vendor_shapes as shapes
from inbox import Inbox

from radar.core.errors import UsageError
from radar.core.project import PROJECT
from radar.landing import vendor_files
from radar.landing.adapters import ADAPTERS, Adapter, folded, load_adapters, time_in_name
from radar.landing.feeds import load_feeds

ALL = {adapter.name: adapter for found in load_adapters().values() for adapter in found}
EVENT = {
    "event": "Login",
    "properties": {"time": 1772323200, "distinct_id": "u1", "$insert_id": "i", "company_id": "a1"},
}


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    vendor_files.prepare(con)
    return con


def returned(con: duckdb.DuckDBPyConnection, adapter: Adapter) -> dict[str, str]:
    columns = ", ".join(f"cast(null as varchar) as {column.name}" for column in adapter.object.columns)
    special = "cast(null as varchar) as _extracted_at, cast(null as varchar) as _is_deleted, 1 as _row_number"
    con.execute(f"create or replace temp view source as select {columns}, {special}")
    types = vendor_files.result_types(con, adapter, load_feeds()[adapter.feed])
    con.execute(adapter.sql).fetchall()  # a record with nothing in it
    return types


@pytest.mark.parametrize("name", ALL)
def test_every_adapter_returns_its_feed_and_says_where_each_column_comes_from(
    con: duckdb.DuckDBPyConnection, name: str
) -> None:
    adapter = ALL[name]
    types = returned(con, adapter)
    assert set(types) - {"is_deleted"} <= set(adapter.made_of)
    assert set(adapter.made_of) <= set(types)
    assert adapter.object.reference.startswith("https://")
    assert adapter.object.export
    assert "-- Meanings: " in adapter.sql


@pytest.mark.parametrize("name", ALL)
def test_every_column_of_an_object_is_read_by_one_of_its_selects(name: str) -> None:
    selects = " ".join(one.sql for one in load_adapters()[ALL[name].object.folder])
    words = set(re.findall(r"\w+", re.sub(r"^--.*$", "", selects, flags=re.MULTILINE)))
    assert [column.name for column in ALL[name].object.columns if column.name not in words] == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("vendor_time('1772323200')", "2026-03-01 00:00:00"),
        ("vendor_time('1772323200123')", "2026-03-01 00:00:00.123"),
        ("vendor_time('1772323200123456')", "2026-03-01 00:00:00.123456"),
        ("vendor_time('1772323200.5')", "2026-03-01 00:00:00.5"),
        ("vendor_time('2026-03-01T00:00:00Z')", "2026-03-01T00:00:00Z"),
        ("vendor_time('soon')", "soon"),
        ("cast(moment('2026-03-01T02:00:00+02:00') as varchar)", "2026-03-01 00:00:00"),
        ("cast(moment('2026-03-01T00:00:00.000+0000') as varchar)", "2026-03-01 00:00:00"),
        ("cast(moment('soon') as varchar)", None),
        ("from_minor('12345', 'usd')", "123.450000"),
        ("from_minor('12345', 'JPY')", "12345.000000"),
        ("from_minor('12345', 'kwd')", "12.345000"),
        ("from_minor('much', 'usd')", "much"),
        ("plain_number('$1,234.50')", "1234.50"),
        ("plain_number('1.234,50')", "1.234,50"),
        ("domain_of('Ann@WWW.Acme.co.uk')", "acme.co.uk"),
        ("domain_of('https://www.acme.com:8080/about?x=1')", "acme.com"),
        ("domain_of('acme.com')", "acme.com"),
        ("domain_of('Acme Inc.')", None),
        ("mail_id(' Ann@Acme.com')", shapes.mail_id("ann@acme.com")),
        ("mail_id('acme.com')", None),
        ("mail_id('ann@gmail.com')", shapes.mail_id("ann@gmail.com")),
        ("company_mail_id('ann@gmail.com')", None),
        ("salesforce_id('0015500000Xyy06')", "0015500000Xyy06AAB"),
        ("salesforce_id('0051G00000600Ml')", "0051G00000600MlQAI"),
        ("salesforce_id('0015500000Xyy06AAB')", "0015500000Xyy06AAB"),
        ("salesforce_id('acc-1')", "acc-1"),
    ],
)
def test_macros(con: duckdb.DuckDBPyConnection, value: str, expected: str | None) -> None:
    assert con.execute(f"select {value}").fetchone() == (expected,)


def test_names_are_compared_by_letters_and_digits() -> None:
    names = {
        folded(name) for name in ("plan.amount", "plan_amount", "plan__amount", "Plan Amount", "PlanAmount")
    }
    assert names == {"planamount"}
    assert folded("Created (UTC)") == "created"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2026-03-01.json", "2026-03-01 00:00:00"),
        ("tickets-20260301.csv.gz", "2026-03-01 00:00:00"),
        ("export_2026-03-01T04:15:30Z.jsonl", "2026-03-01 04:15:30"),
        ("2026-Q1.csv", None),
        ("2026-13-45.csv", None),
        ("id-120260301999.csv", None),
    ],
)
def test_the_date_in_a_files_name(name: str, expected: str | None) -> None:
    assert time_in_name(name) == expected


def test_a_file_that_feeds_several_feeds_lands_once_in_each(inbox: Inbox) -> None:
    company = {"id": "1", "name": "Acme", "hs_merged_object_ids": "88", "createdate": "2025-01-01"}
    inbox.put("hubspot/companies/c.csv", shapes.table([company]))
    first = {report.feed: report for report in inbox.land()}
    assert first["crm/accounts"].rows_landed == first["crm/identities"].rows_landed == 1
    again = {report.feed: report for report in inbox.land()}
    assert again["crm/accounts"].files_known == again["crm/identities"].files_known == 1
    inbox.put(
        "hubspot/companies/c.csv",
        shapes.table([{**company, "name": "Acme Inc", "hs_merged_object_ids": "99"}]),
    )
    changed = {report.feed: report for report in inbox.land()}
    assert changed["crm/identities"].rows_landed == changed["crm/accounts"].rows_landed == 1
    assert inbox.all("select source_account_id from raw.crm_identities order by all") == [
        ("88",),
        ("99",),
    ]


def test_rows_of_two_vendors_and_of_our_own_meet_in_one_feed(inbox: Inbox) -> None:
    inbox.put_accounts()
    inbox.put("product/events/e.csv", "event_id,account_id,event_name,occurred_at\ne1,a1,login,2026-03-01\n")
    inbox.put("mixpanel/events/e.jsonl", shapes.lines([EVENT]))
    inbox.put(
        "posthog/events/e.jsonl",
        shapes.lines(
            [
                {
                    "uuid": "p1",
                    "event": "login",
                    "timestamp": "2026-03-01",
                    "distinct_id": "u",
                    "properties": {"account_id": "a1"},
                }
            ]
        ),
    )
    report = {report.feed: report for report in inbox.land()}["product/events"]
    assert (report.files_landed, report.rows_landed) == (3, 3)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cut.json", json.dumps({"data": [EVENT]})[:-5], "cannot be read"),
        ("cut_array.json", shapes.array([EVENT, EVENT])[:-1], "is a JSON array that does not end"),
        ("cut_behind_comma.json", shapes.array([EVENT])[:-1] + ",", "is a JSON array that does not end"),
        ("deep.json", '[{"event": ' + "[" * 5000 + "]" * 5000 + "}]", "brackets nested more than 100 deep"),
        ("empty.json", "", "is empty"),
        ("blank.json", " \n", "is blank"),
        ("error.json", '{"error": "unauthorized", "status": 401}', "mixpanel/events needs it"),
        ("other.csv", "a,b\n1,2\n", "mixpanel/events needs it"),
        ("twice.csv", "name,name,time,distinct_id\nx,x,1772323200,u\n", "names a column twice"),
        ("text.jsonl", "hello\nworld\n", "not one of its 2 rows is good"),
    ],
)
def test_a_file_that_is_broken_is_refused_whole_and_harms_no_other(
    inbox: Inbox, name: str, content: str, message: str
) -> None:
    inbox.put_accounts()
    inbox.put(f"mixpanel/events/{name}", content)
    inbox.put("mixpanel/events/z_good.jsonl", shapes.lines([EVENT]))
    inbox.land()
    assert message in inbox.refusal(f"mixpanel/events/{name}")
    assert inbox.all("select account_id from raw.product_events") == [("a1",)]


def test_bad_records_are_numbered_as_in_the_vendors_file_and_masked(inbox: Inbox) -> None:
    inbox.put_accounts()
    late = {**EVENT, "properties": {**EVENT["properties"], "time": "yesterday evening"}}
    nobody = {**EVENT, "properties": {"time": 1772323200, "distinct_id": "u2", "$insert_id": "j"}}
    lines = [
        json.dumps(EVENT),
        "{broken",
        json.dumps(late),
        "",
        json.dumps(nobody),
        "17",
        json.dumps(EVENT)[:-9],
    ]
    inbox.put("mixpanel/events/e.jsonl", "\n".join(lines))
    inbox.land()
    assert inbox.rejected() == [
        ("mixpanel/events/e.jsonl", 2, "malformed_row", None, None),
        ("mixpanel/events/e.jsonl", 3, "wrong_type", "properties.time", "y***(17)"),
        ("mixpanel/events/e.jsonl", 4, "missing_required", "properties.company_id", None),
        ("mixpanel/events/e.jsonl", 5, "malformed_row", None, None),
        ("mixpanel/events/e.jsonl", 6, "unfinished_line", None, None),
    ]
    load = inbox.load("mixpanel/events/e.jsonl")
    assert (load["records_counted"], load["rows_read"], load["rows_landed"], load["rows_rejected"]) == (
        6,
        6,
        1,
        5,
    )


def test_a_csv_row_with_a_field_too_many_or_a_cut_end_costs_itself_alone(inbox: Inbox) -> None:
    inbox.put_accounts()
    header = "name,time,distinct_id,properties,insert_id\n"
    row = 'Login,2026-03-01,u1,"{{""company_id"":""a1""}}",{}\n'
    text = (
        header
        + row.format("i1")
        + "Login,2026-03-01,u1,Smith, Jones,i2,x\n"
        + row.format("i3")
        + row.format("i4")
    )
    inbox.put("mixpanel/events/e.csv", text[:-1])
    inbox.land()
    assert len(inbox.all("from raw.product_events")) == 2
    assert [(number, rule) for _, number, rule, _, _ in inbox.rejected()] == [
        (2, "wrong_field_count"),
        (4, "unfinished_line"),
    ]


def test_a_zip_bomb_and_a_zip_that_is_none_are_refused(inbox: Inbox) -> None:
    import io  # noqa: PLC0415
    import zipfile  # noqa: PLC0415

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b" " * (80 << 20))
    inbox.put_accounts()
    inbox.put("amplitude/events/bomb.zip", out.getvalue())
    inbox.put("amplitude/events/none.zip", b"PK, but no zip")
    inbox.land()
    assert "unpacks to more than" in inbox.refusal("amplitude/events/bomb.zip")
    assert "cannot be unpacked" in inbox.refusal("amplitude/events/none.zip")


def test_a_file_without_a_header_shows_nobodys_name(inbox: Inbox) -> None:
    inbox.put_accounts()
    inbox.put("zendesk/tickets/t.csv", "1001,Margaret,margaret@acme.com,Broken printer\n")
    inbox.land()
    refusal = inbox.refusal("zendesk/tickets/t.csv")
    assert "zendesk/tickets needs it" in refusal
    assert "Margaret" not in refusal
    assert "M***(8)" in refusal


def test_an_unknown_vendor_or_object_is_named_with_the_nearest_and_how_to_add_one(inbox: Inbox) -> None:
    inbox.put_accounts()
    inbox.put("strpe/subscriptions/s.csv", "id\n1\n")
    inbox.put("stripe/subscription/s.csv", "id\n1\n")
    notices = "\n".join(inbox.land().notices)
    assert "folder strpe is not read: no feed and no vendor is called so; the nearest are stripe" in notices
    assert "folder stripe/subscription is not read: the objects of stripe are" in notices
    assert "subscriptions" in notices
    assert "docs/sources.md" in notices


def test_a_file_next_to_the_folders_of_its_vendor_is_named_with_the_nearest(inbox: Inbox) -> None:
    inbox.put_accounts()
    inbox.put("stripe/charge_data.csv", "id\n1\n")
    inbox.put("loose.csv", "id\n1\n")
    inbox.put("stripe/LICENSE", "Apache")
    notices = "\n".join(inbox.land().notices)
    assert "stripe/LICENSE is not read: it is in no feed's folder and no file of data by its name" in notices
    text = "is in no feed's folder and is not read: move it into"
    assert f"stripe/charge_data.csv {text} stripe/charges/" in notices
    assert f"loose.csv {text} <source>/<feed>/" in notices


def test_contacts_without_their_companies_are_refused_and_not_taken_for_none(inbox: Inbox) -> None:
    inbox.put_accounts()
    inbox.put("hubspot/contacts/c.csv", "Record ID,Email\n5,ann@acme.com\n")
    inbox.land()
    assert "tick the associations" in inbox.refusal("hubspot/contacts/c.csv")


def test_a_file_of_which_nothing_is_a_customers_is_named(inbox: Inbox) -> None:
    inbox.put_accounts()
    inbox.put(
        "segment/track/t.jsonl",
        shapes.lines([{"type": "track", "event": "Visit", "timestamp": "2026-03-01"}]),
    )
    inbox.put(
        "intercom/conversations/c.json", shapes.array([{"id": "1", "created_at": 1772323200, "source": {}}])
    )
    notices = inbox.land().notices
    assert [notice for notice in notices if "not one of its" in notice] == [
        "segment/track/t.jsonl: not one of its 1 records became a row of product/events; which are left "
        "out says feeds/adapters/segment/track.sql",
        "intercom/conversations/c.json: not one of its 1 records became a row of support/tickets; which "
        "are left out says feeds/adapters/intercom/conversations.sql",
    ]


def test_columns_of_a_vendor_that_nobody_knows_are_kept_with_their_row(inbox: Inbox) -> None:
    head = "id,created_at,organization_id,status,mood\n"
    inbox.put("zendesk/tickets/t.csv", head + "1,2026-02-01,9,open,grim\n2,2026-02-01,9,open,\n")
    record = {
        "id": 3,
        "created_at": "2026-02-01",
        "organization_id": 9,
        "status": "open",
        "mood": {"of": ["x"]},
    }
    inbox.put("zendesk/tickets/t.json", json.dumps({"tickets": [record, record | {"id": 4, "mood": None}]}))
    inbox.put_accounts()
    inbox.land()
    kept = inbox.all("select ticket_id, _extra from raw.support_tickets order by ticket_id")
    assert [(ticket, extra and json.loads(extra)) for ticket, extra in kept] == [
        ("1", {"mood": "grim"}),
        ("2", None),
        ("3", {"mood": {"of": ["x"]}}),
        ("4", None),
    ]
    assert inbox.load("zendesk/tickets/t.csv")["extra_columns"] == "mood"


def test_an_empty_page_is_a_feed_that_is_known_and_empty(inbox: Inbox) -> None:
    inbox.put_accounts()
    inbox.put("zendesk/tickets/t.json", json.dumps({"tickets": [], "next_page": None}))
    inbox.land()
    load = inbox.load("zendesk/tickets/t.json")
    assert (load["status"], load["rows_read"]) == ("landed", 0)


def test_what_a_loading_tool_marks_as_deleted_counts_as_deleted(inbox: Inbox) -> None:
    inbox.put_accounts()
    header = "id,created_at,organization_id,status,_fivetran_deleted\n"
    inbox.put("zendesk/tickets/t.csv", header + "1,2026-02-01,9,open,true\n2,2026-02-01,9,open,false\n")
    inbox.land()
    assert inbox.all("select ticket_id, is_deleted from raw.support_tickets order by 1") == [
        ("1", True),
        ("2", False),
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("events.yml", "columns:", "colums:", "an object has no property colums"),
        (
            "events.yml",
            "required: true, aliases: [name",
            "needed: true, aliases: [name",
            "column event has no property needed",
        ),
        ("events.sql", "product/events", "product/evnts", "it names no feed"),
        ("events.sql", "-- event_name <- event:", "-- event_name <- evnt:", "events.yml has no column evnt"),
    ],
)
def test_a_broken_definition_is_named_with_its_file(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    folder = tmp_path / "adapters"
    shutil.copytree(ADAPTERS, folder)
    path = folder / "mixpanel" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError) as error:
        load_adapters(folder)
    assert message in str(error.value)
    assert "mixpanel" in str(error.value)


RADAR = "from radar.cli.main import main; main()"


def run_in(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RADAR, *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project to change."""
    copy = tmp_path / "radar"
    ignored = shutil.ignore_patterns(".*", "var", "tests", "__pycache__", "*.egg-info")
    shutil.copytree(PROJECT, copy, ignore=ignored)
    return copy


def test_a_vendor_is_added_by_the_two_files_that_the_documentation_shows(project: Path) -> None:
    page = (PROJECT / "docs/sources.md").read_text(encoding="utf-8")
    (spec,) = re.findall(r"```yaml adapter\n(.*?)```", page, re.DOTALL)
    (select,) = re.findall(r"```sql adapter\n(.*?)```", page, re.DOTALL)
    folder = project / "feeds/adapters/freshdesk"
    folder.mkdir()
    (folder / "tickets.yml").write_text(spec)
    (folder / "tickets.sql").write_text(select)
    extracts = project / "extracts"
    for name, content in {
        "crm/accounts/a.csv": "account_id,name,created_at\na1,Acme,2026-01-01\n",
        "crm/identities/i.csv": "source,source_account_id,account_id\nsupport,77,a1\n",
        "freshdesk/tickets/api.json": shapes.array(
            [
                {
                    "id": 1,
                    "company_id": 77,
                    "status": 4,
                    "priority": 2,
                    "subject": "Help",
                    "created_at": "2026-02-01T00:00:00Z",
                    "updated_at": "2026-02-02T00:00:00Z",
                    "stats": {"resolved_at": "2026-02-02T00:00:00Z"},
                }
            ]
        ),
        "freshdesk/tickets/export.csv": "ID,Company Id,Status,Priority,Subject,Created time,Mood\n"
        "2,78,2,1,Hi,never,bad\n",
    }.items():
        path = extracts / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    listed = run_in(project, "sources", "list", "freshdesk")
    assert "freshdesk/tickets" in listed.stdout, listed.stderr
    done = run_in(project, "sources", "check", "extracts", "--json")
    assert done.returncode == 1, done.stderr
    files = {one["file"]: one for one in json.loads(done.stdout)["files"]}
    api, export = files["freshdesk/tickets/api.json"], files["freshdesk/tickets/export.csv"]
    assert (api["feed"], api["rows"], api["rows_refused"]) == ("support/tickets", 1, 0)
    assert (api["account_ids"], api["account_ids_joined"]) == (1, 1)
    assert api["columns"]["resolved"] == "stats.resolved_at"
    assert export["columns"] | {"created": "Created time", "resolved": None} == export["columns"]
    assert export["unknown"] == ["Mood"]
    (bad,) = export["first_bad"]
    assert (bad["row"], bad["column"], bad["value"]) == (1, "Created time", "n***(5)")
    (folder / "tickets.sql").write_text(select.replace("subject,", "subjct,"))
    broken = run_in(project, "sources", "check", "extracts")
    assert broken.returncode != 0
    assert "tickets.sql" in broken.stderr
    assert "Traceback" not in broken.stderr
