"""The tables that every later part of the project relies on."""

from __future__ import annotations

from landing_place import Place

from radar.landing import schema
from radar.landing.feeds import load_feeds

FEEDS = load_feeds()


def test_create_makes_every_table_and_may_be_repeated(place: Place) -> None:
    for _ in range(2):
        schema.create(place.con)
    tables = place.column("select schema_name || '.' || table_name from duckdb_tables() order by 1")
    raw = {name for name in tables if name.startswith("raw.")}
    assert raw == {feed.raw_table for feed in FEEDS.values()} | {"raw.account_aliases"}
    waiting = [name for name in tables if name.startswith("quarantine.waiting_")]
    assert sorted(waiting) == sorted(feed.waiting_table for feed in FEEDS.values() if feed.waiting_table)
    assert {name for name in tables if not name.startswith(("raw.", "quarantine.waiting_"))} == {
        "quarantine.rejected_rows",
        "quarantine.rejected_values",
        "audit.runs",
        "audit.loads",
        "quarantine.refused_keys",
        "audit.column_findings",
        "audit.feed_states",
        "audit.fact_days",
        "audit.released_buckets",
        "audit.deliveries",
        "audit.checks",
        "control.run_window",
        "control.feed_keys",
        "control.known_files",
        "control.repeated_keys",
    }


def test_a_column_that_the_contract_gains_is_added(place: Place) -> None:
    schema.create(place.con)
    place.con.execute("alter table raw.crm_owners drop column email")
    schema.create(place.con)
    assert "email" in place.column("select column_name from duckdb_columns() where table_name = 'crm_owners'")
