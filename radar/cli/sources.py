"""The commands `radar sources ...`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from radar.cli.options import Seeds, settings_of
from radar.core.errors import UsageError
from radar.landing.adapters import Adapter, load_adapters, nearest_names, vendors
from radar.landing.sources_check import FileCheck, FolderCheck, check_folder
from radar.landing.tables import load_tables

app = typer.Typer(
    help="What vendors export, and how it is read.", no_args_is_help=True, rich_markup_mode=None
)
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def list_sources(
    vendor: Annotated[str | None, typer.Argument(help="One vendor, with its columns. [all]")] = None,
    as_json: AsJson = False,
) -> None:
    """List the vendors and objects that are recognised, and the feeds that they become."""
    if vendor and vendor not in vendors():
        raise UsageError(
            f"no vendor is called {vendor}",
            f"the nearest are {nearest_names(vendor, list(vendors()))}; docs/sources.md says how to add one",
        )
    chosen = {
        folder: adapters
        for folder, adapters in load_adapters().items()
        if vendor is None or adapters[0].object.vendor == vendor
    }
    if as_json:
        print(json.dumps([_described(folder, adapters) for folder, adapters in chosen.items()], indent=2))
        return
    for folder, adapters in chosen.items():
        feeds = ", ".join(dict.fromkeys(adapter.feed for adapter in adapters))
        print(f"{folder:<34}-> {feeds}")
        if vendor:
            found = adapters[0].object
            print(f"  {found.description}\n  get it     {found.export or found.reference}")
            print(f"  needs      {', '.join(column.title for column in found.required)}")
            others = [column.title for column in found.columns if not column.required]
            print(f"  reads too  {', '.join(others)}\n  meanings   {found.reference}")
    if not vendor:
        print(
            "\nPut files into <extracts>/<vendor>/<object>/. `radar sources list VENDOR` says what they need."
        )


@app.command("check")
def check_sources(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A folder of extracts; nothing is landed.")
    ] = None,
    seeds: Seeds = None,
    tables: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read the relations too that this tables.yml names.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read a folder of extracts without landing it: what is recognised, read, missing, bad, and joins."""
    if not folder and not tables:
        raise UsageError("there is nothing to check", "name a folder of extracts, or --tables FILE, or both")
    relations = load_tables(tables, is_required=True) if tables else ()
    found = check_folder(folder, settings_of(seeds=seeds).seeds, relations)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        print("\n".join(_lines(found)))
    if not found.is_sound:
        raise typer.Exit(1)


def _described(folder: str, adapters: tuple[Adapter, ...]) -> dict[str, Any]:
    found = adapters[0].object
    return {
        "folder": folder,
        "feeds": [adapter.feed for adapter in adapters],
        "description": found.description,
        "reference": found.reference,
        "export": found.export,
        "required": [column.title for column in found.required],
        "optional": [column.title for column in found.columns if not column.required],
    }


def _lines(found: FolderCheck) -> Iterator[str]:
    for one in found.files:
        yield from _file_lines(one)
        yield ""
    for notice in found.notices:
        yield f"not read: {notice}"
    if found.files and not found.has_accounts:
        yield "There are no accounts (crm/accounts) in it: whether account ids join is not known."
    sound = sum(one.is_sound for one in found.files)
    yield f"{sound:,} of {len(found.files):,} readings land whole."


def _file_lines(one: FileCheck) -> Iterator[str]:
    adapter = f", read as {one.read_as}" if one.read_as != one.feed else ""
    yield f"{one.file} -> {one.feed}{adapter}"
    if one.message:
        yield f"  {one.status}: {one.message}"
    if one.rows or one.records:
        left_out = f", {one.left_out:,} left out by the adapter" if one.left_out else ""
        yield (
            f"  rows       {one.rows:,} of {one.records:,} records{left_out}; {one.rows_refused:,} refused, "
            f"{one.values_left_out:,} values left out"
        )
    read = [name if name == there else f"{there} as {name}" for name, there in one.columns.items() if there]
    missing = [name for name, there in one.columns.items() if not there]
    for title, some in (
        ("read", read),
        ("not in it", missing),
        ("ignored", one.ignored),
        ("unknown", one.unknown),
    ):
        if some:
            yield f"  {title:<11}{', '.join(some)}"
    for bad in one.first_bad:
        value = f" ({bad.value})" if bad.value else ""
        cost = "row" if bad.costs_row else "value"
        yield f"  bad {cost:<7}row {bad.row:,}, column {bad.column or '-'}{value}: {bad.message}"
    if one.account_ids is not None:
        unknown = f"; not known: {', '.join(one.account_ids_unknown)}" if one.account_ids_unknown else ""
        yield f"  accounts   {one.account_ids_joined:,} of {one.account_ids:,} ids join{unknown}"
    if one.account_ids_lookalike:
        yield (
            f"  look alike {', '.join(one.account_ids_lookalike)}: an id lost its zeros, or got .0, in one of"
            " the two systems? What to do: send both as text"
        )
