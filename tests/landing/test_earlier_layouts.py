"""Tables of an earlier layout: renamed and rewritten in place once, whenever a run was killed meanwhile."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from radar.landing import earlier_layouts, schema

EARLIER = """
    create table marts.fct_health_history as
    select 'a' as account_id, unnest([date '2026-03-01', '2026-03-02', '2026-03-04', '2026-03-05'])
        as as_of_date;

    create table intermediate.int_play_days__as_of (
        action_id varchar, account_id varchar, as_of_date date, play varchar, trigger varchar,
        is_open boolean, suppressed_by varchar, mode_reason varchar, arr_usd double,
        episode_started_on date, last_open_on date, first_date date
    );
    insert into intermediate.int_play_days__as_of values
    ('interval', 'a', '2026-03-04', 'plan', 'bucket at_risk', true, 'stale', 'Asked', 7,
        '2026-03-01', '2026-03-04', '2026-03-01'),
    ('interval', 'a', '2026-03-05', 'plan', 'bucket at_risk', false, 'stale', 'Asked', null,
        '2026-03-01', '2026-03-04', '2026-03-05'),
    ('single_day', 'a', '2026-02-27', 'plan', 'bucket at_risk', true, null, null, 7,
        '2026-02-27', '2026-02-27', null);

    create table intermediate.int_action_releases__as_of as
    select 'interval' as action_id, 'a' as account_id, date '2026-03-02' as as_of_date, 'plan' as play,
        'o' as owner_id;

    create table intermediate.sig_usage__rechecked (account_id varchar);
    create table intermediate.int_late_points (account_id varchar);
    create table intermediate.int_told_spans (account_id varchar);
    create table intermediate.int_score_transitions (account_id varchar);
    create view intermediate.int_measured_user_days as select 1 as one;
    create view intermediate.int_score_pairs as select 1 as one;
    create schema if not exists scoring;
    create view scoring.int_rule_evaluations as select one from intermediate.int_score_pairs;
"""
RENAMED = ("int_action_releases", "int_action_days", "int_episode_days", "sig_usage__restated")
DAYS = [
    ("interval", date(2026, 3, 1), True, "stale", "Asked", 7.0, date(2026, 3, 1), date(2026, 3, 1)),
    ("interval", date(2026, 3, 2), True, "stale", "Asked", 7.0, date(2026, 3, 1), date(2026, 3, 2)),
    ("interval", date(2026, 3, 4), True, "stale", "Asked", 7.0, date(2026, 3, 1), date(2026, 3, 4)),
    ("interval", date(2026, 3, 5), False, "stale", "Asked", None, date(2026, 3, 1), date(2026, 3, 4)),
    ("single_day", date(2026, 2, 27), True, None, None, 7.0, date(2026, 2, 27), date(2026, 2, 27)),
]
"""What each scored date had, in the columns of `recorded_days`."""


def earlier_warehouse() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    schema.create(con)
    con.execute(EARLIER)
    return con


def tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {
        name
        for (name,) in con.execute(
            "select table_name from information_schema.tables"
            " where table_schema in ('intermediate', 'scoring')"
        ).fetchall()
    }


def recorded_days(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return con.execute(
        "select action_id, as_of_date, is_open, suppressed_by, mode_reason, arr_usd, episode_started_on,"
        " last_open_on from intermediate.int_action_days order by all"
    ).fetchall()


def test_intervals_become_the_scored_dates_that_they_covered() -> None:
    con = earlier_warehouse()
    for _ in range(2):
        schema.create(con)
        assert recorded_days(con) == DAYS
        assert tables(con) == set(RENAMED)
        assert con.execute("from intermediate.int_action_releases").fetchall() == [
            ("interval", "a", date(2026, 3, 2), "plan", "o")
        ]
        episodes = con.execute(
            "select action_id, as_of_date, is_open, episode_started_on, last_open_on"
            " from intermediate.int_episode_days order by all"
        ).fetchall()
        assert episodes == [(day[0], day[1], day[2], day[6], day[7]) for day in DAYS]


@pytest.mark.parametrize(
    "statement", ["drop view", "rename to int_action_releases", "create table", "commit"]
)
def test_a_migration_that_was_stopped_is_done_by_the_next_run(statement: str) -> None:
    con = earlier_warehouse()
    before = tables(con)

    class Stopping:
        """The connection, which fails at one statement as if the process were killed there."""

        def __getattr__(self, name: str) -> Any:
            if name == statement:
                raise KeyboardInterrupt
            return getattr(con, name)

        def execute(self, sql: str) -> Any:
            if statement in sql:
                raise KeyboardInterrupt
            return con.execute(sql)

    with pytest.raises(KeyboardInterrupt):
        earlier_layouts.migrate(Stopping())  # type: ignore[arg-type]
    assert tables(con) == before
    schema.create(con)
    assert tables(con) == set(RENAMED)
    assert recorded_days(con) == DAYS
