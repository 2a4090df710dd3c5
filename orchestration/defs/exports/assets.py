"""Files for other systems: one asset per profile in `exports/profiles/`."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from exports.profiles import Profile, load_profiles
from exports.writer import export
from orchestration.steps import PARTITIONS, POOL, PUBLISHED, SINGLE_RUN, SUCCESS_TEAM, WriterLock, step
from radar import progress


def export_key(profile: str) -> dg.AssetKey:
    """exports/<profile>."""
    return dg.AssetKey(["exports", profile])


def _spec(profile: Profile) -> dg.AssetSpec:
    return dg.AssetSpec(
        export_key(profile.name),
        # The copy comes first: a file must not tell a CRM what no reader can look up.
        deps=[dg.AssetKey(profile.source.split(".")), PUBLISHED],
        group_name="exports",
        owners=SUCCESS_TEAM,
        kinds={"csv"},
        skippable=True,
        description=f"Accounts that changed, as files for {profile.destination}.",
    )


@dg.definitions
def exports() -> dg.Definitions:
    """One asset for each profile."""
    return dg.Definitions(assets=[make_exports(load_profiles())])


def make_exports(profiles: list[Profile]) -> dg.AssetsDefinition:
    """The assets of these profiles, written by one step."""

    @dg.multi_asset(
        name="exports",
        specs=[_spec(profile) for profile in profiles],
        can_subset=True,
        partitions_def=PARTITIONS,
        backfill_policy=SINGLE_RUN,
        pool=POOL,
    )
    def write_exports(
        context: dg.AssetExecutionContext, writer: WriterLock
    ) -> Iterator[dg.MaterializeResult[Any]]:
        """Write the sets of the selected profiles."""
        chosen = [
            profile.name for profile in profiles if export_key(profile.name) in context.selected_asset_keys
        ]
        with step(context) as current:
            run, settings = current.run, current.settings
            for name in chosen:
                progress.status(f"  exporting {name}")
                (report,) = export(
                    settings.warehouse,
                    settings.exports,
                    run_id=run.run_id,
                    as_of=run.window.end,
                    profiles=[name],
                )
                progress.line(f"export {name}", report.rows, report.seconds)
                yield dg.MaterializeResult(
                    export_key(name),
                    metadata={
                        "dagster/row_count": report.rows,
                        "rejected_rows": report.rejected_rows,
                        "files": len(report.files),
                        "bytes": report.bytes,
                        "seconds": round(report.seconds, 3),
                        "folder": dg.MetadataValue.path(str(report.folder)),
                    },
                )

    return write_exports
