"""Files on a disk: parts within a destination's limits, what a person is to look at, sets that appear whole.

Belongs here: bytes, hashes, folders. Does not belong here: which rows these are, and what the warehouse
remembers.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from radar.core.errors import WarehouseError
from radar.core.spreadsheets import harmless
from radar.exports.profiles import Dialect, Profile

MANIFEST = "manifest.json"
_LINE_ENDINGS = {"lf": "\n", "crlf": "\r\n"}


class CsvFile:
    """A CSV file that knows its rows, bytes and hash."""

    def __init__(self, path: Path, dialect: Dialect, headers: Sequence[str]) -> None:
        """Opens it, with its header line."""
        self.path, self.rows, self.bytes = path, 0, 0
        self._hash = hashlib.sha256()
        self._file: BinaryIO = path.open("xb")
        self._line = io.StringIO()
        self._csv = csv.writer(
            self._line, delimiter=dialect.delimiter, lineterminator=_LINE_ENDINGS[dialect.line_ending]
        )
        self._headers = list(headers)
        mark = b"\xef\xbb\xbf" if dialect.encoding == "utf-8-sig" else b""
        self._put(mark + self.encode([self._headers]))

    def encode(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Lines, as `write` takes them."""
        self._line.seek(0)
        self._line.truncate()
        self._csv.writerows(rows)
        return self._line.getvalue().encode()

    def write(self, lines: bytes, rows: int) -> None:
        """Add rows."""
        self._put(lines)
        self.rows += rows

    def _put(self, lines: bytes) -> None:
        self._file.write(lines)
        self._hash.update(lines)
        self.bytes += len(lines)

    def close(self) -> dict[str, Any]:
        """Bring the file to the disk; its entry of the manifest."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return {
            "name": self.path.name,
            "rows": self.rows,
            "bytes": self.bytes,
            "sha256": self._hash.hexdigest(),
            "columns": self._headers,
        }


class Parts:
    """Rows written to as many files as the destination's limits ask for: `<stem>_001.csv` and so on."""

    def __init__(self, folder: Path, stem: str, profile: Profile, headers: Sequence[str]) -> None:
        """Begins the first part: there is one also where no row comes."""
        self._folder, self._stem, self._profile, self._headers = folder, stem, profile, headers
        self._entries: list[dict[str, Any]] = []
        self._current = self._next()

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Add rows: all at once where they fit, else in halves."""
        limits, lines = self._profile.limits, self._current.encode(rows)
        fits = self._current.rows + len(rows) <= limits.rows_per_file
        if fits and self._current.bytes + len(lines) <= limits.bytes_per_file:
            self._current.write(lines, len(rows))
        elif len(rows) > 1:
            half = len(rows) // 2
            self.write(rows[:half])
            self.write(rows[half:])
        else:
            if self._current.rows:
                self._entries.append(self._current.close())
                self._current = self._next()
            self._current.write(lines, 1)

    def close(self) -> list[dict[str, Any]]:
        """The manifest's entries of all parts."""
        self._entries.append(self._current.close())
        return self._entries

    def _next(self) -> CsvFile:
        path = self._folder / f"{self._stem}_{len(self._entries) + 1:03d}.csv"
        return CsvFile(path, self._profile.dialect, self._headers)


def write_for_a_person(path: Path, headers: Sequence[str], lines: Sequence[Sequence[str]]) -> dict[str, Any]:
    """For a spreadsheet: a byte order mark, everything quoted, a `'` before what could start a formula."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(headers)
    writer.writerows([harmless(cell) for cell in line] for line in lines)
    content = text.getvalue().encode("utf-8-sig")
    write_whole(path, content)
    return {
        "name": path.name,
        "rows": len(lines),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "columns": list(headers),
    }


def write_whole(path: Path, content: bytes) -> None:
    """Write a new file and bring it to the disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """An empty hidden folder next to `target`; what is left of it, or of killed runs, is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(".new-*"):
        shutil.rmtree(left)
    folder = target.parent / f".new-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def move_into_place(folder: Path, target: Path, manifest: bytes) -> bool:
    """Rename the finished set to `target`; False where the very same set is there already."""
    if (target / MANIFEST).exists():
        if (target / MANIFEST).read_bytes() == manifest:
            return False
        raise WarehouseError(
            "this run has already exported other rows for this day, and somebody may have imported them",
            "start a new run: it gets a folder of its own",
            file=target,
        )
    for inner in (*(path for path in folder.iterdir() if path.is_dir()), folder):
        _sync(inner)
    folder.rename(target)
    _sync(target.parent)
    return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
