"""`radar calibrate`: rules proposed from the company's own history."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from radar.cli.options import Published, Seeds, settings_of
from radar.core.errors import UsageError
from radar.core.runs import parse_day
from radar.core.warehouse import readable_os_errors
from radar.measurement.calibrate import Request, calibrate, write
from radar.measurement.proposal_report import text
from radar.publishing.file_set import COPY_NAME
from radar.rules.checks import check
from radar.rules.gathering import gather

MOST_DAYS, MOST_SHARE, MOST_RULES = 3650, 50, 100


def command(  # noqa: PLR0917 the options
    published: Published = None,
    seeds: Seeds = None,
    horizon: Annotated[int, typer.Option(metavar="DAYS", help="Within how many days churn counts.")] = 60,
    share: Annotated[
        int, typer.Option(metavar="PERCENT", help="The worst share of account-weeks that a limit separates.")
    ] = 10,
    train_until: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="Weeks after it judge rules. [two thirds of those known]"),
    ] = None,
    max_rules: Annotated[int, typer.Option(metavar="N", help="Propose no more rules than this.")] = 8,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the rule files with the proposal's rows here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Propose a rule set from the company's own history, and say how it does on later time."""
    for option, value, most in (
        ("--horizon", horizon, MOST_DAYS),
        ("--share", share, MOST_SHARE),
        ("--max-rules", max_rules, MOST_RULES),
    ):
        if not 1 <= value <= most:
            raise UsageError(f"{option} cannot be {value}", f"write a whole number from 1 to {most}")
    request = Request(
        horizon=horizon,
        share=share,
        max_rules=max_rules,
        train_until=parse_day("--train-until", train_until) if train_until else None,
    )
    settings = settings_of(published=published, seeds=seeds)
    published_db = settings.published / COPY_NAME
    if not published_db.exists():
        raise UsageError(
            "nothing has been published yet", "run `radar run` first, or name --published", file=published_db
        )
    if output is not None and output.exists() and not output.is_dir():
        raise UsageError("this is no folder", "name a folder with --output", file=output)
    with tempfile.TemporaryDirectory() as scratch:
        folder = gather(settings.seeds, Path(scratch), settings.panel_store)
        problems = check(folder)
        if problems:
            raise UsageError(
                f"the seeds in use are not sound: {problems[0].what}",
                "`radar rules check` names everything that is wrong",
                file=settings.seeds / problems[0].file,
                row=problems[0].row,
                column=problems[0].column,
            )
        done = calibrate(published_db, folder, request)
        written = output if done.proposal else None
        if written is not None and done.proposal:
            with readable_os_errors(written):
                write(done.proposal, folder, written)
    print(done.json() if as_json else text(done, written))
