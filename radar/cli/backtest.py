"""`radar backtest`: whether the recorded scores foresaw what customers did."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from radar.cli.options import Published, settings_of
from radar.core.errors import UsageError
from radar.core.runs import parse_day
from radar.measurement.backtest import SLICES, Question, backtest
from radar.measurement.page import page
from radar.measurement.report import text
from radar.publishing.file_set import COPY_NAME

MOST_DAYS = 3650


def command(  # noqa: PLR0917 the options
    published: Published = None,
    rule_set: Annotated[
        str | None,
        typer.Option(help="One rule set alone: a shadow, or one that recorded dates. [as recorded]"),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Leave scores of earlier dates out.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Leave scores of later dates out.")
    ] = None,
    horizon: Annotated[
        str, typer.Option(metavar="DAYS,...", help="Within how many days an outcome counts.")
    ] = "30,60,90",
    by: Annotated[str | None, typer.Option(help=f"Also apart by {', '.join(SLICES)}.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write one page, with charts, to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say how often the scores were right: what customers did after they were scored."""
    published_db = settings_of(published=published).published / COPY_NAME
    if not published_db.exists():
        raise UsageError(
            "nothing has been published yet", "run `radar run` first, or name --published", file=published_db
        )
    question = Question(
        rule_set=rule_set,
        since=_day("--since", since),
        until=_day("--until", until),
        horizons=_horizons(horizon),
        by=by,
    )
    if by is not None and by not in SLICES:
        raise UsageError(f"--by cannot be '{by}'", f"name one of {', '.join(SLICES)}")
    if question.since and question.until and question.since > question.until:
        raise UsageError("--since is after --until", "name them the other way round")
    done = backtest(published_db, question)
    if html is not None:
        html.write_text(page(done), encoding="utf-8")
    print(done.json() if as_json else text(done))


def _day(option: str, value: str | None) -> date | None:
    return parse_day(option, value) if value else None


def _horizons(value: str) -> tuple[int, ...]:
    try:
        days = tuple(dict.fromkeys(int(part) for part in value.split(",")))
    except ValueError:
        days = ()
    if not days or not all(1 <= number <= MOST_DAYS for number in days):
        raise UsageError(
            f"--horizon '{value}' is no list of days", f"write days between 1 and {MOST_DAYS}: 30,60,90"
        )
    return days
