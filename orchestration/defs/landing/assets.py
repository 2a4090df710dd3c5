"""The raw feeds and the checks that guard them: one step lands what arrived and sets bad rows aside.

Landing and checking are one step, so that nothing can be built on rows that were not looked at. A feed that a
critical check holds back fails that check and stops nothing; only `crm/accounts` stops the run.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb

from expectations.hygiene import check as check_feeds
from expectations.outcomes import Outcome
from expectations.suites import rules, table_name
from orchestration.landing.feeds import FEEDS
from orchestration.landing.land import land
from orchestration.retention import refuse_too_late
from orchestration.steps import DATA_TEAM, POOL, Step, WriterLock, first_step
from radar import progress, runs
from radar.errors import InputError
from radar.rules import check as check_rules
from radar.warehouse import state_dir

COMPULSORY = "crm/accounts"
SEVERITIES = {
    "critical": dg.AssetCheckSeverity.ERROR,
    "warning": dg.AssetCheckSeverity.WARN,
    "info": dg.AssetCheckSeverity.WARN,
}
RECORDS = {
    "control/run_window": "The run under way: its id, its batch and the as-of dates that it computes.",
    "audit/loads": "Every file that a run met for the first time, and what became of it.",
    "audit/feed_states": "Feeds in which something arrived, per run: ok, or held back and why.",
    "audit/checks": "Every check that ran, and what it found.",
    "quarantine/rejected_rows": "Rows refused or waiting: file, row, column, rule, and a masked value.",
    "quarantine/rejected_values": "Optional values that were left out; their rows landed.",
}
"""Tables that landing writes beside the feeds, as `schema/name`."""


def feed_key(feed: str) -> dg.AssetKey:
    """The asset of a feed is its table: `product/events` -> raw/product_events."""
    return dg.AssetKey(["raw", table_name(feed)])


def _specs() -> list[dg.AssetSpec]:
    feeds = [
        dg.AssetSpec(
            feed_key(feed),
            group_name="raw",
            owners=DATA_TEAM,
            kinds={"duckdb", feed.split("/")[0]},
            skippable=True,
            description=f"Rows of {feed}, as they arrived, good ones only.",
        )
        for feed in FEEDS
    ]
    records = [
        dg.AssetSpec(
            key.split("/"),
            group_name="records",
            owners=DATA_TEAM,
            kinds={"duckdb"},
            skippable=True,
            description=description,
        )
        for key, description in RECORDS.items()
    ]
    return [*feeds, *records]


def _check_specs() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            rule.check,
            asset=feed_key(feed),
            description=rule.description,
            blocking=feed == COMPULSORY,
            metadata={"severity": rule.severity, "expectation": rule.expectation_type, "action": rule.action},
        )
        for feed, found in rules().items()
        for rule in found
    ]


@dg.multi_asset(
    name="landing",
    specs=_specs(),
    check_specs=_check_specs(),
    can_subset=True,
    pool=POOL,
)
def landing(
    context: dg.AssetExecutionContext, writer: WriterLock
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Land, check, set aside. A selection of feeds is shown alone; all that arrived lands all the same."""
    with first_step(context) as step, step.connect() as con:
        _land(con, step)
        outcomes = _check(con, step)
        refuse_too_late(con, step.run.batch_id)
        runs.mark_checked(con, step.run)
        feeds = _feed_metadata(con, step)
        records = {key: _one(con, f"SELECT count(*) FROM {key.replace('/', '.')}") for key in RECORDS}
    chosen = context.selected_asset_keys
    for feed in FEEDS:
        if feed_key(feed) in chosen:
            yield dg.MaterializeResult(feed_key(feed), metadata=feeds[feed])
    for key, rows in records.items():
        if dg.AssetKey(key.split("/")) in chosen:
            yield dg.MaterializeResult(key.split("/"), metadata={"dagster/row_count": rows})
    for outcome in outcomes:
        result = _result(outcome)
        if dg.AssetCheckKey(feed_key(outcome.feed), outcome.check) in context.selected_asset_check_keys:
            yield result


def _land(con: duckdb.DuckDBPyConnection, step: Step) -> None:
    problems = check_rules(step.seeds)
    if problems:
        raise InputError(
            "the reference data has mistakes:\n" + "\n".join(f"  {problem}" for problem in problems),
            "correct these rows; `radar rules check` shows them without a run",
        )
    run = step.run
    report = land(
        con,
        step.settings.extracts,
        run_id=run.run_id,
        batch_id=run.batch_id,
        now=run.now,
        on_step=lambda feed, rows, seconds: progress.line(f"land {feed}", rows, seconds),
    )
    for notice in report.notices:
        progress.note(notice)
    for feed in report:
        if feed.rows_released:
            progress.note(
                f"{feed.feed}: {feed.rows_released:,} rows that had waited for their account landed"
            )


def _check(con: duckdb.DuckDBPyConnection, step: Step) -> list[Outcome]:
    run = step.run
    progress.status("checking what has landed")
    return check_feeds(
        con,
        run_id=run.run_id,
        batch_id=run.batch_id,
        now=run.now,
        as_of_end=run.window.end,
        seeds=step.seeds,
        docs=state_dir(step.settings.warehouse) / "data_docs",
        on_step=lambda feed, rows, seconds: progress.line(f"check {feed}", rows, seconds),
    )


def _feed_metadata(con: duckdb.DuckDBPyConnection, step: Step) -> dict[str, dict[str, Any]]:
    """Of each feed: files, bytes and rows of this run, and the rows that now stand."""
    found = con.execute(
        """
        SELECT
            feed, count(*), count(*) FILTER (WHERE status = 'refused'), sum(bytes), sum(rows_landed),
            sum(rows_rejected), sum(values_rejected)
        FROM audit.loads WHERE run_id = ? GROUP BY feed
        """,
        [step.run.run_id],
    ).fetchall()
    names = ("files", "files_refused", "bytes", "rows_landed", "rows_refused", "values_refused")
    arrived = {feed: [int(value or 0) for value in values] for feed, *values in found}
    return {
        feed: {
            **dict(zip(names, arrived.get(feed, [0] * len(names)), strict=True)),
            "dagster/row_count": _one(con, f"SELECT count(*) FROM raw.{table_name(feed)}"),
        }
        for feed in FEEDS
    }


def _one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0


def _result(outcome: Outcome) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=feed_key(outcome.feed),
        check_name=outcome.check,
        passed=outcome.success and not outcome.error,
        severity=SEVERITIES[outcome.severity],
        description=outcome.message,
        metadata={
            "action": outcome.action,
            "observed": outcome.observed or "",
            "unexpected_rows": outcome.unexpected_count or 0,
        },
    )
