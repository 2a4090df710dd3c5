"""A newer copy, an old one, none; and the commands for users."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.settings import PanelSettings
from radar.panel.store import Store
from tests.runs.radar_run import Place

RADAR = Path(sys.executable).with_name("radar")


def published(folder: Path, number: int, source: Path, name: str | None = None) -> None:
    """A set of files as `radar.publishing.published_copy` lays them, with one account renamed."""
    made = folder / ".sets" / f"{number:06d}-00000000"
    made.mkdir(parents=True)
    shutil.copyfile(source / "radar.duckdb", made / "radar.duckdb")
    if name:
        with duckdb.connect(str(made / "radar.duckdb")) as con:
            con.execute("update marts.rpt_account_health set account_name = ?", [name])
    temporary = folder / "new"
    temporary.symlink_to(Path(".sets") / made.name)
    temporary.replace(folder / "current")
    if not (folder / "radar.duckdb").is_symlink():
        (folder / "radar.duckdb").symlink_to("current/radar.duckdb")


def panel(folder: Path, stale_days: int = 100_000) -> tuple[Starlette, TestClient]:
    settings = PanelSettings(
        published=folder / "published", store=folder / "panel.sqlite", stale_days=stale_days
    )
    app = create_app(settings)
    if users.find(app.state.store, "ada") is None:
        users.add(app.state.store, "ada", "admin", [], None)
    client = TestClient(app, base_url="https://testserver", follow_redirects=False)
    found = users.find(app.state.store, "ada")
    assert found
    client.cookies.set(sessions.COOKIE, sessions.begin(app.state.store, *found))
    return app, client


def test_a_newer_copy_is_shown_without_a_restart(demo_run: Place, tmp_path: Path) -> None:
    app, client = panel(tmp_path)
    assert "No data yet" in client.get("/").text
    published(tmp_path / "published", 1, demo_run.published, "First Ltd")
    assert "First Ltd" in client.get("/").text
    published(tmp_path / "published", 2, demo_run.published, "Second Ltd")
    deadline = time.monotonic() + 60
    while "Second Ltd" not in (shown := client.get("/").text):
        assert "First Ltd" in shown  # the old one answers until the new one is drawn
        assert time.monotonic() < deadline
        time.sleep(0.1)
    published(tmp_path / "published", 3, demo_run.published, "Third Ltd")
    while "Third Ltd" not in client.get("/").text:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    kept = sorted(path.name[:6] for path in app.state.settings.cache_folder.glob("*.sqlite"))
    assert kept == ["000002", "000003"]
    app.state.published_db.close()


def test_an_old_copy_is_marked_as_old(demo_run: Place, tmp_path: Path) -> None:
    published(tmp_path / "published", 1, demo_run.published)
    app, client = panel(tmp_path)
    assert "Old data" not in client.get("/").text
    app.state.published_db.close()
    app, client = panel(tmp_path, stale_days=1)
    assert "Old data" in client.get("/").text
    assert "days ago" in client.get("/accounts").text
    app.state.published_db.close()


def command(folder: Path, *arguments: str, password: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RADAR_PANEL_STORE": str(folder / "panel.sqlite")}
    return subprocess.run(
        [str(RADAR), "panel", *arguments],
        input=password + "\n", capture_output=True, text=True, check=False, env=environment, timeout=60,
    )  # fmt: skip


def test_users_are_added_changed_and_switched_off_by_command(tmp_path: Path) -> None:
    add = ("users", "add", "ada", "--role", "rep", "--owner", "own_1")
    short = command(tmp_path, *add, password="short")
    assert short.returncode == 2
    assert "12" in short.stderr
    assert command(tmp_path, *add, password="correct horse battery").returncode == 0
    assert "there is a user" in command(tmp_path, *add, password="correct horse battery").stderr
    assert "one owner" in command(tmp_path, "users", "add", "bo", "--role", "rep").stderr
    assert command(tmp_path, "users", "password", "ada", password="another long password").returncode == 0
    assert command(tmp_path, "users", "disable", "ada").returncode == 0
    told = command(tmp_path, "users", "list").stdout
    assert told == "ada  rep  own_1  switched off\n"
    assert "correct horse" not in (tmp_path / "panel.sqlite").read_bytes().decode("latin-1")
    assert (tmp_path / "panel.sqlite").stat().st_mode & 0o077 == 0


def test_the_panel_does_not_listen_for_others_in_the_clear(tmp_path: Path) -> None:
    done = command(tmp_path, "--host=0.0.0.0")
    assert done.returncode == 2
    assert "RADAR_PANEL_ORIGIN" in done.stderr


def damaged(store: Path) -> None:
    """A store whose last pages hold something else."""
    users.add(Store(store), "ada", "admin", [], None)
    with closing(sqlite3.connect(store)) as con:
        con.execute("pragma wal_checkpoint(truncate)")
    content = store.read_bytes()
    store.write_bytes(content[: len(content) // 2] + b"\xa5" * (len(content) - len(content) // 2))


@pytest.mark.parametrize(
    "spoil",
    [lambda store: store.write_bytes(b"no database" * 1000), lambda store: store.mkdir(), damaged],
    ids=["another file", "a folder", "damaged"],
)
def test_a_store_that_cannot_be_read_is_reported_at_the_start(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(tmp_path / "panel.sqlite")
    done = command(tmp_path, "--port=1")
    assert done.returncode == 1
    assert str(tmp_path / "panel.sqlite") in done.stderr
    assert "What to do: put back the newest backup" in done.stderr
    assert "Traceback" not in done.stderr
