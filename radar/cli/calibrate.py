"""`radar calibrate`: rules proposed from the company's own history."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from radar import DISTRIBUTION
from radar.cli.options import Published, Seeds, settings_of
from radar.core.errors import UsageError
from radar.core.runs import parse_day
from radar.core.warehouse import readable_os_errors
from radar.measurement import model, model_report
from radar.measurement.calibrate import Request, calibrate, write
from radar.measurement.proposal_report import text
from radar.publishing.file_set import COPY_NAME
from radar.rules.checks import check
from radar.rules.gathering import gather

MOST_DAYS, MOST_SHARE, MOST_RULES = 3650, 50, 100
SHARE, RULES = 10, 8


def command(  # noqa: PLR0917 the options
    published: Published = None,
    seeds: Seeds = None,
    horizon: Annotated[int, typer.Option(metavar="DAYS", help="Within how many days churn counts.")] = 60,
    share: Annotated[
        int, typer.Option(metavar="PERCENT", help="The worst share of account-weeks that a limit separates.")
    ] = SHARE,
    train_until: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="Weeks after it judge rules. [two thirds of those known]"),
    ] = None,
    max_rules: Annotated[int, typer.Option(metavar="N", help="Propose no more rules than this.")] = RULES,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the rule files with the proposal's rows here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    with_model: Annotated[
        bool, typer.Option("--model", help="Fit a risk model instead, to be shown next to the rules.")
    ] = False,
) -> None:
    """Propose a rule set from the company's own history, and say how it does on later time."""
    for option, value, most in (
        ("--horizon", horizon, MOST_DAYS),
        ("--share", share, MOST_SHARE),
        ("--max-rules", max_rules, MOST_RULES),
    ):
        if not 1 <= value <= most:
            raise UsageError(f"{option} cannot be {value}", f"write a whole number from 1 to {most}")
    if with_model:
        _require_model_options(share=share, max_rules=max_rules)
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
        if with_model:
            print(_model(published_db, folder, request, output, as_json=as_json))
            return
        done = calibrate(published_db, folder, request)
        written = output if done.proposal else None
        if written is not None and done.proposal:
            with readable_os_errors(written):
                write(done.proposal, folder, written)
    print(done.json() if as_json else text(done, written))


def _require_model_options(*, share: int, max_rules: int) -> None:
    missing = [name for name in ("sklearn", "lifelines") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"--model needs packages that are not installed: {', '.join(missing)}",
            f"pip install '{DISTRIBUTION}[calibrate]'",
        )
    for option, value, default in (("--share", share, SHARE), ("--max-rules", max_rules, RULES)):
        if value != default:
            raise UsageError(f"{option} is about rules, and --model proposes none", f"leave {option} out")


def _model(published_db: Path, seeds: Path, request: Request, output: Path | None, *, as_json: bool) -> str:
    done = model.shadow(published_db, seeds, request)
    written = output if done.fit else None
    if written is not None:
        with readable_os_errors(written):
            model.write(done, written)
    return done.json() if as_json else model_report.text(done, written)
