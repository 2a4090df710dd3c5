"""Debian's Chromium, driven by Playwright; a test that needs it is left out by name where it is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def require_chromium() -> None:
    """Skip by name without the browser; where the tests of record run, that is a failure."""
    if CHROMIUM.exists():
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{CHROMIUM} is missing, and the pages were not looked at")
    pytest.skip(f"{CHROMIUM} is not there")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


def sign_in(context: BrowserContext, address: str, name: str, password: str) -> Page:
    """Through the form, as a person does it."""
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("#name", name)
    page.fill("#password", password)
    page.click("main button")
    page.wait_for_url(f"{address}/")
    return page
