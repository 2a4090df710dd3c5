"""A warehouse that is older than what went out: a person decides until which day that counts as delivered.

What the journal and the sets of files say was given out until then is taken over into the warehouse, so that
it is not given again. Who decided it and why is in `audit.restore_decisions` and in the audit chain.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from radar.audit import delivery_ledger as ledger
from radar.audit.chain import open_chain
from radar.audit.delivery_ledger import DELIVERED, WRITTEN, Item, Ledger, Result
from radar.audit.entries import record_decisions
from radar.audit.sent_journal import Sent, read_sent
from radar.core.errors import UsageError
from radar.core.runs import utc_now
from radar.core.warehouse import connect, writer_lock
from radar.deliveries.channels.choose import OUTBOX
from radar.exports import outbound
from radar.exports.files import MANIFEST
from radar.exports.profiles import Profile, load_profiles
from radar.exports.writer import create_tables


@dataclass(frozen=True)
class Restored:
    """What was taken over: runs decided, deliveries and sets of files that count as given."""

    runs: int
    deliveries: int
    sets: int


def restore(
    warehouse: Path, exports: Path, published: Path, *, until: date, by: str, reason: str
) -> Restored:
    """Take what went out until a day as delivered, and let things go out again.

    Raises UsageError where the warehouse is not older than what went out, AuditError for a broken chain.
    """
    if not reason.strip():
        raise UsageError("the reason is empty", "say what happened: it becomes part of the audit")
    with writer_lock(warehouse), connect(warehouse) as con:
        open_chain(con, warehouse)
        create_tables(con)
        outbound.create(con)
        ledger.create(con)
        now = utc_now()
        outbound.note_newer_runs(con, exports, published, now)
        runs = [run_id for run_id, *_ in con.execute(outbound.QUERIES["newer_runs"]).fetchall()]
        if not runs:
            raise UsageError(
                "this warehouse knows every run that left something outside of it",
                "there is nothing to decide: run as ever",
            )
        con.execute("begin")
        delivered = _take_deliveries(con, exports, until)
        sets = _take_sets(con, exports, until)
        values = {"now": now, "until": until, "delivered": delivered, "reason": reason, "by": by}
        con.execute(outbound.QUERIES["decide"], values)
        con.execute("commit")
        record_decisions(con, warehouse, "restore_decisions")
    return Restored(len(runs), delivered, sets)


def _take_deliveries(con: duckdb.DuckDBPyConnection, exports: Path, until: date) -> int:
    """Rows in the ledger for what the journal names and the ledger does not know."""
    last: dict[str, Sent] = {}
    for sent in read_sent(exports):
        if sent.as_of_date <= until:
            last[sent.key] = sent
    taken = 0
    for key, sent in last.items():
        if con.execute(outbound.QUERIES["is_delivered"], {"key": key}).fetchone() != (0,):
            continue
        item = Item(
            delivery_key=key,
            kind=sent.kind,
            channel=sent.channel,
            account_id=sent.account_id,
            owner_id=sent.owner_id,
            action_id=sent.action_id,
            content_hash=None,
            attempts=1,
            last_status=None,
            last_destination=None,
            last_message_key=None,
            last_recorded_at=None,
            row={},
        )
        status = WRITTEN if sent.carrier == OUTBOX else DELIVERED
        Ledger(con, sent.run_id, sent.as_of_date).add(
            sent.carrier,
            [(sent.message_key, [item])],
            {sent.message_key: Result(sent.message_key, status)},
            sent.sent_at,
        )
        taken += 1
    return taken


def _take_sets(con: duckdb.DuckDBPyConnection, exports: Path, until: date) -> int:
    """Sets of files that the warehouse does not know; what is only ever created is not created again."""
    profiles = {profile.name: profile for profile in load_profiles()}
    taken = 0
    for folder, manifest in _sets(exports):
        profile, day = profiles.get(str(manifest.get("profile"))), date.fromisoformat(manifest["as_of_date"])
        names = {"profile": manifest.get("profile"), "run_id": manifest["run_id"]}
        if profile is None or day > until:
            continue
        if con.execute(outbound.QUERIES["is_exported"], names).fetchone() != (0,):
            continue
        con.execute(
            outbound.QUERIES["take_set"],
            {
                **names,
                "day": day,
                "folder": folder.relative_to(exports).as_posix(),
                "rows": sum(int(file["rows"]) for file in manifest["files"]),
                "bytes": sum(int(file["bytes"]) for file in manifest["files"]),
                "sha256": hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest(),
                "now": utc_now(),
            },
        )
        if profile.create_only:
            for key in _keys(folder, manifest, profile):
                con.execute(outbound.QUERIES["take_key"], {**names, "key": key})
        taken += 1
    return taken


def _sets(exports: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Folders of sets with their manifests; one that cannot be read is no set."""
    for file in sorted(exports.glob(f"*/*/{MANIFEST}")):
        try:
            manifest = json.loads(file.read_bytes())
            date.fromisoformat(manifest["as_of_date"])
            is_set = bool(manifest["run_id"]) and isinstance(manifest["files"], list)
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if is_set:
            yield file.parent, manifest


def _keys(folder: Path, manifest: dict[str, Any], profile: Profile) -> Iterator[str]:
    header = profile.headers[profile.key_number]
    for file in manifest["files"]:
        with (folder / str(file["name"])).open(encoding="utf-8-sig", newline="") as rows:
            for row in csv.DictReader(rows, delimiter=profile.dialect.delimiter):
                yield str(row[header])
