"""Decisions when it gets rough: many at once, and a server that is killed in the middle."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from sqlite3 import connect

import duckdb
import pytest

from radar.panel import decisions, users
from radar.panel.store import Store
from tests.panel.server import Client, free_port, running, start
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

AS_OF = "2026-06-30"
KILLS = 20
SIGN_OFFS, A_SECOND = 300, 100


@pytest.fixture
def store(tmp_path: Path) -> Path:
    made = Store(tmp_path / "panel.sqlite")
    users.add(made, "admin", "admin", [], None)
    return made.file


@pytest.fixture(scope="module")
def account_ids(demo_run: Place) -> list[str]:
    with duckdb.connect(str(demo_run.published / "radar.duckdb"), read_only=True) as con:
        rows = con.execute("select account_id from marts.rpt_account_health order by 1").fetchall()
    return [account_id for (account_id,) in rows]


def kept(store: Path) -> list[tuple[int, str, str]]:
    with closing(connect(store)) as con:
        return con.execute("select sequence, form_token, account_id from decisions order by 1").fetchall()


def sign_off(client: Client, account_id: str, token: str, version: int) -> int:
    return client.post(
        f"/accounts/{account_id}/decide",
        kind="sign_off",
        verdict="agree",
        as_of_date=AS_OF,
        version=str(version),
        form_token=token,
    )


def test_a_hundred_sign_offs_a_second_are_kept(demo_run: Place, store: Path, account_ids: list[str]) -> None:
    with running(demo_run.published, store) as server:
        clients = [Client(server, "admin") for _ in range(8)]
        lots = [account_ids[number::8] for number in range(8)]

        def work(client: Client, lot: list[str]) -> int:
            last: dict[str, int] = Counter()
            done = 0
            for number in range(SIGN_OFFS // 8):
                account_id = lot[number % len(lot)]
                status = sign_off(client, account_id, decisions.new_token(), last[account_id])
                assert status == 303
                last[account_id] = 1_000_000  # nobody else decides on this account
                done += 1
            return done

        started = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            done = sum(pool.map(work, clients, lots))
        seconds = time.monotonic() - started
    assert len(kept(store)) == done
    print(f"{done / seconds:.0f} sign-offs a second")
    assert done / seconds > A_SECOND


def test_nothing_that_was_answered_is_lost_when_the_server_is_killed(
    demo_run: Place, store: Path, account_ids: list[str]
) -> None:
    port, answered, tokens = free_port(), set[str](), iter_tokens()
    for turn in range(KILLS):
        server = start(demo_run.published, store, port)
        client = Client(server, "admin")
        stop = threading.Timer(0.05 + 0.01 * (turn % 7), server.kill)
        stop.start()
        token = ""
        try:
            for number in range(10_000):
                token = next(tokens)
                if sign_off(client, account_ids[number % len(account_ids)], token, 1_000_000) == 303:
                    answered.add(token)
        except (OSError, HTTPException):
            pass
        stop.join()
    with running(demo_run.published, store) as server:
        client = Client(server, "admin")
        assert sign_off(client, account_ids[0], token, 1_000_000) == 303  # the browser's own retry
        answered.add(token)
    tokens_kept = [token for _, token, _ in kept(store)]
    assert len(answered) > KILLS
    assert answered <= set(tokens_kept)
    assert len(tokens_kept) == len(set(tokens_kept)) <= len(answered) + KILLS
    with closing(connect(store)) as con:
        assert con.execute("pragma integrity_check").fetchone() == ("ok",)


def iter_tokens() -> Iterator[str]:
    while True:
        yield decisions.new_token()
