"""A Dagster instance for a run of which nothing is kept: it has no record of events to write or to ask.

Dagster's own ephemeral instance keeps each event in tables in memory, and asks them for the newest version of
every asset that another one reads: two to three seconds a run. The result of the run has its events anyway.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
from dagster._core.instance.types import InstanceType
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.event_log import InMemoryEventLogStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import TemporaryLocalArtifactStorage
from dagster._core.storage.runs import InMemoryRunStorage


def unrecorded() -> dg.DagsterInstance:
    """As `DagsterInstance.ephemeral()` puts it together, but for the storage of events."""
    return dg.DagsterInstance(
        instance_type=InstanceType.EPHEMERAL,
        local_artifact_storage=TemporaryLocalArtifactStorage(),  # type: ignore[no-untyped-call]
        run_storage=InMemoryRunStorage(),
        event_storage=_Forgetful(),
        compute_log_manager=NoOpComputeLogManager(),
        run_coordinator=DefaultRunCoordinator(),
        run_launcher=SyncInMemoryRunLauncher(),
    )


class _Forgetful(InMemoryEventLogStorage):
    """Stores no event, and says so to what a run asks most often; anything else finds empty tables."""

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Nothing to do."""

    def get_asset_records(self, asset_keys: Any = None) -> list[Any]:
        """No asset was ever materialized."""
        return []

    def get_latest_tags_by_partition(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """No partition either."""
        return {}

    def fetch_materializations(self, *args: Any, **kwargs: Any) -> dg.EventRecordsResult:
        """None."""
        return dg.EventRecordsResult(records=[], cursor="", has_more=False)

    fetch_observations = fetch_materializations
