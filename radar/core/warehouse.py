"""Opening and locking the warehouse file. One process writes it; readers use the published copy."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock, Timeout

from radar.core import progress
from radar.core.errors import RadarError, WarehouseError

MEMORY_LIMIT = os.environ.get("RADAR_MEMORY_LIMIT", "2GB")
_FORMAT = "v1.5.0"  # of new files: packs text a third faster than the oldest, and reads it faster
_GIVING_WAY = "gives way"  # in the holder file, after the process
_WAIT_SECONDS, _LOOK_SECONDS = 120.0, 0.1


def state_dir(warehouse: Path) -> Path:
    """The folder next to the warehouse for what a run keeps: lock, seeds in use, dbt's target, Data Docs."""
    return warehouse.parent / f"{warehouse.stem}.state"


@contextmanager
def writer_lock(warehouse: Path) -> Iterator[None]:
    """Hold the one writer's lock; it may be taken again in the same process.

    Waits for none but a process that gives way (`giving_way`), and two minutes at the most.
    """
    path = _lock_file(warehouse)
    wait = _Wait(path)
    with readable_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, is_singleton=True, thread_local=False, fallback_to_soft=False)
        try:
            acquired = lock.acquire(_WAIT_SECONDS, _LOOK_SECONDS, cancel_check=wait.is_over)
        except Timeout:
            raise WarehouseError(
                f"another Radar run (process {wait.holder or 'unknown'}) is writing this warehouse",
                "wait until it has ended, then run again",
                file=warehouse,
            ) from None
    with acquired:
        if lock.lock_counter == 1:
            _write_holder(path)
            if wait.waits_for:
                _wanted_file(path).unlink(missing_ok=True)
        yield


@contextmanager
def giving_way(warehouse: Path) -> Iterator[Callable[[], bool]]:
    """While the holder of the writer's lock does what it can stop and go on with later.

    Whoever wants the lock meanwhile waits for it; what is yielded says whether somebody does.
    """
    path = _lock_file(warehouse)
    wanted = _wanted_file(path)
    wanted.unlink(missing_ok=True)  # of one that was killed as it waited
    _write_holder(path, _GIVING_WAY)
    try:
        yield wanted.exists
    finally:
        _write_holder(path)


class _Wait:
    """What a process that wants the lock knows of the `holder`, and for which one it waits, if for any."""

    def __init__(self, lock: Path) -> None:
        self._lock = lock
        self.holder = self.waits_for = ""

    def is_over(self) -> bool:
        """Whether the holder does not give way. One that began to is waited for until it lets go."""
        self.holder, _, status = _read_holder(self._lock).partition(" ")
        if status == _GIVING_WAY:
            if not self.waits_for:
                progress.note(
                    f"waiting for another Radar run (process {self.holder}), which stops delivering"
                )
            self.waits_for = self.holder
            _wanted_file(self._lock).touch()
        return not self.waits_for or self.holder != self.waits_for


def _lock_file(warehouse: Path) -> Path:
    return state_dir(warehouse).resolve() / "writer.lock"


def _wanted_file(lock: Path) -> Path:
    return lock.with_name("writer.wanted")


def _holder_file(lock: Path) -> Path:
    return lock.with_name("writer.holder")


def _read_holder(lock: Path) -> str:
    """The process that holds the lock, and whether it gives way; empty where that is not written."""
    try:
        return _holder_file(lock).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def _write_holder(lock: Path, status: str = "") -> None:
    """Replace the text in one step, for those who read it meanwhile."""
    new = lock.with_name("writer.holder.new")
    with readable_os_errors(new):
        new.write_text(f"{os.getpid()} {status}\n", encoding="ascii")
        new.replace(_holder_file(lock))


