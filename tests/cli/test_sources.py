"""`radar sources`: what is recognised, and what a folder of vendors' files is worth before it is landed."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from radar.core.project import PROJECT
from radar.landing.adapters import load_adapters
from radar.landing.sources_check import PLAIN_ID
from tests.frozen import SEEDS
from tests.runs.radar_run import radar

TICKETS = "id,created_at,organization_id,status,priority\n"


def put(folder: Path, name: str, content: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


@pytest.fixture
def extracts(tmp_path: Path) -> Path:
    folder = tmp_path / "extracts"
    put(folder, "crm/accounts/a.csv", "account_id,name,created_at\na1,Acme,2026-01-01\n")
    put(folder, "crm/identities/i.csv", "source,source_account_id,account_id\nsupport,9,a1\n")
    put(folder, "zendesk/tickets/t.csv", TICKETS + "1,2026-02-01,9,open,high\n2,2026-02-01,8,open,low\n")
    return folder


def test_list_names_every_object_and_its_feeds() -> None:
    done = radar("sources", "list")
    for folder, adapters in load_adapters().items():
        assert f"{folder} " in done.stdout
        assert all(adapter.feed in done.stdout for adapter in adapters)
    one = radar("sources", "list", "zendesk")
    assert "zendesk/tickets" in one.stdout
    assert "stripe" not in one.stdout
    assert "https://developer.zendesk.com" in one.stdout
    listed = json.loads(radar("sources", "list", "--json").stdout)
    assert {entry["folder"] for entry in listed} == set(load_adapters())
    unknown = radar("sources", "list", "zendisk")
    assert unknown.returncode == 2
    assert "the nearest are zendesk" in unknown.stderr


def test_check_says_what_lands_and_how_many_account_ids_join(extracts: Path) -> None:
    done = radar("sources", "check", str(extracts), f"--seeds={SEEDS}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "zendesk/tickets/t.csv -> support/tickets, read as zendesk/tickets" in done.stdout
    assert "rows       2 of 2 records; 0 refused" in done.stdout
    assert "organization_id as organization" in done.stdout
    assert "accounts   1 of 2 ids join; not known: 8" in done.stdout
    assert {path.name for path in extracts.parent.iterdir()} == {"extracts"}


def test_check_names_account_ids_that_a_spreadsheet_may_have_changed(tmp_path: Path) -> None:
    accounts = "account_id,name,created_at\n00123,Acme,2026-01-01\n45,Bolt,2026-01-01\n"
    put(tmp_path, "crm/accounts/a.csv", accounts)
    put(tmp_path, "crm/identities/i.csv", "source,source_account_id,account_id\nsupport,0078,45\n")
    tickets = "\n".join(f"{n},2026-02-01,{name},open,high" for n, name in enumerate(IDS_OF_TICKETS))
    put(tmp_path, "zendesk/tickets/t.csv", f"{TICKETS}{tickets}\n")
    done = radar("sources", "check", str(tmp_path), f"--seeds={SEEDS}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "accounts   1 of 5 ids join; not known: 123, 45.0, 78" in done.stdout
    assert "look alike 123 and 00123, 45.0 and 45, 78 and 0078: an id lost its zeros" in done.stdout
    put(tmp_path, "zendesk/tickets/t.csv", f"{TICKETS}1,2026-02-01,9,open,high\n2,2026-02-01,45,open,high\n")
    assert "look alike" not in radar("sources", "check", str(tmp_path), f"--seeds={SEEDS}").stdout


IDS_OF_TICKETS = ("123", "45", "45.0", "78", "acme")  # with "acme", `.0` stays


def test_check_ends_with_1_where_something_does_not_land_and_says_what(extracts: Path) -> None:
    put(extracts, "zendesk/tickets/bad.csv", TICKETS + "3,never,9,open,high\n4,2026-02-01,9,open,high\n")
    put(extracts, "zendesk/users/u.csv", "name,mail\nAnn,ann@acme.com\n")
    put(extracts, "zendsk/tickets/t.csv", TICKETS)
    done = radar("sources", "check", str(extracts), f"--seeds={SEEDS}", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    files = {one["file"]: one for one in found["files"]}
    (bad,) = files["zendesk/tickets/bad.csv"]["first_bad"]
    assert (bad["row"], bad["column"], bad["value"], bad["costs_row"]) == (1, "created_at", "n***(5)", True)
    assert files["zendesk/users/u.csv"]["status"] == "refused"
    assert "zendesk/users needs it" in files["zendesk/users/u.csv"]["message"]
    assert any("zendsk is not read" in notice and "zendesk" in notice for notice in found["notices"])
    text = radar("sources", "check", str(extracts), f"--seeds={SEEDS}")
    assert text.returncode == 1
    assert "bad row    row 1, column created_at (n***(5)): expected a time" in text.stdout


def test_check_of_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    done = radar("sources", "check", str(tmp_path / "none"))
    assert done.returncode == 2
    assert "there is no such folder" in done.stderr


def test_check_reads_relations_as_it_reads_files(extracts: Path) -> None:
    database = extracts.parent / "app.duckdb"
    with duckdb.connect(str(database)) as con:
        con.execute("create table tickets (ticket_id text, account_id text, opened_at date, status text)")
        con.execute("insert into tickets values ('1', 'a1', '2026-02-01', 'open'), ('2', 'a7', null, 'open')")
    tables = extracts.parent / "tables.yml"
    tables.write_text(
        "databases:\n  app: {type: duckdb, path: app.duckdb}\ntables:\n"
        "  - {database: app, relation: tickets, feed: support/tickets}\n"
        "  - {database: app, relation: ticket, feed: support/tickets}\n"
    )
    done = radar("sources", "check", str(extracts), f"--seeds={SEEDS}", f"--tables={tables}")
    assert done.returncode == 1
    assert "tables/app/tickets -> support/tickets" in done.stdout
    assert "bad row    row 2, column opened_at: " in done.stdout
    assert "accounts   1 of 1 ids join" in done.stdout
    assert "refused: tables/app/ticket: there is no such relation" in done.stdout
    alone = radar("sources", "check", f"--seeds={SEEDS}", f"--tables={tables}", "--json")
    assert {one["file"] for one in json.loads(alone.stdout)["files"]} == {
        "tables/app/ticket",
        "tables/app/tickets",
    }


def test_check_of_nothing_is_a_usage_error() -> None:
    done = radar("sources", "check")
    assert done.returncode == 2
    assert "name a folder of extracts, or --tables FILE" in done.stderr


def test_ids_look_alike_as_they_do_after_a_run() -> None:
    model = PROJECT / "dbt_project" / "models" / "marts" / "quality" / "int_digit_ids.sql"
    assert PLAIN_ID.format(id="id") in model.read_text(encoding="utf-8")
