"""`radar whatif`: what other rules would change, for the review of a change of rules."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from radar.cli.options import Published, Seeds, settings_of
from radar.core.errors import UsageError
from radar.core.warehouse import readable_os_errors
from radar.measurement.rule_rows import typed_rows
from radar.measurement.whatif import Candidate, what_if
from radar.measurement.whatif_report import markdown, page
from radar.publishing.file_set import COPY_NAME
from radar.rules.checks import check
from radar.rules.gathering import gather

MOST_DAYS = 3650
GATE_FAILED = 1


def command(  # noqa: PLR0917 the options
    rules: Annotated[
        str,
        typer.Argument(
            metavar="DIR|RULE_SET",
            help="A folder of seeds, or a rule set that is scored.",
            show_default=False,
        ),
    ],
    published: Published = None,
    seeds: Seeds = None,
    rule_set: Annotated[
        str | None, typer.Option(help="Which rule set of the folder. [its champion rule set]")
    ] = None,
    horizon: Annotated[int, typer.Option(metavar="DAYS", help="Within how many days churn counts.")] = 60,
    markdown_to: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write Markdown here. [the screen]")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one page of HTML here.")] = None,
) -> None:
    """Say what other rules would change, and end with 1 where a gate fails."""
    if not 1 <= horizon <= MOST_DAYS:
        raise UsageError(f"--horizon cannot be {horizon}", f"write a whole number from 1 to {MOST_DAYS}")
    settings = settings_of(published=published, seeds=seeds)
    published_db = settings.published / COPY_NAME
    if not published_db.exists():
        raise UsageError(
            "nothing has been published yet", "run `radar run` first, or name --published", file=published_db
        )
    with tempfile.TemporaryDirectory() as scratch:
        in_use = _sound(settings.seeds, Path(scratch, "in_use"), settings.panel_store)
        candidate = Candidate(rules)
        if Path(rules).is_dir():
            asked = _sound(Path(rules), Path(scratch, "asked"))
            candidate = Candidate(_chosen(asked, rule_set, Path(rules)), asked)
        done = what_if(published_db, candidate, in_use / "settings.csv", horizon)
    for file, content in ((markdown_to, markdown), (html, page)):
        if file is not None:
            with readable_os_errors(file):
                file.write_text(content(done), encoding="utf-8")
    if markdown_to is None and html is None:
        print(markdown(done))
    if done.failed:
        raise typer.Exit(GATE_FAILED)


def _sound(seeds: Path | None, target: Path, store: Path | None = None) -> Path:
    """The whole folder of seeds. Raises UsageError where something in it is wrong."""
    folder = gather(seeds, target, store)
    for problem in check(folder):
        raise UsageError(
            f"the seeds are not sound: {problem.what}",
            "`radar rules check` names everything that is wrong",
            file=(seeds or folder) / problem.file,
            row=problem.row,
            column=problem.column,
        )
    return folder


def _chosen(folder: Path, rule_set: str | None, named: Path) -> str:
    """The rule set of the folder that is asked about."""
    rows = typed_rows(folder, "rule_sets")
    names = {row["rule_set"]: row for row in rows}
    ruled = {row["rule_set"] for row in typed_rows(folder, "rules")}
    name = rule_set or next(str(row["rule_set"]) for row in rows if row["status"] == "champion")
    if name not in names or name not in ruled:
        raise UsageError(
            f"the folder has no rules of a rule set '{name}'",
            f"name one of {', '.join(sorted(names.keys() & ruled))} with --rule-set",
            file=named,
        )
    return name
