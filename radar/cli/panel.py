"""The commands of the panel: `radar panel` and `radar panel users ...`."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer

from radar.cli.run_daily import run_daily
from radar.core.errors import UsageError
from radar.core.runs import utc_now
from radar.demo import generate
from radar.panel import tokens, users
from radar.panel.serve import serve as serve_panel
from radar.panel.settings import PanelSettings
from radar.panel.store import Store
from radar.publishing.file_set import COPY_NAME

DEMO_DAYS = 30

app = typer.Typer(
    help="The panel: web pages on the published copy, where people review.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
users_app = typer.Typer(
    help="Who may use the panel, and whose accounts each sees.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(users_app, name="users")

StoreOption = Annotated[
    Path | None, typer.Option(help="The panel's SQLite file. [panel.sqlite next to the warehouse]")
]


@app.callback()
def serve(  # noqa: PLR0917 the options
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", min=1, max=65_535)] = 8080,
    workers: Annotated[int, typer.Option(help="Processes.", min=1, max=64)] = 1,
    published: Annotated[
        Path | None, typer.Option(help="Folder of the published copy. [var/published]")
    ] = None,
    store: StoreOption = None,
    demo: Annotated[
        Path | None, typer.Option(help="Make an invented company in this folder first, and users for it.")
    ] = None,
) -> None:
    """Serve the panel on this machine. In production, run it behind a proxy with TLS."""
    if context.invoked_subcommand:
        return

    if demo is not None:
        published, store = _make_demo(demo), store or demo / "panel.sqlite"
    serve_panel(
        host=host, port=port, workers=workers, published=published, store=store, is_demo=demo is not None
    )


@users_app.command("add")
def add_user(
    name: str,
    role: Annotated[str, typer.Option(help="rep (own accounts), lead (a team's) or admin (all).")] = "rep",
    owner: Annotated[
        list[str] | None, typer.Option(help="Owner id in the CRM; again for each of a team.")
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="For sign-in by a proxy or an OpenID provider.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Add a user. The password is asked for, or read from standard input."""
    users.add(_store(store), name, role, owner or [], None if no_password else _password())  # type: ignore[arg-type]
    print(f"Added {name}, {role}.")


@users_app.command("password")
def change_password(name: str, store: StoreOption = None) -> None:
    """Set a new password; every session of the user ends."""
    users.change(_store(store), name, password=_password())
    print(f"{name} has a new password; their sessions have ended.")


@users_app.command("slack")
def set_slack_id(
    name: str,
    slack_user_id: Annotated[
        str | None, typer.Argument(help="Their member id in Slack, U0123456789; none takes it away.")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Whose clicks on Radar's buttons in Slack are this user's."""
    users.set_slack_id(_store(store), name, slack_user_id)
    if slack_user_id:
        print(f"What {slack_user_id} clicks in Slack is decided by {name}.")
    else:
        print(f"Nothing that is clicked in Slack is decided by {name}.")


@users_app.command("disable")
def disable_user(name: str, store: StoreOption = None) -> None:
    """Let a user in no more; every session of theirs ends."""
    users.change(_store(store), name, disabled=True)
    print(f"{name} is switched off.")


@users_app.command("enable")
def enable_user(name: str, store: StoreOption = None) -> None:
    """Let a user in again."""
    users.change(_store(store), name, disabled=False)
    print(f"{name} may come in again.")


@users_app.command("list")
def list_users(store: StoreOption = None) -> None:
    """Who may use the panel."""
    for row in _store(store).con.execute(
        "select name, role, owner_ids, is_disabled, password_hash, slack_user_id from users order by name"
    ):
        owners = ", ".join(json.loads(row["owner_ids"]))
        notes = ["switched off"] * row["is_disabled"] + ["no password"] * (row["password_hash"] is None)
        notes += [f"Slack {row['slack_user_id']}"] * (row["slack_user_id"] is not None)
        print("  ".join(part for part in (row["name"], row["role"], owners, *notes) if part))


@users_app.command("token")
def make_token(
    name: str,
    days: Annotated[int, typer.Option(help="For how many days it is valid.")] = 90,
    store: StoreOption = None,
) -> None:
    """Make a token with which a program comes in as this user (radar mcp); it is shown this once."""
    token_id, token, expires_at = tokens.make(_store(store), name, days)
    print(f"Token {token_id} of {name}, valid until {expires_at:%Y-%m-%d %H:%M} UTC:", file=sys.stderr)
    print(token)


@users_app.command("tokens")
def list_tokens(store: StoreOption = None) -> None:
    """Which tokens there are, and until when each is valid."""
    for row in tokens.listed(_store(store)):
        print("  ".join(row))


@users_app.command("revoke-token")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="As radar panel users tokens shows it.")],
    store: StoreOption = None,
) -> None:
    """Let nobody in with this token any more, at once."""
    print(f"The token {token_id} of {tokens.revoke(_store(store), token_id)} is revoked.")


def _make_demo(folder: Path) -> Path:
    """An invented company up to yesterday: the newest day that has ended. Where its published copy is."""
    published = (folder / "published").absolute()
    if (published / COPY_NAME).exists():
        return published
    last = utc_now().date() - timedelta(days=1)
    extracts = folder / "extracts"
    print(f"Making an invented company in {folder}, once ...", flush=True)
    generate(extracts, end=last)
    paths: dict[str, Path | None] = {
        "extracts": extracts,
        "warehouse": folder / "warehouse.duckdb",
        "exports": folder / "exports",
        "published": published,
        "panel_store": folder / "panel.sqlite",
    }
    run_daily(paths, as_of=last.isoformat(), since=(last - timedelta(days=DEMO_DAYS)).isoformat())
    return published


def _store(store: Path | None) -> Store:

    settings = PanelSettings() if store is None else PanelSettings(store=store)
    return Store(settings.store)


def _password() -> str:
    """Asked for twice on a terminal, else the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass("Password: ")
    if first != getpass("Once more: "):
        raise UsageError("these two are not the same", "try again")
    return first
