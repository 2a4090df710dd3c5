"""My day says which data is missing, whose accounts wait for it, and where to read what to do."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.settings import PanelSettings
from tests.panel.people import Owners
from tests.panel.republished_copy import publish_again
from tests.runs.radar_run import Place


def test_a_banner_counts_the_accounts_of_who_looks(demo_run: Place, owners: Owners, tmp_path: Path) -> None:
    rep, lead = (f"owner_id = '{owner}'" for owner in owners.team)
    undecided = "update marts.rpt_account_health set decision = 'undecided', unknown_signals = "
    published = publish_again(
        demo_run,
        tmp_path / "missing",
        f"{undecided} 'failed_payments_30d, is_last_invoice_failed' where {rep}",
        f"{undecided} 'failed_payments_30d' where account_id ="
        f" (select min(account_id) from marts.rpt_account_health where {lead})",
        "update marts.rpt_feed_states set state = 'stale', last_arrived_at = '2026-06-20 04:00:00',"
        " newest_fact_date = case feed when 'billing/payments' then date '2026-06-19' end"
        " where feed in ('billing/payments', 'billing/invoices')",
        "update marts.rpt_feed_states set state = 'held' where feed = 'crm/milestones'",
    )
    (counted,) = demo_run.rows(f"select count(*) from marts.rpt_account_health where {rep}")[0]
    app = create_app(PanelSettings(published=published, store=tmp_path / "panel.sqlite", stale_days=100_000))
    store = app.state.store
    users.add(store, "rep", "rep", [owners.team[0]], None)
    users.add(store, "other", "rep", [owners.team[1]], None)
    users.add(store, "stranger", "rep", [owners.stranger], None)
    pages = {}
    with TestClient(app, base_url="https://testserver") as client:
        for name in ("rep", "other", "stranger"):
            found = users.find(store, name)
            assert found
            client.cookies.set(sessions.COOKIE, sessions.begin(store, *found))
            pages[name] = " ".join(client.get("/").text.split())
    text = (
        "<strong>billing/payments</strong> has brought nothing newer than 19 Jun 2026: {} cannot be decided."
    )
    without_times = (
        "<strong>billing/invoices</strong> has not arrived since 20 Jun 2026: {} cannot be decided."
    )
    assert text.format(f"{counted} accounts") in pages["rep"]
    assert without_times.format(f"{counted} accounts") in pages["rep"]
    assert text.format("1 account") in pages["other"]
    assert "billing/invoices" not in pages["other"]
    assert '<a href="/quality#feeds">What to do</a>' in pages["rep"]
    assert "cannot be decided" not in pages["stranger"]
    assert "crm/milestones</strong>" not in pages["rep"], "nothing waits for it"
