"""The copy that readers open: BI tools, analysts, the panel."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from orchestration import dbt as building
from orchestration.steps import DATA_TEAM, POOL, PUBLISHED, SINGLE_RUN, WriterLock, partitions, step
from orchestration.translation import keys_of
from radar.audit.entries import record
from radar.core import progress
from radar.core.settings import Settings
from radar.core.warehouse import connect
from radar.publishing import contact_store
from radar.publishing.contents import ACCOUNT_NAMES, RECORDS, SCHEMAS
from radar.publishing.published_copy import publish

CONTACT_STORE = [dg.AssetKey(["outbound", name]) for name in ("rpt_contact_details", "rpt_contact_texts")]
"""What the panel shows besides the copy: names and texts of customers' people."""


@dg.definitions
def publishing() -> dg.Definitions:
    """The copy follows every table that it holds."""
    settings = Settings()
    workspace = building.prepare(settings.warehouse, settings.seeds, settings.panel_store)
    return dg.Definitions(assets=[make_copy([*keys_of(workspace.manifest, SCHEMAS), *CONTACT_STORE])])


def make_copy(tables: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The published copy of these tables."""

    @dg.asset(
        key=PUBLISHED,
        deps=tables,
        group_name="published",
        owners=DATA_TEAM,
        kinds={"duckdb", "parquet"},
        partitions_def=partitions(),
        backfill_policy=SINGLE_RUN,
        pool=POOL,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36)),
        description=(
            "One DuckDB file of signals, scores, marts and records of what was done, "
            "and the bucket tables as Parquet, swapped whole; and the panel's contact store."
        ),
    )
    def publish_copy(context: dg.AssetExecutionContext, writer: WriterLock) -> dg.MaterializeResult[Any]:
        """Bring the copy up to the warehouse and swap it in."""
        with step(context) as current:
            progress.status("  publishing")
            run, settings = current.run, current.settings
            with connect(settings.warehouse) as con:
                record(con, settings.warehouse, run, settings.panel_store)  # so that the copy shows it
            report = publish(
                settings.warehouse,
                settings.published,
                run_id=run.run_id,
                as_of_start=run.window.start,
                as_of_end=run.window.end,
                extra_relations=(*RECORDS, ACCOUNT_NAMES),
            )
            with connect(settings.warehouse) as con:
                contact_store.write(con, settings.contact_store)
            rows = sum(report.rows.values())
            progress.line("publish", rows, report.seconds)
            return dg.MaterializeResult(
                metadata={
                    "dagster/row_count": rows,
                    "tables": len(report.rows),
                    "bytes": report.bytes,
                    "seconds": round(report.seconds, 3),
                    "folder": dg.MetadataValue.path(str(settings.published)),
                }
            )

    return publish_copy
