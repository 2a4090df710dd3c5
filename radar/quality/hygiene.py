"""Checks what a run has landed, feed by feed, and acts on it: the gate between `raw` and what is built on it.

Each feed's suite sees only the rows that no earlier check has seen. A failing row is refused, loses a value
or waits for its account, as its rule demands; a feed that fails a critical rule, or whose rule could not run,
is blocked as a whole. Every feed's changes and their record are one transaction, so a run that broke off can
be repeated: what was checked is not checked again, what was not is checked by the next run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from radar.core.errors import CheckError
from radar.landing.feeds import feeds_of
from radar.landing.links import count_waiting, resolve_aliases
from radar.quality.actions import act, judge_without_rows
from radar.quality.batches import (
    SCRATCH,
    Batch,
    first_unchecked,
    max_age_days,
    new_rows,
    parameters,
    scratch,
    sql,
)
from radar.quality.docs import page, write_docs
from radar.quality.gate import REMEDY, Limits
from radar.quality.outcomes import Moment, Outcome, recorded
from radar.quality.suites import rules

if TYPE_CHECKING:
    from radar.quality.validate import Run

COMPULSORY = "crm/accounts"
LEADING_FEEDS = (COMPULSORY, "crm/identities", "crm/contacts")
"""Checked first, in this order: whose ids are whose depends on them."""

OnStep = Callable[[str, int, float], None]


def check(
    con: duckdb.DuckDBPyConnection,
    *,
    run_id: str,
    batch_id: int,
    now: datetime,
    as_of_end: date,
    seeds: Path,
    docs: Path | None,
    on_step: OnStep | None = None,
) -> list[Outcome]:
    """Check every feed that has new rows, `crm/accounts` first, and write Data Docs into `docs`.

    `con` must not be inside a transaction; `now` is UTC. `on_step(feed, rows, seconds)` is called after
    each feed. Called again for the same run, it returns what it found before. Raises CheckError after all
    feeds where `crm/accounts` was blocked, InputError where reference data cannot be read.
    """
    utc = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    moment = Moment(run_id, batch_id, utc)
    outcomes = recorded(con, moment)
    checked_before = {outcome.feed for outcome in outcomes}
    pages: dict[str, str] = {}
    limits = Limits.read(seeds)
    contracts = feeds_of(seeds)
    with scratch(con, seeds):
        feeds = sorted(rules(), key=lambda feed: (*(feed != one for one in LEADING_FEEDS), feed))
        first = {feed: first_unchecked(con, feed, batch_id) for feed in feeds if feed not in checked_before}
        batches = [
            batch for feed in first if (batch := new_rows(con, contracts[feed], first[feed], batch_id))
        ]
        for batch, run, seconds in _runs(con, batches, moment, as_of_end, seeds):
            started = time.monotonic()
            found = act(con, batch, run, moment, limits)
            outcomes += found
            if batch.feed in LEADING_FEEDS:
                resolve_aliases(con, seeds)
            if docs is not None:
                pages[batch.feed] = page(batch.feed, found, run.sections(), utc)
            if on_step:
                on_step(batch.feed, batch.rows, seconds + time.monotonic() - started)
    for feed in sorted(first.keys() - {batch.feed for batch in batches}):
        outcomes += judge_without_rows(con, contracts[feed], first[feed], moment, limits)
    count_waiting(con)
    con.execute(sql("record_states"), {"run_id": run_id, "batch_id": batch_id, "now": utc})
    if docs is not None:
        write_docs(con, docs, pages, utc)
    blocked = blocked_feeds(con, run_id)
    if COMPULSORY in blocked:
        raise CheckError(
            f"{COMPULSORY} was blocked, so there is nothing to score: {blocked[COMPULSORY]}", REMEDY
        )
    return outcomes


def blocked_feeds(con: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, str]:
    """Feed -> reason, for every feed that this run blocked."""
    found = con.execute(
        "SELECT feed, reason FROM audit.feed_states WHERE run_id = ? AND state = 'held' ORDER BY feed",
        [run_id],
    )
    return dict(found.fetchall())


def shortfalls(con: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, str]:
    """Feed -> why the run is not all it should be: what it blocked, and critical checks that failed."""
    failed = con.execute(
        "SELECT feed, message FROM audit.checks WHERE run_id = ? AND severity = 'critical' AND NOT success",
        [run_id],
    )
    return dict(failed.fetchall()) | blocked_feeds(con, run_id)


def _runs(
    con: duckdb.DuckDBPyConnection, batches: list[Batch], moment: Moment, as_of_end: date, seeds: Path
) -> Iterator[tuple[Batch, Run, float]]:
    """Validate batch after batch, with its seconds; each is acted on before the next one is looked at."""
    if not batches:
        return
    from radar.quality.validate import validator  # noqa: PLC0415 Great Expectations costs seconds

    ages = max_age_days(seeds / "feeds.csv")
    with validator(con, SCRATCH, moment.run_id, moment.now) as gx:
        for batch in batches:
            started = time.monotonic()
            run = gx.run(batch.feed, parameters(con, batch, as_of_end, ages.get(batch.feed)))
            yield batch, run, time.monotonic() - started
