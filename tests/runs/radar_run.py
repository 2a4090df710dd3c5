"""Runs of `radar` as a user starts them, in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
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
        done = radar(
            "run",
            f"--extracts={self.extracts}",
            f"--warehouse={self.warehouse}",
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


def radar(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, which has the libraries loaded already."""
    return warm.call([str(RADAR), *arguments], {**os.environ, **environment}, timeout=900)
