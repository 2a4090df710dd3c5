"""The command `radar pull`: what vendors and databases have becomes files of the extracts folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from radar.cli.options import settings_of
from radar.core.errors import RadarError, UsageError
from radar.core.settings import SHIPPED_PULLS
from radar.pulls.definitions import chosen, load_definitions
from radar.pulls.pulling import Pulled, pull

FAILED, INCOMPLETE = 1, 3


def command(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VENDOR]...", help="A vendor, or an object: VENDOR/OBJECT. [all with keys]"),
    ] = None,
    extracts: Annotated[
        Path | None, typer.Option(help="Folder of the extracts, as <source>/<feed>/. [var/extracts]")
    ] = None,
) -> None:
    """Fetch what is new from vendors' APIs and databases into the extracts folder."""
    settings = settings_of(extracts=extracts)
    definitions = load_definitions(SHIPPED_PULLS, settings.pull_definitions)
    asked = chosen(definitions, what) if what else [one for one in definitions.values() if not one.missing]
    if not asked:
        names = sorted({one.name for each in definitions.values() for one in each.missing})
        raise UsageError(
            "no vendor can be pulled: no key is set",
            f"set the variables of a vendor (docs/pulls.md says where it shows them): {', '.join(names)}",
        )
    for one in asked:
        one.values()
    failed = 0
    for one in asked:
        try:
            print(text(pull(one, settings.extracts)), flush=True)
        except UsageError:
            raise
        except RadarError as error:
            failed += 1
            print(f"radar: {error}", file=sys.stderr)
    if failed:
        raise typer.Exit(FAILED if failed == len(asked) else INCOMPLETE)


def text(pulled: Pulled) -> str:
    """One line about it."""
    if not pulled.files:
        return f"  {pulled.title:<32}nothing new"
    files = ", ".join(path.name for path in pulled.files[-3:])
    more = "... " if len(pulled.files) > 3 else ""
    if pulled.records is None:
        return f"  {pulled.title:<32}{len(pulled.files):>9,} file(s)  {more}{files}"
    return f"  {pulled.title:<32}{pulled.records:>9,} records  {files}"