@contextmanager
def connect(warehouse: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC with bounded memory, closed at the end; DuckDB's refusals become WarehouseError."""
    with readable_duckdb_errors(warehouse):
        con = duckdb.connect(str(warehouse), read_only=read_only, config=_settings(warehouse))
        try:
            con.execute("SET TimeZone = 'UTC'")
            with _ended(con):
                yield con
        finally:
            con.close()


@contextmanager
def cursor_of(con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A second connection to the same open file, for another thread, also in UTC; closed at the end."""
    cursor = con.cursor()
    try:
        cursor.execute("SET TimeZone = 'UTC'")
        with _ended(cursor):
            yield cursor
    finally:
        cursor.close()


@contextmanager
def _ended(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """End the query that an error left under way, Ctrl-C above all: a statement after it does.

    Otherwise it keeps the file although the connection is closed, and DuckDB waits without end to open the
    file in this process again.
    """
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error, RuntimeError):
            con.execute("ROLLBACK")
        raise


def _settings(warehouse: Path) -> dict[str, Any]:
    return {
        "memory_limit": MEMORY_LIMIT,
        "block_allocator_memory": MEMORY_LIMIT,
        "storage_compatibility_version": _FORMAT,
        "temp_directory": str(state_dir(warehouse) / "spill"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }


@contextmanager
def readable_duckdb_errors(warehouse: Path) -> Iterator[None]:
    """Turn DuckDB's and the system's errors about files into errors with a remedy."""
    try:
        yield
    except duckdb.IOException as error:
        raise explain_duckdb_error(warehouse, str(error)) from error
    except duckdb.OutOfMemoryException as error:
        raise WarehouseError(
            f"DuckDB needs more than its {MEMORY_LIMIT} of memory",
            "set RADAR_MEMORY_LIMIT (for example 4GB) and run again",
            file=warehouse,
        ) from error
    except OSError as error:
        raise explain_os_error(error, warehouse) from error


def explain_duckdb_error(warehouse: Path, text: str) -> RadarError:
    """The user's version of a DuckDB IO error (also one that dbt reports as text)."""
    if re.search(r"[Cc]onflicting lock", text):
        holder = re.search(r"held in (.+?)(?: by user|\. |$)", text)
        who = holder.group(1) if holder else "another process"
        return WarehouseError(
            f"the warehouse is locked by another process ({who})",
            "close that program, or let it read the published copy instead, then run again",
            file=warehouse,
        )
    if re.search(r"No space left|disk full", text, re.IGNORECASE):
        return _disk_full(warehouse)
    if "not a valid DuckDB database" in text or "serialized" in text:
        return WarehouseError(
            "this file is not a warehouse that this version of DuckDB can read",
            "name another file with --warehouse, or restore the file from a backup",
            file=warehouse,
        )
    return WarehouseError(text.strip().splitlines()[0], "check the path and its permissions", file=warehouse)


@contextmanager
def readable_os_errors(path: Path) -> Iterator[None]:
    """Turn the system's refusals about `path` into errors with a remedy."""
    try:
        yield
    except OSError as error:
        raise explain_os_error(error, path) from error


def explain_os_error(error: OSError, path: Path) -> RadarError:
    """The user's version of an OSError about `path`."""
    where = Path(error.filename) if isinstance(error.filename, str) else path
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _disk_full(where)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return WarehouseError(
            "no permission to write here", "choose another folder or change its permissions", file=where
        )
    return WarehouseError(error.strerror or str(error), "check the path and its permissions", file=where)


def _disk_full(path: Path) -> RadarError:
    return WarehouseError(
        "the disk is full",
        "free some space and run again: it goes on from what landed",
        file=path,
    )


def require_free_space(folder: Path, needed: int) -> None:
    """Refuse to start where fewer than `needed` bytes are free: a full disk leaves DuckDB's file grown."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise WarehouseError(
            f"only {free / 1e6:,.0f} MB are free and this run needs about {needed / 1e6:,.0f} MB",
            "free some space, or keep the warehouse on another disk (--warehouse)",
            file=folder,
        )
