"""From the question of an agent to the entry of the audit that a run makes of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest
from starlette.testclient import TestClient

from radar.demo import generate
from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.store import Store
from tests.mcp.agents import Desk, body, refusal
from tests.runs.radar_run import Place, radar

DAY = date(2026, 6, 30)
pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    generate(made.extracts, accounts=90, days=60, seed=3, end=DAY)
    made.run(f"--as-of={DAY}")
    return made


def test_every_call_is_an_entry_after_the_next_run(place: Place, tmp_path: Path) -> None:
    desk = Desk(place.published, place.warehouse.with_name("panel.sqlite"), tmp_path / "panel.cache")
    ((own, owner),) = place.rows(
        "select account_id, owner_id from marts.rpt_account_health where owner_id is not null limit 1"
    )
    ((other,),) = place.rows(
        f"select account_id from marts.rpt_account_health where owner_id <> '{owner}' limit 1"
    )
    rep, admin = desk.add("rep", "rep", owner), desk.add("admin", "admin")
    secret = "select 1 where 'jane@example.com' = 'radar_mcp_abcdefghijklmnopqrstuvwxyz'"
    answered, refused, asked = desk.ask(
        rep,
        ("account", {"account": own}),
        ("account", {"account": other}),
        ("query", {"statement": secret}),
    )
    assert body(answered)["answer"]["account_id"] == own
    assert refusal(refused)
    assert body(asked)["answer"]["rows"] == []
    (of_admin,) = desk.ask(admin, ("why", {"account": other}))
    assert body(of_admin)

    place.run(f"--as-of={DAY}")

    entries = place.rows(
        "select actor, state, account_id, as_of_date, evidence from audit.entries"
        " where kind = 'agent_call' order by sequence"
    )
    assert [entry[:4] for entry in entries] == [
        ("rep", "answered", own, DAY),
        ("rep", "refused", None, DAY),
        ("rep", "answered", None, DAY),
        ("admin", "answered", other, DAY),
    ]
    evidence = [json.loads(entry[4]) for entry in entries]
    assert [one["tool"] for one in evidence] == ["account", "account", "query", "why"]
    assert evidence[1]["reason"] == f"There is no account '{other}' that you may see."
    assert evidence[2]["arguments"] == {"statement": "select 1 where (e-mail) = '***'"}
    assert {one["token"] for one in evidence} == {
        row["token_id"] for row in Store(desk.store).con.execute("select token_id from tokens")
    }
    assert "unbroken" in radar("audit", "verify", f"--warehouse={place.warehouse}").stdout
    with duckdb.connect(str(place.published / "radar.duckdb"), read_only=True) as con:
        seen = con.execute("select count(*) from audit.entries where kind = 'agent_call'").fetchall()
    assert seen == [(4,)], "the copy that the panel reads has them at once"

    pages = {name: audit_page(desk, name) for name in ("rep", "admin")}
    assert pages["admin"].count("Asked by an agent") > pages["rep"].count("Asked by an agent")
    assert "Account: answered" in pages["rep"]
    assert "Why: answered" in pages["admin"]
    assert "Query: answered" in pages["admin"]
    assert "Query: answered" not in pages["rep"], "a statement is about all accounts of whoever asked it"
    assert "Why: answered" not in pages["rep"]

    place.run(f"--as-of={DAY}")
    assert place.rows("select count(*) from audit.entries where kind = 'agent_call'") == [(4,)]


def audit_page(desk: Desk, name: str) -> str:
    app = create_app(desk.settings)
    found = users.find(Store(desk.store), name)
    assert found
    with TestClient(app, base_url="https://testserver") as client:
        client.cookies.set(sessions.COOKIE, sessions.begin(app.state.store, *found))
        return client.get("/audit?kind=agent_call").text
