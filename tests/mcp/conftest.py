"""The session's demo copy with one user of each role, and a token for each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from radar.mcp.settings import McpSettings
from radar.mcp.tools import Tools
from radar.panel.store import Store
from tests.conftest import shared_folder
from tests.mcp.agents import Desk
from tests.panel.conftest import owners  # noqa: F401  a fixture
from tests.panel.people import Owners
from tests.runs.radar_run import Place


@dataclass(frozen=True)
class Accounts:
    """Account ids: of the rep's, whose score changed most often; of nobody they may see."""

    rep: str
    stranger: str


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_folder(tmp_path_factory) / "mcp_cache"


@pytest.fixture
def desk(demo_run: Place, cache: Path, tmp_path: Path) -> Desk:
    """A store of its own, without users."""
    made = Desk(demo_run.published, tmp_path / "panel.sqlite", cache)
    tools = Tools(made.settings, McpSettings(), Store(made.store))
    tools.prepare()
    tools.close()
    return made


@pytest.fixture
def rep(desk: Desk, owners: Owners) -> str:  # noqa: F811
    """The token of a rep."""
    return desk.add("rep", "rep", owners.rep)


@pytest.fixture
def lead(desk: Desk, owners: Owners) -> str:  # noqa: F811
    return desk.add("lead", "lead", *owners.team)


@pytest.fixture
def admin(desk: Desk) -> str:
    return desk.add("admin", "admin")


@pytest.fixture(scope="session")
def accounts(demo_run: Place, owners: Owners) -> Accounts:  # noqa: F811
    query = """
        select health.account_id
        from marts.rpt_account_health as health
        left join marts.fct_score_changes as changes on health.account_id = changes.account_id
        where owner_id = ?
        group by all
        order by count(changes.change) filter (where changes.change <> 0) desc, account_id
    """
    with duckdb.connect(str(demo_run.published / "radar.duckdb"), read_only=True) as con:
        found = [con.execute(query, [owner]).fetchall()[0][0] for owner in (owners.rep, owners.stranger)]
    return Accounts(*found)
