"""The page Rules: two people promote a shadow, and a rep decides nothing about rule sets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.settings import PanelSettings
from radar.rules import promotions
from tests.panel.people import Owners
from tests.panel.republished_copy import publish_again
from tests.runs.radar_run import Place

FORM_KEY = re.compile(r'name="form_key" value="([^"]*)"')


@pytest.fixture(scope="module")
def published(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy of the demo, its shadow old enough."""
    return publish_again(
        demo_run,
        tmp_path_factory.mktemp("promotion"),
        "update marts.rpt_rule_set_states set state = 'eligible', status_since = date '2026-06-01',"
        " compared_days = 20, alerts = 7, champion_alerts = 4, spot_checks = 9, spot_checks_agreed = 8,"
        " champion_spot_checks_agreed = 6 where rule_set = 'snapshot_v1'",
    )


@pytest.fixture
def clients(published: Path, owners: Owners, tmp_path: Path) -> Iterator[dict[str, TestClient]]:
    app = create_app(PanelSettings(published=published, store=tmp_path / "panel.sqlite", stale_days=100_000))
    store = app.state.store
    users.add(store, "rep", "rep", [owners.rep], None)
    users.add(store, "lead", "lead", [owners.rep], None)
    users.add(store, "admin", "admin", [], None)
    made = {}
    for name in ("rep", "lead", "admin"):
        made[name] = TestClient(app, base_url="https://testserver", follow_redirects=False)
        found = users.find(store, name)
        assert found
        made[name].cookies.set(sessions.COOKIE, sessions.begin(store, *found))
    yield made
    for client in made.values():
        client.close()
    app.state.published_db.close()


def decide(client: TestClient, kind: str, rule_set: str = "snapshot_v1") -> tuple[int, str]:
    """The status of the answer, and what the page shows then."""
    found = FORM_KEY.search(client.get("/rules").text)
    assert found
    form = {"form_key": found[1], "kind": kind, "rule_set": rule_set, "reason": "fits better"}
    answer = client.post("/rules", data=form)
    shown = answer.text if answer.status_code == 422 else client.get("/rules").text
    return answer.status_code, unescape(shown)


def kinds(tmp_path: Path) -> list[tuple[str, str]]:
    return [(one.kind, one.decided_by) for one in promotions.decisions(tmp_path / "panel.sqlite")]


def test_a_lead_proposes_an_admin_confirms_and_takes_it_back(
    clients: dict[str, TestClient], tmp_path: Path
) -> None:
    shown = clients["lead"].get("/rules").text
    assert "shadow since 1 Jun 2026, may be promoted" in shown
    assert "On 20 recorded days it would have sent 7 alerts, the champion rule set 4." in shown
    assert "It agrees with 8 of 9 spot checks, the champion rule set with 6." in shown
    status, shown = decide(clients["lead"], "promote")
    assert (status, "Proposed as champion by lead" in shown, "Confirm as champion" in shown) == (
        303,
        True,
        False,
    )
    status, shown = decide(clients["lead"], "promote")
    assert (status, "a second person has to confirm" in shown) == (422, True)
    assert "Confirm as champion" in clients["admin"].get("/rules").text
    status, shown = decide(clients["admin"], "promote")
    assert (status, "The champion rule set from the next run on." in shown) == (303, True)
    assert "Back to playbook_v1" in shown
    assert decide(clients["admin"], "roll_back")[0] == 303
    assert kinds(tmp_path) == [("proposed", "lead"), ("promoted", "admin"), ("rolled_back", "admin")]


def test_a_rep_sees_the_report_and_decides_nothing(clients: dict[str, TestClient], tmp_path: Path) -> None:
    shown = clients["rep"].get("/rules").text
    assert "It agrees with 8 of 9 spot checks" in shown
    assert "Propose as champion" not in shown
    status, shown = decide(clients["rep"], "promote")
    assert (status, "a lead or an admin decides" in shown.lower()) == (422, True)
    assert decide(clients["admin"], "delete")[0] == 422
    assert kinds(tmp_path) == []
