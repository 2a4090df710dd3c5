"""My day and Account as people meet them: every act, with and without scripts, on a phone and at a desk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from radar.panel import users
from radar.panel.store import Store
from tests.panel.browser import chromium, require_chromium, sign_in
from tests.panel.server import Server, running
from tests.runs.radar_run import Place

PASSWORD = "correct horse battery"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
LONG = "Gesellschaft für außerordentlich lange Firmennamen und Zusammenhängendesohneleerzeichen " * 2
RTL = "شركة الاختبار المحدودة (ש.ר)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require_chromium()
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: RADAR_SCREENSHOTS, else a folder of the test run."""
    folder = Path(os.environ.get("RADAR_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def server(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A panel on a copy of the demo's, with one long name and one that is written right to left."""
    folder = tmp_path_factory.mktemp("panel")
    published = folder / "published" / ".sets" / "000001-00000000"
    published.mkdir(parents=True)
    (folder / "published" / "current").symlink_to(Path(".sets") / published.name)
    (folder / "published" / "radar.duckdb").symlink_to(Path("current") / "radar.duckdb")
    copy = published / "radar.duckdb"
    copy.write_bytes((demo_run.published / "radar.duckdb").read_bytes())
    with duckdb.connect(str(copy)) as con:
        worst = con.execute(
            "select account_id from marts.rpt_review_queue order by rank_overall limit 2"
        ).fetchall()
        for (account_id,), name in zip(worst, (LONG, RTL), strict=True):
            con.execute(
                "update marts.rpt_account_health set account_name = ? where account_id = ?",
                [name, account_id],
            )
    store = Store(folder / "panel.sqlite")
    users.add(store, "ada", "admin", [], PASSWORD)
    with running(folder / "published", store.file) as started:
        yield started


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("nothing")
    store = Store(folder / "panel.sqlite")
    users.add(store, "ada", "admin", [], PASSWORD)
    with running(folder / "published", store.file) as started:
        yield started


def accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_pages_are_accessible_and_fit(
    browser: Browser, server: Server, shots: Path, scheme: str, size: str
) -> None:
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport=PHONE if size == "phone" else DESK,  # type: ignore[arg-type]
    )
    outside: list[str] = []
    context.on(
        "request", lambda asked: outside.append(asked.url) if server.address not in asked.url else None
    )
    complaints: list[str] = []
    context.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page = sign_in(context, server.address, "ada", PASSWORD)
    account = page.locator("article h2 a").first.get_attribute("href")
    for name, path in (
        ("my-day", "/"),
        ("account", str(account)),
        ("find", "/accounts?q=a"),
        ("approvals", "/approvals"),
        ("none", "/nowhere"),
    ):
        page.goto(server.address + path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.screenshot(path=shots / f"{name}-{size}-{scheme}.png", full_page=True)
        accessible(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], f"{path} is wider than the screen"  # type: ignore[index]
    assert outside == []
    assert [text for text in complaints if "404" not in text] == []
    context.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_every_act_works(browser: Browser, server: Server, scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=scripts, viewport=DESK)  # type: ignore[arg-type]
    page = sign_in(context, server.address, "ada", PASSWORD)
    account = page.locator("article:not(:has(.decided)) h2 a").nth(1).get_attribute("href")
    tomorrow = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()

    def act(name: str) -> None:
        page.goto(f"{server.address}{account}")
        page.locator(".acts summary").get_by_text(name).click()

    def kept(words: str) -> None:
        page.wait_for_url("**kept=*")
        assert words in page.locator(".notice").inner_text()

    page.goto(f"{server.address}{account}")
    page.get_by_role("button", name="Sign off").click()
    kept("Signed off")
    act("Override")
    page.get_by_label("Watch").check()
    page.get_by_role("textbox", name="Why", exact=True).fill("They signed")
    page.get_by_role("button", name="Override", exact=True).click()
    kept("Override to Watch")
    page.get_by_role("button", name="Withdraw override").click()
    kept("Override withdrawn")
    act("Snooze")
    page.get_by_label("Show it again on").fill(tomorrow)
    page.get_by_role("button", name="Snooze", exact=True).click()
    kept("Snoozed until")
    page.get_by_role("button", name="End snooze").click()
    kept("Snooze ended")
    act("Outcome")
    page.get_by_role("button", name="Too early").click()
    kept("too early")
    page.goto(f"{server.address}/")
    draft = page.get_by_role("button", name="Approve").first
    draft.click()
    page.wait_for_url("**kept=*")
    assert "Draft approved" in page.locator(".notice").inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    context.close()


def test_the_commonest_act_takes_one_click_and_the_keyboard_is_enough(
    browser: Browser, server: Server
) -> None:
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = sign_in(context, server.address, "ada", PASSWORD)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator(":focus").inner_text().startswith("Sign off"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**kept=*")
    assert "Signed off" in page.locator(".notice").inner_text()
    page.keyboard.press("/")
    assert page.locator(":focus").get_attribute("id") == "find"
    context.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_times_are_in_the_zone_of_who_reads_them(browser: Browser, server: Server, scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=scripts, timezone_id="America/New_York", viewport=DESK)  # type: ignore[arg-type]
    page = sign_in(context, server.address, "ada", PASSWORD)
    page.get_by_role("button", name="Sign off").first.click()
    page.wait_for_url("**kept=*")
    time = page.locator(".decided time").first
    in_utc = datetime.fromisoformat(str(time.get_attribute("datetime")))
    text = f"{in_utc.day} {in_utc:%b %Y, %H:%M} UTC"
    if scripts:
        assert time.get_attribute("title") == text
        local = in_utc.astimezone(ZoneInfo("America/New_York"))
        assert time.inner_text().startswith(f"{local.day} {local:%b %Y, %H:%M} ")
        assert "UTC" not in time.inner_text()
    else:
        assert time.inner_text() == text
    context.close()


def test_without_data_the_pages_say_what_to_do(browser: Browser, nothing: Server, shots: Path) -> None:
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = sign_in(context, nothing.address, "ada", PASSWORD)
    page.screenshot(path=shots / "no-data.png")
    assert "radar run" in page.locator("main").inner_text()
    accessible(page)
    context.close()
