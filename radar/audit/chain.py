"""The keyed hash chain of `audit.entries`: the key, the head, appending, verifying.

Every entry carries the HMAC-SHA256 of its columns, the hash of the entry before it among them. How many there
are, and the last hash, are in the head, a file next to the key: so entries cut off at the end are missed.
Belongs here: what makes the chain hold. Does not belong here: what becomes an entry (`radar.audit.entries`).
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from radar.core.errors import AuditError, UsageError
from radar.core.runs import utc_now
from radar.core.state_files import replace_file
from radar.core.warehouse import connect, readable_os_errors, state_dir, writer_lock

KEY_VARIABLE = "RADAR_AUDIT_KEY"
LEAST_KEY_LENGTH = 16

COLUMNS = {
    "sequence": "BIGINT",
    "recorded_at": "TIMESTAMP",
    "run_id": "VARCHAR",
    "kind": "VARCHAR",
    "subject_id": "VARCHAR",
    "account_id": "VARCHAR",
    "as_of_date": "DATE",
    "rule_set": "VARCHAR",
    "rule_version": "VARCHAR",
    "state": "VARCHAR",
    "evidence": "VARCHAR",
    "actor": "VARCHAR",
    "previous_hash": "VARCHAR",
    "hash": "VARCHAR",
}
"""The columns of `audit.entries`, in the order in which they are hashed; the last is the hash itself."""

CREATE = f"""
    CREATE SCHEMA IF NOT EXISTS audit;
    CREATE TABLE IF NOT EXISTS audit.entries ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())})
"""
CREATE_CHECKS = """
    CREATE TABLE IF NOT EXISTS audit.chain_checks (
        run_id VARCHAR, checked_at TIMESTAMP, entries BIGINT, last_hash VARCHAR
    )
"""
"""Grain: one row per run that found the end of the chain sound when it began."""

_BATCH = 10_000
_REMEDY = (
    "restore the warehouse and its state folder from the same backup, "
    "or go on with a new chain: radar audit restart --reason TEXT"
)


class Entry(NamedTuple):
    """An entry before it has its place in the chain. Times are UTC without an offset."""

    recorded_at: datetime
    run_id: str | None
    kind: str
    subject_id: str
    account_id: str | None
    as_of_date: date | None
    rule_set: str | None
    rule_version: str | None
    state: str
    evidence: str
    actor: str | None


Query = tuple[str, Mapping[str, Any]]
"""A query that selects the columns of `Entry`, in their order, and its parameters."""

_NEW_TYPES = {name: COLUMNS[name] for name in Entry._fields}
# Entries are gathered here before they are hashed: DuckDB makes text of them many times faster than Python.
_NEW = f"""
    CREATE OR REPLACE TEMP TABLE new_entries ({", ".join(map(" ".join, _NEW_TYPES.items()))});
    CREATE OR REPLACE TEMP TABLE new_hashes (previous_hash VARCHAR, hash VARCHAR)
"""
_GATHER = (
    f"INSERT INTO new_entries SELECT {', '.join(f'unnest(?::{kind}[])' for kind in _NEW_TYPES.values())}"
)
_AS_TEXT = {
    "recorded_at": (
        "strftime(recorded_at, '%Y-%m-%dT%H:%M:%S') || "
        "CASE WHEN microsecond(recorded_at) % 1000000 = 0 THEN '' ELSE strftime(recorded_at, '.%f') END"
    ),
    "as_of_date": "strftime(as_of_date, '%Y-%m-%d')",
}
_TEXTS = (
    f"SELECT json_array({', '.join(_AS_TEXT.get(name, name) for name in Entry._fields)})::VARCHAR "
    "FROM new_entries ORDER BY rowid"
)
_KEEP_HASHES = "INSERT INTO new_hashes SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[])"
_ADD = """
    INSERT INTO audit.entries BY NAME
    SELECT ? + row_number() OVER () AS sequence, * FROM new_entries POSITIONAL JOIN new_hashes
