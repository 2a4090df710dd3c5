"""The commands `radar sync ...`."""

from __future__ import annotations

import tempfile
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from radar.cli.options import Profile, Seeds, Warehouse, existing_warehouse, settings_of
from radar.core.errors import UsageError
from radar.exports.guards import guards_of
from radar.exports.profiles import used_profiles
from radar.exports.report import preview_text, status_text
from radar.exports.sync import acknowledge, dismiss, status
from radar.exports.writer import preview
from radar.rules.gathering import gather

app = typer.Typer(
    help="What became of the files for other systems.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("status")
def sync_status(warehouse: Warehouse = None) -> None:
    """Show the state of each destination: what it took, what waits, what failed."""
    print(status_text(*status(existing_warehouse(warehouse))))


@app.command("preview")
def sync_preview(profile: Profile = None, seeds: Seeds = None, warehouse: Warehouse = None) -> None:
    """Say what an export would write now, with its first rows; writes nothing."""
    settings = settings_of(seeds=seeds, warehouse=warehouse)
    file = existing_warehouse(warehouse)
    print(
        preview_text(
            preview(file, profiles=[profile] if profile else _used(settings.seeds), guards=guards_of(file))
        )
    )


@app.command("ack")
def sync_ack(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, its beginning, or last.")],
    profile: Profile = None,
    result: Annotated[
        list[Path] | None, typer.Option(help="A result file of the CRM's; may be given more than once.")
    ] = None,
    not_imported: Annotated[
        bool, typer.Option("--not-imported", help="Nothing of it was imported: all of it goes again.")
    ] = False,
    warehouse: Warehouse = None,
) -> None:
    """Acknowledge that a run's files were imported; rows that a result file refuses go again."""

    if result and not_imported:
        raise UsageError("--result and --not-imported contradict each other", "give one of them")
    for done in acknowledge(
        existing_warehouse(warehouse),
        run,
        by=getuser(),
        profile=profile,
        results=result or [],
        was_imported=not not_imported,
    ):
        print(
            f"{done.profile}, run {done.run_id}: {done.acknowledged:,} rows acknowledged, "
            f"{done.failed:,} go again"
        )


@app.command("give-up")
def sync_give_up(
    profile: Annotated[str, typer.Argument(metavar="PROFILE")],
    keys: Annotated[list[str], typer.Argument(metavar="KEY...")],
    reason: Annotated[str, typer.Option(help="Why.")],
    undo: Annotated[bool, typer.Option("--undo", help="Send them again.")] = False,
    warehouse: Warehouse = None,
) -> None:
    """Send rows that a destination refuses no more."""

    count = dismiss(existing_warehouse(warehouse), profile, keys, by=getuser(), reason=reason, undo=undo)
    print(f"{profile}: {count:,} rows {'go again' if undo else 'given up'}")


def _used(seeds: Path) -> list[str]:

    with tempfile.TemporaryDirectory() as scratch:
        return [profile.name for profile in used_profiles(gather(seeds, Path(scratch)))]
