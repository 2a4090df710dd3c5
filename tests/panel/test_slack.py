"""Buttons in Slack: who may press them, what they decide, and what Slack did not send."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from typer.testing import CliRunner

from radar.cli.main import app as cli
from radar.core.errors import UsageError
from radar.core.runs import utc_now
from radar.deliveries import drafts, messages
from radar.landing.decision_feed import write_decision_feed
from radar.panel import decisions, users
from radar.panel.app import create_app
from radar.panel.people import Person
from radar.panel.settings import PanelSettings
from radar.panel.store import Store
from tests.deliveries.vendors import Vendors, serving
from tests.runs.radar_run import Place

PATH, SECRET, CHANNEL = "/slack/interactions", "a signing secret of the app", "C0RADAR"
OPEN_ACTION = """
    select actions.action_id, actions.account_id, actions.play, health.owner_id, health.as_of_date
    from marts.rpt_open_actions as actions
    inner join marts.rpt_account_health as health on actions.account_id = health.account_id
    inner join marts.rpt_mail_facts as facts on actions.account_id = facts.account_id
    where actions.channel = ? and actions.status = ? and health.owner_id is not null
    and facts.has_contact and facts.owner_name is not null
    order by actions.action_id
"""


def click(
    row: dict[str, Any], verdict: str, *, user: str, ts: str, value: str | None = None, at: str = "1.0"
) -> bytes:
    """The body of a click on the button of a message about `row`, posted at `ts`, as Slack writes it."""
    (block,) = messages.buttons(row, is_whole=True)
    button = next(one for one in block["elements"] if one["action_id"] == verdict)
    text = {"type": "section", "text": {"type": "mrkdwn", "text": "What was posted"}}
    payload = {
        "type": "block_actions",
        "user": {"id": user},
        "channel": {"id": CHANNEL},
        "message": {"ts": ts, "text": "What was posted", "blocks": [text, block]},
        "actions": [{"action_id": verdict, "value": value or button["value"], "action_ts": at}],
        "response_url": "https://hooks.slack.example/elsewhere",
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def signed(body: bytes, at: float = 0.0) -> dict[str, str]:
    """The headers of a call that Slack signed `at` seconds from now."""
    timestamp = str(int(time.time() + at))
    digest = hmac.new(SECRET.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={digest}",
    }


def slack_app(url: str) -> dict[str, str]:
    """The environment of a panel that takes clicks, with Slack at this address."""
    return {
        "RADAR_SLACK_BOT_TOKEN": "xoxb-secret",
        "RADAR_SLACK_CHANNEL": CHANNEL,
        "RADAR_SLACK_API_URL": f"{url}/slack/api/",
        "RADAR_SLACK_SIGNING_SECRET": SECRET,
        "RADAR_PANEL_URL": "https://radar.example",
    }


@dataclass
class Panel:
    """A panel that takes clicks, with `rep`, who owns the accounts of `rows`, and others who do not."""

    app: Starlette
    client: TestClient
    vendors: Vendors
    rows: dict[str, dict[str, Any]]
    started: float = field(default_factory=time.time)

    @property
    def store(self) -> Store:
        store: Store = self.app.state.store
        return store

    def body(self, kind: str, verdict: str, **changes: Any) -> bytes:
        """What Slack sends when somebody presses a button of a message that was posted a minute ago."""
        return click(
            self.rows[kind], verdict, **{"user": "U0REP", "ts": f"{self.started - 60:.6f}"} | changes
        )

    def send(self, body: bytes, *, at: float = 0.0, **headers: str) -> int:
        """The status of a call that is signed as Slack signs, `at` seconds from now."""
        return self.client.post(PATH, content=body, headers=signed(body, at) | headers).status_code

    def press(self, kind: str, verdict: str, **changes: Any) -> str:
        """Press it; what the one who pressed is told."""
        self.vendors.whispers.clear()
        assert self.send(self.body(kind, verdict, **changes)) == 200
        return " ".join(whisper["text"] for whisper in self.vendors.whispers)

    def decided(self) -> list[tuple[Any, ...]]:
        query = "select verdict, action_id, decided_by, until_date from decisions order by sequence"
        return [tuple(row) for row in self.store.con.execute(query)]


@pytest.fixture(scope="module")
def slack() -> Iterator[Vendors]:
    with serving() as vendors:
        yield vendors


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the panel looks up, drawn once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def panel(
    demo_run: Place, slack: Vendors, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Panel]:
    slack.__init__(url=slack.url)  # type: ignore[misc]
    for name, value in slack_app(slack.url).items():
        monkeypatch.setenv(name, value)
    app = create_app(
        PanelSettings(published=demo_run.published, store=tmp_path / "panel.sqlite", cache=cache)
    )
    rows = {}
    with duckdb.connect(str(demo_run.published / "radar.duckdb"), read_only=True) as con:

        def first(query: str, *values: Any) -> dict[str, Any]:
            found = con.execute(query, values)
            return dict(zip([one[0] for one in found.description], found.fetchone() or (), strict=True))

        rows["approval"] = first(OPEN_ACTION, "mail_draft", "to_approve")
        owner = rows["approval"]["owner_id"]
        facts = first("from marts.rpt_mail_facts where account_id = ?", rows["approval"]["account_id"])
        rows["approval"]["draft"] = drafts.for_approval(facts, rows["approval"]["play"])
        rows["reminder"] = first(OPEN_ACTION, "crm_task", "ready")
        others = con.execute("select distinct owner_id from marts.rpt_account_health").fetchall()
    owners = {owner, rows["reminder"]["owner_id"]}
    stranger = next(one for (one,) in sorted(others, key=str) if one and one not in owners)
    store = app.state.store
    for name, role, owned in (
        ("rep", "lead", sorted(owners)),
        ("stranger", "rep", [stranger]),
        ("other lead", "lead", [stranger]),
        ("nobody's", "lead", []),
    ):
        users.add(store, name, role, owned, None)  # type: ignore[arg-type]
        users.set_slack_id(store, name, f"U0{name.upper()[:3]}")
    rows = {kind: {**row, "kind": kind} for kind, row in rows.items()}
    with TestClient(app, base_url="https://testserver", follow_redirects=False) as client:
        yield Panel(app, client, slack, rows)


def elsewhere(panel: Panel, kind: str, verdict: str, **fields: Any) -> None:
    """Somebody answers on a page."""
    row = panel.rows[kind]
    form = {
        "kind": "action", "verdict": verdict, "action_id": row["action_id"],
        "form_token": decisions.new_token(), "version": str(decisions.newest(panel.store)),
        "as_of_date": str(row["as_of_date"]), **fields,
    }  # fmt: skip
    wanted = decisions.read_form(form, row["account_id"], utc_now().date())
    assert decisions.decide(panel.store, Person("olga", "admin"), wanted)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("approval", "approved"), ("approval", "dropped"), ("reminder", "done"), ("reminder", "not_now")],
)
def test_a_click_is_kept_as_a_decision_and_shown_in_the_message(
    kind: str, verdict: str, panel: Panel, tmp_path: Path
) -> None:
    assert panel.press(kind, verdict) == ""
    until = (utc_now().date() + timedelta(days=7)).isoformat() if verdict == "not_now" else None
    assert panel.decided() == [(verdict, panel.rows[kind]["action_id"], "rep", until)]
    (update,) = panel.vendors.updates
    assert [block["type"] for block in update["blocks"]] == ["section", "context"], "no button is left"
    assert update["ts"] == f"{panel.started - 60:.6f}"
    assert " by rep. It counts from the next run." in update["blocks"][-1]["elements"][0]["text"]
    write_decision_feed(panel.store.file, tmp_path / "feed")
    (review,) = (tmp_path / "feed/crm/reviews/panel_decisions.ndjson").read_text().splitlines()
    assert json.loads(review)["review_id"].startswith("slack-"), "the audit knows where it was decided"


@pytest.mark.parametrize("at", [-301, 301, -86_400])
def test_an_old_call_is_refused(at: float, panel: Panel) -> None:
    assert panel.send(panel.body("reminder", "done"), at=at) == 401
    assert panel.decided() == []


@pytest.mark.parametrize("at", [-298, 298])
def test_a_call_of_the_last_five_minutes_is_taken(at: float, panel: Panel) -> None:
    assert panel.send(panel.body("reminder", "done"), at=at) == 200
    assert len(panel.decided()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=é"},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "now"},
        {"X-Slack-Request-Timestamp": "1" * 400},
    ],
)
def test_what_slack_did_not_sign_is_refused(headers: dict[str, str], panel: Panel) -> None:
    given = {name: value.encode() for name, value in headers.items()}
    assert panel.send(panel.body("reminder", "done"), **given) == 401  # type: ignore[arg-type]
    assert panel.decided() == []
    assert panel.vendors.calls == []


def test_a_changed_body_is_refused(panel: Panel) -> None:
    body = panel.body("reminder", "done")
    headers = signed(body)
    for changed in (body + b"&x=1", body.replace(b"done", b"dropped")):
        assert panel.client.post(PATH, content=changed, headers=headers).status_code == 401
    assert panel.decided() == []


def test_a_click_that_comes_again_is_one_decision_and_answered_the_same(panel: Panel) -> None:
    body = panel.body("approval", "approved")
    assert [panel.send(body), panel.send(body)] == [200, 200], "played back"
    assert panel.press("approval", "approved", at="2.0") == "", "a double click"
    assert len(panel.decided()) == 1
    first, *others = panel.vendors.updates
    assert others == [first, first]


def test_nobody_decides_whom_the_panel_does_not_know(panel: Panel) -> None:
    told = panel.press("reminder", "done", user="U0NEW")
    assert "radar panel users slack NAME U0NEW" in told
    users.change(panel.store, "rep", disabled=True)
    assert "does not know you" in panel.press("reminder", "done")
    assert panel.decided() == []


@pytest.mark.parametrize("user", ["U0STR", "U0OTH", "U0NOB"])
def test_an_account_of_somebody_else_is_not_decided(user: str, panel: Panel) -> None:
    for kind, verdict in (("approval", "approved"), ("reminder", "done")):
        assert panel.press(kind, verdict, user=user).startswith("There is no such account")
    assert panel.decided() == []
    (whisper,) = panel.vendors.whispers
    assert (whisper["user"], whisper["channel"]) == (user, CHANNEL), "no other person reads it"


def test_who_was_quicker_on_a_page_is_named(panel: Panel) -> None:
    elsewhere(panel, "approval", "dropped")
    assert "Somebody was quicker: Draft dropped by olga." in panel.press("approval", "approved")
    assert [row[:1] for row in panel.decided()] == [("dropped",)]


def test_what_was_decided_before_the_message_does_not_stop_other_answers(panel: Panel) -> None:
    elsewhere(panel, "approval", "dropped")
    later = f"{time.time() + 1:.6f}"
    assert "Somebody was quicker: Draft dropped by olga." in panel.press("approval", "approved", ts=later)
    panel.press("reminder", "done", ts=later)
    assert [row[0] for row in panel.decided()] == ["dropped", "done"]


def test_another_button_after_the_first_changes_nothing(panel: Panel) -> None:
    panel.press("approval", "approved")
    assert "Draft approved by rep" in panel.press("approval", "dropped")
    assert [row[0] for row in panel.decided()] == ["approved"]


def test_what_was_undone_is_not_decided_by_the_same_click(panel: Panel) -> None:
    panel.press("approval", "approved")
    (one,) = decisions.of_account(panel.store, panel.rows["approval"]["account_id"])
    form = {
        "kind": "undo", "undoes": one.decision_id, "form_token": decisions.new_token(),
        "version": str(one.sequence), "as_of_date": one.as_of_date,
    }  # fmt: skip
    wanted = decisions.read_form(form, one.account_id, utc_now().date())
    assert decisions.decide(panel.store, Person("rep", "lead"), wanted)
    assert "undone" in panel.press("approval", "approved")


def test_a_text_that_is_not_the_one_that_was_shown_is_not_approved(panel: Panel) -> None:
    shown = panel.rows["approval"]["draft"]
    other = drafts.Draft(shown.subject, shown.text + "P.S.", shown.html)
    panel.rows["approval"]["draft"] = other
    told = panel.press("approval", "approved")
    assert "The text is not the one that is shown here any more" in told
    assert f"<https://radar.example/accounts/{panel.rows['approval']['account_id']}|" in told
    assert panel.decided() == []
    assert panel.press("approval", "dropped") == "", "whatever it says, it is not wanted"


def test_what_is_over_or_too_old_is_refused_as_on_the_page(panel: Panel) -> None:
    row = panel.rows["approval"]
    panel.rows["approval"] = {**row, "as_of_date": row["as_of_date"] - timedelta(days=32)}
    assert "This page is too old" in panel.press("approval", "approved")
    panel.rows["approval"] = {**row, "action_id": "gone"}
    assert "does not wait for an answer any more" in panel.press("approval", "approved")
    panel.rows["reminder"]["action_id"] = "gone"
    assert "This task is not open any more" in panel.press("reminder", "done")
    panel.rows["reminder"]["action_id"] = "no, not one"
    assert "is not named" in panel.press("reminder", "done")
    assert panel.decided() == []


GARBAGE = [
    b"", b"payload", b"payload=", b"payload=%ff", b"payload={", b"payload=[]", b"payload=null", b"payload=7",
    b"payload=" + b"[" * 60_000, b"payload={}",
    b'payload={"type":"block_actions","actions":[]}', b"&" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_refused(body: bytes, panel: Panel) -> None:
    assert panel.send(body) == 400
    assert panel.vendors.calls == []


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload.update(type="view_submission"),
        lambda payload: payload.update(user={"id": "U0REP> <!channel"}),
        lambda payload: payload.update(user=None),
        lambda payload: payload["message"].update(ts="1"),
        lambda payload: payload["message"].update(ts=None),
        lambda payload: payload["message"].update(blocks=[None]),
        lambda payload: payload["actions"][0].update(action_id="override"),
        lambda payload: payload["actions"][0].update(value="[]"),
        lambda payload: payload["actions"][0].update(value='{"account": "a"}'),
        lambda payload: payload.update(actions=payload["actions"] * 2),
    ],
)
def test_a_call_that_is_of_no_button_of_ours_is_refused(
    change: Callable[[dict[str, Any]], None], panel: Panel
) -> None:
    from urllib.parse import parse_qs  # noqa: PLC0415

    payload = json.loads(parse_qs(panel.body("reminder", "done").decode())["payload"][0])
    change(payload)
    assert panel.send(urlencode({"payload": json.dumps(payload)}).encode()) == 400
    assert panel.decided() == []


def test_more_than_a_message_can_hold_is_refused(panel: Panel) -> None:
    assert panel.send(b"payload=" + b"x" * 256 * 1024) == 413
    assert panel.decided() == []


def test_only_this_path_needs_no_session_and_no_form_of_ours(panel: Panel) -> None:
    body = panel.body("reminder", "done")
    for path in ("/slack/interactions/", "/slack", "/approvals", "/"):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert panel.client.post(path, content=body, headers=headers).status_code == 403
    assert panel.client.get(PATH).status_code == 404


def test_without_the_signing_secret_there_is_no_such_page(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RADAR_SLACK_SIGNING_SECRET")
    plain = TestClient(create_app(panel.app.state.settings), base_url="https://testserver")
    assert plain.post(PATH, content=panel.body("reminder", "done")).status_code == 404


def test_calls_that_are_not_signed_are_told_to_wait_and_signed_ones_never(panel: Panel) -> None:
    body = panel.body("reminder", "done")
    statuses = [panel.send(body, **{"X-Slack-Signature": "v0=no"}) for _ in range(40)]
    assert set(statuses) == {401, 429}
    assert panel.send(body) == 200
    assert len(panel.decided()) == 1


def test_a_person_who_clicks_without_end_is_told_to_wait(panel: Panel) -> None:
    told = [
        panel.press("reminder", "done", value=json.dumps({**NOBODY, "action": f"{n}"})) for n in range(30)
    ]
    assert any("too fast" in one for one in told)
    assert "too fast" not in panel.press("reminder", "done", user="U0STR")


NOBODY = {"account": "nobody", "as_of": "2026-06-30"}


def test_where_slack_does_not_answer_the_decision_is_kept(panel: Panel) -> None:
    panel.vendors.fail("chat.", "500", "lose", "500")
    assert panel.send(panel.body("reminder", "done")) == 200
    assert panel.send(panel.body("reminder", "done")) == 200
    assert panel.send(panel.body("reminder", "not_now")) == 200
    assert [row[0] for row in panel.decided()] == ["done"]


def test_a_store_of_the_release_before_is_opened_and_keeps_its_users(tmp_path: Path) -> None:
    file = tmp_path / "panel.sqlite"
    with closing(sqlite3.connect(file)) as con:
        con.executescript(
            """
            create table users (
                name text primary key, password_hash text,
                role text not null check (role in ('rep', 'lead', 'admin')),
                owner_ids text not null default '[]', is_disabled integer not null default 0,
                epoch integer not null default 1, created_at text not null
            ) strict;
            insert into users (name, role, created_at) values ('olga', 'admin', '2026-01-01T00:00:00Z');
            """
        )
    for _ in range(2):
        store = Store(file)
        assert users.find(store, "olga") is not None
        users.set_slack_id(store, "olga", "U0OLGA")
    found = users.find_by_slack_id(store, "U0OLGA")
    assert found
    assert found.name == "olga"


def test_a_slack_id_is_one_user_s_and_can_be_taken_away(tmp_path: Path) -> None:
    store = Store(tmp_path / "panel.sqlite")
    for name in ("olga", "ruth"):
        users.add(store, name, "admin", [], None)
    users.set_slack_id(store, "olga", "U0OLGA")
    with pytest.raises(UsageError, match="is olga already"):
        users.set_slack_id(store, "ruth", "U0OLGA")
    for wrong in ("", "olga", "u0olga", "U0OLGA\n", "U0 OLGA", "C0CHANNEL"):
        with pytest.raises(UsageError, match="no member id"):
            users.set_slack_id(store, "ruth", wrong)
    with pytest.raises(UsageError, match="there is no user"):
        users.set_slack_id(store, "nobody", "U0NEW")
    users.set_slack_id(store, "olga", None)
    assert users.find_by_slack_id(store, "U0OLGA") is None
    users.set_slack_id(store, "ruth", "U0OLGA")


def test_the_command_gives_and_takes_and_the_list_shows_it(tmp_path: Path) -> None:
    users.add(Store(tmp_path / "panel.sqlite"), "olga", "admin", [], None)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(cli, ["panel", "users", *arguments, f"--store={tmp_path / 'panel.sqlite'}"])
        assert done.exit_code == 0, done.output
        return done.output

    run("slack", "olga", "U0OLGA")
    assert "Slack U0OLGA" in run("list")
    run("slack", "olga")
    assert "U0OLGA" not in run("list")


def test_a_day_has_no_time_in_a_button() -> None:
    row = {"kind": "alert", "account_id": "a", "action_id": "1", "as_of_date": date(2026, 6, 30)}
    (block,) = messages.buttons(row, is_whole=True)
    assert json.loads(block["elements"][0]["value"]) == {"account": "a", "action": "1", "as_of": "2026-06-30"}
    assert messages.buttons({**row, "account_id": "a" * 2_000}, is_whole=True) == [], "Slack would refuse it"
