"""Running the receiver on its own, and writing what an ended one left."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from radar.core.addresses import http_address, is_loopback
from radar.core.errors import UsageError
from radar.receive.app import PATH, application
from radar.receive.settings import ReceiveSettings
from radar.receive.spool import Spool


def serve(settings: ReceiveSettings, *, host: str, port: int, is_proxied: bool) -> None:
    """Take requests in until stopped. Raises UsageError for settings with which nobody could post."""
    if not is_loopback(host) and not is_proxied:
        raise UsageError(
            f"{host} can be reached from elsewhere, and records would travel in the clear",
            "put a proxy with TLS before the receiver and say --behind-proxy",
        )
    app = application(settings)
    print(f"Receiving at {http_address(host, port)}{PATH}", file=sys.stderr)
    print(f"  Files go into {settings.extracts} every {settings.file_seconds:g} s", file=sys.stderr)
    uvicorn.run(
        app,
        host=host,
        port=port,
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        limit_concurrency=1_000,
        h11_max_incomplete_event_size=16_384,
    )


def flush(settings: ReceiveSettings) -> list[Path]:
    """Write what an ended receiver acknowledged and did not put into files; the files."""
    spool = Spool(settings.extracts, file_seconds=settings.file_seconds, key_days=settings.key_days)
    return spool.write_files()
