"""What is kept how long: the last step of a run, and the refusal of events that come after that.

The numbers are in `seeds/settings.csv`. Raw events are payloads and go first; user-days and event keys stay
until their window is over; the first and the last day of each account and event name stay with the account.
The key of a refused row stays while what was in the row is unknown and could still count: without
the key, what it should have replaced would be true again.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import duckdb

from radar.core.errors import CheckError
from radar.landing.as_of_guard import newest_event, newest_fact


def payloads_from(con: duckdb.DuckDBPyConnection, seeds: Path, *, as_of_end: date, today: date) -> date:
    """The first day whose raw events outlive a run up to `as_of_end`, as the settings in `seeds` say."""
    with (seeds / "settings.csv").open(encoding="utf-8", newline="") as file:
        days = {row["setting"]: int(row["value"]) for row in csv.DictReader(file)}
    return _last_day(con, as_of_end, today) - timedelta(days=days["raw_event_days"])


def _last_day(con: duckdb.DuckDBPyConnection, as_of_end: date, today: date) -> date:
    """The day from which limits count back: the as-of date, but no later than today or the newest facts.

    A day that was typed wrong or a clock that is ahead must not purge what cannot be had again, and where
    events stop coming, what is known stays. Events come before other feeds: summaries are made of them.
    """
    return min(day for day in (as_of_end, today, newest_event(con) or newest_fact(con)) if day)


def refuse_too_late(con: duckdb.DuckDBPyConnection, batch_id: int) -> int:
    """Move events of the batch that are older than the summaries to quarantine, counted, as `too_late`.

    Their keys are gone, so a new event cannot be distinguished from one that was counted before.
    """
    con.execute("create table if not exists control.retention (summaries_from date)")
    row = con.execute("select max(summaries_from) from control.retention").fetchone()
    summaries_from: date | None = row[0] if row else None
    if summaries_from is None:
        return 0
    late = "_batch_id = $batch_id and occurred_at < $summaries_from"
    parameters = {"batch_id": batch_id, "summaries_from": summaries_from}
    con.execute("begin")
    con.execute(
        f"""
        insert into quarantine.rejected_rows (
            feed, source_file, row_number, rule, column_name, masked_value, batch_id, message, rejected_at
        )
        select
            'product/events', _source_file, _row_number, 'too_late', 'occurred_at',
            cast(cast(occurred_at as date) as varchar), _batch_id,
            'the event is older than the summaries, which begin on ' || cast($summaries_from as varchar),
            _loaded_at
        from raw.product_events
        where {late}
        """,
        parameters,
    )
    con.execute(
        f"""
        update audit.loads as loads
        set rows_landed = rows_landed - late.rows, rows_refused_by_checks = rows_refused_by_checks + late.rows
        from (select _source_file, count(*) as rows from raw.product_events where {late} group by 1) as late
        where
            loads.feed = 'product/events'
            and loads.batch_id = $batch_id
            and loads.source_file = late._source_file
            and loads.rows_refused_by_checks is not null
        """,
        parameters,
    )
    counted = con.execute(f"delete from raw.product_events where {late}", parameters).fetchone()
    con.execute("commit")
    return int(counted[0]) if counted else 0


def apply(con: duckdb.DuckDBPyConnection, *, as_of_end: date, today: date) -> dict[str, int]:
    """Purge what is past its time; rows purged per table. See `_last_day` for what it counts from."""
    last = _last_day(con, as_of_end, today)
    raw_from = last - timedelta(days=_setting(con, "raw_event_days"))
    summaries_from = last - timedelta(days=_setting(con, "summary_days") - 1)
    waiting_from = last - timedelta(days=_setting(con, "waiting_days"))
    con.execute("begin")
    purged = {
        "raw.product_events": _delete(
            con,
            "raw.product_events",
            "occurred_at < $day and _batch_id <= (select max(_batch_id) from intermediate.int_event_keys)",
            raw_from,
        )
    }
    con.execute(
        """
        update intermediate.int_event_bounds as bounds
        set last_purged_date = purged.last_date
        from (
            select account_id, event_name, max(activity_date) as last_date
            from intermediate.int_user_days
            where activity_date < $day and events > 0
            group by account_id, event_name
        ) as purged
        where bounds.account_id = purged.account_id and bounds.event_name = purged.event_name
        """,
        {"day": summaries_from},
    )
    for table in ("intermediate.int_user_days", "intermediate.int_event_keys"):
        purged[table] = _delete(con, table, "activity_date < $day", summaries_from)
    con.execute("create table if not exists control.retention (summaries_from date)")
    con.execute(
        """
        insert into control.retention
        select $day
        where $day > coalesce((select max(summaries_from) from control.retention), date '0001-01-01')
        """,
        {"day": summaries_from},
    )
    waiting = con.execute(
        """
        select table_name from duckdb_tables()
        where database_name = current_database() and schema_name = 'quarantine' and table_name like 'waiting%'
        """
    ).fetchall()
    for (table,) in waiting:
        purged[f"quarantine.{table}"] = _delete(con, f"quarantine.{table}", "_loaded_at < $day", waiting_from)
    purged["quarantine.refused_keys"] = _delete(
        con,
        "quarantine.refused_keys",
        "superseded_at is not null and rejected_at < $day "
        "and (superseded_at < $day or superseded_at <= fact_at)",
        waiting_from,
    ) + _delete(
        con,
        "quarantine.refused_keys",
        "feed = 'product/events' and superseded_at is null and least(fact_at, rejected_at) < $day",
        summaries_from,
    )
    con.execute("commit")
    return purged


def _delete(con: duckdb.DuckDBPyConnection, table: str, condition: str, day: date) -> int:
    row = con.execute(f"delete from {table} where {condition}", {"day": day}).fetchone()
    return int(row[0]) if row else 0


def _setting(con: duckdb.DuckDBPyConnection, name: str) -> int:
    row = con.execute("select value from seeds.settings where setting = ?", [name]).fetchone()
    if row is None:
        raise CheckError(f"the setting {name} has no row", "restore it in seeds/settings.csv")
    return int(row[0])
