"""A warehouse with the raw tables of every feed: rows arrive in it and are checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from radar.landing.feeds import load_feeds
from radar.landing.schema import create
from radar.quality.hygiene import Outcome, check
from radar.quality.suites import table_name

ROOT = Path(__file__).parents[2]
FEEDS = load_feeds()
NOW = datetime(2025, 6, 30, 6, 0, tzinfo=UTC)

# One good row per feed: the example of its contract. Every test changes what it is about.
GOOD: dict[str, dict[str, Any]] = {
    name: {column.name: column.example for column in feed.columns if column.example}
    for name, feed in FEEDS.items()
}


@dataclass
class Warehouse:
    """A warehouse under test: `land` what arrives, `check` it, `rows` to see what became of it."""

    con: duckdb.DuckDBPyConnection
    seeds: Path
    docs: Path | None = None
    steps: list[tuple[str, int, float]] = field(default_factory=list)

    def land(
        self, feed: str, *changes: dict[str, Any], batch: int = 1, file: str | None = None, good: int = 0
    ) -> None:
        """Rows of the feed in `raw`: one for each of `changes` to the good row, and `good` unchanged ones."""
        file = file or f"{feed}/{batch}.csv"
        key = FEEDS[feed].key[-1] if feed == "crm/identities" else FEEDS[feed].key[0]
        rows = [{**GOOD[feed], **change} for change in changes]
        rows += [{**GOOD[feed], key: f"good{batch}_{number}"} for number in range(good)]
        placed = {"_loaded_at": NOW.replace(tzinfo=None), "_batch_id": batch, "_source_file": file}
        table = f"raw.{table_name(feed)}"
        for number, row in enumerate(rows, start=1):
            whole = {**row, **placed, "_row_number": number}
            columns, marks = ", ".join(whole), ", ".join("?" * len(whole))
            self.con.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(whole.values()))
        self.arrive(feed, batch=batch, file=file, rows=len(rows))

    def arrive(
        self, feed: str, *, batch: int = 1, file: str = "f.csv", rows: int = 0, status: str = "landed"
    ) -> None:
        """Only the record of a file."""
        self.con.execute(
            "INSERT INTO audit.loads (run_id, batch_id, feed, source_file, sha256, status, rows_landed, "
            "loaded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [f"run{batch}", batch, feed, file, f"{file}{batch}", status, rows, NOW.replace(tzinfo=None)],
        )

    def check(self, batch: int = 1, **changes: Any) -> dict[tuple[str, str], Outcome]:
        """Run the checks; (feed, check) -> outcome."""
        arguments = {
            "run_id": f"run{batch}", "batch_id": batch, "now": NOW, "as_of_end": date(2025, 6, 30),
            "seeds": self.seeds, "docs": self.docs, "on_step": lambda *step: self.steps.append(step),
        }  # fmt: skip
        outcomes = check(self.con, **{**arguments, **changes})
        return {(outcome.feed, outcome.check): outcome for outcome in outcomes}

    def rows(self, query: str) -> list[Any]:
        """The rows of a query; those of one column as bare values."""
        found = self.con.execute(query).fetchall()
        return [row[0] for row in found] if found and len(found[0]) == 1 else found

    def state(self, feed: str, batch: int = 1) -> tuple[str, str | None]:
        """The feed's state and reason after the batch."""
        found = self.rows(
            f"SELECT state, reason FROM audit.feed_states WHERE feed = '{feed}' AND batch_id = {batch}"
        )
        assert len(found) == 1, found
        return found[0]


@contextmanager
def open_warehouse(folder: Path) -> Iterator[Warehouse]:
    """Empty but for the account `a1` and the owner `o1`, which an earlier batch brought."""
    seeds = folder / "seeds"
    seeds.mkdir()
    (seeds / "plans.csv").write_text("plan_id,name,is_paid,rank\nfree,Free,false,0\npro,Pro,true,1\n")
    (seeds / "product_events.csv").write_text("event_name,is_login\nlogin,true\n")
    (seeds / "settings.csv").write_text("setting,value\nkey_conflict_pct,20\n")
    (seeds / "feeds.csv").write_text(
        "feed,is_used,max_age_days\n" + "".join(f"{feed},true,7\n" for feed in FEEDS)
    )
    with duckdb.connect() as con:
        create(con)
        made = Warehouse(con, seeds)
        for feed in ("crm/accounts", "crm/owners"):
            made.land(feed, {}, batch=0)
        yield made
