"""Files that outlive a run count as absent where they are empty, half or foreign, and are reported once."""

from __future__ import annotations

import ast
import os
import stat
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from radar.core import progress
from radar.core.runs import FIRST_DATE
from radar.core.state_files import move_into_place, replace_file
from radar.core.warehouse import state_dir
from radar.deliveries.retries import NextAttempt, next_attempt, note_next_attempt
from radar.deliveries.run_alerts import run_done, run_failed
from radar.deliveries.settings import Destinations
from radar.landing import schema
from radar.landing.first_day import first_day, note_landed
from tests.deliveries.small_company import Company
from tests.deliveries.vendors import Vendors

DAY = date(2026, 3, 13)
BROKEN = [b"", b"{", b'{"state": "x"', b"[]", b"null", b"7", b'{"other": 1}', b"\xff\x00", b"[" * 100_000]


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    state_dir(tmp_path / "warehouse.duckdb").mkdir()
    return tmp_path / "warehouse.duckdb"


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_time_of_the_next_attempt_is_none_and_is_written_again(
    warehouse: Path, content: bytes
) -> None:
    (state_dir(warehouse) / "deliveries.json").write_bytes(content)
    with progress.reporting(progress.Silent()) as notes:
        assert next_attempt(warehouse) is None
        assert next_attempt(warehouse) is None
        assert len(notes) == 1
    at = datetime(2026, 3, 14, 5)
    note_next_attempt(warehouse, DAY, at)
    assert next_attempt(warehouse) == NextAttempt(DAY, at)
    assert not [path for path in state_dir(warehouse).iterdir() if path.suffix == ".new"]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_state_of_the_run_alert_is_no_state(
    warehouse: Path, content: bytes, vendors: Vendors
) -> None:
    settings = Destinations(slack_webhook_url=f"{vendors.url}/slack/hook")
    file = state_dir(warehouse) / "run_alert.json"
    file.write_bytes(content)
    assert run_done(warehouse, DAY, settings) is None
    file.write_bytes(content)
    for _ in range(2):
        run_failed(warehouse, "the disk is full\n  What to do: free some space", settings)
    assert len(vendors.posts) == 1


@pytest.mark.parametrize("content", [b"", b'{"key": ', b"[]\n7\n", b"\xff\n"])
def test_a_broken_set_of_the_outbox_is_passed_over(company: Company, content: bytes) -> None:
    company.act("alert", 1)
    company.run("slack")
    (lines,) = [path for path in company.outbox("slack") if path.name == "messages.ndjson"]
    lines.write_bytes(content)
    company.do("delete from audit.deliveries where status = 'written'")  # as if the run had been killed
    assert company.run("slack").counts == {"written": 1}


def test_a_replaced_file_is_on_the_disk_before_its_name_and_the_name_before_it_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(descriptor: int) -> None:
        done.append(f"fsync {'folder' if stat.S_ISDIR(os.fstat(descriptor).st_mode) else 'file'}")
        fsync(descriptor)

    def watched_replace(path: Path, target: Path) -> Path:
        done.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    replace_file(tmp_path / "state.json", "1")
    assert done == ["fsync file", "rename", "fsync folder"]
    done.clear()
    (tmp_path / "made").write_text("2")
    move_into_place(tmp_path / "made", tmp_path / "state.json")
    assert done == ["fsync file", "rename", "fsync folder"]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"state.json": "2"}


# Whole folders and links are put in place by what makes them; who holds the lock is news of a moment.
REPLACED_ELSEWHERE = {
    "radar/cli/init.py",
    "radar/core/warehouse.py",
    "radar/exports/files.py",
    "radar/deliveries/channels/outbox.py",
    "radar/publishing/file_set.py",
}
# Scratch, pages that a person asked for, traces of defects: what is half there is seen and made again.
WRITTEN_IN_PLACE = {
    "orchestration/dbt.py",
    "orchestration/replay.py",
    "radar/cli/backtest.py",
    "radar/cli/failures.py",
    "radar/cli/rules.py",
    "radar/cli/whatif.py",
    "radar/core/warehouse.py",
    "radar/landing/contract_files.py",
    "radar/measurement/model.py",
    "radar/onboarding/company_folder.py",
    "radar/rules/gathering.py",
}
DEMO = "radar/demo/"  # the extracts of an invented company are nobody's state


def _is_of_a_path(call: ast.Call) -> bool:
    """`os.replace(a, b)` or `path.replace(b)`; that of a text takes two, that of a time takes names."""
    assert isinstance(call.func, ast.Attribute)
    is_of_os = isinstance(call.func.value, ast.Name) and call.func.value.id == "os"
    return is_of_os or (len(call.args) == 1 and not call.keywords)


def test_state_and_deliverables_are_replaced_by_one_writer() -> None:
    root = Path(__file__).parents[2]
    replaced, written = set(), set()
    for package in ("radar", "orchestration"):
        for path in (root / package).rglob("*.py"):
            place = path.relative_to(root).as_posix()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                if node.func.attr in ("rename", "replace") and _is_of_a_path(node):
                    replaced.add(place)
                if node.func.attr in ("write_text", "write_bytes"):
                    written.add(place)
    of_product = {place for place in replaced if not place.startswith(DEMO)}
    assert of_product == {"radar/core/state_files.py", *REPLACED_ELSEWHERE}
    assert {place for place in written if not place.startswith(DEMO)} == WRITTEN_IN_PLACE


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_first_day_is_none_and_is_written_again(warehouse: Path, content: bytes) -> None:
    file = state_dir(warehouse) / "first_day.json"
    file.write_bytes(content)
    with progress.reporting(progress.Silent()) as notes:
        assert first_day(warehouse) == FIRST_DATE
        assert first_day(warehouse) == FIRST_DATE
        assert len(notes) == 1
    with duckdb.connect() as con:
        schema.create(con)
        con.execute("insert into raw.product_events (event_id, occurred_at) values ('e', '2026-03-13')")
        con.execute("create table intermediate.int_event_bounds (first_date date)")
        note_landed(con, warehouse, DAY)
    assert first_day(warehouse) == DAY
    left = {path.name for path in state_dir(warehouse).iterdir()}
    assert left == {"first_day.json", "first_day.json.broken"}
