"""What was acknowledged and is not in a file yet: a SQLite file in the extracts folder.

One thread writes what waits in one transaction, so that one fsync serves many requests. A file's name is
decided in the spool before it is written: after a crash the same file is written again with the same bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import queue
import sqlite3
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from radar.core.state_files import replace_file
from radar.landing.files import RECEIVED_FILE

LOG = logging.getLogger("receive")
FOLDER = ".receive"
"""In the extracts folder: names that begin with a dot are not read as extracts."""
RECEIVED, REPEATED, CONFLICT = "received", "repeated", "conflict"

_MOST_AT_ONCE = 500
_BUSY_SECONDS = 10
_FILE_BYTES = 64 << 20
_SCHEMA = """
    create table if not exists requests (
        id integer primary key autoincrement,
        folder text not null,
        key text not null,
        body_hash blob not null,
        received_at integer not null,
        file text,
        lines text
    );
    create unique index if not exists requests_key on requests (folder, key);
    create index if not exists requests_waiting on requests (folder, file) where lines is not null;
"""


@dataclass
class Waiting:
    """A request that waits to be stored, and who waits for that."""

    folder: str
    key: str
    body_hash: bytes
    lines: str
    done: asyncio.Future[str]


class Spool:
    """The spool of one extracts folder; several processes may have it open."""

    def __init__(self, extracts: Path, *, file_seconds: float, key_days: int) -> None:
        self._extracts, self._file_seconds, self._key_days = extracts, file_seconds, key_days
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()

    def start(self) -> None:
        """Write what an earlier process left, then take requests in until `stop`."""
        self.write_files()
        self._threads = [
            threading.Thread(target=target, name=f"receive-{target.__name__}", daemon=True)
            for target in (self._store, self._write_regularly)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Store what waits, and write it into files."""
        self._stopped.set()
        self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self.write_files()

    async def add(self, folder: str, key: str, lines: list[str]) -> str:
        """RECEIVED once the lines are on the disk; REPEATED where the key was there with the same lines,
        CONFLICT where it was with others. Raises sqlite3.Error where the disk takes nothing."""
        text = "".join(f"{line}\n" for line in lines)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str] = loop.create_future()
        self._queue.put(Waiting(folder, key, hashlib.sha256(text.encode()).digest(), text, done))
        return await done

    def write_files(self) -> list[Path]:
        """Write all that is stored and in no file yet, one file a folder (more where it is much)."""
        written = []
        con = self._connect()
        try:
            _assign_files(con)
            named = "select distinct folder, file from requests where file is not null and lines is not null"
            for folder, file in con.execute(named).fetchall():
                rows = con.execute(
                    "select lines from requests where folder = ? and file = ? order by id", [folder, file]
                ).fetchall()
                path = self._extracts / folder / file
                replace_file(path, "".join(lines for (lines,) in rows), mode=0o640)
                con.execute("update requests set lines = null where folder = ? and file = ?", [folder, file])
                written.append(path)
            oldest = int(time.time()) - self._key_days * 86_400
            con.execute("delete from requests where lines is null and received_at < ?", [oldest])
        finally:
            con.close()
        return written

    def _connect(self) -> sqlite3.Connection:
        path = self._extracts / FOLDER / "spool.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        con = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        con.execute("pragma journal_mode = wal")
        con.execute("pragma synchronous = full")
        con.executescript(_SCHEMA)
        return con

    def _store(self) -> None:
        con = self._connect()
        while (first := self._queue.get()) is not None:
            batch = [first]
            while len(batch) < _MOST_AT_ONCE and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)
                    break
                batch.append(following)
            try:
                outcomes: list[str | Exception] = list(_insert(con, batch))
            except sqlite3.Error as error:
                LOG.error("nothing can be stored: %s", error)
                if con.in_transaction:
                    con.execute("rollback")
                outcomes = [error] * len(batch)
            batch[0].done.get_loop().call_soon_threadsafe(_tell, batch, outcomes)
        con.close()

    def _write_regularly(self) -> None:
        while not self._stopped.wait(self._file_seconds):
            try:
                self.write_files()
            except Exception as error:
                LOG.error("no file was written, and the next try follows: %s", error)


def _tell(batch: list[Waiting], outcomes: list[str | Exception]) -> None:
    for one, outcome in zip(batch, outcomes, strict=True):
        if one.done.done():
            continue  # the client has gone
        if isinstance(outcome, Exception):
            one.done.set_exception(outcome)
        else:
            one.done.set_result(outcome)


def _insert(con: sqlite3.Connection, batch: list[Waiting]) -> list[str]:
    now = int(time.time())
    outcomes = []
    con.execute("begin immediate")
    for one in batch:
        is_new = con.execute(
            "insert into requests (folder, key, body_hash, received_at, lines) values (?, ?, ?, ?, ?)"
            " on conflict do nothing",
            [one.folder, one.key, one.body_hash, now, one.lines],
        ).rowcount
        if is_new:
            outcomes.append(RECEIVED)
            continue
        (known,) = con.execute(
            "select body_hash from requests where folder = ? and key = ?", [one.folder, one.key]
        ).fetchone()
        outcomes.append(REPEATED if known == one.body_hash else CONFLICT)
    con.execute("commit")
    return outcomes


def _assign_files(con: sqlite3.Connection) -> None:
    """Name the file of every request that has none: complete once it is there, or absent."""
    con.execute("begin immediate")
    rows = con.execute(
        "select folder, id, length(lines) from requests where file is null and lines is not null"
        " order by folder, id"
    ).fetchall()
    files: dict[tuple[str, int], list[int]] = {}
    number, size = 0, 0
    for folder, id_, length in rows:
        size += length
        if size > _FILE_BYTES:
            number, size = number + 1, length
        files.setdefault((folder, number), []).append(id_)
    for (folder, _), ids in files.items():
        name = f"{RECEIVED_FILE}{datetime.now(UTC):%Y-%m-%dT%H%MZ}-{ids[0]}-{ids[-1]}.ndjson"
        con.execute(
            "update requests set file = ? where folder = ? and file is null and id between ? and ?",
            [name, folder, ids[0], ids[-1]],
        )
    con.execute("commit")
