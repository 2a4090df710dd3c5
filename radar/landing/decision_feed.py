"""What people decided in the panel, as files of feeds that a run lands: `crm/overrides`, `crm/reviews`,
`crm/touchpoints` and `crm/identities`.

Belongs here: reading the store without the panel being up, and writing files that only change when something
was decided. A snooze stays in the panel; everything else lands. What was undone lands as deleted, since an
earlier run may have landed it already.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from radar.core.errors import InputError
from radar.core.state_files import replace_file
from radar.core.warehouse import readable_os_errors

FILE = "panel_decisions.ndjson"
REVIEWS = ("sign_off", "spot_check", "outcome", "action", "call", "cover", "note")
"""Kinds of decisions that become rows of `crm/reviews`."""
VERDICTS = {"cover": "asked", "note": "written"}
"""What a row says of a kind that leaves nothing to choose."""

_QUERY = "select * from decisions order by sequence"
"""A store that the panel of this release has not opened yet lacks its newest columns."""
_HAS_CHOICES = "select count(*) from sqlite_master where name = 'link_choices'"
_CHOICES = """
    select source, source_account_id, account_id, decided_by
    from link_choices
    where sequence in (select max(sequence) from link_choices group by source, source_account_id)
    order by sequence
"""
"""The last choice for each id: these become rows of `crm/identities`."""
_BUSY_SECONDS = 10


def write_decision_feed(store: Path, folder: Path) -> int:
    """Write the decisions of `store` below `folder` as `<source>/<feed>/`; how many. No store, no files.

    The same bytes where nothing new was decided, each file replaced whole. Raises InputError where the store
    cannot be read.
    """
    if not store.exists():
        return 0
    rows, choices = _read(store)
    undone_at = {row["undoes"]: row["decided_at"] for row in rows if row["kind"] == "undo"}
    rows = [{**row, "undone_at": undone_at.get(row["decision_id"])} for row in rows]
    feeds = {
        "crm/identities": choices,
        "crm/overrides": [_override(row) for row in rows if row["kind"] in ("override", "withdraw")],
        "crm/reviews": [_review(row) for row in rows if row["kind"] in REVIEWS],
        "crm/touchpoints": [_touchpoint(row) for row in rows if row["kind"] == "call"],
    }
    for feed, lines in feeds.items():
        if lines:
            _write(folder / feed / FILE, lines)
    return sum(len(lines) for lines in feeds.values())


def _read(store: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Decisions on accounts, and whose ids are; a store that no panel of this release opened has no such."""
    try:
        with closing(_open(store)) as con:
            con.row_factory = sqlite3.Row
            decided = [dict(row) for row in con.execute(_QUERY)]
            has_choices = con.execute(_HAS_CHOICES).fetchone()[0]
            return decided, [dict(row) for row in con.execute(_CHOICES)] if has_choices else []
    except sqlite3.Error as error:
        raise InputError(
            f"what was decided in the panel cannot be read ({error})",
            "check the file and its rights, or name another with RADAR_PANEL_STORE",
            file=store,
        ) from error


def _open(store: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)


def _override(row: dict[str, Any]) -> dict[str, Any]:
    """A withdrawal is an override that is over on the day on which it was made: the rules count again."""
    override = {
        "override_id": row["decision_id"],
        "account_id": row["account_id"],
        "bucket": row["bucket"],
        "reason": row["reason"] or "Override withdrawn",
        "overridden_by": row["decided_by"],
        "overridden_at": row["decided_at"],
        "expires_at": row["decided_at"] if row["kind"] == "withdraw" else _midnight(row["until_date"]),
    }
    return {**override, "is_deleted": True} if row["undone_at"] else override


def _review(row: dict[str, Any]) -> dict[str, Any]:
    review = {
        "review_id": row["decision_id"],
        "account_id": row["account_id"],
        "as_of_date": row["as_of_date"],
        "kind": row["kind"],
        "verdict": VERDICTS.get(row["kind"], row["verdict"]),
        "bucket": row["bucket"],
        "reason": row["reason"],
        "reviewed_by": row["decided_by"],
        "reviewed_at": row["decided_at"],
        "updated_at": row["undone_at"] or row["decided_at"],
    }
    # columns that a review of this kind has no use for are left out, so that its bytes stay what they were
    if row["kind"] == "action":
        review["action_id"] = row["action_id"]
    if row["until_date"] and row["kind"] in ("action", "call", "cover"):
        review["until_date"] = row["until_date"]
    if row["kind"] == "cover":
        review["owner_id"] = row["owner_id"]
    for name in ("edited_subject", "edited_text", "draft_text"):
        if row.get(name):
            review[name] = row[name]
    if row["undone_at"]:
        review["is_deleted"] = True
    return review


def _touchpoint(row: dict[str, Any]) -> dict[str, Any]:
    """An outbound call of an owner, at the time at which it was logged."""
    call = {
        "touchpoint_id": row["decision_id"],
        "account_id": row["account_id"],
        "owner_id": row["owner_id"],
        "channel": "call",
        "direction": "outbound",
        "is_automated": False,
        "occurred_at": row["decided_at"],
    }
    return {**call, "is_deleted": True} if row["undone_at"] else call


def _midnight(day: str | None) -> str | None:
    return f"{day}T00:00:00Z" if day else None


def _write(file: Path, rows: list[dict[str, Any]]) -> None:
    content = b"".join(_line(row) for row in rows)
    with readable_os_errors(file):
        if file.exists() and file.read_bytes() == content:
            return
    replace_file(file, content)


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"
