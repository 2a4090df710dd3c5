"""Which vendors a run pulls before it lands (RADAR_PULL_VENDORS; none by default), and which feeds they fill.

Belongs here: what the assets of pulls and those of landing both ask for. How one is pulled is `radar.pulls`.
"""

from __future__ import annotations

import dagster as dg

from radar.core.settings import SHIPPED_PULLS, Settings
from radar.landing.adapters import load_adapters
from radar.pulls.definitions import Definition, chosen, load_definitions


def pull_key(vendor: str) -> dg.AssetKey:
    """pulls/<vendor>."""
    return dg.AssetKey(["pulls", vendor])


def pulled_vendors() -> dict[str, list[Definition]]:
    """What is pulled, by vendor. Raises UsageError for a vendor that is not known."""
    settings = Settings()
    asked = [name.strip() for name in settings.pull_vendors.split(",") if name.strip()]
    if not asked:
        return {}
    found: dict[str, list[Definition]] = {}
    for one in chosen(load_definitions(SHIPPED_PULLS, settings.pull_definitions), asked):
        found.setdefault(one.vendor, []).append(one)
    return found


def pulled_before() -> dict[str, list[dg.AssetKey]]:
    """Feed -> the pulls that fill it, for the feeds that any fills."""
    found: dict[str, list[dg.AssetKey]] = {}
    for vendor, definitions in pulled_vendors().items():
        for one in definitions:
            adapters = load_adapters().get(one.folder)
            for feed in {adapter.feed for adapter in adapters} if adapters else {one.folder}:
                keys = found.setdefault(feed, [])
                if pull_key(vendor) not in keys:
                    keys.append(pull_key(vendor))
    return found
