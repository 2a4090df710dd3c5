"""A company's vendors as servers: what `tests.runs.vendor_company` exports, asked for page by page."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.pulls.vendors import Record, Vendor, hubspot, mixpanel_export, stripe_list, zendesk

SIZE = 100


def play(vendor: Vendor, exported: Path) -> None:
    """Answer as the vendors would whose exports are in the folder."""
    for name, field in (("companies", "hs_lastmodifieddate"), ("contacts", "lastmodifieddate")):
        found = records(exported / "hubspot" / name)
        vendor.answers[f"/crm/v3/objects/{name}"] = hubspot(name, found, field, SIZE)
    engagements: dict[str, list[Record]] = {"calls": [], "emails": [], "meetings": [], "notes": []}
    kinds = {"hs_call_title": "calls", "hs_email_direction": "emails", "hs_meeting_title": "meetings"}
    for one in records(exported / "hubspot" / "engagements"):
        kind = next((kinds[name] for name in one["properties"] if name in kinds), "notes")
        engagements[kind].append(one)
    for name, found in {**engagements, "tickets": []}.items():
        vendor.answers[f"/crm/v3/objects/{name}"] = hubspot(name, found, size=SIZE)
    owners = records(exported / "hubspot" / "owners")
    vendor.answers["/crm/v3/owners"] = lambda _: (200, {"results": owners})
    for name in ("customers", "invoices", "charges"):
        vendor.answers[f"/v1/{name}"] = stripe_list(records(exported / "stripe" / name), SIZE)
    vendor.answers["/v1/subscriptions"] = stripe_list([])
    events = records(exported / "stripe" / "subscriptions")

    def changes(asked: Any) -> Any:
        asked.query.pop("created[gte]")  # the company's days are long ago: as if it were then
        return stripe_list(events, SIZE)(asked)

    vendor.answers["/v1/events"] = changes
    paths = {"tickets": "tickets/cursor.json", "organizations": "organizations.json"}
    for name, next_name in (("tickets", "after_url"), ("organizations", "next_page")):
        found = records(exported / "zendesk" / name)
        vendor.answers[f"/api/v2/incremental/{paths[name]}"] = zendesk(name, found, next_name, SIZE)
    days: dict[str, list[Record]] = {}
    for one in records(exported / "mixpanel" / "events"):
        day = datetime.fromtimestamp(one["properties"]["time"], UTC).date().isoformat()
        days.setdefault(day, []).append(one)
    vendor.answers["/api/2.0/export"] = mixpanel_export(days)


def records(folder: Path) -> list[Record]:
    """The records of the one file in it, of pages or lines."""
    (file,) = folder.iterdir()
    content = file.read_bytes()
    text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode()
    if ".ndjson" in file.name or ".jsonl" in file.name:
        return [json.loads(line) for line in text.splitlines()]
    found: list[Record] = []
    while text.strip():
        page, end = json.JSONDecoder().raw_decode(text.lstrip())
        text = text.lstrip()[end:]
        found += next(value for value in page.values() if isinstance(value, list))
    return found
