"""What a form may decide, and what happens when two people do, or one twice."""

from __future__ import annotations

import json
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from radar.landing.decision_feed import write_decision_feed
from radar.panel import decisions
from radar.panel.people import Person
from radar.panel.store import Store
from tests.panel.conftest import ClientAs
from tests.panel.people import Owners

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
    page = client.get("/?tab=approve").text
    action_id = re.findall(r'name="action_id" value="([^"]+)"', page[: page.index('value="approved"')])[-1]
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


def task_of(page: str) -> str:
    """The first action of a page that can be done."""
    return re.findall(r'name="action_id" value="([^"]+)"', page[: page.index('value="done"')])[-1]


def handed_over(app: Starlette) -> dict[str, list[dict[str, object]]]:
    folder = app.state.store.file.parent / "handed_over"
    write_decision_feed(app.state.store.file, folder)
    return {
        file.parent.name: [json.loads(line) for line in file.read_text().splitlines()]
        for file in sorted(folder.rglob("*.ndjson"))
    }


@pytest.mark.parametrize(
    ("form", "state", "words"),
    [
        ({"kind": "call", "verdict": "reached", "reason": "Wants a plan"}, "working", "Called: reached"),
        ({"kind": "call", "verdict": "no_answer"}, "working", "Called: no answer"),
        ({"kind": "call", "verdict": "meeting_booked"}, "waiting", "Called: meeting booked"),
        ({"kind": "call", "verdict": "reached", "until_date": TOMORROW}, "waiting", "next on"),
        ({"kind": "sign_off", "verdict": "agree"}, "done", "Signed off"),
    ],
)
def test_what_was_done_gives_the_account_a_state_and_can_be_undone(
    app: Starlette, client_as: ClientAs, form: dict[str, str], state: str, words: str
) -> None:
    client = client_as("rep")
    account_id = first_account(client)
    sent = {**form_of(client, account_id), "back": "/", **form}
    answer = client.post(f"/accounts/{account_id}/decide", data=sent)
    assert answer.status_code == 303, answer.text
    page = client.get(answer.headers["location"]).text
    assert words in page
    assert f'<span class="tag asks">{state}</span>' in page
    undo = {"kind": "undo", "undoes": re.findall(r'name="undoes" value="([^"]+)"', page)[0]}
    answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **undo})
    assert answer.status_code == 303, answer.text
    page = client.get(f"/accounts/{account_id}").text
    assert "undone by" in page
    assert f'<span class="tag asks">{state}</span>' not in page
    assert [kind for kind, _, _ in decided(app)] == [form["kind"], "undo"]
    answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **undo})
    assert answer.status_code == 422
    reviews = handed_over(app)["reviews"]
    assert [one["is_deleted"] for one in reviews] == [True]


def test_a_call_is_a_touchpoint_of_the_owner_and_a_review(
    app: Starlette, client_as: ClientAs, owners: Owners
) -> None:
    client = client_as("rep")
    account_id = first_account(client)
    form = {"kind": "call", "verdict": "no_answer", "reason": "Voice mail", "until_date": TOMORROW}
    client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **form})
    feeds = handed_over(app)
    (touchpoint,), (review,) = feeds["touchpoints"], feeds["reviews"]
    assert (touchpoint["owner_id"], touchpoint["channel"], touchpoint["direction"]) == (
        owners.rep, "call", "outbound",
    )  # fmt: skip
    assert touchpoint["occurred_at"] == review["reviewed_at"]
    assert (review["kind"], review["verdict"], review["reason"], review["until_date"]) == (
        "call", "no_answer", "Voice mail", TOMORROW,
    )  # fmt: skip


def test_a_task_is_done_or_put_off_to_a_day(app: Starlette, client_as: ClientAs) -> None:
    client = client_as("admin")
    page = client.get("/").text
    action_id = task_of(page)
    account_id = re.findall(r'action="/accounts/([^"/]+)/decide"', page[: page.index(action_id)])[-1]
    form = {"kind": "action", "verdict": "not_now", "action_id": action_id}
    answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **form})
    assert answer.status_code == 422, "a task is put off to a day"
    form["until_date"] = TOMORROW
    answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **form})
    assert answer.status_code == 303
    assert "Task put off until" in client.get(f"/accounts/{account_id}").text
    form = {"kind": "action", "verdict": "done", "action_id": action_id}
    answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **form})
    assert answer.status_code == 303
    assert "Task done" in client.get(f"/accounts/{account_id}").text
    assert [(one["verdict"], one.get("until_date")) for one in handed_over(app)["reviews"]] == [
        ("not_now", TOMORROW),
        ("done", None),
    ]


def test_cover_is_asked_of_another_owner_until_a_day(
    app: Starlette, client_as: ClientAs, owners: Owners
) -> None:
    client = client_as("rep")
    account_id = first_account(client)
    form = {"kind": "cover", "owner_id": owners.rep, "until_date": TOMORROW}
    for wrong in (
        form,
        {**form, "owner_id": "nobody"},
        {**form, "owner_id": owners.stranger, "until_date": "x"},
    ):
        answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **wrong})
        assert answer.status_code == 422
    form["owner_id"] = owners.stranger
    answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **form})
    assert answer.status_code == 303
    assert "Cover asked of" in client.get(f"/accounts/{account_id}").text
    assert f'id="{account_id}"' in client.get("/?tab=waiting").text
    (review,) = handed_over(app)["reviews"]
    assert (review["kind"], review["verdict"], review["owner_id"]) == ("cover", "asked", owners.stranger)


def test_what_a_run_has_read_is_not_undone(
    app: Starlette, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_as("rep")
    account_id = first_account(client)
    form = {"kind": "call", "verdict": "reached"}
    client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **form})
    (one,) = decisions.of_account(app.state.store, account_id)
    about = app.state.read_model.about()
    monkeypatch.setattr(app.state.read_model, "about", lambda: replace(about, landed_at=one.decided_at))
    undo = {"kind": "undo", "undoes": one.decision_id}
    answer = client.post(f"/accounts/{account_id}/decide", data={**form_of(client, account_id), **undo})
    assert answer.status_code == 422
    assert "A run has read this already" in answer.text


def test_a_store_of_an_earlier_release_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "panel.sqlite"
    with sqlite3.connect(file) as con:
        con.executescript(
            "create table decisions (sequence integer primary key autoincrement,"
            " decision_id text not null unique,"
            " form_token text not null unique, account_id text not null, as_of_date text not null,"
            " kind text not null check (kind in ('sign_off', 'snooze')), verdict text, bucket text,"
            " reason text,"
            " until_date text, action_id text, decided_by text not null, decided_at text not null) strict;"
            "create trigger decisions_remain before delete on decisions"
            " begin select raise(abort, 'decisions are never removed'); end;"
            "insert into decisions values"
            " (7, 'panel-1', 'token', 'a', '2026-06-30', 'sign_off', 'agree', null, null, null, null, 'ada',"
            " '2026-07-01T00:00:00.000000Z')"
        )
    assert write_decision_feed(file, tmp_path / "handed_over") == 1, "a run reads it as it is"
    for _ in range(2):
        (one,) = decisions.of_account(Store(file), "a")
        assert (one.sequence, one.decision_id, one.undoes) == (7, "panel-1", None)
    wanted = decisions.Wanted("a", "2026-06-30", "call", "t" * 20, 7, verdict="reached")
    assert decisions.decide(Store(file), Person("ada", "admin"), wanted)
    with pytest.raises(sqlite3.IntegrityError):
        Store(file).con.execute("delete from decisions")
