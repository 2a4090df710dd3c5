"""`radar init DIR --from FILES`: from a folder of exports to a company's folder and its first scored day."""

from __future__ import annotations

import csv
import secrets
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from radar.cli.run_daily import run_daily
from radar.core.errors import InputError, UsageError
from radar.core.plural import counted
from radar.core.runs import utc_now
from radar.core.settings import Settings
from radar.core.terminal import inert, inert_value
from radar.core.warehouse import readable_os_errors
from radar.landing.feeds import ACCOUNTS
from radar.landing.sources_check import FolderCheck, scratch_landing
from radar.onboarding.company_folder import CONFIRM, EXTRACTS, SEEDS, copy_extracts, require_new, write
from radar.onboarding.recognition import Recognised, recognise
from radar.onboarding.words import QUESTIONS, Seed, first_day, propose

MOST_GUESSES, MOST_LETTERS = 12, 60


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder for the company.")],
    files: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="A folder with the files that you have.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    no_run: Annotated[bool, typer.Option("--no-run", help="Write the folder, and score no day.")] = False,
) -> None:
    """Set up a company from its files: recognise them, guess what their words mean, score a first day."""
    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    company = folder.expanduser().absolute()
    source = _source(files, asks=asks)
    require_new(company)
    if company.resolve().is_relative_to(source.resolve()):
        raise UsageError("it is in the folder of the files", "name a folder elsewhere", file=company)
    found = recognise(source)
    if asks:
        found = [_asked(one) for one in found]
    draft = company.with_name(f".{company.name}-{secrets.token_hex(4)}")  # named before it can be interrupted
    try:
        print("\n".join(_files(found)))
        with readable_os_errors(company):
            company.parent.mkdir(parents=True, exist_ok=True)
            draft.mkdir(mode=0o700)
        copy_extracts(found, draft / EXTRACTS)
        with scratch_landing(draft / EXTRACTS, Settings().shipped_seeds) as landed:
            check = landed.checked()
            print("\n".join(_landed(check)))
            _require_accounts(check, source)
            is_unended = any(load.is_unended for _, _, load in landed.loads)
            seeds = propose(landed.con, has_unended_files=is_unended)
            day = first_day(landed.con, utc_now().date())
        print("\n".join(_guessed(seeds)))
        if asks:
            _correct(seeds)
            if not typer.confirm(f"\nWrite this to {company}?", default=True):
                raise typer.Abort
        write(draft, company, seeds, [one for one in found if not one.folder])
        draft.chmod(0o750)
        with readable_os_errors(company):
            draft.replace(company)
    except (typer.Abort, KeyboardInterrupt):
        print("\nNothing was written.")
        raise typer.Exit(1) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    print(f"\nWritten to {company}; what was guessed is in {CONFIRM}, to be confirmed.")
    status = 0 if no_run else _first_run(company, str(day))
    print("\n".join(_next(company, str(day), was_run=not no_run)))
    raise typer.Exit(status)


def _source(files: Path | None, *, asks: bool) -> Path:
    while files is None and asks:
        typed = str(typer.prompt("Which folder has the files that you have?")).strip()
        files = Path(typed.strip("'\"")).expanduser()  # quoted where a terminal wrote the name
        if not files.is_dir():
            print(f"  {inert_value(files)}: there is no such folder; Ctrl-C ends this")
            files = None
    if files is None:
        raise UsageError("no files are named", "add --from and the folder that has your exports")
    if not files.is_dir():
        raise UsageError("there is no such folder", "name the folder that has your exports", file=files)
    return files.absolute()


def _asked(one: Recognised) -> Recognised:
    """The file, with what its owner says that it is where several things fit."""
    if not one.choices:
        return one
    options = ", ".join(f"{number} {folder}" for number, folder in enumerate(one.choices, start=1))
    while True:
        chosen = typer.prompt(f"{inert_value(one.name)} is: {options}, 0 leave it out", default=0, type=int)
        if 0 <= chosen <= len(one.choices):
            return replace(one, folder=one.choices[chosen - 1]) if chosen else one
        print(f"  {chosen} is none of them")


def _correct(seeds: Sequence[Seed]) -> None:
    """Ask about the guesses that scores depend on most."""
    if any(seed.name in QUESTIONS for seed in seeds):
        print("\nRight? Enter keeps what is in brackets; else type the names, with commas between, or none")
    for seed in seeds:
        for title, column in QUESTIONS.get(seed.name, ()):
            names = _asked_names(title, seed.marked(column), seed.words)
            if names is not None:
                seed.mark(column, names)


