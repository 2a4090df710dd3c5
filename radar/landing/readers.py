"""Keeps the processes that read extract files, asks them, and turns what they answer into results or errors.

One that dies, does not answer or runs out of what it may use costs its file and nothing else: the next file
gets a new process.
"""

from __future__ import annotations

import json
import os
import re
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

from radar.core.errors import InputError, MissingColumnsError, WarehouseError
from radar.core.warehouse import MEMORY_LIMIT
from radar.landing.feeds import Feed
from radar.landing.files import ExtractFile
from radar.landing.reader import READY, Request
from radar.landing.table_reader import TableRequest

ROOT = Path(__file__).parents[2]
START_SECONDS = 120.0
TABLE_SECONDS = 3600.0  # for the new rows of one relation
WATCH_SECONDS = 0.02  # how often the memory of a process that reads is looked at
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_TAKE_AWAY = "take the file away, or split it into smaller ones; it is tried again with every run"

_ENDED = "ended the process that read it"
_READ_LESS = (
    "the next run tries it again; where it stays so, name a view with fewer rows or columns, "
    "or raise RADAR_MEMORY_LIMIT"
)


class UnreadableError(InputError):
    """The file ended its reader or exceeded its limits. The next run tries it again."""


class ClosedError(Exception):
    """The run is being broken off: no file is read any more, and nothing is recorded about this one."""


@dataclass(frozen=True)
class Limits:
    """What reading one file may take: memory in bytes, seconds on the clock (more for large files)."""

    memory: int
    seconds: float = 300.0
    seconds_per_mb: float = 10.0

    @classmethod
    def of_installation(cls) -> Limits:
        """As much memory as RADAR_MEMORY_LIMIT gives to the warehouse."""
        match = re.fullmatch(r"\s*([0-9.]+)\s*([KMGT]?)I?B?\s*", MEMORY_LIMIT.upper())
        memory = int(float(match[1]) * _UNITS[match[2]]) if match else 2 * 10**9
        return cls(max(memory, 512 << 20))


@dataclass(frozen=True)
class Reading:
    """A file that was read: the Parquet file of its rows, how many, and its columns.

    Unknown ones as they may be shown; known ones with the rows that fill them, None where a header has them.
    Of a vendor's file also the columns of its adapter, with the file's name for each, None where it has none,
    and those that are known and not read. `left_out`: which of its lines are no rows, as a sentence.
    """

    rows: Path
    records: int
    extra_columns: tuple[str, ...]
    columns: dict[str, int | None]
    vendor_columns: dict[str, str | None]
    ignored_columns: tuple[str, ...]
    left_out: str = ""


class Readers:
    """The reading processes of a run, started when they are needed and kept for the next file."""

    def __init__(self, limits: Limits | None = None) -> None:
        """Starts no process yet."""
        self._limits = limits or Limits.of_installation()
        self._idle: LifoQueue[_Process] = LifoQueue()
        self._all: list[_Process] = []
        self._is_closed = False

    def read(
        self, file: ExtractFile, feed: Feed, folder: Path, payloads_from: str | None, *, needs_line_end: bool
    ) -> Reading:
        """Read a file into `folder`. Raises InputError, and UnreadableError where it exceeds its limits."""
        request = Request(
            str(file.path.absolute()),
            file.source_file,
            file.format,
            file.compression,
            feed.name,
            str(folder),
            payloads_from,
            needs_line_end,
            file.adapter,
            feed.date_order,
        )
        seconds = self._limits.seconds + self._limits.seconds_per_mb * _size(file.path) / 1e6
        with self._process() as process:
            answer = process.ask(asdict(request), seconds)
        if self._is_closed:
            raise ClosedError
        return self._result(answer, file.source_file)

    def read_table(self, request: TableRequest, source_file: str) -> dict[str, Any]:
        """What a process of its own makes of a relation; `table_reader` has the keys. Raises InputError."""
        process = _Process(self._limits, "radar.landing.table_reader")
        self._all.append(process)
        if self._is_closed:
            raise ClosedError
        try:
            answer = process.ask(asdict(request), TABLE_SECONDS)
        finally:
            process.end()
        if self._is_closed:
            raise ClosedError
        if str(answer.get("limit", "")).startswith(_ENDED):  # as the driver of Postgres ends where it breaks
            raise UnreadableError(
                "the connection broke while it was read, or DuckDB's driver failed, so nothing of it landed",
                "see that the database runs; the next run reads the relation from where this one began",
                file=source_file,
            )
        self._raise_for(answer, source_file, _READ_LESS)
        return answer

    def close(self) -> None:
        """End every process, also one amid a file."""
        self._is_closed = True
        for process in self._all:
            process.end()

    @contextmanager
    def _process(self) -> Iterator[_Process]:
        try:
            process = self._idle.get_nowait()
        except Empty:
            process = _Process(self._limits)
            self._all.append(process)
        if self._is_closed:
            raise ClosedError
        try:
            yield process
        finally:
            self._idle.put(process)

    def _result(self, answer: dict[str, Any], source_file: str) -> Reading:
        self._raise_for(answer, source_file, _TAKE_AWAY)
        return Reading(
            Path(answer["rows"]),
            answer["records"],
            tuple(answer["extra_columns"]),
            answer["columns"],
            answer["vendor_columns"],
            tuple(answer["ignored_columns"]),
            answer["left_out"],
        )

    def _raise_for(self, answer: dict[str, Any], source_file: str, read_less: str) -> None:
        if "refusal" in answer:
            problem, remedy, row, column = answer["refusal"]
            kind = MissingColumnsError if answer.get("lacks_columns") else InputError
            raise kind(problem, remedy, file=source_file, row=row, column=column)
        if "stop" in answer:
            problem, remedy, file = answer["stop"]
            raise WarehouseError(problem, remedy, file=file or None)
        if "limit" in answer:
            what = {
                "memory": f"takes more than {self._limits.memory / 1e6:,.0f} MB of memory or disk to read",
                "depth": "has brackets nested too deep",
            }.get(answer["limit"], answer["limit"])
            raise UnreadableError(what, read_less, file=source_file)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone: the reader says so
        return 0


