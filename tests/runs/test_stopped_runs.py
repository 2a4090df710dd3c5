"""A run that is ended by a signal says so, is recorded, alerts, and leaves nothing behind; as with Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from radar.core.warehouse import state_dir
from tests.deliveries.vendors import serving
from tests.runs.radar_run import RADAR, Place

pytestmark = pytest.mark.slow

DAY = "--as-of=2026-07-01"


@pytest.fixture
def place(demo_run: Place, tmp_path: Path) -> Place:
    """The demo company in a place of its own."""
    shutil.copytree(demo_run.folder, tmp_path / "place", symlinks=True)
    return Place(tmp_path / "place")


def stop_when(
    place: Place, is_time: Callable[[], bool], number: signal.Signals, **environment: str
) -> tuple[int, str]:
    """Start a run and send it the signal when it is time; its exit status, and what it said."""
    command = [
        str(RADAR), "run", DAY,
        f"--extracts={place.extracts}", f"--warehouse={place.warehouse}",
        f"--published={place.published}", f"--exports={place.exports}",
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    ) as run:
        end = time.monotonic() + 300
        while not is_time() and run.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        run.send_signal(number)
        said, _ = run.communicate(timeout=300)
    assert "Traceback" not in said
    return run.returncode, said


def add_payments(place: Place) -> None:
    """Something that takes a while to land."""
    lines = "".join(f"late-{n},a-{n},10,succeeded,2026-06-30T10:00:00Z\n" for n in range(300_000))
    (place.extracts / "billing/payments/late.csv").write_text(
        f"payment_id,account_id,amount_usd,status,attempted_at\n{lines}"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_files_land(place: Place, number: signal.Signals) -> None:
    add_payments(place)
    spill, copy = state_dir(place.warehouse) / "spill", (place.published / "current").readlink()
    (place.exports / "generic/.new-killed").mkdir()
    (place.exports / "outbox/tasks/.new-killed").mkdir()
    (place.published / ".current.killed").symlink_to("nowhere")
    with serving() as vendors:
        status, said = stop_when(
            place,
            lambda: any(spill.glob("landing-*")),
            number,
            RADAR_SLACK_WEBHOOK_URL=f"{vendors.url}/slack/hook",
        )
        assert status == 1, said
        assert "radar: stopped" in said
        assert "nothing was published, exported or delivered by this run" in said
        assert "stopped" in json.dumps(vendors.posts)
        assert len(vendors.posts) == 1
    assert (
        place.rows("select status, message from audit.runs order by batch_id desc limit 1")[0][0] == "failed"
    )
    assert not any(spill.glob("landing-*"))
    assert (place.published / "current").readlink() == copy
    assert list(place.folder.rglob("*killed*")) == []


def test_a_signal_after_the_copy_has_switched_does_not_say_that_nothing_was_published(place: Place) -> None:
    copy = (place.published / "current").readlink()
    status, said = stop_when(place, lambda: (place.published / "current").readlink() != copy, signal.SIGTERM)
    assert status == 1, said
    assert "radar: stopped" in said
    assert "the copy for readers is this run's" in said
    assert "nothing was published" not in said
    assert place.rows("select status from audit.runs order by batch_id desc limit 1") == [("failed",)]
