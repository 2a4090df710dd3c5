"""An extracts folder and a warehouse to land it in."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import zstandard

from radar.landing.land import FeedReport, LandingReport, land
from radar.landing.tables import Table

NOW = datetime(2026, 3, 14, 6, 0)
ACCOUNTS = "account_id,name,created_at,updated_at\na1,Acme,2026-01-01,2026-01-01\n"


@dataclass
class Inbox:
    root: Path
    con: duckdb.DuckDBPyConnection
    batch: int = 0
    steps: list[tuple[str, int, float]] = field(default_factory=list)

    def put(self, name: str, content: str | bytes, *, packed: bool = True) -> Path:
        """Write a file; a name that ends in .gz or .zst is packed on the way."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        if packed and name.endswith(".gz"):
            data = gzip.compress(data)
        if packed and name.endswith(".zst"):
            data = zstandard.compress(data)
        path.write_bytes(data)
        return path

    def put_parquet(self, name: str, query: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.con.execute(f"copy ({query}) to '{path}' (format parquet)")
        return path

    def put_accounts(self, content: str = ACCOUNTS) -> None:
        self.put("crm/accounts/accounts.csv", content)

    def land(self, tables: Sequence[Table] = ()) -> LandingReport:
        self.batch += 1
        return land(
            self.con,
            self.root,
            run_id=f"run-{self.batch}",
            batch_id=self.batch,
            now=NOW + timedelta(days=self.batch - 1),
            tables=tables,
            on_step=lambda *step: self.steps.append(step),
        )

    def land_feed(self, feed: str) -> FeedReport:
        """Land, with accounts if there are none, and give the feed's report."""
        if not (self.root / "crm/accounts").exists():
            self.put_accounts()
        return next(report for report in self.land() if report.feed == feed)

    def all(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.con.execute(query, parameters or None).fetchall()

    def column(self, query: str) -> list[Any]:
        return [row[0] for row in self.all(query)]

    def load(self, source_file: str) -> dict[str, Any]:
        """The newest row of audit.loads for a file."""
        cursor = self.con.execute(
            "select * from audit.loads where source_file = ? order by batch_id desc limit 1", [source_file]
        )
        names = [column[0] for column in cursor.description]
        row = cursor.fetchone()
        assert row, f"{source_file} is not in audit.loads"
        return dict(zip(names, row, strict=True))

    def refusal(self, source_file: str) -> str:
        load = self.load(source_file)
        assert load["status"] == "refused", load
        return str(load["message"])

    def rejected(self, table: str = "rejected_rows") -> list[tuple[Any, ...]]:
        return self.all(
            "select source_file, row_number, rule, column_name, masked_value"
            f" from quarantine.{table} order by all"
        )


def ndjson(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


# One way of saying which row wins, as every reader of raw must.
NEWEST = """
    select {columns} from raw.{table}
    qualify row_number() over (
        partition by {key}
        order by updated_at desc nulls last, _batch_id desc, _source_file desc, _row_number desc
    ) = 1
    order by all
"""
