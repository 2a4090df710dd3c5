"""Ctrl-C in the midst of a query: the warehouse opens again in the same process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, signal, sys, threading
from pathlib import Path
from radar.core.warehouse import connect

class Stop(BaseException): pass

def stop(*_): raise Stop

signal.signal(signal.SIGINT, stop)
file = Path(sys.argv[1])
with connect(file) as con:
    con.execute("create table t as select range as i, hash(range)::varchar as s from range(2000000)")
try:
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with connect(file) as con:
        con.execute(sys.argv[2])
        con.execute(
            "create temp table x as select a.s, count(*) as n from t as a join t as b on a.i = b.i"
            " join t as c on c.s = b.s join t as d on d.s = c.s group by all order by 2, 1"
        )
except BaseException as error:
    print(type(error).__name__)
with connect(file) as con:
    print(con.execute("select count(*) from t").fetchall())
"""


@pytest.mark.parametrize("first", ["begin", "select 1", "set threads = 1"])
def test_the_warehouse_opens_again(tmp_path: Path, first: str) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "w.duckdb"), first]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines()[-1] == "[(2000000,)]", done.stdout + done.stderr
    assert done.stdout.splitlines()[-2] in (
        "RuntimeError",
        "Stop",
        "InterruptException",
    )  # after a progress bar