def _asked_names(title: str, guessed: Sequence[str], words: Sequence[str]) -> list[str] | None:
    """The names that somebody types, None where they keep the guess."""
    shown = inert_value(", ".join(guessed) or "none")
    folded = {word.strip().lower(): word for word in words}
    while typed := str(typer.prompt(f"  {title} [{shown}]", default="", show_default=False)).strip():
        if typed.lower() == "none":
            return []
        names = [name.strip() for row in csv.reader([typed], skipinitialspace=True) for name in row]
        unknown = [name for name in names if name.lower() not in folded]
        if not unknown:
            return [folded[name.lower()] for name in names]
        near = get_close_matches(unknown[0].lower(), folded, n=3, cutoff=0.5) or [*folded][:MOST_GUESSES]
        shown_near = inert_value(", ".join(folded[name] for name in near))
        print(f"    {inert_value(unknown[0])} is not in the files; there are {shown_near}")
    return None


def _files(found: Sequence[Recognised]) -> Iterator[str]:
    yield "Files"
    if not found:
        yield "  none"
    for one in found:
        yield f"  {inert_value(one.name):<44} {one.folder or 'not taken: ' + inert_value(one.reason)}"
    if any(one.choices and not one.folder for one in found):
        yield "  Where several fit, put the file into a folder <vendor>/<object>/ there, and begin again."


def _landed(check: FolderCheck) -> Iterator[str]:
    yield "\nRows"
    for one in check.files:
        joined = (
            f", {one.account_ids_joined:,} of {counted(one.account_ids, 'account')} known"
            if one.account_ids
            else ""
        )
        yield f"  {one.file:<44} {one.feed}: {counted(one.rows, 'row')}, {one.rows_refused:,} refused{joined}"
        if one.message:
            lines = inert(one.message).splitlines()  # the second one says what to do
            yield "\n".join([f"    {one.status}: {lines[0]}", *(f"    {line}" for line in lines[1:])])


def _shortened(word: str) -> str:
    """A word of the files as a line shows it: names of events may be pages long."""
    return word if len(word) <= MOST_LETTERS else f"{word[: MOST_LETTERS - 1]}…"


def _require_accounts(check: FolderCheck, source: Path) -> None:
    if not check.has_accounts:
        raise InputError(
            f"no file of accounts was found ({ACCOUNTS}), and nothing works without it; nothing was written",
            "add the companies of your CRM, such as HubSpot's companies or Salesforce's accounts, or a file "
            "accounts.csv with account_id, name and created_at; `radar sources list` says what is recognised",
            file=source,
        )


def _guessed(seeds: Sequence[Seed]) -> Iterator[str]:
    yield "\nGuessed, to be confirmed"
    for seed in seeds:
        used = [one for one in seed.guesses if one.found != "nothing"]
        yield f"  {SEEDS}/{seed.name}"
        for guess in used[:MOST_GUESSES]:
            yield f"    {_shortened(inert_value(guess.word)):<32} {guess.found}: {guess.meaning}"
        if len(used) > MOST_GUESSES:
            yield f"    and {len(used) - MOST_GUESSES:,} more"


def _first_run(company: Path, day: str) -> int:
    print(f"\nFirst day, {day}")
    return run_daily(_paths(company), as_of=day, since=None)


def _paths(company: Path) -> dict[str, Path | None]:
    return {
        "extracts": company / EXTRACTS,
        "seeds": company / SEEDS,
        "warehouse": company / "warehouse.duckdb",
        "exports": company / "exports",
        "published": company / "published",
    }


def _next(company: Path, day: str, *, was_run: bool) -> Iterator[str]:
    options = shlex.join(f"--{name}={path}" for name, path in _paths(company).items())
    settings = shlex.quote(str(company / ".env"))
    yield "\nNext"
    yield f"  look at {company / CONFIRM}, and correct what was guessed in {company / SEEDS}"
    yield f"  radar run {options} --as-of {day}{'' if was_run else '   # the first day'}"
    yield f"  cp {settings}.example {settings}; set -a; . {settings}; set +a   # paths and secrets"
    yield "  radar panel users add ada --role lead; radar panel   # on http://127.0.0.1:8080"
    yield f"  every day: {company / 'systemd'} or {company / 'compose.yaml'} (docs/operating.md)"
