"""The command `radar receive`: what other systems post becomes files of the extracts folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radar.receive.serve import flush as flush_spool
from radar.receive.serve import serve
from radar.receive.settings import ReceiveSettings


def receive(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", min=1, max=65_535)] = 8091,
    extracts: Annotated[
        Path | None, typer.Option(help="Folder of the extracts, as <source>/<feed>/. [var/extracts]")
    ] = None,
    is_proxied: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy with TLS stands before an address others reach.")
    ] = False,
    flush: Annotated[
        bool, typer.Option("--flush", help="Write what an ended receiver left into files, and end.")
    ] = False,
) -> None:
    """Take in records that Make, Zapier, Segment or a program posts to /ingest/<source>/<feed>."""
    settings = ReceiveSettings.read(extracts)
    if flush:
        for path in flush_spool(settings):
            typer.echo(path)
    else:
        serve(settings, host=host, port=port, is_proxied=is_proxied)