"""


@dataclass(frozen=True)
class Head:
    """How many entries there are, and the hash of the last."""

    count: int
    last_hash: str


EMPTY = Head(0, "0" * 64)
"""Of a chain without entries; its hash serves as the one before the first."""


@dataclass(frozen=True)
class Verified:
    """A chain that is sound, with its first and last entry.

    `unheaded` entries at its end are not in the head yet: a run stopped in between.
    """

    head: Head
    first: Entry
    last: Entry
    unheaded: int

    def __str__(self) -> str:
        """For the command line."""
        lines = [
            f"{self.head.count:,} entries, unbroken from {self.first.recorded_at:%Y-%m-%d %H:%M:%S} "
            f"to {self.last.recorded_at:%Y-%m-%d %H:%M:%S} UTC",
            f"  last hash {self.head.last_hash}",
        ]
        if self.unheaded:
            lines.append(f"  the last {self.unheaded:,} are sound, and the next run adds them to the head")
        if self.first.kind == "restart":
            lines.append(f"  begun by {self.first.actor} in place of another chain: {self.first.evidence}")
        return "\n".join(lines)


@dataclass
class Chain:
    """The chain of an open warehouse, found sound at its end, to append to."""

    con: duckdb.DuckDBPyConnection
    warehouse: Path
    key: bytes = field(repr=False)
    head: Head

    def append(self, entries: Iterable[Entry], queries: Iterable[Query] = ()) -> dict[str, int]:
        """Add entries, and what queries select, in one statement, then move the head; how many, by kind.

        A process that dies between the two leaves sound entries after the head: see `open_chain`.
        """
        left = iter(entries)
        # Each statement commits by itself: DuckDB 1.5.5 loses what is inserted after an empty INSERT (see
        # `publishing.table_copy`).
        self.con.execute(_NEW)
        while batch := list(islice(left, _BATCH)):
            self.con.execute(_GATHER, [list(column) for column in zip(*batch, strict=True)])
        for query, values in queries:
            self.con.execute(f"INSERT INTO new_entries {query}", values)
        kinds = "SELECT kind, count(*) FROM new_entries GROUP BY kind ORDER BY min(rowid)"
        added = dict(self.con.execute(kinds).fetchall())
        if added:
            head = self._hash_new()
            self.con.execute(_ADD, [self.head.count])
            self._move_head(head)
        return added

    def _hash_new(self) -> Head:
        """Hash what was gathered, each entry with the hash of the one before it; where that leads."""
        count, last_hash = self.head.count, self.head.last_hash
        hashes = [last_hash]
        self.con.execute(_TEXTS)
        while rows := self.con.fetchmany(_BATCH):
            for (text,) in rows:
                count += 1
                # DuckDB writes \u001F for what Python writes as \u001f
                same = _json(json.loads(text)) if "\\u00" in text else text
                last_hash = _mac(self.key, f'[{count},{same[1:-1]},"{last_hash}"]')
                hashes.append(last_hash)
        for start in range(0, len(hashes) - 1, _BATCH):
            batch = hashes[start : start + _BATCH + 1]
            self.con.execute(_KEEP_HASHES, [batch[:-1], batch[1:]])
        return Head(count, last_hash)

    def catch_up(self) -> None:
        """Move the head over sound entries after it. Raises AuditError where one of them is not."""
        later_heads = [head for head, _ in _walk(self.con, self.key, self.head, self.warehouse)]
        if later_heads:
            self._move_head(later_heads[-1])

    def _move_head(self, head: Head) -> None:
        _write_head(self.warehouse, self.key, head)
        self.head = head


def open_chain(con: duckdb.DuckDBPyConnection, warehouse: Path) -> Chain:
    """The chain of the warehouse that `con` writes, begun where there is none.

    Only its end is looked at: the head is genuine, the entry that it names is there with its hash, and those
    after it verify under the key; the head then moves over them. Raises AuditError for anything else.
    """
    con.execute(CREATE)
    if not _head_file(warehouse).exists() and _is_empty(con):
        _write_head(warehouse, _key(warehouse, may_make=True), EMPTY)
    key = _key(warehouse)
    head = _read_head(warehouse, key)
    _check_columns(con, warehouse)
    if head != EMPTY:
        found = con.execute("SELECT hash FROM audit.entries WHERE sequence = ?", [head.count]).fetchall()
        if not found:
            raise _cut_off(_last_sequence(con), head, warehouse)
        if found != [(head.last_hash,)]:
            raise _not_as_written(head.count, warehouse)
    chain = Chain(con, warehouse, key, head)
    chain.catch_up()
    return chain


def record_check(chain: Chain, run_id: str, now: datetime) -> None:
    """Note, once, that this run found the end of the chain sound: readers of the copy have no key."""
    chain.con.execute(CREATE_CHECKS)
    chain.con.execute(
        "INSERT INTO audit.chain_checks SELECT $run_id, $now, $entries, $last_hash "
        "WHERE NOT EXISTS (FROM audit.chain_checks WHERE run_id = $run_id)",
        {"run_id": run_id, "now": now, "entries": chain.head.count, "last_hash": chain.head.last_hash},
    )


def verify(warehouse: Path) -> Verified:
    """Verify every entry. Raises AuditError where the chain is broken, UsageError where there is none."""
    if not warehouse.is_file():
        raise UsageError("there is no such warehouse", "name one with --warehouse", file=warehouse)
    with connect(warehouse, read_only=True) as con:
        has_head, is_empty = _head_file(warehouse).exists(), _is_empty(con)
        key = _key(warehouse) if has_head or not is_empty else b""
        head = _read_head(warehouse, key) if key else EMPTY
        if is_empty and head == EMPTY:
            raise UsageError("there is no entry to verify yet", "radar run makes the first", file=warehouse)
        if is_empty:
            raise _cut_off(0, head, warehouse)
        _check_columns(con, warehouse)
        return _verify(con, warehouse, key, head)


def restart(warehouse: Path, reason: str, actor: str) -> Verified:
    """Go on with a new chain where the old one is broken; what is left of that is kept under another name.

    The first entry says who, why, and what was wrong. Raises UsageError where the chain is sound.
    """
    now = utc_now()
    with writer_lock(warehouse):
        try:
            verify(warehouse)
        except AuditError as error:
            problem = error.problem
        else:
            raise UsageError("the audit chain is unbroken", "leave it as it is", file=warehouse)
        old_table = f"entries_until_{now:%Y%m%d_%H%M%S}"
        evidence = {"kept_as": f"audit.{old_table}", "problem": problem, "reason": reason}
        entry = Entry(
            recorded_at=now,
            run_id=None,
            kind="restart",
            subject_id="audit.entries",
            account_id=None,
            as_of_date=None,
            rule_set=None,
            rule_version=None,
            state="begun",
            evidence=canonical(evidence),
            actor=actor,
        )
        with connect(warehouse) as con:
            con.execute(f"ALTER TABLE IF EXISTS audit.entries RENAME TO {old_table}")
            con.execute(CREATE)
            Chain(con, warehouse, _key(warehouse, may_make=True), EMPTY).append([entry])
    return verify(warehouse)


def canonical(value: Any) -> str:
    """JSON that is the same text for the same value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


