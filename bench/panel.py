"""How fast the panel answers: every page, 20 requests at once, on two processes.

    .venv/bin/python bench/make_copy.py var/demo/published /tmp/large
    .venv/bin/python bench/panel.py /tmp/large [--seconds 5] [--json FILE]

Starts `radar panel` on the copy with a store of its own and asks for a page again and again, as 20 people
at once and each time for another account. Prints milliseconds at the 50th and 95th percentile and requests a
second. The clients share the machine with the server, so these are the numbers of a busy machine.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from radar.panel import users
from radar.panel.store import Store
from tests.panel.server import Client, Server, running

AT_ONCE, PEOPLE = 20, 30
PAGES = ("/", "/accounts/{account}", "/accounts?q=blue", "/portfolio", "/quality", "/rules", "/audit")
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
        role = "admin" if number == 0 else "lead" if number < 5 else "rep"
        users.add(store, f"user{number}", role, [owner] if role != "admin" else [], None)
    return [accounts for _, accounts in rows]


def measure(server: Server, page: str, accounts: list[list[str]], seconds: float) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(AT_ONCE) as pool:
        began = time.time() + 6  # all clients start together
        jobs = [
            (
                server.port,
                server.store,
                number % len(accounts),
                page,
                accounts[number % len(accounts)],
                began,
                seconds,
            )
            for number in range(AT_ONCE)
        ]
        asked = [one for answers in pool.starmap(ask, jobs) for one in answers]
    wrong = [status for status, _ in asked if status != 200]
    if wrong:
        raise SystemExit(f"{page}: answers with status {sorted(set(wrong))}")
    times = sorted(milliseconds for _, milliseconds in asked)
    return {
        "p50 ms": times[len(times) // 2],
        "p95 ms": times[int(len(times) * 0.95)],
        "requests/s": len(times) / seconds,
    }


def ask(
    port: int, store: Path, person: int, page: str, accounts: Sequence[str], began: float, seconds: float
) -> Asked:
    client = Client(Server(None, port, store), f"user{person}")  # type: ignore[arg-type]
    client.get(page.format(account=accounts[0]))
    time.sleep(max(0.0, began - time.time()))
    asked: Asked = []
    while time.time() < began + seconds:
        account = accounts[len(asked) % len(accounts)]
        started = time.perf_counter()
        status, _ = client.get(page.format(account=account))
        asked.append((status, (time.perf_counter() - started) * 1000))
    return asked


if __name__ == "__main__":
    main()
