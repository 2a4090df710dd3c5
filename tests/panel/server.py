"""The panel as a process of its own, as `radar panel` starts it, and a person's client for it."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from radar.panel import sessions, users
from radar.panel.store import Store

RADAR = Path(sys.executable).with_name("radar")


@dataclass
class Server:
    """A running panel."""

    process: subprocess.Popen[str]
    port: int
    store: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)  # its workers too
        self.process.wait(30)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def start(
    published: Path, store: Path, port: int, *options: str, files: int | None = None, **environment: str
) -> Server:
    """Start `radar panel` and wait until it answers. `files`: how many it may have open."""

    def limit() -> None:
        if files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    process = subprocess.Popen(
        [str(RADAR), "panel", f"--port={port}", f"--published={published}", f"--store={store}", *options],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=(store.parent / "panel.log").open("a"),
        text=True,
        start_new_session=True,
        preexec_fn=limit,  # noqa: PLW1509  no threads of ours hold locks here
    )
    server = Server(process, port, store)
    deadline = time.monotonic() + 240  # of a large company the look-up file is drawn first
    while time.monotonic() < deadline:
        try:
            con = HTTPConnection("127.0.0.1", port, timeout=5)
            con.request("GET", "/alive")
            if con.getresponse().status == 200:
                return server
        except OSError:
            assert process.poll() is None, (store.parent / "panel.log").read_text()
            time.sleep(0.05)
    server.kill()
    raise AssertionError("the panel did not start")


@contextmanager
def running(
    published: Path, store: Path, *options: str, files: int | None = None, **environment: str
) -> Iterator[Server]:
    server = start(published, store, free_port(), *options, files=files, **environment)
    try:
        yield server
    finally:
        server.kill()


class Client:
    """One signed-in person on one connection, without a browser."""

    def __init__(self, server: Server, user: str) -> None:
        store = Store(server.store)
        found = users.find(store, user)
        assert found
        self.port = server.port
        self.cookie = f"{sessions.COOKIE}={sessions.begin(store, *found)}"
        self.connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
        self.form_key = re.findall(r'name="form_key" value="([^"]+)"', self.get("/accounts")[1])[0]

    def get(self, path: str) -> tuple[int, str]:
        self.connection.request("GET", path, headers={"Cookie": self.cookie})
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode()

    def post(self, path: str, **fields: str) -> int:
        body = urlencode({"form_key": self.form_key, **fields})
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status
