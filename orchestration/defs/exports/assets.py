"""Files for other systems: one asset and one step for each profile that is used.

`seeds/destinations.csv` says which. Nothing waits for these steps, so that one that fails stops no other:
they come before what closes a run by their priority alone.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.dbt import gather_seeds
from orchestration.steps import (
    ALLOW_FLOOD,
    DRY_RUN,
    EXPORT_STEP,
    POOL,
    PUBLISHED,
    SINGLE_RUN,
    SUCCESS_TEAM,
    WriterLock,
    partitions,
    step,
)
from radar.core import progress
from radar.core.settings import Settings
from radar.exports.guards import guards_of
from radar.exports.profiles import Profile, used_profiles
from radar.exports.report import counts_text, preview_table
from radar.exports.writer import OlderDayError, export


def export_key(profile: str) -> dg.AssetKey:
    """exports/<profile>."""
    return dg.AssetKey(["exports", profile])


@dg.definitions
def exports() -> dg.Definitions:
    """One asset for each destination in use."""
    settings = Settings()
    used = used_profiles(gather_seeds(settings.warehouse, settings.seeds, settings.panel_store))
    return dg.Definitions(assets=[make_export(profile) for profile in used])


def make_export(profile: Profile) -> dg.AssetsDefinition:
    """The asset of one profile."""
    spec = dg.AssetSpec(
        export_key(profile.name),
        # The copy comes first: a file must not tell a CRM what no reader can look up.
        deps=[dg.AssetKey(profile.source.split(".")), PUBLISHED],
        group_name="exports",
        owners=SUCCESS_TEAM,
        kinds={"csv"},
        skippable=True,
        description=f"What changed since it was last acknowledged, as files for {profile.destination}.",
    )

    @dg.multi_asset(
        name=f"{EXPORT_STEP}{profile.name}",
        specs=[spec],
        partitions_def=partitions(),
        backfill_policy=SINGLE_RUN,
        pool=POOL,
        op_tags={"dagster/priority": "2"},
    )
    def write_export(
        context: dg.AssetExecutionContext, writer: WriterLock
    ) -> Iterator[dg.MaterializeResult[Any]]:
        """Write the set of the run's last day; nothing in a dry run, and none for a day before the newest."""
        tags = context.run.tags
        if DRY_RUN in tags:
            return
        with step(context, stays_open=True) as current:
            progress.status(f"  exporting {profile.name}")
            run, settings = current.run, current.settings
            try:
                (report,) = export(
                    settings.warehouse,
                    settings.exports,
                    run_id=run.run_id,
                    as_of=run.window.end,
                    profiles=[profile.name],
                    guards=guards_of(settings.warehouse, allow_flood=ALLOW_FLOOD in tags),
                )
            except OlderDayError as error:
                context.log.info(str(error))
                return
            progress.line(f"export {profile.name}", report.rows, report.seconds)
            yield dg.MaterializeResult(
                export_key(profile.name),
                metadata={
                    "dagster/row_count": report.rows,
                    "changes": counts_text(report.changes),
                    "rejected_rows": report.rejected_rows,
                    "files": len(report.files),
                    "bytes": report.bytes,
                    "sha256": report.sha256,
                    "seconds": round(report.seconds, 3),
                    "folder": dg.MetadataValue.path(str(report.folder)),
                    "preview": dg.MetadataValue.md(preview_table(report.first_rows)),
                },
            )

    return write_export
