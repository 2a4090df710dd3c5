"""Agents of the tests: the SDK's own client, over stdio, over HTTP and in this process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

from radar.mcp.server import make_server
from radar.mcp.settings import McpSettings
from radar.mcp.tools import Tools
from radar.panel import tokens, users
from radar.panel.people import Person
from radar.panel.settings import PanelSettings
from radar.panel.store import Store
from tests.panel.server import free_port

RADAR = Path(sys.executable).with_name("radar")
Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Desk:
    """A published copy and a store with users; what the panel looks up is made once, in `cache`."""

    published: Path
    store: Path
    cache: Path

    @property
    def settings(self) -> PanelSettings:
        return PanelSettings(published=self.published, store=self.store, cache=self.cache, stale_days=100_000)

    def add(self, name: str, role: str, *owner_ids: str) -> str:
        """A user with a token; the token."""
        users.add(Store(self.store), name, role, owner_ids, None)  # type: ignore[arg-type]
        return self.token(name)

    def token(self, name: str) -> str:
        return tokens.make(Store(self.store), name, 1)[1]

    def person(self, name: str) -> Person:
        found = users.find(Store(self.store), name)
        assert found
        return found[0]

    def ask(self, token: str, *asked: Call, limits: McpSettings | None = None) -> list[CallToolResult]:
        """The answers of a server in this process, to a client in this process."""
        store = Store(self.store)
        tools = Tools(self.settings, limits or McpSettings(), store)
        try:
            return talk(make_server(tools, store, lambda: tokens.find(store, token)), asked)
        finally:
            tools.close()

    def over_stdio(self, token: str, *asked: Call, **environment: str) -> list[CallToolResult]:
        command = StdioServerParameters(
            command=str(RADAR),
            args=["mcp", f"--published={self.published}", f"--store={self.store}"],
            env={**self.environment, "RADAR_MCP_TOKEN": token, **environment},
        )
        return talk(command, asked)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "RADAR_PANEL_CACHE": str(self.cache), "RADAR_PANEL_STALE_DAYS": "100000"}

    @contextmanager
    def over_http(self, **environment: str) -> Iterator[int]:
        """A server of its own process; its port."""
        port = free_port()
        command = [
            "mcp",
            "--http",
            f"--port={port}",
            f"--published={self.published}",
            f"--store={self.store}",
        ]
        log = self.store.with_name("mcp.log")
        with (
            log.open("a") as stderr,
            subprocess.Popen(
                [str(RADAR), *command], env={**self.environment, **environment}, stderr=stderr, text=True
            ) as process,
        ):
            try:
                deadline = time.monotonic() + 60
                while post(port, None)[0] != 401:
                    assert process.poll() is None, log.read_text()
                    assert time.monotonic() < deadline, log.read_text()
                    time.sleep(0.1)
                yield port
            finally:
                process.kill()

    def calls(self) -> list[tuple[Any, ...]]:
        """What was kept: user, tool, outcome, account."""
        rows = Store(self.store).con.execute(
            "select user_name, tool, outcome, account_id from agent_calls order by sequence"
        )
        return [tuple(row) for row in rows]


def talk(server: Any, asked: tuple[Call, ...]) -> list[CallToolResult]:
    """The answers of a server to these calls, in one connection."""

    async def run() -> list[CallToolResult]:
        async with Client(server) as client:
            return [await client.call_tool(tool, arguments) for tool, arguments in asked]

    return anyio.run(run)


def talk_http(port: int, token: str, *asked: Call) -> list[CallToolResult]:
    """The same over HTTP, with the token in the header."""

    async def run() -> list[CallToolResult]:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http_client:
            transport = streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=http_client)
            async with Client(transport) as client:
                return [await client.call_tool(tool, arguments) for tool, arguments in asked]

    return anyio.run(run)


def post(port: int, token: str | None, **headers: str) -> tuple[int, str]:
    """Status and text of a bare request, which names the tools where it is let in."""
    given = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers}
    if token:
        given["Authorization"] = f"Bearer {token}"
    body = '{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}'
    con = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        con.request("POST", "/mcp", body, given)
        answer = con.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        con.close()


def body(result: CallToolResult) -> dict[str, Any]:
    """What an answer says; the test fails where it is none."""
    assert not result.is_error, text(result)
    assert result.structured_content is not None
    return result.structured_content


def text(result: CallToolResult) -> str:
    return "".join(part.text for part in result.content if part.type == "text")


def refusal(result: CallToolResult) -> str:
    """Why nothing is answered; the test fails where something is."""
    assert result.is_error, text(result)[:500]
    return text(result)
