"""Readers during twenty publishes, and publishes that are killed: nobody ever sees half a copy."""

import json
import multiprocessing
import random
import subprocess
import sys
import time
from ctypes import c_int
from pathlib import Path

import duckdb
import publisher
import pytest
import reader
import small_warehouse
from small_warehouse import FIRST, LAST

from radar.publishing.published_copy import publish

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_reader_in_a_loop_never_sees_an_error_or_half_a_day(
    warehouse: Path, published: Path, tmp_path: Path
) -> None:
    publish(warehouse, published, run_id="1", as_of_start=FIRST, as_of_end=LAST)
    end = tmp_path / "end"
    looking = start("reader.py", published, end)
    writing = start("publisher.py", warehouse, published, 2, 20)
    _, errors = writing.communicate(timeout=120)
    end.touch()
    told, problems = looking.communicate(timeout=60)
    assert (writing.returncode, errors) == (0, "")
    assert (looking.returncode, problems) == (0, "")
    reads, runs = map(int, told.splitlines()[-1].split())
    assert told.splitlines()[:-1] == []
    assert reads >= 20
    assert runs >= 5, "the reader met the publishes at work"


def test_a_publish_that_is_killed_leaves_the_old_or_the_new_copy_whole(
    warehouse: Path, published: Path
) -> None:
    publish(warehouse, published, run_id="1", as_of_start=FIRST, as_of_end=LAST)
    chance = random.Random(20260313)
    processes = multiprocessing.get_context("fork")
    shown, number, unfinished = 1, 2, 0
    for _ in range(15):
        first, done = number, processes.Value(c_int, 0)
        working = processes.Process(target=publisher.main, args=(warehouse, published, first, 1000, done))
        working.start()
        while done.value < first:
            assert working.is_alive()
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.5))
        working.kill()
        working.join()
        unfinished += len(list((published / ".sets").iterdir())) > 2
        with duckdb.connect() as con:
            con.execute(f"attach '{published / 'radar.duckdb'}' as copy (read_only)")
            con.execute("use copy")
            told, problems = reader.look(con)
        assert problems == []
        assert told in (done.value, done.value + 1), "what was told to be published is there"
        manifest = json.loads((published / "manifest.json").read_text())
        assert manifest["run_id"] == str(told)
        for file in manifest["files"]:
            assert (published / file["name"]).stat().st_size == file["bytes"]
        assert told >= shown
        shown, number = told, told + 1
    assert unfinished >= 3, "some were killed while they made a set"
    small_warehouse.build(warehouse, FIRST, LAST, run=number + 1)
    publish(warehouse, published, run_id=str(number + 1), as_of_start=LAST, as_of_end=LAST)
    assert len(list((published / ".sets").iterdir())) == 2, "nothing of the killed ones is left"
