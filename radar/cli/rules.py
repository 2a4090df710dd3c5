"""The commands `radar rules ...`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from radar.cli.options import Published, Seeds, settings_of
from radar.cli.rule_warnings import warnings
from radar.core.warehouse import readable_os_errors
from radar.publishing.file_set import COPY_NAME
from radar.rules import signals_page
from radar.rules.checks import check
from radar.rules.gathering import gather
from radar.rules.page import page
from radar.rules.seed_tables import Problem

app = typer.Typer(help="The rules that make the score.", no_args_is_help=True, rich_markup_mode=None)


@app.command("check")
def check_rules(seeds: Seeds = None, published: Published = None) -> None:
    """Refuse rules that cannot mean what they say, with file and row; warn where they tell nobody apart."""
    settings = settings_of(seeds=seeds, published=published)
    with tempfile.TemporaryDirectory() as scratch:
        folder = gather(settings.seeds, Path(scratch), settings.panel_store)
        _refuse(check(folder))
        found = warnings(folder, settings.published / COPY_NAME)
    print("The rules are sound.")
    for warning in found:
        print(f"warning: {warning}")


@app.command("docs")
def write_rules_page(
    seeds: Seeds = None,
    output: Annotated[
        Path | None, typer.Option(help="The file to write, such as docs/rules.md. [the screen]")
    ] = None,
) -> None:
    """Write every rule as text: a page in Markdown to link to."""
    _write(page, seeds, output)


@app.command("signals")
def write_signals_page(
    seeds: Seeds = None,
    output: Annotated[
        Path | None, typer.Option(help="The file to write, such as docs/signals.md. [the screen]")
    ] = None,
) -> None:
    """List every signal with its unit, feeds and definition, as a page in Markdown."""
    _write(signals_page.page, seeds, output)


def _write(make: Callable[[Path], str], seeds: Path | None, output: Path | None) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = gather(settings_of(seeds=seeds).seeds, Path(scratch))
        _refuse(check(folder))
        text = make(folder)
    if output is None:
        print(text, end="")
        return
    with readable_os_errors(output):
        output.write_text(text, encoding="utf-8")
    print(f"Wrote {output}.")


def _refuse(problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(f"radar: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(1)
