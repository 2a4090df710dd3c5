"""The command `radar mcp`: the server that agents ask."""

from __future__ import annotations

from typing import Annotated

import typer

from radar import DISTRIBUTION
from radar.cli.options import Published
from radar.cli.panel import StoreOption
from radar.core.errors import UsageError


def serve(
    http: Annotated[
        bool, typer.Option("--http", help="Over HTTP for many agents, instead of over stdio for one.")
    ] = False,
    host: Annotated[str, typer.Option(help="The address to listen on, with --http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port, with --http.", min=1, max=65_535)] = 8090,
    published: Published = None,
    store: StoreOption = None,
) -> None:
    """Answer agents by the Model Context Protocol: read-only, each in the scope of the user whose token it
    has."""
    try:
        from radar.mcp.serve import serve_http, serve_stdio  # noqa: PLC0415 needs an extra
    except ModuleNotFoundError as error:
        if error.name not in ("mcp", "mcp_types"):
            raise
        raise UsageError(
            "the packages of the extra mcp are not installed", f"pip install '{DISTRIBUTION}[mcp]'"
        ) from None
    if http:
        serve_http(host=host, port=port, published=published, store=store)
    else:
        serve_stdio(published=published, store=store)
