"""Notes, whom they name, accounts that people follow, and what others did; the page of a team."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette

from radar.landing.decision_feed import write_decision_feed
from radar.panel import decisions, notes
from radar.panel.store import Store
from tests.panel.conftest import ClientAs
from tests.panel.people import Owners

FIELD = re.compile(r'name="(form_key|form_token|version|as_of_date|sequence)" value="([^"]*)"')


def fields(page: str) -> dict[str, str]:
    return dict(FIELD.findall(page))


def account_of(app: Starlette, owner_id: str) -> str:
    file = app.state.read_model
    about = file.about()
    assert about
    con = file._connection()[1]
    row = con.execute("select account_id from accounts where owner_id = ? order by 1", [owner_id]).fetchone()
    return str(row["account_id"])


def test_a_note_is_kept_landed_and_told_to_whom_it_names(
    app: Starlette, client_as: ClientAs, owners: Owners, tmp_path: Path
) -> None:
    account = account_of(app, owners.rep)
    lead, rep, admin = client_as("lead"), client_as("rep"), client_as("admin")
    page = lead.get(f"/accounts/{account}").text
    names = dict(re.findall(r'<option value="([^"]+)">([^<]+)</option>', page.partition('id="tell"')[2]))
    form = fields(page.partition('id="notes"')[2])
    kept = lead.post(
        f"/accounts/{account}/decide",
        data={**form, "kind": "note", "reason": "Budget is decided in May", "owner_id": owners.rep},
    )
    assert kept.status_code == 303
    (note,) = decisions.of_account(app.state.store, account)
    assert (note.kind, note.text, note.reason) == (
        "note",
        "Note",
        f"@{names[owners.rep]} Budget is decided in May",
    )
    assert "Budget is decided in May" in rep.get(f"/accounts/{account}").text

    # the bell of others, not of the author
    assert "Others</a>" in lead.get("/others").text
    bell = rep.get("/others").text
    assert "1<span" in bell
    assert "names you" in bell
    assert "Budget is decided in May" in bell
    assert "Nobody else has done anything" in admin.get("/others").text, (
        "whose accounts are nobody's in particular"
    )
    assert rep.post("/others", data=fields(bell)).status_code == 303
    assert "Others</a>" in rep.get("/").text
    assert "Budget is decided in May" in rep.get("/others").text

    # a run lands it as a review
    assert write_decision_feed(app.state.store.file, tmp_path / "feeds") == 1
    line = (tmp_path / "feeds" / "crm" / "reviews" / "panel_decisions.ndjson").read_text()
    assert '"kind": "note", "verdict": "written"' in line


def test_who_follows_an_account_hears_of_it_until_they_stop(
    app: Starlette, client_as: ClientAs, owners: Owners
) -> None:
    account = account_of(app, owners.rep)
    admin, rep = client_as("admin"), client_as("rep")

    def follow(wanted: str) -> None:
        form = fields(admin.get(f"/accounts/{account}").text)
        answer = admin.post(
            f"/accounts/{account}/follow", data={"form_key": form["form_key"], "follow": wanted}
        )
        assert answer.status_code == 303

    follow("true")
    assert "Stop following" in admin.get(f"/accounts/{account}").text
    form = fields(rep.get(f"/accounts/{account}").text)
    rep.post(f"/accounts/{account}/decide", data={**form, "kind": "sign_off", "verdict": "agree"})
    assert "followed" in admin.get("/others").text
    follow("false")
    assert "Nobody else has done anything" in admin.get("/others").text


def test_nobody_follows_or_hears_of_what_they_may_not_see(
    app: Starlette, client_as: ClientAs, owners: Owners
) -> None:
    account = account_of(app, owners.stranger)
    rep, admin = client_as("rep"), client_as("admin")
    key = fields(rep.get("/").text)["form_key"]
    assert (
        rep.post(f"/accounts/{account}/follow", data={"form_key": key, "follow": "true"}).status_code == 404
    )
    form = fields(admin.get(f"/accounts/{account}").text.partition('id="notes"')[2])
    admin.post(f"/accounts/{account}/decide", data={**form, "kind": "note", "reason": "@rep: secret"})
    assert "secret" not in rep.get("/others").text


def test_an_empty_note_is_not_kept(app: Starlette, client_as: ClientAs, owners: Owners) -> None:
    account = account_of(app, owners.rep)
    rep = client_as("rep")
    form = fields(rep.get(f"/accounts/{account}").text)
    answer = rep.post(f"/accounts/{account}/decide", data={**form, "kind": "note", "reason": " "})
    assert answer.status_code == 422
    assert "Write the note." in answer.text
    answer = rep.post(
        f"/accounts/{account}/decide", data={**form, "kind": "note", "reason": "x", "owner_id": "nobody"}
    )
    assert "Choose a colleague of the list." in answer.text


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("@Ruth Okafor please", True),
        ("see @ruth okafor", True),
        ("@Ruth Okafors", False),
        ("Ruth Okafor", False),
        ("@Ruth", False),
    ],
)
def test_a_name_counts_as_a_whole_and_in_any_case(text: str, is_named: bool) -> None:
    assert notes.mentions(text, ["Ruth Okafor"]) == is_named


def test_a_store_of_before_notes_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "panel.sqlite"
    store = Store(file)
    insert = (
        "insert into decisions"
        " (decision_id, form_token, account_id, as_of_date, kind, decided_by, decided_at)"
        " values (?, ?, 'a', '2026-06-30', ?, 'ruth', '2026-06-30T10:00:00.0Z')"
    )
    with store.writing() as con:
        made = con.execute("select sql from sqlite_master where name = 'decisions'").fetchone()[0]
        con.execute("drop table decisions")
        con.execute(made.replace("'note', ", ""))
        con.execute(insert, ["d1", "t1", "snooze"])
    store.con.close()
    later = Store(file)
    assert [one.decision_id for one in decisions.of_account(later, "a")] == ["d1"]
    with later.writing() as con:
        con.execute(insert, ["d2", "t2", "note"])
    assert decisions.newest(later) == 2


def test_a_lead_sees_who_has_what_to_do_and_answers_spot_checks(
    app: Starlette, client_as: ClientAs, owners: Owners
) -> None:
    lead, rep = client_as("lead"), client_as("rep")
    page = lead.get("/team").text
    table, _, checks = page.partition('id="checks"')
    assert {owner for owner in owners.team if f'owner={owner}"' in table} == set(owners.team)
    assert owners.stranger not in page
    assert len(re.findall(r'href="/\?owner=[^"&]*"', rep.get("/team").text)) == 1
    found = re.search(r'<form class="row" action="(/accounts/[^"]+/decide)".*?</form>', checks, re.DOTALL)
    assert found, "the demo company has a spot check for the team"
    answer = lead.post(
        found[1], data={**fields(found[0]), "kind": "spot_check", "verdict": "agree", "back": "/team"}
    )
    assert answer.headers["location"].startswith("/team?kept=")
    after = lead.get(answer.headers["location"]).text
    assert "Spot check: agrees by" in after
    assert after.count("The flag is right") == page.count("The flag is right") - 1