def _write(child: subprocess.Popen[bytes], line: bytes) -> None:
    if child.stdin:
        child.stdin.write(line)
        child.stdin.flush()


def _resident_bytes(pid: int) -> int:
    """The memory that a process uses; 0 where the system does not report it."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * resource.getpagesize()


class _Process:
    """One reading process. It is started for the first file, and again after it died."""

    def __init__(self, limits: Limits, module: str = "radar.landing.reader") -> None:
        self._limits, self._module = limits, module
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer to a request; where there is none in time, or the process dies, a limit that says so."""
        child = self._started()
        try:
            _write(child, json.dumps(request).encode() + b"\n")
            line = self._line(child, seconds)
        except BrokenPipeError:
            line = b""
        except TimeoutError:
            self.end()
            return {"limit": f"is not read after {seconds:,.0f} seconds"}
        except MemoryError:
            self.end()
            return {"limit": "memory"}
        if line:
            answer: dict[str, Any] = json.loads(line)
            if "limit" in answer:
                self.end()  # it does so by itself too, but the next file must not meet it amid that
            return answer
        return {"limit": self._cause_of_death(child)}

    def end(self) -> None:
        """Kill the process, where it runs."""
        if self._child:
            with suppress(ProcessLookupError):
                self._child.kill()
            self._child.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child and self._child.poll() is None:
            return self._child
        self._close_pipes()
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])
        )
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", self._module, str(self._limits.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        try:
            is_ready = self._line(self._child, START_SECONDS) == READY
        except TimeoutError:
            is_ready = False
        if not is_ready:
            self.end()
            raise WarehouseError(
                "the process that reads files does not start",
                "see that memory is free and RADAR_MEMORY_LIMIT is not too small, and install Radar again",
            )
        return self._child

    def _close_pipes(self) -> None:
        if self._child:
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe:
                    with suppress(OSError):
                        pipe.close()

    def _line(self, child: subprocess.Popen[bytes], seconds: float) -> bytes:
        """The next line of its output, or nothing where it ended.

        Raises TimeoutError, and MemoryError where it uses more than it may.
        """
        if child.stdout is None:
            return b""
        descriptor, line, until = child.stdout.fileno(), b"", time.monotonic() + seconds
        while not line.endswith(b"\n"):
            if not select.select([descriptor], [], [], WATCH_SECONDS)[0]:
                if time.monotonic() > until:
                    raise TimeoutError
                if _resident_bytes(child.pid) > self._limits.memory:
                    raise MemoryError
                continue
            part = os.read(descriptor, 1 << 16)
            if not part:
                return b""
            line += part
        return line

    def _cause_of_death(self, child: subprocess.Popen[bytes]) -> str:
        status = child.wait()
        if status == -signal.SIGXCPU:
            return "takes more computing time than its size allows"
        if status < 0:
            return f"{_ENDED} ({signal.Signals(-status).name})"
        return f"{_ENDED} (status {status})"
