"""What a person reads of a draft before approving it: what goes out, byte for byte, or why nothing does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.testclient import TestClient

from radar.audit.delivery_ledger import Item, Row
from radar.deliveries import drafts, messages
from radar.deliveries.channels.mail import compose
from radar.deliveries.deliveries import Deliveries
from radar.deliveries.rendering import SHIPPED, Templates
from radar.deliveries.settings import Destinations
from radar.panel import read_model, sessions, users
from radar.panel.app import create_app
from radar.panel.pages import my_day
from radar.panel.settings import PanelSettings
from tests.panel.republished_copy import DAY, publish_again
from tests.runs.radar_run import Place

PLAYS = [*sorted(file.stem.removeprefix("mail_") for file in SHIPPED.glob("mail_*.j2")), "of_the_house"]
"""One for each template, and one without a template of its own."""
OWN_TEMPLATE = """For {{ first_name }}

{{ guidance }} {{ activity | sparkline }} {{ rules | join(', ') }}

{{ owner_name }} for {{ account_name }}
"""
CHANGES = (
    "delete from audit.deliveries",
    # nobody signs
    """update marts.rpt_account_health set owner_name = ' ' where account_id = (
        select min(account_id) from marts.fct_actions
        where channel = 'mail_draft' and status = 'to_approve'
    )""",
    # nobody may get it, and one whose name is not known
    """delete from intermediate.int_mail_contacts where account_id = (
        select max(account_id) from marts.fct_actions
        where channel = 'mail_draft' and status = 'to_approve'
    )""",
    """update intermediate.int_mail_contacts set full_name = null, has_name = false where account_id in (
        select account_id from marts.fct_actions
        where channel = 'mail_draft' and status = 'to_approve' order by account_id limit 3 offset 2
    )""",
)


@dataclass(frozen=True)
class Sides:
    """What a run is about to send, and what the panel drew from the copy of the same run."""

    items: list[Item]
    contexts: dict[str, Row]
    bodies: dict[str, Any]
    published: Path


@pytest.fixture(scope="module")
def sides(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Sides:
    folder = tmp_path_factory.mktemp("drafts")
    published = publish_again(demo_run, folder, *CHANGES)
    file = folder / "read_model.sqlite"
    read_model._make_apart(published / "radar.duckdb", file)
    with closing(sqlite3.connect(file)) as con:
        found = con.execute("select account_id, body from bodies").fetchall()
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        work = Deliveries(warehouse, folder / "exports", "run", DAY, Destinations())
        items = [item for item in work._due if item.channel == "mail"]
        bodies = {account_id: json.loads(body) for account_id, body in found}
        return Sides(items, work._mail_contexts(items), bodies, published)


@pytest.fixture
def own_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of an installation whose template writes all that there is, where it is known or not."""
    (tmp_path / "mail_check_in.j2").write_text(OWN_TEMPLATE)
    monkeypatch.setenv("RADAR_TEMPLATES", str(tmp_path))
    my_day._templates.cache_clear()
    yield tmp_path
    my_day._templates.cache_clear()


def assert_preview_is_what_is_sent(sides: Sides, play: str, templates: Templates) -> set[str]:
    """Hold every draft of the run, in this play's words, against the panel's; why some are blocked."""
    items = [replace(item, row=item.row | {"play": play}) for item in sides.items]
    blocked: dict[str, str] = {}
    now = datetime(2026, 7, 1)
    sent = {
        message.items[0].action_id: message.file[1]
        for message in messages.mails(
            items, templates, sides.contexts, sender=None, as_of=DAY, now=now, blocked=blocked
        )
        if message.file
    }
    assert len(sent) + len(blocked) == len(items) > 20
    for item in items:
        body, context = sides.bodies[item.account_id], sides.contexts[item.account_id]
        (action,) = [one for one in body["actions"] if one["action_id"] == item.action_id]
        preview = my_day._draft({**action, "play": play}, body["mail"])
        assert preview is not None
        assert preview.reason == blocked.get(item.delivery_key)
        if preview.draft is None:
            continue
        name = (context["contact_name"] or "").split()[:1]
        assert preview.names_contact == bool(name)
        named = drafts.Draft(
            *(
                text.replace(drafts.FIRST_NAME, *name) if name else text
                for text in (preview.draft.subject, preview.draft.text, preview.draft.html)
            ),
            preview.draft.language,
        )
        mail = compose(
            named,
            action_id=str(item.action_id),
            sender=messages.NO_SENDER,
            owner_name=context["owner_name"],
            reply_to=(context["owner_name"], item.row["owner_email"]) if item.row["owner_email"] else None,
            to=(context["contact_name"] or "", context["contact_email"]),
            written_at=datetime(2026, 6, 30),
            is_draft=True,
        )
        assert mail.as_bytes() == sent[item.action_id]
    return set(blocked.values())


