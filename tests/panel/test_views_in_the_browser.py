"""Portfolio, Quality, Rules and Audit as people meet them: on a phone and at a desk, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from radar.panel import users
from radar.panel.store import Store
from tests.panel.browser import sign_in
from tests.panel.republished_copy import publish_again
from tests.panel.server import Server, running
from tests.panel.test_in_the_browser import DESK, PASSWORD, PHONE, accessible, browser, nothing, shots
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

__all__ = ["browser", "nothing", "shots"]  # fixtures

VIEWS = {
    "portfolio": "/portfolio",
    "portfolio-filtered": "/portfolio?unit=arr&by=owner&bucket=at_risk&sort=renewal",
    "portfolio-none": "/portfolio?plan=none-such",
    "quality": "/quality",
    "rules": "/rules",
    "rules-shadow": "/rules?set=snapshot_v1",
    "audit": "/audit",
    "audit-none": "/audit?person=nobody-at-all",
}


@pytest.fixture(scope="module")
def told(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A panel on what the second run leaves, with long, right-to-left and dangerous names."""
    folder = tmp_path_factory.mktemp("views")
    published = publish_again(demo_run, folder)
    store = Store(folder / "panel.sqlite")
    users.add(store, "ada", "admin", [], PASSWORD)
    with running(published, store.file) as started:
        yield started


@pytest.mark.parametrize(("size", "scheme"), [("phone", "dark"), ("desk", "light")])
def test_views_are_accessible_and_fit(
    browser: Browser,
    told: Server,
    shots: Path,
    size: str,
    scheme: str,
) -> None:
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport=PHONE if size == "phone" else DESK,  # type: ignore[arg-type]
    )
    complaints: list[str] = []
    context.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    context.on("request", lambda asked: None if told.address in asked.url else complaints.append(asked.url))
    page = sign_in(context, told.address, "ada", PASSWORD)
    for name, path in VIEWS.items():
        page.goto(told.address + path)
        page.evaluate("for (const closed of document.querySelectorAll('details')) closed.open = true")
        page.screenshot(path=shots / f"{name}-{size}-{scheme}.png", full_page=True)
        accessible(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], f"{path} is wider than the screen"  # type: ignore[index]
    assert complaints == []
    context.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_view_is_filtered_sorted_and_linked(
    browser: Browser,
    told: Server,
    scripts: bool,
) -> None:
    context = browser.new_context(java_script_enabled=scripts, viewport=DESK)  # type: ignore[arg-type]
    page = sign_in(context, told.address, "ada", PASSWORD)
    page.goto(f"{told.address}/portfolio")
    page.get_by_label("Bucket", exact=True).select_option("at_risk")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**bucket=at_risk*")
    page.get_by_role("link", name="ARR", exact=True).click()
    page.wait_for_url("**sort=arr*")
    assert "bucket=at_risk" in page.url
    assert set(page.locator("#accounts ~ .table td .bucket").all_inner_texts()) == {"At risk"}
    linked = page.url
    page.get_by_role("link", name="remove this filter").click()
    page.wait_for_url(lambda address: "bucket" not in address)
    page.goto(linked)
    with page.expect_download() as saved:
        page.get_by_role("link", name="accounts as a file").click()
    assert saved.value.suggested_filename.endswith(".csv")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Rules").click()
    page.get_by_role("link", name="Show them").first.click()
    page.wait_for_url("**/portfolio?rule=*")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Audit").click()
    page.get_by_label("What", exact=True).select_option("override")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**kind=override*")
    assert "Bucket overruled" in page.locator("tbody").inner_text()
    context.close()


def test_without_any_data_every_view_says_what_to_do(browser: Browser, nothing: Server) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{nothing.address}/sign-in")
    page.fill("#name", "ada")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{nothing.address}/")
    for path in ("/portfolio", "/quality", "/rules", "/audit"):
        page.goto(nothing.address + path)
        assert "radar run" in page.locator("main").inner_text()
    accessible(page)
    context.close()
