"""A hundred exports that are killed: every folder that can be seen is whole, and no change is lost."""

import csv
import hashlib
import json
import multiprocessing
import random
import time
from ctypes import c_int
from itertools import count
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import duckdb
import pytest
import small_mart

from radar.exports.writer import export

pytestmark = pytest.mark.slow


def run_again_and_again(warehouse: Path, out: Path, first: int, done: "Synchronized[int]") -> None:
    for run in count(first):
        small_mart.fill(warehouse, 100, run=run)
        export(warehouse, out, run_id=f"{run:06d}", as_of=small_mart.DAY, profiles=["generic"])
        done.value = run


def unfinished_in(out: Path) -> set[str]:
    return {path.name for path in out.glob("generic/.new-*")}


def check_whole(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    told = [*manifest["files"], *manifest["undo"]["files"], manifest["rejected"]]
    stands = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert stands == {"manifest.json", *(file["name"] for file in told)}
    for file in told:
        assert hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest() == file["sha256"], folder


def test_a_killed_export_leaves_whole_folders_and_loses_no_change(warehouse: Path, out: Path) -> None:
    chance = random.Random(20260313)
    processes = multiprocessing.get_context("fork")
    done = processes.Value(c_int, 0)
    number, unfinished = 1, 0
    seen: set[Path] = set()
    for attempt in range(100):
        first, left = number, unfinished_in(out)
        working = processes.Process(target=run_again_and_again, args=(warehouse, out, first, done))
        working.start()
        if attempt % 2:  # strike while files are being written, which is the lesser part of a run
            until = time.monotonic() + 20
            while not unfinished_in(out) - left:
                assert working.is_alive()
                assert time.monotonic() < until, "nothing is written where unfinished sets belong"
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.01))
        else:
            time.sleep(chance.uniform(0, 0.4))
        working.kill()
        working.join()
        number = max(first, done.value + 1) + 1  # the one before was under way, and may have left a folder
        unfinished += bool(unfinished_in(out) - left)
        for folder in set(out.glob("*/[!.]*")) - seen:
            check_whole(folder)
            seen.add(folder)
    assert unfinished >= 15, "some were killed while they wrote"
    small_mart.fill(warehouse, 100, run=number)
    export(warehouse, out, run_id=f"{number:06d}", as_of=small_mart.DAY, profiles=["generic"])
    assert not unfinished_in(out), "what the killed ones left is cleared away"

    imported: dict[str, str] = {}
    for folder in sorted(out.glob("generic/*")):
        check_whole(folder)
        for file in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]:
            with (folder / file["name"]).open(encoding="utf-8", newline="") as lines:
                imported |= {row["account_id"]: row["score"] for row in csv.DictReader(lines)}
    with duckdb.connect(str(warehouse)) as con:
        mart = con.execute(
            "select account_id, score::integer::varchar from marts.rpt_account_health"
        ).fetchall()
    assert imported == dict(mart)
