"""Files that outlive a run count as absent where they are empty, half or foreign, and are reported once."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from actions.retries import NextAttempt, next_attempt, note_next_attempt
from actions.run_alerts import run_done, run_failed
from actions.settings import Destinations
from radar import progress
from radar.warehouse import state_dir
from tests.actions.delivery_house import House
from tests.actions.vendors import Vendors

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
def test_a_broken_set_of_the_outbox_is_passed_over(house: House, content: bytes) -> None:
    house.act("alert", 1)
    house.run("slack")
    (lines,) = [path for path in house.outbox("slack") if path.name == "messages.ndjson"]
    lines.write_bytes(content)
    house.do("delete from audit.deliveries where status = 'written'")  # as if the run had been killed
    assert house.run("slack").counts == {"written": 1}
