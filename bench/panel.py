"""How fast the panel answers: every page, 20 requests at once, on two processes.

    .venv/bin/python bench/make_copy.py var/demo/published /tmp/large
    .venv/bin/python bench/panel.py /tmp/large [--seconds 5] [--json FILE]

Starts `radar panel` on the copy with a store of its own and asks for a page again and again, as 20 people
at once and each time for another account. Prints milliseconds at the 50th and 95th percentile, requests a
second, and the CPU milliseconds of the panel a request. The clients share the machine with the server, so
the times are those of a busy machine; the CPU is not: on two idle processors 20 requests at once take about
ten times the CPU of one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.pool import ThreadPool
from pathlib import Path
from threading import Barrier

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from radar.panel import users
from radar.panel.store import Store
from tests.panel.server import Client, Server, running

AT_ONCE, PEOPLE, LEADS = 20, 30, 5
PAGES = (
    "/",
    "/?tab=at_risk",
    "/accounts/{account}",
    "/accounts?q=blue",
    "/accounts?q={letters}",
    "/approvals",
    "/portfolio",
    "/portfolio?bucket=at_risk&sort=arr&desc=1",
    "/portfolio?page={number}",
    "/portfolio?format=csv&part=accounts",
    "/team",
    "/quality",
    "/rules",
    "/audit",
)
REPS_SEE_NOT = ("/team",)
"""Pages that answer a rep with 404: leads and admins ask for them."""
Asked = list[tuple[int, float]]


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("published", type=Path)
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--page", action="append")
    options.add_argument("--json", type=Path)
    options.add_argument("--cache", type=Path, help="keep what the panel draws from the copy here")
    told = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch) / "panel.sqlite"
        accounts = people(told.published, Store(store))
        environment = {"RADAR_PANEL_CACHE": str(told.cache or Path(scratch) / "cache")}
        with running(told.published, store, f"--workers={told.workers}", **environment) as server:
            found = {}
            for page in told.page or PAGES:
                found[page] = measure(server, page, accounts, told.seconds)
                print(
                    f"{page:<24}" + "".join(f"{k} {v:>8.1f}   " for k, v in found[page].items()), flush=True
                )
    if told.json:
        told.json.write_text(json.dumps(found, indent=2) + "\n")


def people(published: Path, store: Store) -> list[list[str]]:
    """Thirty users: reps, a few leads and one admin; for each, accounts that they may see."""
    with duckdb.connect(str(published / "radar.duckdb"), read_only=True) as con:
        rows = con.execute(
            "select owner_id, list(account_id order by hash(account_id))[:200] from marts.rpt_account_health"
            " where owner_id is not null group by owner_id order by hash(owner_id) limit ?",
            [PEOPLE],
        ).fetchall()
    for number, (owner, _) in enumerate(rows):
        role = "admin" if number == 0 else "lead" if number < LEADS else "rep"
        users.add(store, f"user{number}", role, [owner] if role != "admin" else [], None)
    return [accounts for _, accounts in rows]


def measure(server: Server, page: str, accounts: list[list[str]], seconds: float) -> dict[str, float]:
    people = LEADS if page in REPS_SEE_NOT else len(accounts)
    cpu: list[float] = []
    ready = Barrier(AT_ONCE, action=lambda: cpu.append(cpu_seconds(server.process.pid)))

    def ask_as(number: int) -> Asked:
        client = Client(server, f"user{number % people}")
        return ask(client, page, accounts[number % people], ready, seconds)

    with ThreadPool(AT_ONCE) as pool:
        asked = [one for answers in pool.map(ask_as, range(AT_ONCE), chunksize=1) for one in answers]
    used = cpu_seconds(server.process.pid) - cpu[0]
    wrong = [status for status, _ in asked if status not in (200, 303)]
    if wrong:
        raise SystemExit(f"{page}: answers with status {sorted(set(wrong))}")
    times = sorted(milliseconds for _, milliseconds in asked)
    return {
        "p50 ms": times[len(times) // 2],
        "p95 ms": times[int(len(times) * 0.95)],
        "requests/s": len(times) / seconds,
        "CPU ms": used * 1000 / len(times),
    }


def ask(client: Client, page: str, accounts: Sequence[str], ready: Barrier, seconds: float) -> Asked:
    client.get(address(page, accounts, 0))
    client.connection.close()  # the panel closes what is silent for long
    ready.wait()
    asked: Asked = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        path = address(page, accounts, len(asked) + 1)
        started = time.perf_counter()
        status, _ = client.get(path)
        asked.append((status, (time.perf_counter() - started) * 1000))
    return asked


def address(page: str, accounts: Sequence[str], number: int) -> str:
    """The page for one account, one page of a list, or what somebody has typed so far."""
    return page.format(
        account=accounts[number % len(accounts)],
        number=1 + number % 20,
        letters="lake breeze"[: 1 + number % 11].replace(" ", "+"),
    )


def cpu_seconds(root: int) -> float:
    """What the process and all that it started have used."""
    total, parents = 0, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended meanwhile
        parents[int(file.parent.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    for process in parents:
        above = process
        while above in parents and above != root:
            above = parents[above][0]
        total += parents[process][1] if above == root else 0
    return total / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
