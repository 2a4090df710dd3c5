"""What goes wrong outside: each has its message, its exit status, and leaves the last good copy as it was."""

from __future__ import annotations

import csv
import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.runs.radar_run import RADAR, Place, radar

pytestmark = pytest.mark.slow

ACCOUNTS = ["account_id", "name", "plan_id", "created_at", "updated_at"]
PAYMENTS = ["payment_id", "account_id", "amount_usd", "status", "attempted_at"]
DAY = "--as-of=2026-03-01"


def write_csv(path: Path, header: list[str], rows: list[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def small_company(place: Place) -> None:
    rows: list[list[object]] = [
        [f"a{n}", f"Company {n}", "starter", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"]
        for n in range(40)
    ]
    write_csv(place.extracts / "crm/accounts/all.csv", ACCOUNTS, rows)
    paid: list[list[object]] = [
        [f"p{n}", f"a{n}", 10, "succeeded", "2026-02-20T00:00:00Z"] for n in range(40)
    ]
    write_csv(place.extracts / "billing/payments/feb.csv", PAYMENTS, paid)


def copy_of(place: Place) -> bytes:
    return (place.published / "radar.duckdb").read_bytes()


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("scored"))
    small_company(place)
    place.run(DAY)
    return place


@pytest.fixture
def place(scored: Place, tmp_path: Path) -> Place:
    """A place of its own that was scored once."""
    shutil.copytree(scored.folder, tmp_path / "place", symlinks=True)
    return Place(tmp_path / "place")


def test_an_empty_extracts_folder_says_what_to_put_there(tmp_path: Path) -> None:
    empty = Place(tmp_path)
    empty.extracts.mkdir()
    done = empty.run(DAY, status=1)
    assert "What to do" in done.stderr
    assert str(empty.extracts) in done.stderr


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert "extracts" in Place(tmp_path).run(DAY, status=2).stderr


def test_without_accounts_nothing_is_scored(tmp_path: Path) -> None:
    place = Place(tmp_path)
    write_csv(place.extracts / "billing/payments/feb.csv", PAYMENTS, [])
    done = place.run(DAY, status=1)
    assert "crm/accounts" in done.stderr
    assert not (place.published / "radar.duckdb").exists()


def test_a_folder_that_cannot_be_written_is_named(place: Place) -> None:
    (place.folder / "file").write_text("not a folder")
    done = radar(
        "run",
        f"--extracts={place.extracts}",
        f"--warehouse={place.folder / 'file' / 'w.duckdb'}",
        f"--published={place.published}",
        f"--exports={place.exports}",
        DAY,
    )
    assert done.returncode in (1, 2)
    assert str(place.folder / "file") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_warehouse_that_another_program_has_open_is_named(place: Place) -> None:
    before = copy_of(place)
    code = (
        f"import duckdb, time; con = duckdb.connect({str(place.warehouse)!r});"
        " print('open', flush=True); time.sleep(300)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            holder.stdout.readline()
            done = place.run(DAY, status=1)
        finally:
            holder.kill()
    assert "locked" in done.stderr
    assert "What to do" in done.stderr
    assert copy_of(place) == before


def test_a_held_feed_ends_with_status_3_and_the_rest_is_scored(place: Place) -> None:
    rows: list[list[object]] = [[f"q{n}", f"a{n}", 10, "exploded", "2026-02-28T00:00:00Z"] for n in range(40)]
    write_csv(place.extracts / "billing/payments/march.csv", PAYMENTS, rows)
    done = place.run(DAY, status=3)
    assert "billing/payments" in done.stdout + done.stderr
    known = place.rows("select count(*), count(failed_payments_30d) from signals.sig_billing")
    assert known == [(40, 0)], "unknown, not zero"
    write_csv(
        place.extracts / "billing/payments/march.csv",
        PAYMENTS,
        [[*row[:3], "failed", row[4]] for row in rows],
    )
    place.run(DAY)
    assert place.rows(
        "select min(failed_payments_30d), max(failed_payments_30d) from signals.sig_billing"
    ) == [(1, 1)]


def test_a_cut_file_is_refused_whole_and_the_rest_goes_on(place: Place) -> None:
    whole = gzip.compress(b"payment_id,account_id,amount_usd,status,attempted_at\n" + os.urandom(4000))
    (place.extracts / "billing/payments/cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    more: list[list[object]] = [["r1", "a1", 10, "failed", "2026-02-27T00:00:00Z"]]
    write_csv(place.extracts / "billing/payments/good.csv", PAYMENTS, more)
    done = place.run(DAY, status=3)
    assert "cut.csv.gz" in done.stdout + done.stderr
    assert place.rows("select failed_payments_30d from signals.sig_billing where account_id = 'a1'") == [
        (None,)
    ], "half of what arrived was lost, so payments are unknown"
    assert place.rows("select count(*) from marts.rpt_account_health where score is not null") != [(0,)]


def test_killed_runs_leave_the_last_copy_and_the_next_run_completes_them(place: Place) -> None:
    """One after the other on the same warehouse, each while it does something else."""
    before = copy_of(place)
    rows: list[list[object]] = [[f"k{n}", f"a{n}", 10, "failed", "2026-02-28T00:00:00Z"] for n in range(40)]
    write_csv(place.extracts / "billing/payments/march.csv", PAYMENTS, rows)
    options = [
        f"--extracts={place.extracts}",
        f"--warehouse={place.warehouse}",
        f"--published={place.published}",
        f"--exports={place.exports}",
    ]
    for after_seconds in (3, 5, 7, 9):
        with subprocess.Popen([str(RADAR), "run", *options, DAY], stdout=subprocess.DEVNULL) as run:
            time.sleep(after_seconds)
            run.kill()
        assert run.returncode == -signal.SIGKILL, "it had not ended by itself"
        assert copy_of(place) == before
    place.run(DAY)
    assert place.rows(
        "select min(failed_payments_30d), max(failed_payments_30d) from signals.sig_billing"
    ) == [(1, 1)]


def test_a_full_disk_is_said_and_the_last_copy_stays(place: Place, tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        assert os.environ.get("CI") != "true", "this system does not let a user mount a small disk"
        pytest.skip("this system does not let a user mount a small disk")
    before = copy_of(place)
    small = tmp_path / "small"
    small.mkdir()
    script = (
        f"mount -t tmpfs -o size=6m none {small} && "
        f"{RADAR} run --extracts={place.extracts} --warehouse={small}/w.duckdb "
        f"--published={place.published} --exports={place.exports} {DAY}"
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "disk is full" in done.stderr or "are free" in done.stderr
    assert "Traceback" not in done.stderr
    assert copy_of(place) == before
