"""How the demo's extracts are cut into files, and files whose bytes depend on their rows alone.

Every file is written under a temporary name (`.part`) and renamed when it is whole.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from radar.demo.stories import Calendar
from radar.landing.feeds import load_feeds

Value = str | int | float | bool | None
Row = Sequence[Value]

# A column of one feed that its contract does not have, as every extract has some.
UNKNOWN_COLUMNS = {"crm/contacts": ("time_zone",)}

# Columns of a feed that the company does not send: the panel fills one, and everything is billed in USD.
NOT_SENT = ("decided_by", "currency")

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
WHOLE, QUARTERLY, MONTHLY = "whole", "quarterly", "monthly"
# How a feed is delivered: cut, file ending, and whether it comes from a spreadsheet (byte order mark, CRLF).
DELIVERY: dict[str, tuple[str, str, bool]] = {
    "crm/accounts": (QUARTERLY, "csv", True),
    "crm/owners": (WHOLE, "csv", False),
    "crm/contacts": (WHOLE, "ndjson.gz", False),
    "crm/touchpoints": (QUARTERLY, "ndjson.gz", False),
    "crm/milestones": (WHOLE, "csv", False),
    "crm/goals": (WHOLE, "csv", False),
    "crm/pulses": (WHOLE, "ndjson.gz", False),
    "crm/overrides": (WHOLE, "csv", False),
    "crm/reviews": (WHOLE, "csv", False),
    "crm/identities": (WHOLE, "csv", False),
    "billing/subscriptions": (WHOLE, "csv", False),
    "billing/invoices": (QUARTERLY, "csv", False),
    "billing/payments": (QUARTERLY, "ndjson.gz", False),
    "product/events": (MONTHLY, "parquet", False),
    "support/tickets": (QUARTERLY, "csv", False),
    "comms/messages": (QUARTERLY, "ndjson.gz", False),
    "feedback/surveys": (QUARTERLY, "csv.gz", False),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a feed: its name without the ending, and its days (both included)."""

    stem: str
    first_day: int
    last_day: int


def columns_of(feed: str) -> tuple[str, ...]:
    """The header of the feed's files: the columns that are its own, as its contract has them."""
    contract = load_feeds()[feed]
    own = (column.name for column in contract.columns if column.is_own and column.name not in NOT_SENT)
    return (*own, *UNKNOWN_COLUMNS.get(feed, ()))


def parts(feed: str, calendar: Calendar) -> list[Part]:
    """The files of a feed, oldest first: a function of the calendar alone."""
    cut = DELIVERY[feed][0]
    if cut == WHOLE:
        return [Part(calendar.date(calendar.last).isoformat(), 0, calendar.last)]
    months = 3 if cut == QUARTERLY else 1
    found, day = [], 0
    while day <= calendar.last:
        start = calendar.date(day)
        block = (start.year * 12 + start.month - 1) // months + 1
        end = calendar.day(date(block * months // 12, block * months % 12 + 1, 1)) - 1
        name = f"{start:%Y-%m}" if months == 1 else f"{start.year}-Q{(start.month + 2) // 3}"
        found.append(Part(name, day, min(end, calendar.last)))
        day = end + 1
    return found


def file_of(feed: str, part: Part) -> str:
    """The path of a part, below the extracts."""
    return f"{feed}/{part.stem}.{DELIVERY[feed][1]}"


class _PartFile(ABC):
    """A file that appears in its place only when it is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._unfinished = path.with_name(path.name + ".part")

    @abstractmethod
    def _close(self) -> None:
        """Write what is still buffered."""

    @property
    def _is_blank(self) -> bool:
        """Whether there is not one byte in it: such a file says nothing, and is refused."""
        return False

    def __enter__(self) -> Self:
        """The file itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._close()
        except OSError:
            if kind is None:
                raise
        finally:
            if kind is not None:
                self._unfinished.unlink(missing_ok=True)
        if kind is None and self._is_blank:
            self._unfinished.unlink()
        elif kind is None:
            os.replace(self._unfinished, self.path)


class TextFile(_PartFile):
    """A CSV or newline-delimited JSON file, plain or gzipped (without name or time in its header)."""

    def __init__(self, path: Path, columns: Sequence[str], *, spreadsheet: bool = False) -> None:
        """`spreadsheet`: a byte order mark first, and lines that end in CR LF. Creates the folder."""
        super().__init__(path)
        self._columns = tuple(columns)
        self._opened: list[IO[Any]] = [self._unfinished.open("wb")]
        if path.name.endswith(".gz"):
            packed = gzip.GzipFile(filename="", mode="wb", compresslevel=5, fileobj=self._opened[0], mtime=0)
            self._opened.append(io.BufferedWriter(packed, 1 << 16))  # type: ignore[arg-type,type-var]
        self._text = io.TextIOWrapper(self._opened[-1], encoding="utf-8", newline="")
        self._is_json = ".ndjson" in path.name
        if not self._is_json:
            self._csv = csv.writer(self._text, lineterminator="\r\n" if spreadsheet else "\n")
            self._text.write("\ufeff" if spreadsheet else "")
            self._csv.writerow(columns)

    def write(self, row: Row) -> None:
        """One row, its values in the order of the columns."""
        self.rows += 1
        if self._is_json:
            record = dict(zip(self._columns, row, strict=True))
            self._text.write(_JSON.encode(record) + "\n")
        else:
            self._csv.writerow([_cell(value) for value in row])

    @property
    def _is_blank(self) -> bool:
        return self._is_json and not self.rows

    def _close(self) -> None:
        try:
            self._text.close()
        finally:
            for opened in reversed(self._opened):
                opened.close()


def _cell(value: Value) -> Value:
    if value is True:
        return "true"
    return "false" if value is False else value


class ParquetFile(_PartFile):
    """A Parquet file, one row group a table."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        """Creates the folder."""
        super().__init__(path)
        self._writer = pq.ParquetWriter(
            self._unfinished, schema, compression="zstd", version="2.6", store_schema=False
        )

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table."""
        self.rows += table.num_rows
        self._writer.write_table(table, row_group_size=max(table.num_rows, 1))

    def _close(self) -> None:
        self._writer.close()


class FeedFiles:
    """The open files of one text feed; a row goes into the file of its day."""

    def __init__(self, files: list[TextFile], feed_parts: list[Part], calendar: Calendar) -> None:
        """One file a part, in the same order."""
        self._of_day: list[TextFile] = []
        for file, part in zip(files, feed_parts, strict=True):
            self._of_day += [file] * (part.last_day - part.first_day + 1)
        self._files, self._last = files, calendar.last

    def write(self, day: int, row: Row) -> None:
        """Write into the file of that day; what is older than the extracts goes into the first."""
        self._of_day[min(max(day, 0), self._last)].write(row)

    @property
    def rows(self) -> int:
        """The rows written so far."""
        return sum(file.rows for file in self._files)


def cut_short(whole: Path, broken: Path, keep: float = 0.6) -> None:
    """Write the first part of a file's bytes under another name, as a broken transfer leaves them."""
    content = whole.read_bytes()
    broken.write_bytes(content[: int(len(content) * keep)])


def remove(folder: Path, names: Iterable[str]) -> None:
    """Remove those files below the folder that exist, and what a killed process left of them."""
    for name in names:
        for leftover in (folder / name, folder / f"{name}.part"):
            leftover.unlink(missing_ok=True)
