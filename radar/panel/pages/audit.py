"""The page Audit: who did what, when and why, as the chain of entries has it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radar.core.dates import day
from radar.core.plural import counted
from radar.panel import queries
from radar.panel.labels import Labels
from radar.panel.page_cache import PageCache, cached_page
from radar.panel.people import Person
from radar.panel.published_db import About, NoDataError, PublishedDatabase, Row
from radar.panel.web import BUCKET_LABELS, csv_answer, label, labels_of, person_of, published_db_of

PATH = "/audit"
PAGE_ROWS = 50
KINDS = {
    "override": "Bucket overruled",
    "sign_off": "Sign-off",
    "spot_check": "Spot check",
    "outcome": "Outcome marked",
    "account_link": "Account chosen for an id",
    "action": "Action",
    "action_decision": "Draft or task decided",
    "call": "Call logged",
    "cover": "Cover asked",
    "note": "Note written",
    "delivery": "Delivery",
    "delivery_decision": "Delivery in doubt resolved",
    "export": "Export",
    "sync_acknowledgement": "Import acknowledged",
    "sync_give_up": "Row dismissed",
    "rule_change": "Rules changed",
    "rule_set_decision": "Rule set decided",
    "reference_change": "Reference data changed",
    "agent_call": "Asked by an agent",
    "contacts_shown": "Names and texts shown",
    "restart": "Chain started again",
}
"""What people read for a kind of entry; one that is not here is read as it is."""

_CSV = (
    "sequence", "recorded_at", "actor", "kind", "what", "why", "account_id", "account_name", "as_of_date",
    "subject_id", "rule_set", "rule_version", "run_id", "hash",
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """All of the address that the page depends on. `before`: entries before this one."""

    account: str = ""
    person: str = ""
    kind: str = ""
    before: int = 0

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> View:
        """What an address asks for; what is not valid counts as not given."""
        before = asked.get("before", "")
        return cls(
            account=" ".join(asked.get("account", "")[:100].split()),
            person=" ".join(asked.get("person", "")[:100].split()),
            kind=asked.get("kind", "")[:50],
            before=int(before) if before.isascii() and before.isdigit() and len(before) <= 15 else 0,
        )

    def link(self, anchor: str = "", **changes: Any) -> str:
        """The address of this view with some of it changed; any change goes back to the newest entry."""
        changed = asdict(replace(self, **{"before": 0, **changes}))
        asked = {name: str(value) for name, value in changed.items() if value}
        return PATH + (f"?{urlencode(asked)}" if asked else "") + (f"#{anchor}" if anchor else "")

    def csv(self) -> str:
        """The address of all entries of this view as a file."""
        address = self.link()
        return f"{address}{'&' if '?' in address else '?'}format=csv"

    @property
    def is_filtered(self) -> bool:
        """Whether entries are left out."""
        return bool(self.account or self.person or self.kind)


@dataclass(frozen=True)
class _Data:
    published_db: PublishedDatabase
    person: Person
    about: About
    view: View
    page_cache: PageCache
    labels: Labels

    def _ask(self, name: str, **parameters: Any) -> list[Row]:
        return self.published_db.rows(self.person, queries.load("audit")[name], **parameters)

    def entries(self, rows: int) -> list[Row]:
        view = self.view
        found = self._ask(
            "entries",
            account=view.account or None, actor=view.person.split() or None, kind=view.kind or None,
            owners=self.labels.called("owner", view.person), before=view.before or None, rows=rows,
        )  # fmt: skip
        return [row | description(row, self.labels) for row in found]

    def kinds(self) -> list[tuple[str, str]]:
        return [(row["kind"], KINDS.get(row["kind"], label(row["kind"]))) for row in self._ask("kinds")]

    def chain(self) -> Row:
        """Of the whole copy, so it is asked once for all views and people."""

        def ask() -> str:
            row = self._ask("chain")[0]
            checked = row["checked_at"]
            return json.dumps(row | {"checked_at": checked.isoformat() if checked else None})

        found: Row = json.loads(self.page_cache.get(self.about.version, "audit chain", ask))
        return found


def show(request: Request) -> Response:
    """The page, or the entries of its view as a file."""
    about = request.state.about
    if about is None:
        raise NoDataError
    view = View.of(request.query_params)
    page_cache, labels = request.app.state.page_cache, labels_of(request)
    data = _Data(published_db_of(request), person_of(request), about, view, page_cache, labels)
    if request.query_params.get("format") == "csv":
        return csv_answer(f"radar_audit_{about.as_of}.csv", _CSV, data.entries(1_000_000))
    return cached_page(request, "Audit", "audit.html", view, lambda: _context(data))


def _context(data: _Data) -> dict[str, Any]:
    entries = data.entries(PAGE_ROWS + 1)
    return {
        "view": data.view,
        "entries": entries[:PAGE_ROWS],
        "next_before": entries[PAGE_ROWS - 1]["sequence"] if len(entries) > PAGE_ROWS else None,
        "kinds": data.kinds(),
        "kind_labels": KINDS,
        "chain": data.chain(),
    }


def description(row: Row, labels: Labels) -> dict[str, str]:
    """What was done and why, as text, from the evidence of an entry."""
    try:
        evidence = json.loads(row["evidence"] or "{}")
    except ValueError:
        evidence = {}
    if not isinstance(evidence, dict):
        evidence = {}
    return {"what": _what(row, evidence, labels), "why": str(evidence.get("reason") or _why(row, evidence))}


def _what(row: Row, evidence: Mapping[str, Any], labels: Labels) -> str:
    kind, bucket = row["kind"], evidence.get("bucket")
    if kind == "override":
        until = f", until {day(evidence['expires_at'])}" if evidence.get("expires_at") else ""
        return f"Set to {BUCKET_LABELS.get(str(bucket), label(bucket)).lower()}{until}"
    if kind == "action":
        play, channel = labels("play", evidence.get("play")), labels("channel", evidence.get("channel"))
        return f"{play} ({channel}): {label(row['state'])}"
    if kind in ("delivery", "export", "sync_acknowledgement", "sync_give_up"):
        return _of_destination(row, evidence)
    if kind in ("rule_change", "reference_change", "account_link"):
        return f"{row['subject_id']}: {_changes(row, evidence)}"
    if kind == "agent_call":
        return f"{label(evidence.get('tool')).capitalize()}: {row['state']}"
    verdict = label(evidence.get("verdict") or row["state"])
    is_corrected = bool(bucket and evidence.get("verdict"))
    corrected = BUCKET_LABELS.get(str(bucket), label(bucket)).lower()
    return f"{verdict}, would say {corrected}" if is_corrected else verdict


def _of_destination(row: Row, evidence: Mapping[str, Any]) -> str:
    state, profile = label(row["state"]), evidence.get("profile")
    if row["kind"] == "delivery":
        return f"{label(evidence.get('carrier'))}: {state}"
    if row["kind"] == "export":
        return f"{profile}: {counted(evidence.get('rows', 0), 'row')}"
    if row["kind"] == "sync_give_up":
        return f"{profile}, {evidence.get('row_key')}: {state}"
    return (
        f"{profile}: {counted(evidence.get('acknowledged', 0), 'row')} taken, "
        f"{counted(evidence.get('failed', 0), 'goes', 'go')} again"
    )


def _changes(row: Row, evidence: Mapping[str, Any]) -> str:
    counts = [
        f"{len(evidence[name]):,} {name}" for name in ("added", "removed", "changed") if evidence.get(name)
    ]
    if counts:
        return f"rows {', '.join(counts)}"
    if row["kind"] == "account_link":
        return "this account"
    return (
        label(row["state"]) if row["kind"] == "rule_change" else counted(len(evidence.get("rows", ())), "row")
    )


def _why(row: Row, evidence: Mapping[str, Any]) -> str:
    if row["kind"] == "action":
        why = str(evidence.get("evidence") or "")
        reasons = evidence.get("suppressed_by")
        return f"suppressed by {label(reasons)}. {why}" if reasons else why
    return str(evidence.get("problem") or "")


routes = [Route(PATH, show)]
