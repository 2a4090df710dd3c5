"""The tables that every later part of the project relies on, and the contract they are made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from landing_place import Place

from radar.core.errors import UsageError
from radar.landing import schema
from radar.landing.feeds import load_feeds

FEEDS = load_feeds()


def test_create_makes_every_table_and_may_be_repeated(place: Place) -> None:
    for _ in range(2):
        schema.create(place.con)
    tables = place.column("select schema_name || '.' || table_name from duckdb_tables() order by 1")
    assert len([name for name in tables if name.startswith("raw.")]) == 17 + 1  # account_aliases
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


def test_the_contract_as_data() -> None:
    assert len(FEEDS) == 17
    assert FEEDS["billing/subscriptions"].key == ("subscription_id", "updated_at")
    assert FEEDS["billing/subscriptions"].version_key == ("subscription_id", "updated_at")
    assert FEEDS["crm/contacts"].version_key == ("contact_id", "updated_at")
    assert FEEDS["product/events"].raw_table == "raw.product_events"
    assert FEEDS["product/events"].waiting_table == "quarantine.waiting_product_events"
    assert FEEDS["crm/accounts"].waiting_table is None
    assert FEEDS["crm/owners"].waiting_table is None
    for feed in FEEDS.values():
        assert all(column.required for column in feed.columns if column.name in feed.key)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("a/b: {key: [x], columns: {x: [word, required]}}", "feed a/b, column x"),
        ("a/b: {key: [x], columns: {x: [id, needed]}}", "is not understood"),
        ("a/b: {key: [y], columns: {x: [id, required]}}", "it names"),
        ("ab: {key: [x], columns: {x: [id, required]}}", "not <source>/<feed>"),
    ],
)
def test_a_broken_contract_is_told(tmp_path: Path, entry: str, told: str) -> None:
    path = tmp_path / "feeds.yml"
    path.write_text(entry)
    with pytest.raises(UsageError, match=told):
        load_feeds(path)
