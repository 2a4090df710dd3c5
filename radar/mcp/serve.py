"""Running the server for agents: over standard input and output for one, or over HTTP for many.

Belongs here: transports, addresses, and whose token counts.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from anyio import to_thread
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette

from radar.core.addresses import http_address, is_loopback
from radar.core.errors import UsageError
from radar.mcp.server import make_server
from radar.mcp.settings import McpSettings
from radar.mcp.tools import Tools
from radar.panel import tokens
from radar.panel.connections import Connection, raise_descriptors
from radar.panel.settings import PanelSettings
from radar.panel.store import Store

PATH = "/mcp"
BODY_LIMIT = 64 * 1024
_LOCAL = ("127.0.0.1", "localhost", "[::1]")


def serve_stdio(*, published: Path | None, store: Path | None) -> None:
    """Answer one agent until it closes its end. Raises UsageError for a token that is none of a user's."""
    settings, limits = _settings(published, store), McpSettings()
    users_store = Store(settings.store)
    token = limits.token.get_secret_value()
    if not token:
        raise UsageError(
            "RADAR_MCP_TOKEN is not set, so nobody knows whose accounts to show",
            "radar panel users token NAME makes a token of a user",
        )
    if tokens.find(users_store, token) is None:
        raise UsageError(
            "the token in RADAR_MCP_TOKEN is not valid: unknown here, expired or revoked",
            "radar panel users token NAME makes another one",
            file=settings.store,
        )
    tools = Tools(settings, limits, users_store)
    server = make_server(tools, users_store, lambda: tokens.find(users_store, token))
    tools.prepare()
    server.run("stdio")


def serve_http(*, host: str, port: int, published: Path | None, store: Path | None) -> None:
    """Answer many agents, each request with its own token, until stopped."""
    settings, limits = _settings(published, store), McpSettings()
    if not is_loopback(host) and not limits.origin:
        raise UsageError(
            f"{host} can be reached from elsewhere, and tokens would travel in the clear",
            "put a proxy with TLS before the server and set RADAR_MCP_ORIGIN to its https:// address",
        )
    Store(settings.store).check()
    application = make_application(settings, limits, host, port)
    print(f"Radar for agents: {limits.origin or http_address(host, port)}{PATH}", file=sys.stderr)
    raise_descriptors()
    uvicorn.run(
        application,
        host=host,
        port=port,
        http=Connection,
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        h11_max_incomplete_event_size=16_384,
    )


def make_application(settings: PanelSettings, limits: McpSettings, host: str, port: int) -> Starlette:
    """The ASGI application: every request is one call with its own token, and nothing is kept in between."""
    users_store = Store(settings.store)
    tools = Tools(settings, limits, users_store)
    server = make_server(
        tools,
        users_store,
        lambda: _of_request(users_store),
        verifier=Verifier(users_store),
        auth=AuthSettings(
            issuer_url=AnyHttpUrl(limits.origin or http_address(host, port)), resource_server_url=None
        ),
    )
    tools.prepare()
    return server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=BODY_LIMIT,
        transport_security=_security(limits.origin, port),
        host=host,
    )


class Verifier:
    """Lets a request in whose token is one of the store's."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def verify_token(self, token: str) -> AccessToken | None:
        """What the SDK knows of it; None for a token that is unknown, expired or revoked."""
        caller = await to_thread.run_sync(tokens.find, self._store, token)
        if caller is None:
            return None
        return AccessToken(token=token, client_id=caller.token_id, scopes=[], subject=caller.person.name)


def _of_request(store: Store) -> tokens.Caller | None:
    """Whoever sent the request that is answered, as the store has them now."""
    access = get_access_token()
    return tokens.find(store, access.token) if access else None


def _security(origin: str, port: int) -> TransportSecuritySettings:
    """Requests name this server as their host, and come from no page of another one: against DNS
    rebinding."""
    hosts = [f"{name}:{port}" for name in _LOCAL]
    origins = [f"http://{host}" for host in hosts]
    if origin:
        hosts, origins = [*hosts, urlsplit(origin).netloc], [origin]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)


def _settings(published: Path | None, store: Path | None) -> PanelSettings:
    for name, path in (("PUBLISHED", published), ("STORE", store)):
        if path is not None:
            os.environ[f"RADAR_PANEL_{name}"] = str(path)
    return PanelSettings()
