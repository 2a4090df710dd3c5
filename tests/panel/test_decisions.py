"""What a form may decide, and what happens when two people do, or one twice."""

from __future__ import annotations

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from radar.landing.decision_feed import write_decision_feed
from radar.panel import decisions
from tests.panel.conftest import ClientAs

HIDDEN = re.compile(r'name="(form_key|form_token|version|as_of_date)" value="([^"]*)"')
TOMORROW = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
OVERRIDE = {"kind": "override", "bucket": "watch", "reason": "The sponsor said so", "until_date": TOMORROW}


def first_account(client: TestClient) -> str:
    return unescape(re.findall(r'<article class="card account[^>]* id="([^"]+)"', client.get("/").text)[0])


def form_of(client: TestClient, account_id: str) -> dict[str, str]:
    return dict(HIDDEN.findall(client.get(f"/accounts/{account_id}").text))


def decided(app: Starlette) -> list[tuple[str, str | None, str]]:
    return [
        tuple(row)
        for row in app.state.store.con.execute(
            "select kind, verdict, decided_by from decisions order by sequence"
        )
    ]


def test_each_kind_is_kept_and_shown(app: Starlette, client_as: ClientAs) -> None:
    client = client_as("rep")
    account_id = first_account(client)
    wanted = [
        ({"kind": "sign_off", "verdict": "agree"}, "Signed off"),
        ({"kind": "sign_off", "verdict": "disagree", "reason": "They told us"}, "does not agree"),
        (OVERRIDE, "Override to Watch"),
        ({"kind": "withdraw", "bucket": "watch"}, "Override withdrawn"),
        ({"kind": "snooze", "until_date": TOMORROW}, "Snoozed until"),
        ({"kind": "wake"}, "Snooze ended"),
        ({"kind": "outcome", "verdict": "too_early"}, "Outcome: too early"),
    ]
    for form, words in wanted:
        answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **form})
        assert answer.status_code == 303, answer.text
        assert words in client.get(f"/accounts/{account_id}").text
    assert [kind for kind, _, _ in decided(app)] == [form["kind"] for form, _ in wanted]


def test_a_draft_is_answered_once(app: Starlette, client_as: ClientAs) -> None:
    client = client_as("admin")
    page = client.get("/").text
    action_id = re.findall(r'name="action_id" value="([^"]+)"', page)[0]
    account_id = re.findall(r'action="/accounts/([^"/]+)/decide"', page[: page.index(action_id)])[-1]
    form = {"kind": "action", "verdict": "approved", "action_id": action_id}
    answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **form})
    assert answer.status_code == 303
    assert f'value="{action_id}"' not in client.get(f"/accounts/{account_id}").text
    form["action_id"] = "not-one-of-these"
    answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **form})
    assert answer.status_code == 422


def test_the_second_of_two_reviewers_is_refused_and_nothing_is_overwritten(
    app: Starlette, client_as: ClientAs
) -> None:
    rep, lead = client_as("rep"), client_as("lead")
    account_id = first_account(rep)
    theirs, mine = form_of(rep, account_id), form_of(lead, account_id)
    assert rep.post(f"/accounts/{account_id}/decide", data={**theirs, **OVERRIDE}).status_code == 303
    answer = lead.post(
        f"/accounts/{account_id}/decide",
        data={**mine, **OVERRIDE, "bucket": "healthy", "reason": "I know better"},
    )
    assert answer.status_code == 409
    assert "The sponsor said so" in answer.text
    assert "Override to Watch" in answer.text
    assert "I know better" in answer.text
    assert "Override to Healthy" in answer.text
    assert decided(app) == [("override", None, "rep")]
    again = dict(HIDDEN.findall(answer.text))
    answer = lead.post(
        f"/accounts/{account_id}/decide",
        data={**mine, **again, **OVERRIDE, "bucket": "healthy", "reason": "I know better"},
    )
    assert answer.status_code == 303
    assert [by for _, _, by in decided(app)] == ["rep", "lead"]


def test_a_double_click_decides_once(app: Starlette, client_as: ClientAs) -> None:
    client = client_as("rep")
    account_id = first_account(client)
    form = {**form_of(client, account_id), "kind": "sign_off", "verdict": "agree"}

    def click(_: int) -> int:
        return client.post(f"/accounts/{account_id}/decide", data=form).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(click, range(16)))
    assert set(statuses) == {303}
    assert decided(app) == [("sign_off", "agree", "rep")]


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "override", "bucket": "watch", "reason": "   "},
        {"kind": "override", "bucket": "great", "reason": "x"},
        {**OVERRIDE, "until_date": "2020-01-01"},
        {**OVERRIDE, "until_date": "2999-01-01"},
        {**OVERRIDE, "reason": "x" * 2_001},
        {**OVERRIDE, "as_of_date": "2001-01-01"},
        {**OVERRIDE, "as_of_date": "2999-01-01"},
        {"kind": "snooze"},
        {"kind": "sign_off", "verdict": "perhaps"},
        {"kind": "sign_off", "verdict": "disagree"},
        {"kind": "delete"},
        {},
    ],
)
def test_what_cannot_be_meant_is_not_kept(app: Starlette, client_as: ClientAs, form: dict[str, str]) -> None:
    client = client_as("rep")
    account_id = first_account(client)
    answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **form})
    assert answer.status_code == 422
    assert decided(app) == []


def test_a_decision_can_be_neither_changed_nor_removed(app: Starlette, client_as: ClientAs) -> None:
    client = client_as("rep")
    account_id = first_account(client)
    client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **OVERRIDE})
    for statement in ("update decisions set bucket = 'healthy'", "delete from decisions"):
        with pytest.raises(sqlite3.IntegrityError):
            app.state.store.con.execute(statement)


def test_files_for_the_next_run_change_only_when_something_was_decided(
    app: Starlette, client_as: ClientAs
) -> None:
    client, folder = client_as("rep"), app.state.store.file.parent / "handed"
    assert write_decision_feed(app.state.store.file, folder) == 0
    account_id = first_account(client)
    client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **OVERRIDE})
    client.post(
        f"/accounts/{account_id}/decide",
        data={**form_of(client, account_id), "kind": "snooze", "until_date": TOMORROW},
    )
    assert write_decision_feed(app.state.store.file, folder) == 1
    file = folder / "crm" / "overrides" / "panel_decisions.ndjson"
    first = file.read_bytes(), file.stat().st_mtime_ns
    assert write_decision_feed(app.state.store.file, folder) == 1
    assert (file.read_bytes(), file.stat().st_mtime_ns) == first
    assert not (folder / "crm" / "reviews").exists()
    assert write_decision_feed(folder / "none.sqlite", folder) == 0


def test_what_was_snoozed_rests_until_its_day(app: Starlette, client_as: ClientAs) -> None:
    client = client_as("rep")
    account_id = first_account(client)
    form = {**form_of(client, account_id), "kind": "snooze", "until_date": TOMORROW}
    client.post(f"/accounts/{account_id}/decide", data=form)
    page = client.get("/").text
    assert f'id="{account_id}"' not in page
    assert "Snoozed (1)" in page
    assert decisions.of_account(app.state.store, account_id)[0].decided_by == "rep"
