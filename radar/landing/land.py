"""Lands the extracts folder into `raw.*`, feed by feed: what the run as a whole promises, and its report.

How one file lands is in `load`, what a bad row is in `statements`, where files lie in `files`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from radar.core.errors import InputError
from radar.core.warehouse import cursor_of, readable_os_errors
from radar.landing import schema, statements
from radar.landing.feed_keys import record_keys
from radar.landing.feeds import ACCOUNTS, Feed, feeds_of, load_feeds
from radar.landing.file_rules import FileRules
from radar.landing.files import Discovery, discover
from radar.landing.land_tables import land_table
from radar.landing.links import note_ids, resolve_aliases
from radar.landing.load import LANDED, Landing, Load, NotNowError, count, land_file, transaction
from radar.landing.readers import Readers
from radar.landing.tables import Table

SPILL_PREFIX = "landing-"
MOST_NOTICES = 10
LEADING_FEEDS = ("crm/identities", "crm/contacts")  # their rows say whose the ids of others are
FEEDS_AT_ONCE = min(4, os.cpu_count() or 1)  # text is read on one thread, so that its rows keep their numbers

OnStep = Callable[[str, int, float], None]


@dataclass
class FeedReport:
    """What landing did for one feed. `files_known`: met by an earlier run, and not read again.

    `files_unended`: read, and the last row of them has no line end.
    """

    feed: str
    files_landed: int = 0
    files_repeated: int = 0
    files_refused: int = 0
    files_known: int = 0
    files_unended: int = 0
    rows_read: int = 0
    rows_landed: int = 0
    rows_repeated: int = 0
    rows_rejected: int = 0
    rows_released: int = 0
    values_rejected: int = 0
    extra_columns: tuple[str, ...] = ()
    messages: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, load: Load | None) -> None:
        """Count a file; None is one that was known."""
        if load is None:
            self.files_known += 1
            return
        self.files_unended += load.is_unended
        setattr(self, f"files_{load.status}", getattr(self, f"files_{load.status}") + 1)
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(load, name))
        self.extra_columns = tuple(sorted({*self.extra_columns, *load.extra_columns}))
        if load.message:
            self.messages.append(load.message)
        if load.warning:
            self.warnings.append(load.warning)


_COUNTS = [one.name for one in fields(Load) if one.type == "int" and one.name != "bytes"]


class LandingReport(list[FeedReport]):
    """The report of every feed; `notices` names what is in the folder and belongs to none."""

    def __init__(self, notices: list[str]) -> None:
        """Starts without feeds."""
        super().__init__()
        self.notices = notices


def land(
    con: duckdb.DuckDBPyConnection,
    extracts: Path,
    *,
    run_id: str,
    batch_id: int,
    now: datetime,
    decisions: Path | None = None,
    payloads_from: date | None = None,
    file_rules: FileRules | None = None,
    seeds: Path | None = None,
    tables: Sequence[Table] = (),
    on_step: OnStep | None = None,
) -> LandingReport:
    """Land every file that is new, feed by feed, accounts first, then release rows that waited for theirs.

    `decisions` is a second folder of the same form, with what people decided in the panel.

    Payloads of events before `payloads_from` are not kept (None: all are). `seeds` is the folder whose
    `feeds.csv` may name keys. `tables` are relations that are read in place of files.
    `on_step` is called after each feed that has files, with its name, the rows landed and the seconds.
    Raises UsageError for a folder that is not there, and InputError where nothing could be scored: no feed
    has a file, or accounts never landed. Nothing else about the content of files is raised.
    """
    schema.create(con)
    record_keys(con, seeds)
    feeds = feeds_of(seeds) if seeds else load_feeds()
    found = discover(extracts)
    _require_files(con, found, extracts, tables)
    if decisions and decisions.is_dir():
        found.join(discover(decisions))
    report = LandingReport(found.notices.get("", []))
    with _spill_folder(con) as spill, closing(Readers()) as readers:
        landing = Landing(
            con,
            run_id,
            batch_id,
            _naive_utc(now),
            spill,
            readers,
            payloads_from,
            file_rules or FileRules(),
            tuple(tables),
        )
        report.append(_land_feed(landing, feeds[ACCOUNTS], found))
        _tell(on_step, report[-1], found, tables)
        _require_accounts(con, extracts)
        others = [feed for name, feed in feeds.items() if name != ACCOUNTS]
        landed = {}
        for feed_report in _land_at_once(landing, others, found):
            landed[feed_report.feed] = feed_report
            _tell(on_step, feed_report, found, tables)
        report.extend(landed[feed.name] for feed in others)
        report.notices.extend(_unended(feed_report) for feed_report in report if feed_report.files_unended)
        report.notices.extend(note for feed_report in report for note in feed_report.warnings)
    note_ids(con)
    released = _resolve_and_release(con, batch_id, seeds)
    for feed_report in report:
        feed_report.rows_released = released.get(feed_report.feed, 0)
    _record_states(landing)
    return report


def _resolve_and_release(con: duckdb.DuckDBPyConnection, batch_id: int, seeds: Path | None) -> dict[str, int]:
    """See whose ids are whose and land what had waited for that; again where that may lead further."""
    released: Counter[str] = Counter()
    while True:
        resolve_aliases(con, seeds)
        landed = release_waiting(con, batch_id)
        released.update(landed)
        if not any(landed.get(feed) for feed in LEADING_FEEDS):
            return dict(released)


def release_waiting(con: duckdb.DuckDBPyConnection, batch_id: int) -> dict[str, int]:
    """Move rows whose account has arrived out of quarantine, into raw as this batch; how many, by feed."""
    released = {}
    for feed in load_feeds().values():
        if feed.waiting_table and count(con, f"select count(*) from {feed.waiting_table}"):
            with transaction(con):
                con.execute(statements.collect_released(feed))
                released[feed.name] = count(con, statements.land_released(feed), {"batch_id": batch_id})
                con.execute(statements.forget_waiting(), {"feed": feed.name})
                con.execute(statements.delete_released(feed))
    return released


def _unended(report: FeedReport) -> str:
    """What to do about last rows that may be cut, in one line for the feed."""
    files = report.files_landed + report.files_refused
    remedy = "send those files again with a line end after the last row"
    if report.files_unended == files:
        remedy += ", or set accept_unended_last_row to 1 in seeds/settings.csv where no file ever has one"
    return (
        f"{report.feed}: the last row of {report.files_unended:,} of {files:,} files has no line end, "
        f"may be cut and waits: {remedy}"
    )


def _naive_utc(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now


def _require_files(
    con: duckdb.DuckDBPyConnection, found: Discovery, extracts: Path, tables: Sequence[Table]
) -> None:
    if found.is_empty and not tables:
        notices = [text for texts in found.notices.values() for text in texts]
        raise InputError(
            f"there is no file of any feed{_listed(notices)}",
            "put the extracts into <source>/<feed>/, for example crm/accounts/2026-03-13.csv",
            file=extracts,
        )
    if not found.files[ACCOUNTS] and all(table.feed != ACCOUNTS for table in tables):
        notices = found.notices.get(ACCOUNTS, []) + found.notices.get("", [])
        _require_accounts(con, extracts, notices)


def _require_accounts(
    con: duckdb.DuckDBPyConnection, extracts: Path, notices: list[str] | None = None
) -> None:
    """Raise InputError where no file of accounts has ever landed, with what its files were refused for."""
    loads = con.execute(
        "select status, message from audit.loads where feed = ? order by batch_id desc, source_file",
        [ACCOUNTS],
    ).fetchall()
    if any(status == LANDED for status, _ in loads):
        return
    raise InputError(
        f"{ACCOUNTS} has never landed, and nothing works without it"
        + _listed([message for _, message in loads] or notices or []),
        "correct the file" if loads else "put a file of accounts there, for example accounts.csv",
        file=extracts / ACCOUNTS,
    )


def _listed(notices: list[str]) -> str:
    return "".join(f"\n  {notice}" for notice in notices[:MOST_NOTICES])


@contextmanager
def _spill_folder(con: duckdb.DuckDBPyConnection) -> Iterator[Path]:
    """A folder for unpacked files, next to what DuckDB itself spills; what a killed run left there goes.

    A warehouse in memory has no folder of its own: what is in the system's is not to be touched.
    """
    row = con.execute("select current_setting('temp_directory')").fetchone()
    own = row[0] if row and row[0] != ".tmp" else ""  # what DuckDB returns where the warehouse is in memory
    root = Path(own or tempfile.gettempdir())
    with readable_os_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        for left in root.glob(f"{SPILL_PREFIX}*") if own else ():
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=SPILL_PREFIX, dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _land_at_once(landing: Landing, feeds: Collection[Feed], found: Discovery) -> Iterator[FeedReport]:
    """Land several feeds at a time, those with the most bytes first; the report of each as it is done."""
    cursors: list[duckdb.DuckDBPyConnection] = []

    def work(feed: Feed) -> FeedReport:
        with cursor_of(landing.con) as cursor:
            cursors.append(cursor)
            return _land_feed(replace(landing, con=cursor), feed, found)

    def size(feed: Feed) -> int:
        return sum(file.path.stat().st_size for file in found.files[feed.name] if file.path.exists())

    with ThreadPoolExecutor(FEEDS_AT_ONCE, thread_name_prefix="landing") as pool:
        try:
            futures = [pool.submit(work, feed) for feed in sorted(feeds, key=size, reverse=True)]
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            landing.readers.close()
            for cursor in cursors:
                with suppress(duckdb.Error):  # closed: its feed is done
                    cursor.interrupt()
            raise


def _tell(on_step: OnStep | None, report: FeedReport, found: Discovery, tables: Sequence[Table]) -> None:
    if on_step and (found.files[report.feed] or any(table.feed == report.feed for table in tables)):
        on_step(report.feed, report.rows_landed, report.seconds)


def _land_feed(landing: Landing, feed: Feed, found: Discovery) -> FeedReport:
    start = time.monotonic()
    report = FeedReport(feed.name, messages=list(found.notices.get(feed.name, [])))
    for file in found.files[feed.name]:
        try:
            report.add(land_file(landing, feed, file))
        except NotNowError as reason:
            report.messages.append(str(reason))
    for table in landing.tables:
        if table.feed == feed.name:
            load, warnings = land_table(landing, feed, table)
            report.add(load)
            report.warnings.extend(warnings)
    report.seconds = time.monotonic() - start
    return report


def _record_states(landing: Landing) -> None:
    """A state for each feed and run in which something arrived, those included whose run was cut off."""
    query = Path(__file__).with_name("record_states.sql").read_text(encoding="utf-8")
    landing.con.execute(query, {"now": landing.now})
