"""Runs of `radar` as a user starts them, in a folder of their own."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from tests.runs import warm

RADAR = Path(sys.executable).with_name("radar")


@dataclass(frozen=True)
class Place:
    """One installation: extracts, warehouse, exports and published copy under a folder."""

    folder: Path

    @property
    def extracts(self) -> Path:
        return self.folder / "extracts"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.folder / "published"

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    def run(self, *options: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """`radar run` in this place; the status is asserted, and a stack trace never is right."""
        with _parsed_before(self.folder) as folder:
            done = radar(
                "run",
                f"--extracts={self.extracts}",
                f"--warehouse={Place(folder).warehouse}",
                f"--published={self.published}",
                f"--exports={self.exports}",
                *options,
            )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse, read only."""
        con = duckdb.connect(str(self.warehouse), read_only=True)
        try:
            yield con
        finally:
            con.close()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query of the warehouse answers."""
        with self.read() as con:
            return con.execute(query).fetchall()


@contextmanager
def _parsed_before(folder: Path) -> Iterator[Path]:
    """The folder by a path that all places share, with what dbt parsed in the one before.

    dbt reads a project from the start, a fifth of a small company's run, where the path of its warehouse is
    another than last time. The path is a link, so it can lead to one place at a time: where a test runs two
    at once, the second has its own. So has a folder whose name is what a test is about.
    """
    is_usual = re.fullmatch(r"[\w./-]+", str(folder), re.ASCII) and folder.exists()
    if not is_usual or not _one_at_a_time.acquire(blocking=False):
        yield folder
        return
    try:
        link, kept = _shared() / "place", _shared() / "partial_parse.msgpack"
        link.unlink(missing_ok=True)
        link.symlink_to(folder, target_is_directory=True)
        parsed = folder / "warehouse.state" / "dbt" / kept.name
        if kept.exists():  # also over what a copied place brought from another path
            umask = os.umask(0o027)  # as of a run
            parsed.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept, parsed)
            os.umask(umask)
        yield link
        if parsed.exists():
            shutil.copyfile(parsed, kept)
    finally:
        _one_at_a_time.release()


_one_at_a_time = Lock()


@cache
def _shared() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="radar-place-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def radar(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, which has the libraries loaded already."""
    return warm.call([str(RADAR), *arguments], {**os.environ, **environment}, timeout=900)
