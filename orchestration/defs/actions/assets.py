"""Deliveries: one asset per channel, delivered by one step after the copy is out.

A channel that fails fails alone: it is shown as a check that has not passed, in the run's summary and in
`audit.deliveries`, and is tried again; the day's score remains, so the run does not fail for it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dagster as dg

from orchestration.steps import (
    DRY_RUN,
    POOL,
    PUBLISHED,
    SINGLE_RUN,
    SUCCESS_TEAM,
    Step,
    WriterLock,
    delivery_key,
    partitions,
    step,
)
from radar.core import progress
from radar.core.runs import utc_now
from radar.core.warehouse import giving_way
from radar.deliveries.deliveries import CHANNELS, Deliveries, Report
from radar.deliveries.retries import note_next_attempt
from radar.deliveries.settings import Destinations
from radar.exports import outbound

_READ = (("outbound", "rpt_due_deliveries"), ("marts", "rpt_mail_facts"), ("marts", "rpt_account_health"))
_DEPENDS = [PUBLISHED, *map(dg.AssetKey, _READ)]
_DESCRIPTIONS = {
    "slack": "Alerts, recoveries and reminders for owners.",
    "tasks": "Tasks in the CRM.",
    "mail": "Drafts of mails, and those that a person approved.",
    "webhook": "What other programs do: guides and surveys that a person approved.",
    "accounts": "Accounts that changed, written through the CRM's API.",
}
CHECK = "delivered"


@dg.definitions
def deliveries() -> dg.Definitions:
    """One asset for each channel."""
    return dg.Definitions(assets=[make_deliveries()])


def make_deliveries() -> dg.AssetsDefinition:
    """The assets of all channels, delivered by one step."""

    @dg.multi_asset(
        name="deliveries",
        specs=[
            dg.AssetSpec(
                delivery_key(channel),
                deps=_DEPENDS,
                group_name="deliveries",
                owners=SUCCESS_TEAM,
                kinds={"python"},
                skippable=True,
                description=_DESCRIPTIONS[channel],
            )
            for channel in CHANNELS
        ],
        check_specs=[
            dg.AssetCheckSpec(
                CHECK, asset=delivery_key(channel), description="Nothing failed or is in doubt."
            )
            for channel in CHANNELS
        ],
        can_subset=True,
        partitions_def=partitions(),
        backfill_policy=SINGLE_RUN,
        pool=POOL,
        op_tags={"dagster/priority": "1"},
    )
    def deliver(
        context: dg.AssetExecutionContext, writer: WriterLock
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        """Deliver what is due of the newest day; of older days, and in a dry run, nothing goes out."""
        if DRY_RUN in context.run.tags:
            return
        with step(context, stays_open=True) as current, current.connect() as con:
            run, settings = current.run, current.settings
            day = run.window.end
            work = Deliveries(con, settings.exports, run.run_id, day, Destinations.read())
            if not work.is_newest_day():
                context.log.info(f"{day} is not the newest day: nothing is delivered")
                return
            outbound.note_newer_runs(con, settings.exports, settings.published, utc_now())
            if reason := outbound.blocked(con, day):
                context.log.warning(f"Nothing is delivered: {reason}")
                outbound.record_blocked(con, run.run_id, day, reason, utc_now())
                for channel in CHANNELS:
                    if delivery_key(channel) in context.selected_asset_keys:
                        yield _blocked(channel, reason)
                return
            outbound.release(con, run.run_id, day)
            yielded = False
            with giving_way(settings.warehouse) as is_wanted:
                work = replace(work, is_wanted=is_wanted)
                for channel in CHANNELS:
                    if delivery_key(channel) in context.selected_asset_keys:
                        progress.status(f"  delivering {channel}")
                        report = work.deliver(channel)
                        yielded |= report.yielded
                        yield from _results(current, report)
            note_next_attempt(settings.warehouse, day, utc_now() if yielded else work.next_attempt_at())

    return deliver


def _blocked(channel: str, reason: outbound.BlockedError) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False,
        asset_key=delivery_key(channel),
        check_name=CHECK,
        severity=dg.AssetCheckSeverity.WARN,
        description=str(reason),
    )


def _results(current: Step, report: Report) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    key = delivery_key(report.channel)
    metadata: dict[str, Any] = {
        "carrier": report.carrier,
        "sent": report.counts.get("delivered", 0),
        "written": report.counts.get("written", 0),
        "failed": report.counts.get("failed", 0),
        "in_doubt": report.counts.get("in_doubt", 0),
        "held": report.untried,
        "preview": dg.MetadataValue.md(
            "\n".join(f"- {line}" for line in report.preview) or "nothing was due"
        ),
    }
    if report.error:
        metadata["error"] = report.error
        again = "" if report.is_ok or report.stopped_by else "; tried again"
        progress.note(f"deliveries of {report.channel}: {report.error}{again}")
    yield dg.MaterializeResult(key, metadata=metadata)
    yield dg.AssetCheckResult(
        passed=report.is_ok, asset_key=key, check_name=CHECK, severity=dg.AssetCheckSeverity.WARN
    )
