"""Nothing that is dated after a day changes the score of that day: extracts are cut, an answer is planted."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from radar.demo import generate
from tests.runs.radar_run import Place

LAST = date(2026, 6, 30)
DAY = date(2026, 5, 10)
END = datetime.combine(DAY, time(23, 59, 59)).isoformat() + "Z"
BEGINS = {
    "crm/accounts": "updated_at",
    "crm/contacts": "created_at",
    "crm/touchpoints": "occurred_at",
    "crm/pulses": "recorded_at",
    "crm/overrides": "overridden_at",
    "crm/reviews": "reviewed_at",
    "billing/subscriptions": "updated_at",
    "billing/invoices": "issued_at",
    "billing/payments": "attempted_at",
    "product/events": "occurred_at",
    "support/tickets": "opened_at",
    "comms/messages": "sent_at",
    "feedback/surveys": "responded_at",
}
"""The time from which on a row is there at all; rows of other feeds always are."""

HAPPENS_LATER = (
    *("paid_at", "first_response_at", "resolved_at", "opened_at", "clicked_at", "unsubscribed_at"),
    "completed_at",
)
"""Times that a row gains after it began."""

STILL_OPEN = {"billing/invoices": "open", "support/tickets": "open"}
"""The status of a row before it gained such a time."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A company with 51 days after DAY, and a column that knows who leaves in them."""
    place = Place(tmp_path_factory.mktemp("whole"))
    generate(place.extracts, accounts=80, days=150, seed=5, end=LAST)
    rewrite(place.extracts, shuffled=False, is_cut=False)
    place.run(f"--as-of={DAY}")
    return place


def test_extracts_cut_at_a_day_give_the_same_bytes_for_it(whole: Place, tmp_path: Path) -> None:
    cut = Place(tmp_path)
    generate(cut.extracts, accounts=80, days=150, seed=5, end=LAST)
    assert rewrite(cut.extracts, shuffled=True, is_cut=True) > 1000, "nothing was left out"
    cut.run(f"--as-of={DAY}")
    assert leavers_differ(whole, cut), "the planted column is another one, or this proves nothing"
    for relation in relations(whole):
        assert rows_of(whole, relation) == rows_of(cut, relation), relation


def relations(place: Place) -> list[str]:
    """Everything that is scored by day."""
    signals = place.rows("select table_name from duckdb_tables() where schema_name = 'signals' order by 1")
    history = ["marts.fct_health_history", "marts.fct_health_evidence", "marts.fct_account_flags"]
    return [f"signals.{name}" for (name,) in signals] + history


def rows_of(place: Place, relation: str) -> list[tuple[Any, ...]]:
    """The rows of DAY, as text."""
    found = place.rows(f"select one::varchar from {relation} as one where as_of_date = '{DAY}' order by 1")
    assert found or relation.endswith("flags"), relation
    return found


def leavers_differ(whole: Place, cut: Place) -> bool:
    """Whether the planted column is not the same in both extracts."""

    def planted(place: Place) -> list[Any]:
        return [row["leaves"] for _, rows in tables(place.extracts / "crm" / "accounts") for row in rows]

    return planted(whole) != planted(cut)


def rewrite(extracts: Path, *, shuffled: bool, is_cut: bool) -> int:
    """Plant `leaves` in crm/accounts, shuffled or true; cut all at the end of DAY. Returns rows left out."""
    leaving = {
        row["account_id"]
        for _, rows in tables(extracts / "billing" / "subscriptions")
        for row in rows
        if row["status"] == "canceled" and str(row["updated_at"]) > END
    }
    rng, left_out = random.Random(1), 0
    for folder in sorted(path for path in extracts.glob("*/*") if path.is_dir()):
        feed = folder.relative_to(extracts).as_posix()
        if feed == "product/events":
            left_out += cut_events(folder) if is_cut else 0
            continue
        for file, rows in tables(folder):
            kept = [cut_row(feed, row) for row in rows if not is_cut or began(feed, row)] if is_cut else rows
            left_out += len(rows) - len(kept)
            if feed == "crm/accounts":
                for row in kept:
                    leaves = rng.random() < 0.5 if shuffled else row["account_id"] in leaving
                    row["leaves"] = str(leaves).lower()
            write(file, kept, list(rows[0]) if rows else [])
    return left_out


def began(feed: str, row: dict[str, Any]) -> bool:
    return feed not in BEGINS or str(row[BEGINS[feed]]) <= END


def cut_row(feed: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row as it was at the end of DAY."""
    later = [
        name for name in HAPPENS_LATER if row.get(name) and BEGINS.get(feed) != name and str(row[name]) > END
    ]
    changed = {name: (None if not isinstance(row[name], str) else "") for name in later}
    if any(name in ("paid_at", "resolved_at") for name in later):
        changed["status"] = STILL_OPEN[feed]
    if row.get("updated_at") and str(row["updated_at"]) > END:
        changed["updated_at"] = END
    return {**row, **changed}


def cut_events(folder: Path) -> int:
    left_out = 0
    for file in sorted(folder.iterdir()):
        table = pq.read_table(file)
        times = pc.cast(table["occurred_at"], "string")
        kept = table.filter(pc.less_equal(times, END.replace("T", " ").removesuffix("Z")))
        left_out += table.num_rows - kept.num_rows
        pq.write_table(kept, file)
    return left_out


def tables(folder: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """The files of a feed with their rows."""
    for file in sorted(path for path in folder.iterdir() if path.suffix != ".part"):
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        text = content.decode("utf-8-sig")
        if ".ndjson" in file.name:
            yield file, [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            yield file, list(csv.DictReader(io.StringIO(text, newline="")))


def write(file: Path, rows: list[dict[str, Any]], names: list[str]) -> None:
    if ".ndjson" in file.name:
        plain = [{name: None if value == "" else value for name, value in row.items()} for row in rows]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in plain)
    else:
        if rows and "leaves" in rows[0] and "leaves" not in names:
            names = [*names, "leaves"]
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        text = out.getvalue()
    content = text.encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
