"""Nothing is purged by a day beyond today or the newest facts: a wrong day costs nothing that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from radar.landing import schema
from radar.landing.retention import apply

NEWEST = date(2026, 6, 30)
TODAY = date(2026, 7, 1)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """500 days of an account's logins, one a day, the last on NEWEST; raw rows of all of them."""
    with duckdb.connect() as con:
        schema.create(con)
        con.execute(
            f"""
            create table seeds.settings as
            from (values ('raw_event_days', 30), ('summary_days', 400), ('waiting_days', 400))
            as _ (setting, value);
            create table intermediate.int_user_days as
            select 'a' as account_id, 'login' as event_name, 1 as events,
                (date '{NEWEST}' - range::integer)::date as activity_date
            from range(500);
            create table intermediate.int_event_keys as
            select *, 1 as _batch_id from intermediate.int_user_days;
            create table intermediate.int_event_bounds as
            select 'a' as account_id, 'login' as event_name, null::date as last_purged_date;
            insert into raw.product_events (event_id, account_id, occurred_at, _batch_id)
            select activity_date, 'a', activity_date, 1 from intermediate.int_user_days;
            """
        )
        yield con


def kept(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Raw events and user-days that are still there."""
    row = con.execute(
        "select (select count(*) from raw.product_events), (select count(*) from intermediate.int_user_days)"
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def test_what_is_past_its_time_is_purged(con: duckdb.DuckDBPyConnection) -> None:
    apply(con, as_of_end=NEWEST, today=TODAY)
    assert kept(con) == (31, 400)


@pytest.mark.parametrize("today", [TODAY, date(2027, 6, 30)])
@pytest.mark.parametrize("ahead", [1, 365, 3000])
def test_a_day_beyond_today_or_the_facts_purges_no_more(
    con: duckdb.DuckDBPyConnection, today: date, ahead: int
) -> None:
    """A year that was typed wrong, and a clock that is ahead."""
    apply(con, as_of_end=NEWEST + timedelta(days=ahead), today=today)
    assert kept(con) == (31, 400)
    assert con.execute("select max(summaries_from) from control.retention").fetchone() == (
        NEWEST - timedelta(days=399),
    )


def test_events_ahead_of_the_clock_purge_no_more_than_today(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "insert into raw.product_events (event_id, occurred_at, _batch_id) values ('x', '2030-01-01', 9)"
    )
    apply(con, as_of_end=date(2030, 1, 1), today=NEWEST)
    assert kept(con) == (32, 400)


LONG_AGO, SINCE = NEWEST - timedelta(days=401), NEWEST - timedelta(days=400)


@pytest.mark.parametrize(
    ("feed", "fact_at", "rejected_at", "superseded_at", "stays"),
    [
        ("crm/contacts", LONG_AGO, LONG_AGO, None, True),  # still unknown: without the key it would be known
        ("billing/payments", LONG_AGO, LONG_AGO, None, True),
        ("crm/contacts", LONG_AGO, LONG_AGO, LONG_AGO, False),
        ("crm/contacts", None, LONG_AGO, LONG_AGO, False),
        ("crm/contacts", LONG_AGO, SINCE, LONG_AGO, True),
        ("billing/subscriptions", LONG_AGO, LONG_AGO, SINCE, True),  # days until then can still be built
        ("product/events", *[NEWEST - timedelta(days=399)] * 2, None, True),
        ("product/events", SINCE, SINCE, None, False),  # what it would have counted in is purged
        ("product/events", None, SINCE, None, False),
        ("product/events", None, NEWEST - timedelta(days=399), None, True),
        ("product/events", date(2099, 1, 1), SINCE, None, False),
        ("product/events", LONG_AGO, NEWEST, NEWEST, True),
        ("crm/contacts", date(2099, 1, 1), LONG_AGO, date(2099, 1, 1), False),
    ],
)
def test_keys_of_refused_rows_go_when_they_say_nothing_any_more(
    con: duckdb.DuckDBPyConnection,
    feed: str,
    fact_at: date | None,
    rejected_at: date,
    superseded_at: date | None,
    stays: bool,
) -> None:
    con.execute(
        "insert into quarantine.refused_keys (feed, entity_key, fact_at, rejected_at, superseded_at) "
        "values (?, 'ann@acme.test', ?, ?, ?)",
        [feed, fact_at, rejected_at, superseded_at],
    )
    purged = apply(con, as_of_end=NEWEST, today=TODAY)
    assert con.execute("select count(*) from quarantine.refused_keys").fetchone() == (int(stays),)
    assert purged["quarantine.refused_keys"] == int(not stays)
