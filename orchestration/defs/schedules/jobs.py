"""Jobs: the daily run from landing to export, and the recomputing of past days."""

import dagster as dg

from orchestration.steps import ENTRIES, PUBLISHED, RUNS, record_failed_run
from orchestration.translation import NEWEST_DAY_ONLY

daily = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.all(),
    description=(
        "Land, check, build, score, publish, export, for an as-of date or a range. What `radar run` does."
    ),
    executor_def=dg.in_process_executor,
    hooks={record_failed_run},
)

deliver = dg.define_asset_job(
    "deliver",
    selection=dg.AssetSelection.groups("deliveries"),
    description="Deliver what is due of the newest day once more; nothing is computed.",
    executor_def=dg.in_process_executor,
    hooks={record_failed_run},
)

backfill = dg.define_asset_job(
    "backfill",
    # Tables that show only the newest day stay as they are: the past must not take their place.
    selection=(dg.AssetSelection.kind("dbt") - dg.AssetSelection.tag(NEWEST_DAY_ONLY, "yes"))
    | dg.AssetSelection.assets(PUBLISHED, ENTRIES, RUNS),
    description=(
        "Compute past as-of dates again from what has landed; nothing lands, is exported, delivered or "
        "purged. A range of dates is one run. `radar run --since` does the same and lands what is new first."
    ),
    executor_def=dg.in_process_executor,
    hooks={record_failed_run},
)
