"""Notes, whom they name, accounts that people follow, and what others did; the page of a team."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from starlette.applications import Starlette

from radar.landing.decision_feed import write_decision_feed
from radar.panel import decisions, notes
from radar.panel.page_cache import PageCache
from radar.panel.pages import team
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


def test_the_page_of_a_team_shows_each_owner_and_spot_check_on_one_of_its_pages(
    app: Starlette, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = client_as("admin")
    monkeypatch.setattr(team, "OWNERS", 1_000)
    monkeypatch.setattr(team, "CHECKS", 1_000)
    owners, checks = rows_of_team(admin.get("/team").text)
    assert len(owners) > 2
    assert len(checks) > 2
    assert 'class="pager"' not in admin.get("/team").text
    monkeypatch.setattr(team, "OWNERS", 2)
    monkeypatch.setattr(team, "CHECKS", 2)
    app.state.page_cache = PageCache()
    last_owners, last_checks = -(-len(owners) // 2), -(-len(checks) // 2)
    read = [rows_of_team(admin.get(f"/team?page={at}").text)[0] for at in range(1, last_owners + 1)]
    assert [one for page in read for one in page] == owners
    read = [rows_of_team(admin.get(f"/team?checks={at}").text)[1] for at in range(1, last_checks + 1)]
    assert [one for page in read for one in page] == checks
    beyond = admin.get("/team?page=9999&checks=2").text
    assert rows_of_team(beyond) == (owners[2 * (last_owners - 1) :], checks[2:4])
    assert f"Page {last_owners} of {last_owners}" in beyond
    assert f'href="/team?page={last_owners}#checks"' in beyond, "the first page of one, the same of the other"
    form = re.search(r'<form class="row" action="(/accounts/[^"]+/decide)".*?</form>', beyond, re.DOTALL)
    assert form
    back = unescape(re.findall(r'name="back" value="([^"]*)"', form[0])[0])
    answer = admin.post(
        form[1], data={**fields(form[0]), "kind": "spot_check", "verdict": "agree", "back": back}
    )
    assert answer.headers["location"].startswith(f"/team?page={last_owners}&checks=2&kept="), (
        "where it was given"
    )
    assert rows_of_team(admin.get("/team?page=0&checks=x").text) == (owners[:2], checks[:2])


def rows_of_team(page: str) -> tuple[list[str], list[str]]:
    """The owners and the accounts to check that the page lists, in its order."""
    table, _, checks = page.partition('id="checks"')
    listed = checks.partition("</section>")[0]
    return (
        re.findall(r'<th scope="row"><a href="/\?owner=([^"&]*)"', table),
        re.findall(r'<li>\s*<a href="/accounts/([^"]+)"', listed),
    )
