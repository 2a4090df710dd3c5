"""The panel on the session's demo copy, with one user of each role, and browsers for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.settings import PanelSettings
from tests.panel.people import Owners
from tests.runs.radar_run import Place

ClientAs = Callable[[str | None], TestClient]


@pytest.fixture(scope="session")
def owners(demo_run: Place) -> Owners:
    """Owners of the demo company: one for the rep, two for the lead, one of nobody's."""
    with duckdb.connect(str(demo_run.published / "radar.duckdb"), read_only=True) as con:
        found = con.execute("select distinct owner_id from marts.rpt_review_queue order by 1").fetchall()
    ids = [owner for (owner,) in found if owner]
    return Owners(rep=ids[0], team=(ids[0], ids[1]), stranger=ids[2])


@pytest.fixture
def app(demo_run: Place, owners: Owners, tmp_path: Path) -> Iterator[Starlette]:
    """A panel with a store of its own; `rep`, `lead` and `admin` are its users."""
    made = create_app(
        PanelSettings(published=demo_run.published, store=tmp_path / "panel.sqlite", stale_days=100_000)
    )
    store = made.state.store
    users.add(store, "rep", "rep", [owners.rep], None)
    users.add(store, "lead", "lead", owners.team, None)
    users.add(store, "admin", "admin", [], None)
    yield made
    made.state.published_db.close()


@pytest.fixture
def client_as(app: Starlette) -> Iterator[ClientAs]:
    """A client with a session of the named user; None is nobody."""
    clients: list[TestClient] = []

    def make(name: str | None) -> TestClient:
        client = TestClient(app, base_url="https://testserver", follow_redirects=False)
        clients.append(client)
        if name:
            found = users.find(app.state.store, name)
            assert found
            client.cookies.set(sessions.COOKIE, sessions.begin(app.state.store, *found))
        return client

    yield make
    for client in clients:
        client.close()