# --- walking ----------------------------------------------------------------------------------------------


def _verify(con: duckdb.DuckDBPyConnection, warehouse: Path, key: bytes, head: Head) -> Verified:
    first = last = None
    end = EMPTY
    for end, last in _walk(con, key, EMPTY, warehouse):
        first = first or last
        if end.count == head.count and end != head:
            raise _not_as_written(end.count, warehouse)
    if end.count < head.count or first is None or last is None:
        raise _cut_off(end.count, head, warehouse)
    return Verified(end, first, last, end.count - head.count)


def _walk(
    con: duckdb.DuckDBPyConnection, key: bytes, start: Head, warehouse: Path
) -> Iterator[tuple[Head, Entry]]:
    """Every entry after `start`, verified, with what the head would be after it."""
    at = start
    con.execute(
        f"SELECT {', '.join(COLUMNS)} FROM audit.entries WHERE coalesce(sequence, 0) > ? OR ? = 0 "
        "ORDER BY sequence NULLS FIRST, hash",
        [start.count, start.count],
    )
    while rows := con.fetchmany(_BATCH):
        for *columns, hashed in rows:
            sequence, previous_hash = columns[0], columns[-1]
            if sequence is None or sequence <= at.count:
                raise AuditError(
                    f"an entry with the sequence {sequence} was put in by hand", _REMEDY, file=warehouse
                )
            if sequence > at.count + 1:
                missing = _missing(at.count + 1, sequence - 1)
                raise AuditError(f"{missing} missing, with later ones there", _REMEDY, file=warehouse)
            if hashed != _hash(key, columns):
                raise _not_as_written(sequence, warehouse)
            if previous_hash != at.last_hash:
                raise AuditError(
                    f"entry {sequence} does not follow on the one before it: parts of two copies were mixed",
                    _REMEDY,
                    file=warehouse,
                )
            at = Head(sequence, hashed)
            yield at, Entry(*columns[1:-1])


def _hash(key: bytes, columns: Iterable[Any]) -> str:
    """Of all columns but the hash, in their order: as a JSON list, so that no two rows read the same."""
    return _mac(key, _json(list(columns)))


def _mac(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def _json(columns: list[Any]) -> str:
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":"), default=_as_text)


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else repr(value)


