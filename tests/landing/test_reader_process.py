"""Whatever a file does to the process that reads it, that file alone is refused, and the run goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from inbox import Inbox

from radar.core.errors import WarehouseError
from radar.landing import readers
from radar.landing.feeds import load_feeds
from radar.landing.files import ExtractFile
from radar.landing.readers import Limits, Readers, UnreadableError

FEEDS = load_feeds()

GOOD = "owner_id,name\ngood,Good\n"
EVENT = (
    '{"event_id": "%s", "account_id": "a1", "event_name": "x", "occurred_at": "2026-01-01", "properties": %s}'
)


def nested(depth: int, inner: str = "") -> str:
    return "[" * depth + inner + "]" * depth


def land_beside_good(inbox: Inbox, name: str) -> None:
    inbox.put("crm/owners/good.csv", GOOD)
    inbox.land_feed("crm/owners")
    assert inbox.column("select owner_id from raw.crm_owners where owner_id = 'good'") == ["good"], name


@pytest.mark.parametrize("depth", [990, 5_000, 300_000])
@pytest.mark.parametrize("form", ["[%s]", "%s", "\n\n%s\n%s"])
def test_deeply_nested_json_is_refused(inbox: Inbox, depth: int, form: str) -> None:
    record = '{"owner_id": "o1", "name": "A", "x": ' + nested(depth) + "}"
    inbox.put("crm/owners/day.json", form.replace("%s", record))
    land_beside_good(inbox, "day.json")
    load = inbox.load("crm/owners/day.json")
    assert load["status"] == "refused"
    assert "brackets nested more than 100 deep" in load["message"]


@pytest.mark.parametrize("depth", [990, 300_000])
def test_a_line_of_json_that_is_nested_too_deep_costs_that_line(inbox: Inbox, depth: int) -> None:
    inbox.put(
        "product/events/day.ndjson",
        "\n".join([EVENT % ("e1", "{}"), EVENT % ("e2", nested(depth)), EVENT % ("e3", nested(90)), ""]),
    )
    inbox.land_feed("product/events")
    assert inbox.column("select event_id from raw.product_events order by 1") == ["e1", "e3"]
    assert [row[1:4] for row in inbox.rejected()] == [(2, "malformed_row", None)]


@pytest.mark.parametrize("depth", [990, 300_000])
@pytest.mark.parametrize("ending", ["csv", "ndjson", "parquet"])
def test_text_that_is_read_as_json_costs_the_value(inbox: Inbox, ending: str, depth: int) -> None:
    rows = [("e1", "{}"), ("e2", nested(depth)), ("e3", nested(90)), ("e4", '{"a": "' + "[" * 300 + '"}')]
    if ending == "csv":
        text = "event_id,account_id,event_name,occurred_at,properties\n" + "".join(
            f'{key},a1,x,2026-01-01,"{value.replace(chr(34), chr(34) * 2)}"\n' for key, value in rows
        )
        inbox.put("product/events/day.csv", text)
    elif ending == "ndjson":
        inbox.put(
            "product/events/day.ndjson",
            "".join(EVENT % (key, json.dumps(value)) + "\n" for key, value in rows),
        )
    else:
        table = pa.table(
            {
                "event_id": [key for key, _ in rows],
                "account_id": ["a1"] * 4,
                "event_name": ["x"] * 4,
                "occurred_at": ["2026-01-01"] * 4,
                "properties": [value for _, value in rows],
            }
        )
        (inbox.root / "product/events").mkdir(parents=True)
        pq.write_table(table, inbox.root / "product/events/day.parquet")
    inbox.land_feed("product/events")
    assert inbox.all("select event_id, properties is null from raw.product_events order by 1") == [
        ("e1", False),
        ("e2", True),
        ("e3", False),
        ("e4", False),
    ]
    assert [row[1:4] for row in inbox.rejected("rejected_values")] == [(2, "wrong_type", "properties")]


def test_a_small_parquet_file_of_huge_pages_is_not_unpacked(inbox: Inbox) -> None:
    path = inbox.root / "crm/owners/day.parquet"
    path.parent.mkdir(parents=True)
    schema = pa.schema([("owner_id", pa.string()), ("name", pa.string())])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for number in range(24):
            names = pa.array(["x" * (64 << 20)])
            writer.write_table(pa.table({"owner_id": [f"o{number}"], "name": names}, schema=schema))
    assert path.stat().st_size < 500_000
    land_beside_good(inbox, "day.parquet")
    assert "unpacks to more than" in inbox.refusal("crm/owners/day.parquet")


def test_a_parquet_dictionary_that_is_small_and_repeated_is_bounded(inbox: Inbox) -> None:
    path = inbox.root / "crm/owners/day.parquet"
    path.parent.mkdir(parents=True)
    names = pa.DictionaryArray.from_arrays(pa.array([0] * 500_000), pa.array(["x" * 20_000]))
    pq.write_table(pa.table({"owner_id": ["o1"] * 500_000, "name": names}), path)
    assert path.stat().st_size < 100_000  # and ten gigabytes of text
    land_beside_good(inbox, "day.parquet")
    assert "of memory or disk" in inbox.refusal("crm/owners/day.parquet")


# the process itself


def big_csv(tmp_path: Path) -> ExtractFile:
    path = tmp_path / "big.csv"
    path.write_text("owner_id,name\n" + "".join(f"o{n},Name {n}\n" for n in range(400_000)))
    return ExtractFile(path, "crm/owners/big.csv", "csv")


def read(pool: Readers, file: ExtractFile, folder: Path) -> int:
    folder.mkdir(exist_ok=True)
    return pool.read(file, FEEDS["crm/owners"], folder, None, needs_line_end=True).records


def test_a_process_that_does_not_answer_is_ended_and_the_next_file_gets_another(tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_text(GOOD)
    pool = Readers(Limits(1 << 30, seconds=0.05, seconds_per_mb=0))
    with pytest.raises(UnreadableError, match="is not read after 0 seconds"):
        read(pool, big_csv(tmp_path), tmp_path / "out")
    pool._limits = pool._all[0]._limits = Limits(1 << 30)
    assert read(pool, ExtractFile(good, "crm/owners/good.csv", "csv"), tmp_path / "out") == 1
    pool.close()


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGKILL, signal.SIGXCPU])
def test_a_process_that_dies_costs_its_file_alone(tmp_path: Path, how: signal.Signals) -> None:
    good = tmp_path / "good.csv"
    good.write_text(GOOD)
    small, pool = ExtractFile(good, "crm/owners/good.csv", "csv"), Readers(Limits(1 << 30))
    assert read(pool, small, tmp_path / "out") == 1
    child = pool._all[0]._child
    assert child
    child.send_signal(signal.SIGSTOP)  # so that it has not answered when it dies

    def die() -> None:
        child.send_signal(how)
        child.send_signal(signal.SIGCONT)

    threading.Timer(0.5, die).start()
    with pytest.raises(UnreadableError, match="tried again with every run"):
        read(pool, small, tmp_path / "out")
    assert read(pool, small, tmp_path / "out") == 1
    pool.close()
    assert all(process._child and process._child.returncode is not None for process in pool._all)


def test_a_file_that_needs_more_memory_than_there_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "one_line.ndjson"
    path.write_text("x" * (200 << 20))
    pool = Readers(Limits(150 << 20))
    with pytest.raises(UnreadableError, match="of memory or disk"):
        read(pool, ExtractFile(path, "crm/owners/one_line.ndjson", "ndjson"), tmp_path / "out")
    pool.close()


def test_a_reader_that_cannot_start_is_not_blamed_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(WarehouseError, match="does not start"):
        read(Readers(Limits(1 << 30)), big_csv(tmp_path), tmp_path / "out")


def test_a_file_that_ended_its_reader_is_tried_again_by_the_next_run(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.put("crm/owners/day.csv", GOOD)
    inbox.put_accounts()
    inbox.land()
    inbox.put("crm/owners/big.csv", "owner_id,name\n" + "".join(f"o{n},N\n" for n in range(200_000)))
    monkeypatch.setattr(readers.Limits, "of_installation", lambda: Limits(1 << 30, 0.01, 0))
    inbox.land()
    assert "is not read after" in inbox.refusal("crm/owners/big.csv")
    monkeypatch.undo()
    assert next(feed for feed in inbox.land() if feed.feed == "crm/owners").rows_landed == 200_000


def test_the_reader_sees_no_secrets_and_ends_with_the_run(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from radar.landing.feeds import load_feeds\n"
        "from radar.landing.files import ExtractFile\n"
        "from radar.landing.readers import Readers\n"
        "pool = Readers()\n"
        "good = ExtractFile(Path(sys.argv[1]), 'crm/owners/good.csv', 'csv')\n"
        "pool.read(good, load_feeds()['crm/owners'], Path(sys.argv[2]), None, needs_line_end=True)\n"
        "print(pool._all[0]._child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    good = tmp_path / "good.csv"
    good.write_text(GOOD)
    environment = {**os.environ, "RADAR_SLACK_TOKEN": "secret-token"}
    run = subprocess.Popen(
        [sys.executable, "-c", script, good, tmp_path], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert run.stdout
    pid = int(run.stdout.readline())
    assert b"secret-token" not in Path(f"/proc/{pid}/environ").read_bytes()
    run.kill()
    run.wait()
    run.stdout.close()
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < until
        time.sleep(0.05)
