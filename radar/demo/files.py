"""How the demo's extracts are cut into files, and files whose bytes depend on their rows alone.

Every file is written beside its place (`.part`) and moved there when it is whole.
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

Value = str | int | float | bool | None
Row = Sequence[Value]

# Columns as the feeds send them. `time_zone` of the contacts is one that Radar does not know.
COLUMNS: dict[str, tuple[str, ...]] = {
    feed: tuple(columns.split())
    for feed, columns in {
        "crm/accounts": "account_id name domain owner_id segment industry country parent_account_id arr_usd "
        "lifecycle_stage plan_id created_at updated_at is_deleted",
        "crm/owners": "owner_id name email slack_user_id is_active updated_at",
        "crm/contacts": "contact_id account_id email full_name role is_active marketing_consent "
        "consent_updated_at created_at updated_at time_zone",
        "crm/touchpoints": "touchpoint_id account_id contact_id owner_id channel direction is_automated "
        "occurred_at",
        "crm/milestones": "milestone_id account_id name due_date completed_at updated_at",
        "crm/goals": "goal_id account_id signal target valid_from valid_to",
        "crm/pulses": "pulse_id account_id owner_id sentiment note recorded_at",
        "crm/overrides": "override_id account_id bucket reason overridden_by overridden_at expires_at",
        "crm/reviews": "review_id account_id as_of_date kind verdict bucket reason action_id reviewed_by "
        "reviewed_at updated_at",
        "crm/identities": "source source_account_id account_id",
        "billing/subscriptions": "subscription_id account_id plan_id status seats mrr_usd started_at "
        "current_period_end cancel_at_period_end canceled_at card_expires_on updated_at",
        "billing/invoices": "invoice_id account_id subscription_id amount_usd status issued_at due_at "
        "paid_at updated_at",
        "billing/payments": "payment_id invoice_id account_id amount_usd status failure_code attempted_at",
        "product/events": "event_id account_id user_id event_name occurred_at properties",
        "support/tickets": "ticket_id account_id contact_id status priority sentiment subject body opened_at "
        "first_response_at resolved_at updated_at",
        "comms/messages": "message_id account_id contact_id kind invoice_id sent_at opened_at clicked_at "
        "unsubscribed_at updated_at",
        "feedback/surveys": "response_id account_id contact_id kind score comment responded_at",
    }.items()
}

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
        """Write what is still held back."""

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
