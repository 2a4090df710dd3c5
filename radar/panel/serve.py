"""Running the panel: a server on this machine, with an invented company where that is asked for."""

from __future__ import annotations

import gc
import logging
import os
import secrets
from pathlib import Path

import duckdb
import uvicorn
from starlette.applications import Starlette

from radar.core.addresses import http_address, is_loopback
from radar.core.errors import UsageError
from radar.core.state_files import replace_file
from radar.panel import oidc, users
from radar.panel.app import create_app
from radar.panel.connections import Connection, raise_descriptors
from radar.panel.published_db import PublishedDatabase
from radar.panel.read_model import ReadModel
from radar.panel.settings import PanelSettings
from radar.panel.store import Store
from radar.publishing.file_set import COPY_NAME
from radar.receive.app import application as receiving_application
from radar.receive.settings import ReceiveSettings

WORKER_SECONDS = 60
"""How long a process may take to answer, also while it still loads its modules: on a busy machine longer than
uvicorn's 5 seconds, after which it would be stopped and started over, again and again. Where a signal
ends all processes at once, the first may wait that long for one that is gone."""


def serve(
    *, host: str, port: int, workers: int, published: Path | None, store: Path | None, is_demo: bool = False
) -> None:
    """Serve until stopped. `is_demo`: `rep`, `lead` and `admin` may sign in."""
    for name, path in (("PUBLISHED", published), ("STORE", store)):
        if path is not None:
            os.environ[f"RADAR_PANEL_{name}"] = str(path)
    settings = PanelSettings()
    if not is_loopback(host) and not settings.origin:
        raise UsageError(
            f"{host} can be reached from elsewhere, and passwords would travel in the clear",
            "put a proxy with TLS before the panel and set RADAR_PANEL_ORIGIN to its https:// address",
        )
    receive = ReceiveSettings.read()
    if receive.secrets:
        receive.check()
    oidc.provider(settings)  # what is wrong with it, or with the store, is reported before anything starts
    Store(settings.store).check()
    password = _demo_users(settings) if is_demo else None
    print(f"Radar panel: {settings.origin or http_address(host, port)}")
    if password:
        print(f"  Sign in as rep, lead or admin, each with the password: {password}")
    elif not Store(settings.store).con.execute("select 1 from users").fetchone():
        print("  Nobody may sign in yet: radar panel users add NAME --role rep --owner OWNER_ID")
    _prepare(settings)
    raise_descriptors()
    uvicorn.run(
        "radar.panel.serve:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http=Connection,
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_worker_healthcheck=WORKER_SECONDS,
        h11_max_incomplete_event_size=16_384,
    )


def _prepare(settings: PanelSettings) -> None:
    """Make what pages look up before the first request, once for all processes."""
    published_db = PublishedDatabase(settings.published)
    read_model = ReadModel(published_db, settings.cache_folder)
    if published_db.file.exists() and not read_model.is_ready():
        print("  Drawing what the pages look up from the published copy ...", flush=True)
        read_model.prepare()
    published_db.close()


def application() -> Starlette:
    """The application of one process, from the variables that `serve` set."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # else a line for all that a provider is asked
    receive = ReceiveSettings.read()
    app = with_receiver(PanelSettings(), receive) if receive.secrets else create_app(PanelSettings())
    gc.collect()
    gc.freeze()  # what is loaded by now stays: no collection looks through it again
    return app


def with_receiver(settings: PanelSettings, receive: ReceiveSettings) -> Starlette:
    """The panel, and below `/ingest` the receiver, whose requests are signed and come from no browser."""
    return receiving_application(receive, create_app(settings))


def _stored_password(file: Path) -> str:
    """The password in the file; nothing where it is not there or is not one of ours."""
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return text if len(text) >= users.LEAST_PASSWORD and text.isprintable() else ""


def _demo_users(settings: PanelSettings) -> str:
    """`rep`, `lead` and `admin`, with a password of this machine that is kept next to the store."""
    file = settings.store.with_name("demo-password.txt")
    file.parent.mkdir(parents=True, exist_ok=True)
    password, store = _stored_password(file), Store(settings.store)
    is_new = not password
    if is_new:
        password = secrets.token_hex(8)
        replace_file(file, f"{password}\n", mode=0o600)
    if store.con.execute("select 1 from users").fetchone():
        for name in ("rep", "lead", "admin"):
            if is_new and users.find(store, name):
                users.change(store, name, password=password)
        return password
    with duckdb.connect(str(settings.published / COPY_NAME), read_only=True) as con:
        owners = [
            owner
            for (owner,) in con.execute(
                "select owner_id from marts.rpt_account_health where owner_id is not null"
                " group by owner_id order by count(*) desc, owner_id limit 3"
            ).fetchall()
        ]
    users.add(store, "rep", "rep", owners[:1], password)
    users.add(store, "lead", "lead", owners, password)
    users.add(store, "admin", "admin", [], password)
    return password
