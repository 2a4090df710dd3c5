"""From a form in the browser to what other systems import."""

from __future__ import annotations

import csv
import http.client
import json
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from radar.demo import generate
from radar.panel import users
from radar.panel.store import Store
from tests.deliveries.vendors import serving
from tests.panel import test_slack
from tests.panel.browser import chromium, require_chromium, sign_in
from tests.panel.server import Server, running
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
NOTE = "Budget is decided in May, call before that"
REASON = 'Renewal is signed, says "the sponsor"; تم التجديد'


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A company that was scored today, so that what is decided now counts in the next run of today."""
    made = Place(tmp_path)
    generate(made.extracts, accounts=20, days=60, seed=3, end=_today())
    made.run(f"--as-of={_today()}")
    return made


def test_an_override_in_the_browser_goes_out_with_the_next_run(place: Place) -> None:
    require_chromium()
    store = place.warehouse.with_name("panel.sqlite")
    users.add(Store(store), "ada", "admin", [], PASSWORD)
    reminder = _reminder(place)
    users.add(Store(store), "rita", "rep", [reminder["owner_id"]], None)
    users.set_slack_id(Store(store), "rita", "U0RITA")
    until = (_today() + timedelta(days=7)).isoformat()
    with (
        serving() as slack,
        running(place.published, store, **test_slack.slack_app(slack.url)) as server,
        chromium() as browser,
    ):
        assert _click(server, reminder, "done") == 200
        page = sign_in(browser.new_context(), server.address, "ada", PASSWORD)
        card = page.locator("article.at_risk, article.watch").first
        account_id = card.get_attribute("id")
        card.get_by_text("Override", exact=False).first.click()
        card.get_by_label("Healthy").check()
        card.get_by_role("textbox", name="Why", exact=True).fill(REASON)
        card.get_by_label("Until").fill(until)
        card.get_by_role("button", name="Override").click()
        assert "Override to Healthy" in page.locator(".notice").inner_text()
        decided = page.locator(f"[id='{account_id}'] .decided").inner_text()
        assert "counts from the next run" in decided
        other = page.locator("article:not(:has(.decided))").first
        signed_off = other.get_attribute("id")
        other.get_by_role("button", name="Sign off").click()
        assert "Signed off" in page.locator(".notice").inner_text()
        page.goto(f"{server.address}/accounts/{signed_off}")
        page.get_by_label("A note for whoever looks next").fill(NOTE)
        page.get_by_label("Tell a colleague").select_option(index=1)
        page.get_by_role("button", name="Keep the note").click()
        page.wait_for_url("**/accounts/**kept=*")
        assert NOTE in page.locator("section:has(#notes) li").inner_text()

    place.run(f"--as-of={_today()}")

    assert place.rows(
        f"select bucket, is_overridden, override_reason from marts.rpt_account_health"
        f" where account_id = '{account_id}'"
    ) == [("healthy", True, REASON)]
    assert place.rows(
        f"select overridden_by, override_expiry_date::varchar from marts.fct_health_history"
        f" where account_id = '{account_id}'"
    ) == [("ada", until)]
    assert place.rows(
        "select kind, verdict, reviewed_by from staging.stg_crm__reviews"
        f" where account_id = '{signed_off}' and review_id like 'panel-%' order by reviewed_at"
    ) == [("sign_off", "agree", "ada"), ("note", "written", "ada")]
    assert place.rows(
        "select verdict, reviewed_by from staging.stg_crm__reviews where review_id like 'slack-%'"
    ) == [("done", "rita")]
    assert place.rows(
        f"select state from marts.rpt_work_list where account_id = '{reminder['account_id']}'"
    ) == [("done",)], "the button in Slack has ended the work on it"
    assert place.rows(
        "select kind, account_id, actor from audit.entries where actor = 'ada' order by kind"
    ) == [
        ("contacts_shown", signed_off, "ada"),
        ("note", signed_off, "ada"),
        ("override", account_id, "ada"),
        ("sign_off", signed_off, "ada"),
    ]
    with duckdb.connect(str(place.published / "radar.duckdb"), read_only=True) as copy:
        seen = "select count(*) from audit.entries where actor = 'ada'"
        assert copy.execute(seen).fetchall() == [(4,)], "the audit page shows them at once"
    assert _exported(place, str(account_id))["bucket"] == "healthy"
    notes = dict(place.rows("select account_id, note from outbound.crm_notes where written_by = 'ada'"))
    day = f"{_today().day} {_today():%b %Y}"
    assert notes[account_id].startswith("Override from ")
    assert f" to healthy, until {(_today() + timedelta(days=7)).day} " in notes[account_id]
    assert notes[account_id].endswith(f". Reason: {REASON}. By ada on {day}.")
    assert notes[signed_off].startswith("@")
    assert notes[signed_off].endswith(f" {NOTE} (ada, {day})")

    before = _handed_over(place)
    place.run(f"--as-of={_today()}")
    assert _handed_over(place) == before
    assert place.rows("select count(*) from audit.entries where actor = 'ada'") == [(4,)]
    assert place.rows("select status from audit.deliveries where kind = 'mention'") == [
        ("attempting",), ("written",),
    ], "whom a note names is told once"  # fmt: skip

    with running(place.published, store) as server, chromium() as browser:
        page = sign_in(browser.new_context(), server.address, "ada", PASSWORD)
        page.goto(f"{server.address}/accounts/{account_id}")
        assert "overridden, rules say" in page.locator("main").inner_text()
        page.get_by_role("button", name="Withdraw override").click()
        page.wait_for_url("**/accounts/**kept=*")

    place.run(f"--as-of={_today()}")
    assert place.rows(
        "select is_overridden, bucket = model_bucket from marts.rpt_account_health"
        f" where account_id = '{account_id}'"
    ) == [(False, True)]


def _reminder(place: Place) -> dict[str, Any]:
    """A task that waits for its owner, as a message in Slack is about it."""
    with duckdb.connect(str(place.published / "radar.duckdb"), read_only=True) as copy:
        found = copy.execute(
            """
            select actions.action_id, actions.account_id, actions.play, health.owner_id, health.as_of_date
            from marts.rpt_open_actions as actions
            inner join marts.rpt_account_health as health on actions.account_id = health.account_id
            where actions.channel = 'crm_task' and actions.status = 'ready' and health.owner_id is not null
            order by actions.action_id
            """
        )
        names = [column[0] for column in found.description]
        return {**dict(zip(names, found.fetchall()[0], strict=True)), "kind": "reminder"}


def _click(server: Server, row: dict[str, Any], verdict: str) -> int:
    """The status of a call that Slack signed, about a message of a minute ago."""
    body = test_slack.click(row, verdict, user="U0RITA", ts=f"{time.time() - 60:.6f}")
    con = http.client.HTTPConnection("127.0.0.1", server.port)
    con.request("POST", test_slack.PATH, body, test_slack.signed(body))
    return con.getresponse().status


def _today() -> date:
    return datetime.now(UTC).date()


def _exported(place: Place, account_id: str) -> dict[str, str]:
    manifest = max(
        (place.exports / "generic").rglob("manifest.json"), key=lambda file: file.stat().st_mtime_ns
    )
    name = next(
        file["name"]
        for file in json.loads(manifest.read_text())["files"]
        if file["name"].startswith("generic_")
    )
    with (manifest.parent / name).open(encoding="utf-8-sig", newline="") as file:
        return next(row for row in csv.DictReader(file) if row["account_id"] == account_id)


def _handed_over(place: Place) -> dict[str, bytes]:
    folder = place.warehouse.with_suffix(".state") / "decisions"
    return {file.name + file.parent.name: file.read_bytes() for file in sorted(folder.rglob("*.ndjson"))}
