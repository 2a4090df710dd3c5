"""Guessing passwords, half-sent requests and clients that do not read: others go on working."""

from __future__ import annotations

import os
import re
import resource
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette

from radar.panel import connections, sessions, users
from radar.panel.app import create_app
from radar.panel.settings import PanelSettings
from radar.panel.store import Store
from tests.panel.conftest import ClientAs
from tests.panel.server import Server, running
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
GUESSES = 60
HALF_OPEN = 1_500
SECONDS = 5
"""In which a person is answered, whatever strangers do."""


class Browser:
    """Signs in through the form, as one who has been here before or not."""

    def __init__(self, port: int, forwarded: str = "") -> None:
        self.port, self.cookies = port, dict[str, str]()
        self.headers = {"X-Forwarded-For": forwarded} if forwarded else {}

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, dict[str, str], str]:
        con = HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {**self.headers, "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            con.request(method, path, body, headers)
            answer = con.getresponse()
            text = answer.read().decode()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    self.cookies[key] = rest.split(";")[0]
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text
        finally:
            con.close()

    def load(self) -> str:
        text = self.ask("GET", "/sign-in")[2]
        return str(re.findall(r'name="form_key" value="([^"]+)"', text)[0])

    def sign_in(self, name: str, password: str, key: str = "") -> tuple[int, dict[str, str], str]:
        form = {"form_key": key or self.load(), "name": name, "password": password}
        return self.ask("POST", "/sign-in", urlencode(form))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    made = Store(tmp_path / "panel.sqlite")
    for name in ("ada", "bo"):
        users.add(made, name, "admin", [], PASSWORD)
    return made.file


@pytest.fixture
def server(demo_run: Place, store: Path) -> Iterator[Server]:
    with running(demo_run.published, store, RADAR_PANEL_PROXY_ADDRESSES="127.0.0.0/8") as started:
        yield started


def greatest_memory(server: Server) -> int:
    """Megabytes that the process had at most."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1_000


def at_once(attempts: list[tuple[Browser, str, str]]) -> list[tuple[int, dict[str, str], str]]:
    """All of them at the same moment, each with its form loaded before."""
    keys = [browser.load() for browser, _, _ in attempts]
    barrier = threading.Barrier(len(attempts))

    def one(number: int) -> tuple[int, dict[str, str], str]:
        browser, name, password = attempts[number]
        barrier.wait(30)
        return browser.sign_in(name, password, keys[number])

    with ThreadPoolExecutor(len(attempts)) as pool:
        return list(pool.map(one, range(len(attempts))))


# --- guessing -------------------------------------------------------------------------------------------


def test_guesses_at_one_name_at_once_are_counted_before_they_are_checked(server: Server) -> None:
    answers = at_once([(Browser(server.port), "ada", f"guess number {n}") for n in range(GUESSES)])
    counted = Counter(status for status, _, _ in answers)
    assert counted[401] <= 5, counted
    assert counted[401] + counted[429] == GUESSES, counted
    waits = [int(headers["retry-after"]) for status, headers, _ in answers if status == 429]
    assert 1 <= min(waits) <= max(waits) <= 60
    assert "Try again in" in next(text for status, _, text in answers if status == 429)


def test_guesses_at_many_names_at_once_take_little_memory_and_others_are_served(server: Server) -> None:
    person = Browser(server.port)
    assert person.sign_in("bo", PASSWORD)[0] == 303
    before = greatest_memory(server)
    slowest = 0.0
    with ThreadPoolExecutor(1) as pool:
        guesses = pool.submit(
            at_once, [(Browser(server.port), f"name{n}", f"guess number {n}") for n in range(GUESSES)]
        )
        while not guesses.done():
            started = time.monotonic()
            assert person.ask("GET", "/quality")[0] == 200
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(0.05)
    answers = guesses.result()
    counted = Counter(status for status, _, _ in answers)
    assert set(counted) <= {401, 503}, counted
    assert counted[401] >= 10, counted
    assert all(int(headers["retry-after"]) <= 10 for status, headers, _ in answers if status == 503)
    assert greatest_memory(server) - before < 400
    assert slowest < SECONDS


def test_behind_a_proxy_that_is_not_trusted_others_still_sign_in(demo_run: Place, store: Path) -> None:
    """All have the proxy's address then: mistakes of some make those names wait, and no other."""
    with running(demo_run.published, store) as server:
        for number in range(40):
            assert (
                Browser(server.port, f"203.0.113.{number}").sign_in(f"name{number % 13}", "wrong")[0] == 401
            )
        assert Browser(server.port, "198.51.100.7").sign_in("ada", PASSWORD)[0] == 303


def test_a_stranger_does_not_keep_a_user_out(server: Server) -> None:
    """Not from another address, not a browser that signed in before, and nobody for more than a minute."""
    known = Browser(server.port, "203.0.113.5")
    assert known.sign_in("ada", PASSWORD)[0] == 303
    assert known.ask("POST", "/sign-out", urlencode({"form_key": form_key(known)}))[0] == 303
    statuses = Counter(Browser(server.port, "203.0.113.5").sign_in("ada", "wrong")[0] for _ in range(20))
    assert statuses == {401: 5, 429: 15}
    refused = Browser(server.port, "203.0.113.5").sign_in("ada", PASSWORD)
    assert refused[0] == 429
    assert int(refused[1]["retry-after"]) <= 60
    assert Browser(server.port, "198.51.100.7").sign_in("ada", PASSWORD)[0] == 303
    assert known.sign_in("ada", PASSWORD)[0] == 303


def form_key(browser: Browser) -> str:
    return str(re.findall(r'name="form_key" value="([^"]+)"', browser.ask("GET", "/accounts")[2])[0])


def test_pauses_grow_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = Store(tmp_path / "panel.sqlite"), [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    waits: list[int] = []
    for _ in range(5):
        assert isinstance(sessions.admit(store, "ada", "203.0.113.5", ""), sessions.Attempt)
    for _ in range(4):
        found = sessions.admit(store, "ada", "203.0.113.5", "")
        assert isinstance(found, int)
        waits.append(found)
        now[0] += found - 1
        assert sessions.admit(store, "ada", "203.0.113.5", "") == 1
        now[0] += 1
        assert isinstance(sessions.admit(store, "ada", "203.0.113.5", ""), sessions.Attempt)
    assert waits == [15, 30, 60, 60]
    now[0] += 15 * 60 + 1
    first = sessions.admit(store, "ada", "203.0.113.5", "")
    assert isinstance(first, sessions.Attempt)
    for number in range(100):  # a whole network of one owner is one address
        sessions.admit(store, f"name{number}", f"2001:db8::{number:x}", "")
    assert sessions.admit(store, "bo", "2001:db8::ffff", "") in (1, 2)
    assert isinstance(sessions.admit(store, "bo", "2001:db8:0:1::1", ""), sessions.Attempt)


def test_what_was_counted_is_taken_back_by_the_right_password(tmp_path: Path) -> None:
    store = Store(tmp_path / "panel.sqlite")
    for _ in range(12):
        attempt = sessions.admit(store, "ada", "203.0.113.5", "")
        assert isinstance(attempt, sessions.Attempt)
        sessions.take_back(store, attempt, is_right=True)
    assert store.con.execute("select count(*) from failed_sign_ins").fetchone()[0] == 0


@pytest.mark.parametrize(
    ("forwarded", "trusted", "expected"),
    [
        ("203.0.113.5", "", "10.0.0.7"),
        ("203.0.113.5", "10.0.0.0/24", "203.0.113.5"),
        ("198.51.100.1, 203.0.113.5", "10.0.0.0/24", "203.0.113.5"),
        ("203.0.113.5, 10.0.0.9", "10.0.0.0/24", "203.0.113.5"),
        ("203.0.113.5:4711", "10.0.0.0/24", "203.0.113.5"),
        ("[2001:db8::1]:4711", "10.0.0.0/24", "2001:db8::1"),
        ("::ffff:203.0.113.5", "10.0.0.0/24", "203.0.113.5"),
        ("203.0.113.5, nonsense", "10.0.0.0/24", "10.0.0.7"),
        ("", "10.0.0.0/24", "10.0.0.7"),
        ("10.0.0.8, 10.0.0.9", "10.0.0.0/24", "10.0.0.8"),
        ("203.0.113.5", "192.168.0.0/16", "10.0.0.7"),
    ],
)
def test_the_address_is_the_rightmost_that_no_trusted_proxy_has(
    demo_run: Place,
    app: Starlette,
    client_as: ClientAs,
    monkeypatch: pytest.MonkeyPatch,
    forwarded: str,
    trusted: str,
    expected: str,
) -> None:
    seen: list[str] = []

    def wait(store: Store, name: str, address: str, known: str) -> int:
        seen.append(address)
        return 3

    monkeypatch.setattr(sessions, "admit", wait)
    made = create_app(
        PanelSettings(
            published=demo_run.published,
            store=app.state.settings.store,
            proxy_addresses=trusted,  # type: ignore[arg-type]
        )
    )
    client = client_as(None)
    client._transport.app = made  # type: ignore[attr-defined]
    client._transport.client = ("10.0.0.7", 1234)  # type: ignore[attr-defined]
    key = re.findall(r'name="form_key" value="([^"]+)"', client.get("/sign-in").text)[0]
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    form = {"form_key": key, "name": "rep", "password": "x"}
    assert client.post("/sign-in", data=form, headers=headers).status_code == 429
    assert seen == [expected]
    made.state.published_db.close()


# --- half-sent requests ---------------------------------------------------------------------------------


@contextmanager
def opened(port: int, number: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """That many connections, each of which says this much and no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = number + 200
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            missing = f"this process may open {hard} files, and needs {needed}"
            if os.environ.get("CI") == "true":
                pytest.fail(missing)
            pytest.skip(missing)
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    with ExitStack() as stack:
        made = []
        for _ in range(number):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            one.sendall(sent)
            made.append(one)
        yield made


def closed(made: list[socket.socket], seconds: float) -> int:
    """How many of them the other side closed or reset within that time."""
    gone, deadline = 0, time.monotonic() + seconds
    waiting = {one.fileno(): one for one in made}
    poll = select.poll()
    for number in waiting:
        poll.register(number, select.POLLIN | select.POLLHUP)
    while waiting and (left := deadline - time.monotonic()) > 0:
        for number, _ in poll.poll(left * 1000):
            try:
                is_gone = not waiting[number].recv(65_536)
            except OSError:
                is_gone = True
            if is_gone:
                poll.unregister(number)
                del waiting[number]
                gone += 1
    return gone


def answered(server: Server) -> float:
    """Seconds until somebody new gets the form to sign in."""
    started = time.monotonic()
    assert Browser(server.port).ask("GET", "/sign-in")[0] == 200
    return time.monotonic() - started


def sockets(server: Server) -> int:
    """How many the server has open."""
    found = 0
    for link in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(OSError):
            found += os.readlink(link).startswith("socket:")
    return found


HALVES = {
    "nothing": b"",
    "half a header": b"GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Half: ",
    "half a body": b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nname=a",
}


@pytest.mark.parametrize("sent", HALVES.values(), ids=HALVES)
def test_many_half_sent_requests_leave_room_for_a_whole_one(
    demo_run: Place, store: Path, sent: bytes
) -> None:
    """Also where the process may open 1,024 files and no more, as many systems have it."""
    with running(demo_run.published, store, files=1_024) as server, opened(server.port, HALF_OPEN, sent):
        assert max(answered(server) for _ in range(10)) < SECONDS


@pytest.mark.parametrize("sent", HALVES.values(), ids=HALVES)
def test_a_half_sent_request_ends(server: Server, sent: bytes) -> None:
    with opened(server.port, 3, sent) as made:
        assert closed(made, 25) == 3
    assert answered(server) < SECONDS


def test_a_request_that_drips_ends(server: Server) -> None:
    with opened(server.port, 1, b"GET /sign-in HTTP/1.1\r\nHost: x\r\n") as (one,):
        started = time.monotonic()
        while time.monotonic() - started < 25:
            try:
                one.sendall(b"X-Drip: 1\r\n")
            except OSError:
                break
            time.sleep(0.25)
        assert time.monotonic() - started < 20


def test_who_is_slow_with_a_form_gets_an_answer(server: Server) -> None:
    with opened(server.port, 1, HALVES["half a body"]) as (one,):
        one.settimeout(20)
        assert one.recv(65_536).startswith(b"HTTP/1.1 408 ")


def test_an_answer_that_nobody_reads_is_dropped(server: Server) -> None:
    person = Browser(server.port)
    assert person.sign_in("bo", PASSWORD)[0] == 303
    cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    asked = f"GET /portfolio?format=csv HTTP/1.1\r\nHost: x\r\nCookie: {cookies}\r\n\r\n".encode() * 400
    time.sleep(1)
    before = sockets(server)
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        one.connect(("127.0.0.1", server.port))
        one.sendall(asked)
        time.sleep(5)
        assert one.fileno() >= 0
        assert sockets(server) == before + 1
        deadline = time.monotonic() + connections.UNREAD_SECONDS + 20
        while sockets(server) > before:
            assert time.monotonic() < deadline, "it still waits for the client"
            time.sleep(0.5)
    assert answered(server) < SECONDS
