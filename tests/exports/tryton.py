"""A running Tryton with its module of parties: SQLite, a port of its own, JSON-RPC over HTTP."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
DATABASE = "crm"
CONFIG = """
[database]
uri = sqlite://
path = {folder}
[web]
listen = 127.0.0.1:{port}
[session]
authentications = password
"""


class Tryton:
    """Calls of the server, signed in as its administrator."""

    def __init__(self, port: int, password: str) -> None:
        self._address, self._session = f"http://127.0.0.1:{port}/{DATABASE}/rpc/", ""
        user, session, *_ = self.call("common.db.login", "admin", {"password": password}, "en")
        self._session = base64.b64encode(f"admin:{user}:{session}".encode()).decode()

    def call(self, method: str, *parameters: Any) -> Any:
        """What the server answers; an error of its own is an AssertionError."""
        headers = {"Content-Type": "application/json"}
        if self._session:
            headers["Authorization"] = f"Session {self._session}"
        body = json.dumps({"id": 1, "method": method, "params": parameters}).encode()
        with urllib.request.urlopen(
            urllib.request.Request(self._address, body, headers), timeout=60
        ) as answer:
            content = json.load(answer)
        assert "error" not in content, content["error"]
        return content["result"]

    def take(self, rows: list[dict[str, str]], key: str, name: str) -> None:
        """Import rows of a file: a party each, known by its code, and every cell as a note of its own."""
        known = {party["code"]: party["id"] for party in self._parties()}
        notes = [f"contact_mechanisms/{field}" for field in ("type", "value", "comment")]
        for is_known, fields in ((False, ["code", "name", *notes]), (True, ["id", *notes])):
            lines: list[list[Any]] = []
            chosen = [row for row in rows if (row[key] in known) == is_known]
            for row in chosen:
                if is_known:
                    self._clear(known[row[key]])
                head = [known[row[key]]] if is_known else [row[key], row[name]]
                for header, cell in row.items():
                    lines.append([*head, "other", header, cell])
                    head = [""] * len(head)
            if lines:
                count = self.call("model.party.party.import_data", fields, lines, {})
                assert count == len(chosen), count

    def rows(self) -> dict[str, dict[str, str]]:
        """Every party by its code, its notes by their header."""
        found: dict[str, dict[str, str]] = {party["code"]: {} for party in self._parties()}
        notes = self.call(
            "model.party.contact_mechanism.search_read",
            [], 0, None, None, ["party.code", "value", "comment"], {},
        )  # fmt: skip
        for note in notes:
            found[note["party."]["code"]][note["value"]] = note["comment"] or ""
        return found

    def names(self) -> dict[str, str]:
        """The name of every party by its code."""
        return {party["code"]: party["name"] for party in self._parties()}

    def _parties(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call(
            "model.party.party.search_read", [], 0, None, None, ["code", "name"], {}
        )
        return found

    def _clear(self, party: int) -> None:
        notes = self.call("model.party.contact_mechanism.search", [["party", "=", party]], 0, None, None, {})
        self.call("model.party.contact_mechanism.delete", notes, {})


@contextmanager
def running(folder: Path) -> Iterator[Tryton]:
    """A new database and its server; the server is ended with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    password = secrets.token_hex(12)
    config, log = folder / "trytond.conf", folder / "trytond.log"
    config.write_text(CONFIG.format(folder=folder, port=port))
    (folder / "password").write_text(password)
    (folder / f"{DATABASE}.sqlite").touch()
    admin = [BIN / "trytond-admin", "-c", config, "-d", DATABASE]
    environment = {**os.environ, "TRYTONPASSFILE": str(folder / "password")}
    for asked in (
        ["--all", "-p", "--email", "admin@example.com"],
        ["-u", "party", "--activate-dependencies"],
    ):
        done = subprocess.run(
            [*admin, *asked], env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
    with log.open("w") as output:
        server = subprocess.Popen(
            [BIN / "trytond", "-c", config, "-d", DATABASE], stdout=output, stderr=output, env=environment
        )
        try:
            yield _signed_in(server, port, password, log)
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:  # it may wait for a connection that nobody uses any more
                server.kill()
                server.wait(10)


def _signed_in(server: subprocess.Popen[bytes], port: int, password: str, log: Path) -> Tryton:
    until = time.monotonic() + 60
    while True:
        try:
            return Tryton(port, password)
        except (urllib.error.URLError, ConnectionError):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