@pytest.mark.parametrize("play", PLAYS)
def test_a_draft_reads_in_the_panel_as_it_goes_out(sides: Sides, play: str) -> None:
    reasons = assert_preview_is_what_is_sent(sides, play, Templates())
    numbers = {reason for reason in reasons if reason.startswith("the template needs ")}
    assert reasons - numbers == {
        "the account has no owner who could sign the mail",
        "no contact who consented has an address",
    }
    assert bool(numbers) == (play == "monthly_summary"), "the summary has five numbers or is not written"


def test_what_a_template_writes_and_nobody_knows_is_the_reason_in_both(
    sides: Sides, own_template: Path
) -> None:
    reasons = assert_preview_is_what_is_sent(sides, "check_in", Templates(own_template))
    assert {
        "the template needs first_name, which is not known",
        "the template needs guidance, which is not known",
    } <= reasons


def test_the_page_shows_the_words_or_the_reason(sides: Sides, tmp_path: Path) -> None:
    settings = PanelSettings(published=sides.published, store=tmp_path / "panel.sqlite", stale_days=100_000)
    app = create_app(settings)
    users.add(app.state.store, "admin", "admin", [], None)
    found = users.find(app.state.store, "admin")
    assert found
    blocked: dict[str, str] = {}
    list(
        messages.mails(
            sides.items, Templates(), sides.contexts, sender=None, as_of=DAY, now=datetime(2026, 7, 1),
            blocked=blocked,
        )
    )  # fmt: skip
    with TestClient(app, base_url="https://testserver") as client:
        client.cookies.set(sessions.COOKIE, sessions.begin(app.state.store, *found))
        for item in sorted(sides.items, key=lambda one: one.delivery_key not in blocked)[:12]:
            page = client.get(f"/accounts/{item.account_id}").text
            reason = blocked.get(item.delivery_key)
            assert ("The mail cannot be written:" in page) == (reason is not None)
            assert (reason or f"\n{sides.contexts[item.account_id]['owner_name']}") in page
    assert 0 < len(blocked) < 12
    app.state.published_db.close()


def test_the_panel_holds_no_name_of_a_contact(sides: Sides) -> None:
    text = json.dumps([body["mail"] for body in sides.bodies.values()])
    names = {context["contact_name"] for context in sides.contexts.values()} - {None}
    assert names
    assert [name for name in names if name in text] == []
    assert "@" not in text


def test_a_copy_of_an_earlier_release_is_drawn_with_what_it_has(sides: Sides, tmp_path: Path) -> None:
    copy, file = tmp_path / "radar.duckdb", tmp_path / "read_model.sqlite"
    copy.write_bytes((sides.published / "radar.duckdb").read_bytes())
    with duckdb.connect(str(copy)) as con:
        for view in ("rpt_mail_facts", "rpt_open_actions", "rpt_evidence_ledger"):
            con.execute(f"drop view marts.{view}")
    read_model._make_apart(copy, file)
    with closing(sqlite3.connect(file)) as con:
        account = [sides.items[3].account_id]
        body = json.loads(con.execute("select body from bodies where account_id = ?", account).fetchone()[0])
        pieces = {
            piece for (piece,) in con.execute("select piece from details where account_id = ?", account)
        }
    assert (body["actions"], body["mail"]) == (None, None)
    assert body["health"]["score"] is not None
    assert "years" in pieces
    assert "ledgers" not in pieces
