"""The page Who is who: a person chooses the account of an id, and the next run lands the choice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from radar.landing.decision_feed import FILE, write_decision_feed
from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.settings import PanelSettings
from tests.panel.people import Owners
from tests.panel.republished_copy import publish_again
from tests.runs.radar_run import Place

LINK = (
    "('{source}', '{id}', '{account}', 'Name of {account}', '{owner}', '{rule}', 'low', {linked},"
    " {candidates}, 7)"
)
HIDDEN = re.compile(r'name="(form_key|form_token|source|source_account_id)" value="([^"]*)"')


@pytest.fixture(scope="module")
def published(demo_run: Place, owners: Owners, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy of the demo with an id of two of the rep's accounts, and one shared with a stranger."""
    links = [
        ("billing", "cus_1", "x1", owners.rep, "email", False, 2),
        ("billing", "cus_1", "x2", owners.rep, "email", False, 2),
        ("billing", "cus_2", "x1", owners.rep, "domain", False, 2),
        ("billing", "cus_2", "x3", owners.stranger, "domain", False, 2),
        ("product", "org_9", "x1", owners.rep, "identity", True, 1),
    ]
    names = ("source", "id", "account", "owner", "rule", "linked", "candidates")
    rows = ", ".join(LINK.format(**dict(zip(names, link, strict=True))) for link in links)
    return publish_again(
        demo_run,
        tmp_path_factory.mktemp("links"),
        "delete from marts.dim_account_links",
        f"insert into marts.dim_account_links values {rows}",
        "insert into marts.rpt_unresolved_ids values"
        " ('billing/invoices', 'billing', 'cus_8', 1, 41, 0, 0, timestamp '2026-06-30')",
    )


@pytest.fixture
def clients(published: Path, owners: Owners, tmp_path: Path) -> Iterator[dict[str, TestClient]]:
    app = create_app(PanelSettings(published=published, store=tmp_path / "panel.sqlite", stale_days=100_000))
    store = app.state.store
    users.add(store, "rep", "rep", [owners.rep], None)
    users.add(store, "admin", "admin", [], None)
    made = {}
    for name in ("rep", "admin"):
        made[name] = TestClient(app, base_url="https://testserver", follow_redirects=False)
        found = users.find(store, name)
        assert found
        made[name].cookies.set(sessions.COOKIE, sessions.begin(store, *found))
    yield made
    for client in made.values():
        client.close()
    app.state.published_db.close()


def form_of(client: TestClient, source_account_id: str) -> dict[str, str]:
    """The fields of the form of an id, as a browser sends them."""
    forms = re.findall(
        r"<form class=\"row\" action=\"/links\".*?</form>", client.get("/links").text, re.DOTALL
    )
    return next(
        fields
        for form in forms
        if (fields := dict(HIDDEN.findall(form)))["source_account_id"] == source_account_id
    )


def choices(tmp_path: Path) -> list[dict[str, str]]:
    """What the next run lands of the panel's store."""
    write_decision_feed(tmp_path / "panel.sqlite", tmp_path / "feed")
    file = tmp_path / "feed/crm/identities" / FILE
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_choice_lands_as_an_identity_and_the_last_one_counts(
    clients: dict[str, TestClient], tmp_path: Path
) -> None:
    rep = clients["rep"]
    for account_id in ("x2", "x1"):
        answer = rep.post("/links", data={**form_of(rep, "cus_1"), "account_id": account_id})
        assert (answer.status_code, answer.headers["location"]) == (303, "/links#choose")
    shown = unescape(rep.get("/links").text)
    assert "chosen by <bdi>rep</bdi>" in shown
    assert re.search(r'value="x1" required checked', shown)
    assert choices(tmp_path) == [
        {"source": "billing", "source_account_id": "cus_1", "account_id": "x1", "decided_by": "rep"}
    ]


def test_a_form_that_is_sent_twice_is_kept_once(clients: dict[str, TestClient], tmp_path: Path) -> None:
    rep = clients["rep"]
    form = form_of(rep, "cus_1")
    for account_id in ("x2", "x1"):
        assert rep.post("/links", data={**form, "account_id": account_id}).status_code == 303
    assert [one["account_id"] for one in choices(tmp_path)] == ["x2"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"account_id": "x9"}, "Choose one of the accounts."),
        ({}, "Choose one of the accounts."),
        ({"source_account_id": "cus_2", "account_id": "x1"}, "nobody has to choose for this id"),
        ({"source_account_id": "org_9", "account_id": "x1"}, "nobody has to choose for this id"),
        ({"form_token": "short", "account_id": "x1"}, "nobody has to choose for this id"),
    ],
)
def test_only_one_of_ones_own_accounts_can_be_chosen(
    clients: dict[str, TestClient], tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    rep = clients["rep"]
    answer = rep.post("/links", data={**form_of(rep, "cus_1"), **changes})
    assert answer.status_code == 422
    assert words in answer.text
    assert choices(tmp_path) == []


def test_whoever_sees_every_account_that_an_id_may_be_is_asked(clients: dict[str, TestClient]) -> None:
    assert "cus_2" not in clients["rep"].get("/links").text
    shown = clients["admin"].get("/links").text
    assert "cus_1" in shown
    assert "cus_2" in shown
    assert "cus_8" in shown
    assert "product" in shown


def test_quality_shows_how_much_of_each_feed_finds_its_account(clients: dict[str, TestClient]) -> None:
    shown = clients["rep"].get("/quality").text
    assert "How much of each feed finds its account" in shown
    assert 'href="/links"' in shown
    lines = clients["rep"].get("/quality?format=csv&part=coverage").text.splitlines()
    assert lines[0].startswith('\ufeff"feed","rows_total"')
    assert any(line.startswith('"product/events"') for line in lines)
