"""Names and texts of customers' people: from a store of their own, for whom they are meant, and on record."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
from starlette.testclient import TestClient

from radar.audit import contact_views
from radar.core.runs import Run, Window
from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.contacts import ContactStore
from radar.panel.people import Person
from radar.panel.settings import PanelSettings
from radar.panel.store import Store
from radar.publishing import contact_store
from tests.panel.people import Owners
from tests.runs.radar_run import Place

DAY = date(2026, 6, 30)


@pytest.fixture
def panel(demo_run: Place, owners: Owners, tmp_path: Path) -> Iterator[TestClient]:
    """A panel with the contact store of the demo's run next to its own store; a rep is signed in."""
    made = demo_run.warehouse.with_name("panel.contacts.sqlite")
    shutil.copy(made, tmp_path / made.name)
    yield from client_of(demo_run, owners, tmp_path)


def client_of(demo_run: Place, owners: Owners, folder: Path, **settings: object) -> Iterator[TestClient]:
    app = create_app(
        PanelSettings(
            published=demo_run.published, store=folder / "panel.sqlite", stale_days=100_000, **settings
        )  # type: ignore[arg-type]
    )
    users.add(app.state.store, "rep", "rep", [owners.rep], None)
    with TestClient(app, base_url="https://testserver") as client:
        found = users.find(app.state.store, "rep")
        assert found
        client.cookies.set(sessions.COOKIE, sessions.begin(app.state.store, *found))
        yield client


def somebody(demo_run: Place, owner: str) -> tuple[str, str, str, str]:
    """An account of the owner, one of its people, and a ticket: id, name, address, subject."""
    found = demo_run.rows(
        "select contacts.account_id, full_name, email, title from outbound.rpt_contact_details as contacts"
        " inner join outbound.rpt_contact_texts as texts on contacts.account_id = texts.account_id"
        f" where contacts.owner_id = '{owner}' and texts.kind = 'ticket' and full_name is not null"
        " and email is not null and title is not null order by all"
    )
    account_id, name, email, subject = found[0]
    return str(account_id), str(name), str(email), str(subject)


