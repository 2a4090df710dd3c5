"""The raw feeds and the checks that guard them: one step lands what arrived and sets bad rows aside.

Landing and checking are one step, so that nothing can be built on rows that were not looked at. A feed that a
critical check blocks fails that check and stops nothing; only `crm/accounts` stops the run.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import duckdb

from orchestration.pulls import pulled_before
from orchestration.steps import DATA_TEAM, POOL, Step, WriterLock, first_step
from radar.core import progress, runs
from radar.core.errors import CheckError, InputError, RadarError
from radar.core.settings import DEFAULT_TABLES
from radar.core.warehouse import state_dir
from radar.landing.as_of_guard import require_near_facts
from radar.landing.decision_feed import write_decision_feed
from radar.landing.feeds import load_feeds
from radar.landing.file_rules import FileRules
from radar.landing.first_day import note_landed
from radar.landing.land import land
from radar.landing.retention import payloads_from, refuse_too_late
from radar.landing.tables import load_tables
from radar.quality import columns, gate
from radar.quality.hygiene import check as check_feeds
from radar.quality.outcomes import Moment, Outcome, last_recorded, recorded
from radar.quality.suites import Rule, rules, table_name
from radar.rules.checks import check as check_rules

COMPULSORY = "crm/accounts"
EXPECTATIONS = "expectations"
"""One check of a feed for all of its suite: Dagster keeps several records of each check in every run."""
WORTH_TELLING_SECONDS = 0.1
Result = dg.MaterializeResult[Any] | dg.AssetCheckResult

RECORDS = {
    "control/run_window": "The run under way: its id, its batch and the as-of dates that it computes.",
    "audit/loads": "Every file that a run met for the first time, and what became of it.",
    "audit/feed_states": "Feeds in which something arrived, per run: ok, or blocked and why.",
    "audit/checks": "Every check that ran, and what it found.",
    "audit/deliveries": "Every attempt to hand something over, and what became of it.",
    "audit/released_buckets": "The bucket of every account when something last might go out.",
    "audit/column_findings": "Columns that are unknown, misnamed or gone, per batch and feed.",
    "quarantine/rejected_rows": "Rows refused or waiting: file, row, column, rule, and a masked value.",
    "quarantine/rejected_values": "Optional values that were left out; their rows landed.",
    "quarantine/refused_keys": "Whose rows were refused, and from when on another row makes up for each.",
    "quarantine/unresolved_ids": "For whom rows wait, per feed and id.",
    "raw/account_aliases": "Ids of other systems and of merged accounts, and the account of each.",
    "raw/account_links": "The same with the rule, and ids that may be more than one account.",
    "audit/fact_days": "The days on which something of a feed happened, by its own times.",
}
"""Tables that landing writes besides the feeds, as `schema/name`."""


def feed_key(feed: str) -> dg.AssetKey:
    """The asset of a feed is its table: `product/events` -> raw/product_events."""
    return dg.AssetKey(["raw", table_name(feed)])


def _specs() -> list[dg.AssetSpec]:
    pulled = pulled_before()
    feeds = [
        dg.AssetSpec(
            feed_key(feed),
            group_name="raw",
            owners=DATA_TEAM,
            kinds={"duckdb", feed.split("/")[0]},
            skippable=True,
            deps=pulled.get(feed, []),
            description=f"{contract.description} Rows as they arrived, good ones only.",
        )
        for feed, contract in load_feeds().items()
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
    gates = [
        dg.AssetCheckSpec(
            gate.CHECK, asset=feed_key(feed), description=gate.DESCRIPTION, blocking=feed == COMPULSORY
        )
        for feed in rules()
    ]
    gates += [
        dg.AssetCheckSpec(check, asset=feed_key(feed), description=description)
        for feed in rules()
        for check, description in columns.CHECKS.items()
    ]
    suites = [
        dg.AssetCheckSpec(
            EXPECTATIONS,
            asset=feed_key(feed),
            description=f"the {len(found)} expectations of the feed; audit.checks has each, with its message",
            blocking=feed == COMPULSORY,
            metadata={"expectations": dg.MetadataValue.table(_described(found))},
        )
        for feed, found in rules().items()
    ]
    return gates + suites


def _described(found: tuple[Rule, ...]) -> list[dg.TableRecord]:
    return [
        dg.TableRecord(
            {
                "check": rule.check,
                "severity": rule.severity,
                "expectation": rule.expectation_type,
                "action": rule.action,
                "description": rule.description,
            }
        )
        for rule in found
    ]


@dg.multi_asset(
    name="landing",
    specs=_specs(),
    check_specs=_check_specs(),
    can_subset=True,
    pool=POOL,
)
def landing(context: dg.AssetExecutionContext, writer: WriterLock) -> Iterator[Result]:
    """Land, check, set aside. A selection of feeds is shown alone; all that arrived lands all the same."""
    with first_step(context) as step:
        with step.connect() as con:
            _land(con, step)
            refusal: RadarError | None = _check(con, step)
            refuse_too_late(con, step.run.batch_id)
            runs.mark_checked(con, step.run)
            results: list[Result] = [
                *_materializations(con, step),
                *_check_results(con, step, is_read=not context.instance.is_ephemeral),
            ]
            if not refusal:
                refusal = _refused_day(con, step)
            if not refusal:
                note_landed(con, step.settings.warehouse, step.run.window.start)
        for result in results:
            if _is_selected(context, result):
                yield result
        if refusal:
            raise refusal


def _is_selected(context: dg.AssetExecutionContext, result: Result) -> bool:
    if isinstance(result, dg.MaterializeResult):
        return result.asset_key in context.selected_asset_keys
    keys = {(key.asset_key, key.name) for key in context.selected_asset_check_keys}
    return (result.asset_key, result.check_name) in keys


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
        decisions=_decisions(step),
        run_id=run.run_id,
        batch_id=run.batch_id,
        now=run.now,
        payloads_from=payloads_from(con, step.seeds, as_of_end=run.window.end, today=run.now.date()),
        file_rules=FileRules.of(step.seeds),
        seeds=step.seeds,
        tables=load_tables(step.settings.tables, is_required=step.settings.tables != DEFAULT_TABLES),
        on_step=_tell_landed,
    )
    for notice in report.notices:
        progress.note(notice)
    for feed in report:
        if feed.rows_released:
            progress.note(
                f"{feed.feed}: {feed.rows_released:,} rows that had waited for their account landed"
            )


def _decisions(step: Step) -> Path:
    """The folder with what people decided in the panel until now.

    A panel whose file cannot be read stops no run: what was written before is still used.
    """
    folder = state_dir(step.settings.warehouse) / "decisions"
    try:
        write_decision_feed(step.settings.panel_store, folder)
    except RadarError as error:
        progress.note(str(error))
    return folder


def _tell_landed(feed: str, rows: int, seconds: float) -> None:
    """A line for a feed in which something arrived; files that are known are not even read."""
    if rows:
        _prepare_checks()
    if rows or seconds >= WORTH_TELLING_SECONDS:
        progress.line(f"land {feed}", rows, seconds)


@cache
def _prepare_checks() -> None:
    """Import what checks need (seconds) while files land; landing waits for DuckDB most of the time."""
    Thread(target=import_module, args=("radar.quality.validate",), name="imports", daemon=True).start()


def _check(con: duckdb.DuckDBPyConnection, step: Step) -> CheckError | None:
    """Check everything; the error is that there is nothing left to score."""
    run = step.run
    progress.status("  checking what has landed")
    try:
        check_feeds(
            con,
            run_id=run.run_id,
            batch_id=run.batch_id,
            now=run.now,
            as_of_end=run.window.end,
            seeds=step.seeds,
            docs=state_dir(step.settings.warehouse) / "data_docs",
            on_step=lambda feed, rows, seconds: progress.line(f"check {feed}", rows, seconds),
        )
    except CheckError as error:
        return error
    return None


def _refused_day(con: duckdb.DuckDBPyConnection, step: Step) -> RadarError | None:
    """The error of a day that is too far beyond the facts, those that have just landed included."""
    try:
        require_near_facts(con, step.run.window, seeds=step.seeds, force_day=step.force_day)
    except RadarError as error:
        return error
    return None


def _materializations(con: duckdb.DuckDBPyConnection, step: Step) -> Iterator[dg.MaterializeResult[Any]]:
    for feed, metadata in _feed_metadata(con, step).items():
        yield dg.MaterializeResult(feed_key(feed), metadata=metadata)
    for key in RECORDS:
        rows = _one(con, f"SELECT count(*) FROM {key.replace('/', '.')}")
        yield dg.MaterializeResult(key.split("/"), metadata={"dagster/row_count": rows})


def _check_results(con: duckdb.DuckDBPyConnection, step: Step, *, is_read: bool) -> list[dg.AssetCheckResult]:
    """What the checks of this run came to. Those that gate the run also speak where nothing has arrived.

    `is_read`: Dagster keeps the results and shows those of an asset's newest materialization alone, so a
    check that had nothing to look at shows its last one again.
    """
    run = step.run
    found = _by_feed(recorded(con, Moment(run.run_id, run.batch_id, run.now)))
    results = [result for feed, outcomes in found.items() for result in results_of(feed, outcomes)]
    gating = [(feed_key(COMPULSORY), gate.CHECK), (feed_key(COMPULSORY), EXPECTATIONS)]
    if is_read:
        shown = {*gating, *((result.asset_key, result.check_name) for result in results)}
        results += [
            result
            for feed, outcomes in _by_feed(last_recorded(con)).items()
            for result in results_of(feed, outcomes, "No new rows since: ")
            if (result.asset_key, result.check_name) not in shown
        ]
    if COMPULSORY not in found:
        description = "No new rows; earlier ones were checked when they landed."
        results += [
            dg.AssetCheckResult(asset_key=key, check_name=check, passed=True, description=description)
            for key, check in gating
        ]
    return results


def _by_feed(outcomes: list[Outcome]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.feed, []).append(outcome)
    return found


def _feed_metadata(con: duckdb.DuckDBPyConnection, step: Step) -> dict[str, dict[str, Any]]:
    """Of each feed: files, bytes and rows of this run, and the rows that are there now."""
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
        for feed in load_feeds()
    }


def _one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0


def results_of(feed: str, outcomes: list[Outcome], since: str = "") -> Iterator[dg.AssetCheckResult]:
    """Of the checks of a feed as they are now: a rule may have gone since its last result."""
    of_suite = {rule.check for rule in rules()[feed]}
    for outcome in outcomes:
        if outcome.check in (gate.CHECK, *columns.CHECKS):
            yield _result(feed, outcome.check, [outcome], since)
    if expectations := [outcome for outcome in outcomes if outcome.check in of_suite]:
        yield _result(feed, EXPECTATIONS, expectations, since)


def _result(feed: str, check: str, outcomes: list[Outcome], since: str) -> dg.AssetCheckResult:
    """One result for these outcomes; what is only reported (severity info) fails nothing."""
    found = [outcome for outcome in outcomes if outcome.error or not outcome.success]
    severities = {outcome.severity for outcome in found}
    messages = "\n".join(outcome.message for outcome in found or outcomes if outcome.message)
    is_critical = "critical" in severities
    details = {"found": dg.MetadataValue.table([_found(outcome) for outcome in found])} if found else {}
    return dg.AssetCheckResult(
        asset_key=feed_key(feed),
        check_name=check,
        passed=severities <= {"info"},
        severity=dg.AssetCheckSeverity.ERROR if is_critical else dg.AssetCheckSeverity.WARN,
        description=f"{since}{messages}".removesuffix(": "),
        metadata=details,
    )


def _found(outcome: Outcome) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "check": outcome.check,
            "severity": outcome.severity,
            "action": outcome.action,
            "observed": outcome.observed or "",
            "unexpected_rows": outcome.unexpected_count or 0,
        }
    )
