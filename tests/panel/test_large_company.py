"""A company of 50,000 accounts in the browser: every page answers, fits a phone, and an act is kept."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from radar.panel import users
from radar.panel.store import Store
from tests.panel.browser import chromium, require_chromium, sign_in
from tests.panel.server import Client, Server, running
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

ACCOUNTS = 50_000
PASSWORD = "correct horse battery"
MAKE_COPY = Path(__file__).resolve().parents[2] / "bench" / "make_copy.py"
PAGES = ("/", "/accounts?q=a", "/approvals", "/portfolio", "/team", "/quality", "/rules", "/audit")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require_chromium()
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def server(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("large")
    published = folder / "published"
    command = [sys.executable, MAKE_COPY, demo_run.published, published, f"--accounts={ACCOUNTS}"]
    subprocess.run(command, check=True)
    store = Store(folder / "panel.sqlite")
    users.add(store, "ada", "admin", [], PASSWORD)
    with running(published, store.file) as started:
        yield started


def test_every_page_answers_and_fits_a_phone(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = sign_in(context, server.address, "ada", PASSWORD)
    page.wait_for_selector("article h2 a", timeout=60_000)
    account = str(page.locator("article h2 a").first.get_attribute("href"))
    for path in (*PAGES, account):
        answer = page.goto(server.address + path)
        assert answer is not None
        assert answer.status == 200, path
        assert len(answer.body()) < 500_000, path
        assert page.locator("h1").count() == 1, path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.goto(server.address + account)
    page.get_by_role("button", name="Sign off").click()
    page.wait_for_url("**kept=*")
    assert "Signed off" in page.locator(".notice").inner_text()
    context.close()


def test_the_file_of_the_portfolio_holds_every_account(server: Server) -> None:
    status, text = Client(server, "ada").get("/portfolio?format=csv&part=accounts")
    assert status == 200
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) - 1 > ACCOUNTS * 0.9
    assert len({tuple(row) for row in rows}) == len(rows)
