"""The dbt project as assets and checks: seeds, staging, signals, scores and marts, built in one step.

Belongs here: how dbt nodes look in Dagster. How dbt is run is `orchestration.dbt`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import dagster as dg
from dagster_dbt import dbt_assets

from orchestration import dbt as building
from orchestration.dbt import NodeResult
from orchestration.steps import ALLOW_FLOOD, POOL, SINGLE_RUN, Step, WriterLock, partitions, step
from orchestration.translation import UNIQUE_ID, Translator
from radar.core import progress, runs
from radar.core.settings import Settings
from radar.exports import outbound
from radar.landing.as_of_guard import require_near_facts
from radar.publishing.windows import announce_window


@dg.definitions
def warehouse() -> dg.Definitions:
    """Parse the project where it has changed, and define its assets."""
    settings = Settings()
    workspace = building.prepare(settings.warehouse, settings.seeds, settings.panel_store)
    return dg.Definitions(assets=[make_assets(workspace.manifest)])


def make_assets(manifest: Path) -> dg.AssetsDefinition:
    """The assets of a manifest, all of them built by one step."""

    @dbt_assets(  # type: ignore[untyped-decorator]
        manifest=manifest,
        name="dbt",
        dagster_dbt_translator=Translator(),
        partitions_def=partitions(),
        backfill_policy=SINGLE_RUN,
        pool=POOL,
    )
    def build_warehouse(
        context: dg.AssetExecutionContext, writer: WriterLock
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        """Build what is selected for the run's as-of dates, and test it."""
        with step(context) as current:
            yield from _build(context, current)

    return cast(dg.AssetsDefinition, build_warehouse)


def _build(
    context: dg.AssetExecutionContext, current: Step
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    settings, window = current.settings, current.run.window
    with current.connect() as con:  # a run without landing has not been looked at yet
        require_near_facts(con, window, seeds=current.seeds, force_day=current.force_day)
    workspace = building.prepare(settings.warehouse, settings.seeds, settings.panel_store)
    with current.connect() as con:
        outbound.prepare(
            con,
            settings.exports,
            settings.published,
            allow_flood=ALLOW_FLOOD in context.run.tags,
            now=runs.utc_now(),
        )
    announce_window(settings.warehouse, as_of_start=window.start, as_of_end=window.end)
    nodes = json.loads(workspace.manifest.read_bytes())["nodes"]
    keys = {spec.metadata[UNIQUE_ID]: spec.key for spec in context.assets_def.specs}
    checks = {spec.metadata[UNIQUE_ID]: spec for spec in context.assets_def.check_specs}
    done = building.build(workspace, _selection(context, nodes, keys), _Watcher(nodes))
    _report_layers(done.results, nodes)
    for result in done.results:
        if result.status == "skipped":
            continue
        spec = checks.get(result.unique_id)
        if spec and spec.key in context.selected_asset_check_keys:
            yield _check_result(result, spec)
        elif result.ok and keys.get(result.unique_id) in context.selected_asset_keys:
            yield dg.MaterializeResult(keys[result.unique_id], metadata=_metadata(result, window))
    if done.error:
        raise done.error


def _selection(
    context: dg.AssetExecutionContext, nodes: Mapping[str, Any], keys: Mapping[str, dg.AssetKey]
) -> list[str]:
    """dbt's selection for what is selected in Dagster; empty for everything."""
    if not context.is_subset:
        return []
    return [
        ".".join(nodes[unique_id]["fqn"])
        for unique_id, key in keys.items()
        if key in context.selected_asset_keys and unique_id in nodes
    ]


def _metadata(result: NodeResult, window: runs.Window) -> dict[str, Any]:
    rows = {} if result.rows is None else {"dagster/row_count": result.rows}
    return {**rows, "seconds": round(result.seconds, 3), "as_of": str(window)}


def _check_result(result: NodeResult, spec: dg.AssetCheckSpec) -> dg.AssetCheckResult:
    is_warning = result.status == "warn" or not spec.blocking
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=result.ok,
        severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
        description=result.message or None,
        metadata={"failing_rows": result.failures or 0, "seconds": round(result.seconds, 3)},
    )


class _Watcher:
    """Shows which node of how many has ended."""

    def __init__(self, nodes: Mapping[str, Any]) -> None:
        self._nodes, self._done = nodes, 0
        self._all = sum(
            node["resource_type"] in ("model", "seed", "test") and building.ON_DEMAND not in node["tags"]
            for node in nodes.values()
        )

    def __call__(self, unique_id: str) -> None:
        self._done += 1
        progress.status(f"  building {self._done} of {self._all}: {self._nodes[unique_id]['name']}")


def _report_layers(results: Sequence[NodeResult], nodes: Mapping[str, Any]) -> None:
    """A build summed up by layer, for the person who watches."""
    sums: dict[str, list[float]] = {}
    for result in results:
        node = nodes[result.unique_id]
        kind = node["resource_type"]
        layer = {"seed": "reference data", "test": "tests of the tables"}.get(kind) or node["fqn"][1]
        counted = sums.setdefault(layer, [0, 0, 0.0])
        counted[0], counted[1] = counted[0] + 1, counted[1] + (result.rows or 0)
        counted[2] += result.seconds
    for layer, (count, rows, seconds) in sums.items():
        progress.line(f"build {layer} ({int(count)})", int(rows) or None, seconds)