def views(folder: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(folder / "panel.sqlite") as con:
        return con.execute("select user_name, user_role, account_id from contact_views").fetchall()


def test_the_page_names_people_and_quotes_them_and_keeps_that_it_did(
    demo_run: Place, owners: Owners, panel: TestClient, tmp_path: Path
) -> None:
    account_id, name, email, subject = somebody(demo_run, owners.rep)
    for _ in range(2):
        html = panel.get(f"/accounts/{account_id}").text
        assert f"<bdi>{name}</bdi>" in html
        assert f">{email}</a>" in html
        assert subject in html
    assert views(tmp_path) == [("rep", "rep", account_id)], "once a day"
    with sqlite3.connect(tmp_path / "panel.sqlite") as con, pytest.raises(sqlite3.IntegrityError):
        con.execute("delete from contact_views")


def test_other_roles_see_ids_and_nothing_is_kept(demo_run: Place, owners: Owners, tmp_path: Path) -> None:
    shutil.copy(demo_run.warehouse.with_name("panel.contacts.sqlite"), tmp_path)
    account_id, name, email, subject = somebody(demo_run, owners.rep)
    for client in client_of(demo_run, owners, tmp_path, contact_roles=("lead", "admin")):
        html = client.get(f"/accounts/{account_id}").text
        assert "Names and texts are not for your role." in html
        assert name not in html
        assert email not in html
        assert subject not in html
    assert views(tmp_path) == []


def test_roles_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADAR_PANEL_CONTACT_ROLES", "rep, lead")
    assert PanelSettings().contact_roles == ("rep", "lead")
    monkeypatch.setenv("RADAR_PANEL_CONTACT_ROLES", "boss")
    with pytest.raises(ValueError, match="contact_roles"):
        PanelSettings()


@pytest.mark.parametrize("content", [None, b"no database at all"])
def test_without_a_store_the_page_goes_by_ids(
    demo_run: Place, owners: Owners, tmp_path: Path, content: bytes | None
) -> None:
    if content:
        (tmp_path / "panel.contacts.sqlite").write_bytes(content)
    account_id, name, *_ = somebody(demo_run, owners.rep)
    for client in client_of(demo_run, owners, tmp_path):
        answer = client.get(f"/accounts/{account_id}")
        assert answer.status_code == 200
        assert "They go by their ids here." in answer.text
        assert name not in answer.text


def test_the_published_copy_holds_none_of_them(demo_run: Place, owners: Owners) -> None:
    _, name, email, subject = somebody(demo_run, owners.rep)
    with duckdb.connect(str(demo_run.published / "radar.duckdb"), read_only=True) as con:
        columns = con.execute(
            "select table_schema, table_name, list(column_name) from information_schema.columns"
            " where data_type = 'VARCHAR' group by all"
        ).fetchall()
        for schema, table, names in columns:
            texts = ", ".join(f'"{column}"' for column in names)
            query = (
                f"select count(*) from {schema}.{table} where concat_ws(' ', {texts}) like '%' || ? || '%'"
            )
            for value in (name, email, subject):
                assert con.execute(query, [value]).fetchone() == (0,), (schema, table)


# --- the store itself ------------------------------------------------------------------------------------


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("create schema outbound; create schema audit")
        con.execute(
            "create table outbound.rpt_contact_details as select 'c1' as contact_id, 'a1' as account_id,"
            " 'own-1' as owner_id, 'Ann Miller' as full_name, 'ann@acme.test' as email"
            " union all select 'c2', 'a2', null, 'Bob Nobody', null"
        )
        con.execute(
            "create table outbound.rpt_contact_texts as select 'a1' as account_id, 'own-1' as owner_id,"
            " 'ticket' as kind, 't1' as object_id, 'Help' as title, 'It is slow' as text"
        )
        yield con


def test_who_is_erased_is_in_no_later_store(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = tmp_path / "panel.contacts.sqlite"
    (tmp_path / ".panel.contacts.sqlite.0000.new").write_text("of a run that was killed")
    contact_store.write(warehouse, file)
    assert b"Ann Miller" in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    warehouse.execute("delete from outbound.rpt_contact_details where contact_id = 'c1'")
    warehouse.execute("delete from outbound.rpt_contact_texts")
    contact_store.write(warehouse, file)
    assert list(tmp_path.iterdir()) == [file]
    assert not any(text in file.read_bytes() for text in (b"Ann Miller", b"ann@acme", b"slow"))
    assert b"Bob Nobody" in file.read_bytes()


def test_people_are_shown_to_the_owner_their_lead_and_admins(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    contact_store.write(warehouse, tmp_path / "panel.contacts.sqlite")
    contacts = ContactStore(tmp_path / "panel.contacts.sqlite", ("rep", "lead", "admin"))
    store = Store(tmp_path / "panel.sqlite")

    def seen(person: Person, account_id: str = "a1") -> list[str]:
        return list(contacts.of_account(store, person, account_id).people)

    assert seen(Person("ann", "rep", ("own-1",))) == ["c1"]
    assert seen(Person("lea", "lead", ("own-1", "own-2"))) == ["c1"]
    assert seen(Person("ada", "admin")) == ["c1"]
    assert seen(Person("ada", "admin"), "a2") == ["c2"]
    assert seen(Person("bo", "rep", ("own-2",))) == []
    assert seen(Person("bo", "rep", ("own-2",)), "a2") == []
    assert [row[0] for row in views(tmp_path)] == ["ann", "lea", "ada", "ada"]


def test_a_run_makes_an_entry_of_the_audit_of_each(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    warehouse.execute("create table audit.entries (subject_id varchar, kind varchar)")
    run = Run("run-1", 1, Window(DAY, DAY), datetime(2026, 7, 1, 4))
    file = tmp_path / "panel.sqlite"
    assert list(contact_views.new_entries(warehouse, file, run)) == []
    contact_store.write(warehouse, tmp_path / "panel.contacts.sqlite")
    contacts = ContactStore(tmp_path / "panel.contacts.sqlite", ("rep",))
    contacts.of_account(Store(file), Person("ann", "rep", ("own-1",)), "a1")
    (entry,) = contact_views.new_entries(warehouse, file, run)
    assert (entry.kind, entry.account_id, entry.actor, entry.state) == (
        "contacts_shown",
        "a1",
        "ann",
        "shown",
    )
    assert '"role":"rep"' in entry.evidence.replace(" ", "")
    warehouse.execute("insert into audit.entries values (?, ?)", [entry.subject_id, entry.kind])
    assert list(contact_views.new_entries(warehouse, file, run)) == []
