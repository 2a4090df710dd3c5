"""How the dbt project looks in Dagster: keys, groups, owners, checks. Nothing here runs dbt."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

from orchestration.dbt import ON_DEMAND
from orchestration.steps import DATA_TEAM
from radar.publishing.contents import SNAPSHOTS

UNIQUE_ID = "dagster_dbt/unique_id"
NEWEST_DAY_ONLY = "radar/newest_day_only"


class Translator(DagsterDbtTranslator):  # type: ignore[misc]
    """An asset is named for its table, and grouped by the folder that its model is in."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`schema/table`, for models, seeds and sources alike, or what a source's `meta` names."""
        meta = dbt_resource_props.get("config", {}).get("meta") or dbt_resource_props.get("meta") or {}
        if named := meta.get("dagster", {}).get("asset_key"):
            return dg.AssetKey(named)
        table = dbt_resource_props.get("identifier") or dbt_resource_props.get("alias")
        return dg.AssetKey([dbt_resource_props["schema"], table or dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The folder below `models/`; seeds are the reference data."""
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        return str(dbt_resource_props["fqn"][1])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """As the project describes it, without the SQL."""
        return str(dbt_resource_props.get("description") or "")

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """dbt's own, and a mark on tables that show the newest day alone (actions keep earlier ones)."""
        relation = ".".join(self.get_asset_key(dbt_resource_props).path)
        is_snapshot = relation in SNAPSHOTS or relation.startswith("outbound.")
        is_rebuilt = dbt_resource_props["config"].get("materialized") == "table"
        mark = {NEWEST_DAY_ONLY: "yes"} if is_snapshot and is_rebuilt else {}
        return {**super().get_tags(dbt_resource_props), **mark}

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """Whoever the project names, else the data team."""
        return list(super().get_owners(dbt_resource_props) or DATA_TEAM)

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """Every test of a run is a check; one on several models belongs to the model that is built last."""
        test = manifest["nodes"][unique_id]
        if ON_DEMAND in test["tags"]:
            return None
        if test.get("attached_node") or len(test["depends_on"]["nodes"]) == 1:
            spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
            return cast(dg.AssetCheckSpec | None, spec)
        if asset_spec.metadata[UNIQUE_ID] != last_built(manifest, test["depends_on"]["nodes"]):
            return None
        return dg.AssetCheckSpec(
            test["name"],
            asset=asset_spec.key,
            description=test.get("description"),
            blocking=(test["config"].get("severity") or "error").lower() == "error",
            metadata={UNIQUE_ID: unique_id},
        )


def last_built(manifest: Mapping[str, Any], unique_ids: list[str]) -> str:
    """The node with the longest way from the sources; of equals the last by name."""

    @cache
    def depth(unique_id: str) -> int:
        parents = manifest["parent_map"].get(unique_id, [])
        return 1 + max((depth(parent) for parent in parents), default=0)

    return max(unique_ids, key=lambda unique_id: (depth(unique_id), unique_id))


def keys_of(manifest: Path, schemas: Collection[str]) -> list[dg.AssetKey]:
    """The assets that lie in these schemas, in order."""
    nodes = json.loads(manifest.read_bytes())["nodes"].values()
    built = (
        node for node in nodes if node["resource_type"] in ("model", "seed") and node["schema"] in schemas
    )
    return sorted(Translator().get_asset_key(node) for node in built)
