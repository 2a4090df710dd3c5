"""The commands `radar audit ...`."""

from __future__ import annotations

from getpass import getuser
from typing import Annotated

import typer

from radar.audit.chain import restart, verify
from radar.cli.options import Warehouse, settings_of

app = typer.Typer(
    help="Who did what: the chained entries of audit.entries.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("verify")
def verify_audit(warehouse: Warehouse = None) -> None:
    """Verify that no entry was changed, removed, exchanged or put in by hand."""
    print(verify(settings_of(warehouse=warehouse).warehouse))


@app.command("restart")
def restart_audit(
    reason: Annotated[str, typer.Option(help="Why; it becomes part of the first entry.")],
    warehouse: Warehouse = None,
) -> None:
    """Go on with a new chain where the old one is broken; the old entries are kept in their own table."""

    print(restart(settings_of(warehouse=warehouse).warehouse, reason, getuser()))