def _check_columns(con: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    found = con.execute("SELECT column_name, column_type FROM (DESCRIBE audit.entries)").fetchall()
    if found != list(COLUMNS.items()):
        raise AuditError("the columns of audit.entries were changed", _REMEDY, file=warehouse)


def _is_empty(con: duckdb.DuckDBPyConnection) -> bool:
    try:
        return con.execute("SELECT 1 FROM audit.entries LIMIT 1").fetchone() is None
    except duckdb.CatalogException:
        return True


def _last_sequence(con: duckdb.DuckDBPyConnection) -> int:
    ((last,),) = con.execute("SELECT coalesce(max(sequence), 0) FROM audit.entries").fetchall()
    return int(last)


def _not_as_written(sequence: int, warehouse: Path) -> AuditError:
    return AuditError(
        f"entry {sequence} is not as it was written: it was changed, exchanged or put in by hand",
        _REMEDY,
        file=warehouse,
    )


def _cut_off(last: int, head: Head, warehouse: Path) -> AuditError:
    return AuditError(
        f"{_missing(last + 1, head.count)} missing: the chain was cut off at its end", _REMEDY, file=warehouse
    )


def _missing(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"


# --- the key and the head ---------------------------------------------------------------------------------


def _key(warehouse: Path, *, may_make: bool = False) -> bytes:
    """From the environment, else from the state folder, where it is made once."""
    if text := os.environ.get(KEY_VARIABLE, "").strip():
        if len(text) < LEAST_KEY_LENGTH:
            raise UsageError(
                f"{KEY_VARIABLE} has fewer than {LEAST_KEY_LENGTH} characters", "give it a long random text"
            )
        return text.encode()
    file = _key_file(warehouse)
    with readable_os_errors(file):
        if may_make and not _key_in(file):
            _write_whole(file, secrets.token_hex(32) + "\n")
        if key := _key_in(file):
            return key
    raise AuditError(
        "the key of the audit chain is not there", f"restore this file, or set {KEY_VARIABLE}", file=file
    )


def _key_in(file: Path) -> bytes:
    """Empty where there is no file, or nothing in it."""
    return file.read_bytes().strip() if file.exists() else b""


def _key_file(warehouse: Path) -> Path:
    return state_dir(warehouse) / "audit.key"


def _head_file(warehouse: Path) -> Path:
    return state_dir(warehouse) / "audit.head"


def _write_head(warehouse: Path, key: bytes, head: Head) -> None:
    head_fields = {
        "count": head.count,
        "last_hash": head.last_hash,
        "key_check": _key_check(key),
        "mac": _head_mac(key, head),
    }
    with readable_os_errors(_head_file(warehouse)):
        _write_whole(_head_file(warehouse), json.dumps(head_fields, indent=2) + "\n")


def _read_head(warehouse: Path, key: bytes) -> Head:
    file = _head_file(warehouse)
    try:
        with readable_os_errors(file):
            head_fields = json.loads(file.read_bytes()) if file.exists() else None
        if head_fields is None:
            raise AuditError(
                "the head of the audit chain is missing, so entries cut off at its end would not show",
                _REMEDY,
                file=file,
            )
        head = Head(head_fields["count"], head_fields["last_hash"])
        key_check, mac = str(head_fields["key_check"]), str(head_fields["mac"])
    except (ValueError, KeyError, TypeError) as error:
        raise AuditError("the head of the audit chain cannot be read", _REMEDY, file=file) from error
    if key_check != _key_check(key):
        source = KEY_VARIABLE if os.environ.get(KEY_VARIABLE, "").strip() else _key_file(warehouse)
        raise AuditError(
            f"the key in {source} is not the one that this audit chain was written with",
            f"set {KEY_VARIABLE}, or restore the key file, to what it was; "
            "if the key is lost, go on with a new chain: radar audit restart --reason TEXT",
            file=warehouse,
        )
    if mac != _head_mac(key, head):
        raise AuditError("the head of the audit chain was changed by hand", _REMEDY, file=file)
    return head


def _key_check(key: bytes) -> str:
    """Distinguishes one key from another and reveals nothing else about it."""
    return hmac.digest(key, b"radar audit key", "sha256").hex()[:16]


def _head_mac(key: bytes, head: Head) -> str:
    return _hash(key, ["head", head.count, head.last_hash])


def _write_whole(file: Path, text: str) -> None:
    """Replace the file, readable by its owner alone."""
    replace_file(file, text, mode=0o600)
