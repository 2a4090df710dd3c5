"""The tables that every later part of the project relies on."""

from __future__ import annotations

import pytest
from inbox import Inbox

from radar.core.errors import UsageError
from radar.landing import schema
from radar.landing.feeds import load_feeds

FEEDS = load_feeds()


def test_create_makes_every_table_and_may_be_repeated(inbox: Inbox) -> None:
    for _ in range(2):
        schema.create(inbox.con)
    tables = inbox.column("select schema_name || '.' || table_name from duckdb_tables() order by 1")
    raw = {name for name in tables if name.startswith("raw.")}
    assert raw == {feed.raw_table for feed in FEEDS.values()} | {
        "raw.account_aliases",
        "raw.account_links",
    }
    waiting = [name for name in tables if name.startswith("quarantine.waiting_")]
    assert sorted(waiting) == sorted(feed.waiting_table for feed in FEEDS.values() if feed.waiting_table)
    assert {name for name in tables if not name.startswith(("raw.", "quarantine.waiting_"))} == {
        "quarantine.rejected_rows",
        "quarantine.rejected_values",
        "audit.runs",
        "audit.loads",
        "quarantine.refused_keys",
        "quarantine.unresolved_ids",
        "audit.column_findings",
        "audit.feed_states",
        "audit.fact_days",
        "audit.released_buckets",
        "audit.deliveries",
        "audit.checks",
        "control.run_window",
        "control.feed_keys",
        "control.ids_by_domain",
        "control.known_files",
        "control.repeated_keys",
        "control.table_states",
    }


def test_a_column_that_the_contract_gains_is_added(inbox: Inbox) -> None:
    schema.create(inbox.con)
    inbox.con.execute("alter table raw.crm_owners drop column email")
    schema.create(inbox.con)
    assert "email" in inbox.column("select column_name from duckdb_columns() where table_name = 'crm_owners'")


def test_a_type_that_a_contract_changed_is_refused_with_its_line(inbox: Inbox) -> None:
    """What has landed as text would else be cast in silence, or break the run at its first row."""
    schema.create(inbox.con)
    inbox.con.execute("alter table raw.crm_owners alter column is_active type varchar")
    column = next(one for one in FEEDS["crm/owners"].columns if one.name == "is_active")
    with pytest.raises(UsageError, match=r"is_active of crm/owners .* has landed as VARCHAR") as refused:
        schema.create(inbox.con)
    assert (refused.value.file, refused.value.line) == (FEEDS["crm/owners"].file, column.line)
