"""Deciding on many accounts of the portfolio at once, and its filters."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

from starlette.applications import Starlette
from starlette.testclient import TestClient

from radar.panel import decisions
from tests.panel.conftest import ClientAs
from tests.panel.people import Owners


def tomorrow() -> str:
    return (datetime.now(UTC).date() + timedelta(days=1)).isoformat()


def portfolio(client: TestClient, query: str = "") -> tuple[str, dict[str, str], dict[str, str]]:
    """The page, its form without anything selected, and what selects each account."""
    page = client.get(f"/portfolio{query}").text
    form = page.partition('id="many"')[2].partition("</form>")[0]
    names = r'name="(form_key|form_token|version|as_of_date|back)" value="([^"]*)"'
    fields = {name: unescape(value) for name, value in re.findall(names, form)}
    boxes = {name: unescape(box) for name, box in re.findall(r'name="(chosen-\d+)" value="([^"]*)"', page)}
    return page, fields, boxes


def kinds(app: Starlette) -> dict[str, str]:
    rows = app.state.store.con.execute("select account_id, kind, reason from decisions").fetchall()
    return {account_id: f"{kind} {reason or ''}".strip() for account_id, kind, reason in rows}


def test_many_are_signed_off_or_snoozed_with_a_reason(app: Starlette, client_as: ClientAs) -> None:
    client = client_as("lead")
    _, form, boxes = portfolio(client, "?sort=arr&desc=1")
    chosen = dict(list(boxes.items())[:3])
    answer = client.post("/portfolio", data={**form, **chosen, "kind": "sign_off"})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/portfolio?sort=arr&desc=1&kept=3-0"
    assert "3 decided." in client.get(answer.headers["location"]).text
    assert kinds(app) == dict.fromkeys(chosen.values(), "sign_off")

    name, account_id = list(boxes.items())[3]
    _, form, _ = portfolio(client)
    snooze = {**form, name: account_id, "kind": "snooze", "reason": "On holiday"}
    assert client.post("/portfolio", data=snooze).status_code == 422, "a snooze needs a day"
    answer = client.post("/portfolio", data={**snooze, "until_date": tomorrow()})
    assert answer.status_code == 303
    assert kinds(app)[account_id] == "snooze On holiday"


def test_many_are_assigned_to_a_colleague_until_a_day(
    app: Starlette, client_as: ClientAs, owners: Owners
) -> None:
    client = client_as("lead")
    page, form, boxes = portfolio(client)
    name, account_id = next(iter(boxes.items()))
    cover = {**form, name: account_id, "kind": "cover", "cover_until": tomorrow()}
    assert client.post("/portfolio", data=cover).status_code == 422, "nobody is chosen"
    assert client.post("/portfolio", data={**cover, "owner_id": "nobody"}).status_code == 422
    assert f'<option value="{owners.stranger}">' in page, "also colleagues of other teams"
    answer = client.post("/portfolio", data={**cover, "owner_id": owners.stranger})
    assert answer.headers["location"].endswith("kept=1-0")
    (one,) = decisions.of_account(app.state.store, account_id)
    assert (one.kind, one.owner_id, one.until_date) == ("cover", owners.stranger, tomorrow())
    assert one.owner_name
    assert one.owner_name in one.text


def test_what_is_not_theirs_or_was_decided_meanwhile_is_left(app: Starlette, client_as: ClientAs) -> None:
    rep, admin = client_as("rep"), client_as("admin")
    _, form, boxes = portfolio(rep)
    own = next(iter(boxes.values()))
    _, theirs, all_boxes = portfolio(admin)
    foreign = next(box for box in all_boxes.values() if rep.get(f"/accounts/{box}").status_code == 404)
    assert admin.post("/portfolio", data={**theirs, "chosen-0": own, "kind": "sign_off"}).status_code == 303
    answer = rep.post("/portfolio", data={**form, "chosen-0": own, "chosen-1": foreign, "kind": "sign_off"})
    assert answer.headers["location"].endswith("kept=0-2")
    assert [one.decided_by for one in decisions.of_account(app.state.store, own)] == ["admin"]
    assert rep.post("/portfolio", data={**form, "chosen-0": own, "kind": "override"}).status_code == 422


def test_the_list_comes_first_and_is_filtered_by_flag_and_renewal(client_as: ClientAs) -> None:
    client = client_as("admin")
    page, _, _ = portfolio(client)
    assert page.index('id="accounts"') < page.index('id="over-time"')
    flags = re.findall(r'<option value="(\w+)"', page.partition('id="f-flag"')[2].partition("</select>")[0])
    counts = {}
    for query in ("?", *(f"?flag={flag}" for flag in flags), "?within=30", "?within=90", "?within=x"):
        text = client.get(f"/portfolio{query}").text
        found = re.search(r"All ([\d,]+) accounts as a file", text)
        counts[query] = int(found[1].replace(",", "")) if found else 0
    assert counts["?within=x"] == counts["?"]
    assert counts["?within=30"] < counts["?within=90"] < counts["?"]
    assert all(counts[f"?flag={flag}"] < counts["?"] for flag in flags)
    assert sum(counts[f"?flag={flag}"] for flag in flags) > 0


def test_a_view_is_saved_for_oneself_and_shared_by_its_address(client_as: ClientAs) -> None:
    client, other = client_as("lead"), client_as("admin")
    _, form, _ = portfolio(client, "?bucket=at_risk&sort=arr&desc=1")
    save = {**form, "kind": "save_view", "name": "  Worst   first <b> "}
    answer = client.post("/portfolio", data=save)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/portfolio?bucket=at_risk&sort=arr&desc=1",
    )
    page = client.get("/portfolio").text
    link = '<a href="/portfolio?bucket=at_risk&amp;sort=arr&amp;desc=1"><bdi>Worst first &lt;b&gt;</bdi></a>'
    assert link in page
    assert "Worst first" not in other.get("/portfolio").text
    assert client.post("/portfolio", data={**save, "name": " "}).status_code == 422
    away = client.post(
        "/portfolio", data={**save, "name": "away", "back": "https://example.com/?bucket=watch"}
    )
    assert away.headers["location"].startswith("/portfolio")
    assert client.post(
        "/portfolio", data={**save, "kind": "remove_view", "name": "Worst first <b>"}
    ).is_redirect
    assert "Worst first" not in client.get("/portfolio").text


def test_the_list_is_filtered_by_group_and_by_the_team_of_a_lead(client_as: ClientAs, owners: Owners) -> None:
    admin, lead = client_as("admin"), client_as("lead")
    page, _, _ = portfolio(admin)
    groups = re.findall(
        r'<option value="([^"]+)"', page.partition('id="f-parent"')[2].partition("</select>")[0]
    )
    assert groups, "the demo company has groups"
    _, _, boxes = portfolio(admin, f"?parent={groups[0]}")
    assert 1 <= len(boxes) < len(portfolio(admin)[2])
    for account_id in set(boxes.values()) - {groups[0]}:
        assert "Group" in admin.get(f"/accounts/{account_id}").text
    foreign = [one for one in groups if client_as("rep").get(f"/accounts/{one}").status_code == 404]
    assert foreign, "a parent that is not the rep's"
    assert {accounts_of(portfolio(client_as("rep"), f"?parent={one}")[0]) for one in foreign} == {0}
    assert '<option value="lead"' in page.partition('id="f-team"')[2].partition("</select>")[0]
    assert 'id="f-team"' not in portfolio(lead)[0], "who sees one team chooses none"
    shown = accounts_of(portfolio(admin, "?team=lead")[0])
    assert shown == accounts_of(portfolio(lead)[0])
    assert 0 < shown < accounts_of(page)
    assert accounts_of(portfolio(admin, "?team=nobody")[0]) == 0


def accounts_of(page: str) -> int:
    """How many accounts the figures of a page count."""
    found = re.search(r"<dt>Accounts</dt><dd>([\d,]+)", page)
    assert found
    return int(found[1].replace(",", ""))
