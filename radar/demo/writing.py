"""Writing the demo: arguments checked, files opened, accounts written one by one, files closed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from radar.core.errors import UsageError
from radar.core.warehouse import readable_os_errors
from radar.demo import billing, crm, service, usage
from radar.demo.company import Company
from radar.demo.files import (
    DELIVERY,
    FeedFiles,
    ParquetFile,
    TextFile,
    columns_of,
    cut_short,
    file_of,
    parts,
    remove,
)
from radar.demo.stories import Account, Calendar, tell

MAX_ACCOUNTS, MAX_DAYS = 100_000, 1_000
YEARS = (2000, 2100)
MARKER = ".radar-demo.json"
STALE = {"crm/touchpoints": 9}
"""Feeds and days: more than the feed's max_age_days, so that a run finds it stale."""
_EVENTS = "product/events"


def generate(
    folder: Path,
    *,
    accounts: int = 400,
    days: int = 365,
    seed: int = 1,
    end: date | None = None,
    is_stale: bool = False,
) -> dict[str, int]:
    """Write the extracts of the invented company; rows per feed.

    `end` is the last day (UTC) that has facts; it must be given, for a day read from a clock would not give
    the same bytes again. `is_stale`: the last days of the feeds in STALE have not come.
    The folder must be new, empty, or hold an earlier demo, whose files are replaced.
    The counts leave out the file that is cut and the one that is sent twice.
    Raises UsageError for arguments out of range, WarehouseError where the folder cannot be written.
    """
    calendar = _calendar(accounts, days, end)
    arguments: dict[str, int | str] = {"accounts": accounts, "days": days, "seed": seed, "end": str(end)}
    company = Company(seed, accounts, Calendar(calendar.first, days), {}, STALE if is_stale else {})
    with readable_os_errors(folder):
        names = _planned(calendar)
        _prepare(folder, names, arguments | ({"is_stale": True} if is_stale else {}))
        with ExitStack() as stack:
            rows = _write(stack, folder, company)
        for copy, (original, is_cut) in _second_deliveries(calendar).items():
            if (folder / original).exists():
                (cut_short if is_cut else shutil.copyfile)(folder / original, folder / copy)
    return rows


def _calendar(accounts: int, days: int, end: date | None) -> Calendar:
    for name, value, most in (("accounts", accounts, MAX_ACCOUNTS), ("days", days, MAX_DAYS)):
        if not 1 <= value <= most:
            raise UsageError(f"--{name} is {value}", f"choose a number from 1 to {most}")
    if end is None:
        raise UsageError("the demo has no last day", "name it with --end YYYY-MM-DD")
    if not YEARS[0] <= end.year <= YEARS[1]:
        raise UsageError(f"--end is {end}", f"choose a day in the years {YEARS[0]} to {YEARS[1]}")
    return Calendar(end - timedelta(days=days - 1), days)


def _second_deliveries(calendar: Calendar) -> dict[str, tuple[str, bool]]:
    """Files that come again: the copy's name, what it is a copy of, and whether it is cut short.

    The one that is cut has the name of an upload under way, which nobody reads: a file that is cut and read
    is refused, and would leave a fifth of the surveys unknown.
    """
    messages = file_of("comms/messages", parts("comms/messages", calendar)[0])
    surveys = file_of("feedback/surveys", parts("feedback/surveys", calendar)[-1])
    return {
        messages.replace(".ndjson.gz", "-sent-again.ndjson.gz"): (messages, False),
        surveys.replace(".csv.gz", "-interrupted.csv.gz.part"): (surveys, True),
    }


def _planned(calendar: Calendar) -> list[str]:
    """Every file that the demo of this calendar has, the marker left out."""
    names = [file_of(feed, part) for feed in DELIVERY for part in parts(feed, calendar)]
    return names + list(_second_deliveries(calendar))


def _prepare(folder: Path, names: list[str], arguments: dict[str, int | str]) -> None:
    """Make the folder ready: files of an earlier demo go, anything else is left alone and refused."""
    if folder.exists() and not folder.is_dir():
        raise UsageError("this is a file, not a folder", "name a folder for the demo", file=folder)
    marker = folder / MARKER
    if marker.exists():
        remove(folder, _earlier_files(marker))
    elif folder.exists() and any(folder.iterdir()):
        raise UsageError(
            "the folder holds something that is not a demo of Radar",
            "name a new or an empty folder",
            file=folder,
        )
    folder.mkdir(parents=True, exist_ok=True)
    content = {"written_by": "radar demo", **arguments, "files": sorted(names)}
    marker.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _earlier_files(marker: Path) -> list[str]:
    try:
        names = json.loads(marker.read_text(encoding="utf-8"))["files"]
    except (ValueError, KeyError, TypeError):
        names = None
    is_ours = isinstance(names, list) and all(
        isinstance(name, str) and name.rsplit("/", 1)[0] in DELIVERY for name in names
    )
    if not is_ours:
        raise UsageError(
            "the demo's own list of files is damaged", "name a new or an empty folder", file=marker
        )
    return [str(name) for name in names]


def _write(stack: ExitStack, folder: Path, company: Company) -> dict[str, int]:
    calendar, seed = company.calendar, company.seed
    feeds = {feed: _open_text(stack, folder, feed, calendar) for feed in DELIVERY if feed != _EVENTS}
    company = replace(company, feeds=feeds)
    months = parts(_EVENTS, calendar)
    event_files = [
        stack.enter_context(ParquetFile(folder / file_of(_EVENTS, part), usage.SCHEMA)) for part in months
    ]
    events = usage.Usage(seed, calendar, months, event_files)
    crm.write_owners(company)
    for chunk in usage.chunks(_accounts(company)):
        for account in chunk:
            people = crm.write_account(company, account)
            invoices = billing.write_account(company, account)
            service.write_account(company, account, people, invoices)
        events.write(chunk, with_strangers=chunk[0].number == 1)
    rows = {feed: files.rows for feed, files in feeds.items()}
    rows[_EVENTS] = sum(file.rows for file in event_files)
    return {feed: rows[feed] for feed in DELIVERY}


def _accounts(company: Company) -> Iterator[Account]:
    for number in range(1, company.accounts + 1):
        yield tell(company.seed, number, company.accounts, company.calendar)


def _open_text(stack: ExitStack, folder: Path, feed: str, calendar: Calendar) -> FeedFiles:
    feed_parts = parts(feed, calendar)
    columns, is_spreadsheet = columns_of(feed), DELIVERY[feed][2]
    files = [
        stack.enter_context(TextFile(folder / file_of(feed, part), columns, spreadsheet=is_spreadsheet))
        for part in feed_parts
    ]
    return FeedFiles(files, feed_parts, calendar)
