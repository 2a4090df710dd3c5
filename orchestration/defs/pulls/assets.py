"""A step for each vendor that a run pulls before it lands.

A vendor that cannot be reached stops no run: what it has is landed by a later one, its feeds are as old as
they are, and the check of the asset says why.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.pulls import pull_key, pulled_vendors
from orchestration.steps import DATA_TEAM, reported
from radar.core import progress
from radar.core.errors import RadarError
from radar.core.settings import Settings
from radar.pulls.definitions import Definition
from radar.pulls.pulling import pull

CHECK = "everything_was_pulled"


@dg.definitions
def pulls() -> dg.Definitions:
    """The vendors that RADAR_PULL_VENDORS names."""
    return dg.Definitions(assets=[_asset(vendor, found) for vendor, found in pulled_vendors().items()])


def _asset(vendor: str, definitions: list[Definition]) -> dg.AssetsDefinition:
    key = pull_key(vendor)
    objects = ", ".join(one.name for one in definitions)

    @dg.asset(
        key=key,
        group_name="pulls",
        owners=DATA_TEAM,
        kinds={"json"},
        description=f"Files of {vendor} in the extracts folder: {objects}.",
        check_specs=[
            dg.AssetCheckSpec(CHECK, asset=key, description="Every object of the vendor was read to its end.")
        ],
    )
    def pull_vendor(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        with reported(context):
            records, failures = _pull(definitions)
            yield dg.MaterializeResult(
                key,
                metadata=records,
                check_results=[
                    dg.AssetCheckResult(
                        check_name=CHECK,
                        passed=not failures,
                        severity=dg.AssetCheckSeverity.WARN,
                        description="\n".join(failures) or None,
                    )
                ],
            )

    return pull_vendor


def _pull(definitions: list[Definition]) -> tuple[dict[str, int], list[str]]:
    """New records (files, where records are not counted) by object, and what failed."""
    records: dict[str, int] = {}
    failures: list[str] = []
    for one in definitions:
        progress.status(f"  pulling {one.title}")
        try:
            done = pull(one, Settings().extracts)
            records[one.name] = len(done.files) if done.records is None else done.records
        except RadarError as error:
            failures.append(str(error))
            progress.note(f"not pulled: {error}")
    return records, failures
