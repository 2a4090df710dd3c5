"""The commands `radar deliveries ...`."""

from __future__ import annotations

from enum import StrEnum
from getpass import getuser
from typing import Annotated

import typer

from radar.cli.options import Warehouse, existing_warehouse
from radar.deliveries.in_doubt import resolve, status

app = typer.Typer(help="What became of alerts, tasks and mails.", no_args_is_help=True, rich_markup_mode=None)


class Found(StrEnum):
    """What a person found at the destination."""

    delivered = "delivered"
    not_delivered = "not-delivered"


@app.command("status")
def show_status(warehouse: Warehouse = None) -> None:
    """Show what was delivered on each channel, and what is in doubt and for a person to look up."""
    counts, in_doubt = status(existing_warehouse(warehouse))
    if not counts:
        print("Nothing has been delivered yet.")
    for channel, states in counts.items():
        listed = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in states.items())
        print(f"{channel:<10}{listed}")
    for message in in_doubt:
        accounts = ", ".join(message.accounts[:3]) + (" and others" if len(message.accounts) > 3 else "")
        at = f"{message.since:%Y-%m-%d %H:%M} UTC"
        print(f"in doubt: {message.message_key}")
        print(f"  {', '.join(message.kinds)} of {accounts}, sent to {message.carrier} at {at}")
        if message.error:
            print(f"  {message.error}")


@app.command("settle")
def resolve_in_doubt(
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="As `radar deliveries status` names it.")],
    found: Annotated[Found, typer.Option("--as", help="What the destination shows.")],
    reason: Annotated[str, typer.Option(help="Where you looked; it becomes part of the audit.")],
    warehouse: Warehouse = None,
) -> None:
    """Record what became of a message in doubt, once; what was not delivered goes again with the next run."""

    was_delivered = found is Found.delivered
    count = resolve(
        existing_warehouse(warehouse), message, was_delivered=was_delivered, by=getuser(), reason=reason
    )
    print(f"{message}: {count:,} {'delivered' if was_delivered else 'to go again with the next run'}")
