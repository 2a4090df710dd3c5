"""The command `radar`. Options in, exit status out: 0 done, 1 failed, 2 wrong usage, 3 done but a feed held.

Every command imports what it needs when it is called, so that `radar --help` answers at once.
"""

# ruff: noqa: PLC0415 see above

from __future__ import annotations

import errno
import gc
import os
import shlex
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from radar import __version__
from radar.deliveries_cli import app as deliveries_app
from radar.errors import RadarError, UsageError
from radar.file_rights import restrict
from radar.masking import masked
from radar.panel_cli import app as panel_app
from radar.terminal import guard_output, inert, inert_value

if TYPE_CHECKING:
    from radar.rules import Problem
    from radar.settings import Settings

NEEDS_A_LOOK = 3
"""The exit status of what is done, but leaves something for a person to look at."""

app = typer.Typer(
    help="Scores the health of customers from what their systems already know.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
rules_app = typer.Typer(help="The rules that make the score.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(rules_app, name="rules")
audit_app = typer.Typer(
    help="Who did what: the chained entries of audit.entries.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(audit_app, name="audit")
app.add_typer(panel_app, name="panel")

sync_app = typer.Typer(
    help="What became of the files for other systems.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(sync_app, name="sync")
app.add_typer(deliveries_app, name="deliveries")


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"radar {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which version.")
    ] = False,
) -> None:
    """Scores the health of customers from what their systems already know."""


_Seeds = Annotated[Path | None, typer.Option(help="Folder whose files replace those of seeds/ one by one.")]
_Warehouse = Annotated[
    Path | None, typer.Option(help="The DuckDB file that holds everything. [var/warehouse.duckdb]")
]
_Profile = Annotated[str | None, typer.Option(help="One destination, by the name of its profile. [all]")]
_Exports = Annotated[
    Path | None, typer.Option(help="Folder for the files that other systems import. [var/exports]")
]
_Published = Annotated[
    Path | None, typer.Option(help="Folder of the copy that readers open. [var/published]")
]


def main() -> NoReturn:
    """Run the command line. A user's mistake ends in a message, never in a stack trace."""
    # Libraries and dbt's manifest are some million objects that stay: looking for cycles among them again and
    # again takes a quarter of the time until the first file is read.
    gc.set_threshold(50_000, 20, 20)
    guard_output()
    status = _status()
    gc.freeze()  # so that the interpreter does not look for cycles once more as it ends, a second or two
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # a reader that has seen enough; the interpreter flushes again as it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def _status() -> int:
    try:
        restrict()
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except RadarError as error:
        print(f"radar: {error}", file=sys.stderr)
        return error.exit_status
    except OSError as error:
        print(f"radar: {_system_refusal(error)}", file=sys.stderr)
        return 1
    except Exception as error:
        print(f"radar: {_unexpected(error)}", file=sys.stderr)
        return 1
    return 0


@app.command()
def run(  # noqa: PLR0917 the options
    extracts: Annotated[
        Path | None, typer.Option(help="Folder of the extracts, as <source>/<feed>/. [var/extracts]")
    ] = None,
    seeds: _Seeds = None,
    warehouse: _Warehouse = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day to score. [today in UTC]")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Score every day from this one to --as-of.")
    ] = None,
    exports: _Exports = None,
    published: _Published = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write no files for other systems; say what they would hold.")
    ] = False,
    allow_flood: Annotated[
        bool, typer.Option("--allow-flood", help="Export also where very many accounts change their bucket.")
    ] = False,
    force_day: Annotated[
        bool,
        typer.Option(
            "--force-day", help="Score a day ahead of today, or far beyond the newest facts, all the same."
        ),
    ] = False,
) -> None:
    """Land, check, build, score, publish and export, once."""
    from orchestration.command import run_daily

    places = {
        "extracts": extracts,
        "seeds": seeds,
        "warehouse": warehouse,
        "exports": exports,
        "published": published,
    }
    raise typer.Exit(
        run_daily(
            places,
            as_of=as_of,
            since=since,
            dry_run=dry_run,
            allow_flood=allow_flood,
            force_day=force_day,
        )
    )


@app.command("forget-day")
def forget_day(
    day: Annotated[str, typer.Argument(metavar="DAY", help="The newest recorded day, as YYYY-MM-DD.")],
    since: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Take back every day from this one to it.")
    ] = None,
    warehouse: _Warehouse = None,
    exports: _Exports = None,
) -> None:
    """Take a recorded day back, as if it had never been scored; what was delivered is named."""
    from orchestration.forgetting import forget_day as take_back
    from radar.runs import parse_day

    settings = _settings(warehouse=warehouse, exports=exports)
    first = parse_day("--since", since) if since else None
    done = take_back(existing_warehouse(warehouse), parse_day("the day", day), since=first)
    print(done.text(settings.exports))
    raise typer.Exit(NEEDS_A_LOOK if done.delivered else 0)


@app.command()
def restore(
    delivered_until: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="The last day whose deliveries and files went out.")
    ],
    reason: Annotated[str, typer.Option(help="What happened; it becomes part of the audit.")],
    warehouse: _Warehouse = None,
    exports: Annotated[
        Path | None, typer.Option(help="Folder for the files that other systems import. [var/exports]")
    ] = None,
    published: _Published = None,
) -> None:
    """After a backup was put back: say until which day what went out counts as delivered."""
    from getpass import getuser

    from actions.restoring import restore as restore_warehouse
    from radar.runs import parse_day

    until = parse_day("--delivered-until", delivered_until)
    place = existing_warehouse(warehouse)
    settings = _settings(warehouse=warehouse, exports=exports, published=published)
    done = restore_warehouse(
        place, settings.exports, settings.published, until=until, by=getuser(), reason=reason
    )
    print(
        f"{done.runs:,} run(s) decided: {done.deliveries:,} deliveries and {done.sets:,} sets of files until "
        f"{until} count as given."
    )


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder for the extracts.")],
    accounts: Annotated[int, typer.Option(help="Customers, 1 to 100,000.")] = 400,
    days: Annotated[int, typer.Option(help="Days of history, 1 to 1,000.")] = 365,
    seed: Annotated[int, typer.Option(help="Another number gives another company.")] = 1,
    end: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day with facts. [yesterday in UTC]")
    ] = None,
) -> None:
    """Write the extracts of an invented company: the same bytes for the same arguments, --end among them."""
    from datetime import timedelta

    from radar.demo import generate
    from radar.runs import parse_day, utc_now

    last = parse_day("--end", end) if end else utc_now().date() - timedelta(days=1)
    rows = generate(folder, accounts=accounts, days=days, seed=seed, end=last)
    for feed, count in rows.items():
        print(f"  {feed:<24}{count:>13,} rows")
    print(f"\nNext: {shlex.join(['radar', 'run', '--extracts', str(folder), '--as-of', str(last)])}")


@app.command()
def explain(
    account: Annotated[
        str,
        typer.Argument(metavar="ACCOUNT_ID", help="Its id, or its name where one account alone has it."),
    ],
    as_of: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day to explain. [the newest]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    published: _Published = None,
) -> None:
    """Say why an account has its score: points, what is unknown, the trend, what to do next."""
    from radar.explain import explain as explain_account
    from radar.publishing import COPY_NAME
    from radar.runs import parse_day

    copy = _settings(published=published).published / COPY_NAME
    if not copy.exists():
        raise UsageError(
            "nothing has been published yet", "run `radar run` first, or name --published", file=copy
        )
    explanation = explain_account(copy, account, parse_day("--as-of", as_of) if as_of else None)
    print(explanation.json() if as_json else explanation.text())


@rules_app.command("check")
def check_rules(seeds: _Seeds = None) -> None:
    """Refuse rules that cannot mean what they say, with file and row."""
    from radar.rules import check, gather

    with tempfile.TemporaryDirectory() as scratch:
        _refuse(check(gather(_settings(seeds=seeds).seeds, Path(scratch))))
    print("The rules are sound.")


@rules_app.command("docs")
def write_rules_page(
    seeds: _Seeds = None,
    output: Annotated[
        Path | None, typer.Option(help="The file to write, such as docs/rules.md. [the screen]")
    ] = None,
) -> None:
    """Say every rule in words, as a page in Markdown to link to."""
    from radar.rules import check, gather
    from radar.rules_page import page
    from radar.warehouse import readable_os_errors

    with tempfile.TemporaryDirectory() as scratch:
        folder = gather(_settings(seeds=seeds).seeds, Path(scratch))
        _refuse(check(folder))
        text = page(folder)
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


@audit_app.command("verify")
def verify_audit(warehouse: _Warehouse = None) -> None:
    """Verify that no entry was changed, removed, exchanged or put in by hand."""
    from radar.chain import verify

    print(verify(_settings(warehouse=warehouse).warehouse))


@audit_app.command("restart")
def restart_audit(
    reason: Annotated[str, typer.Option(help="Why; it becomes part of the first entry.")],
    warehouse: _Warehouse = None,
) -> None:
    """Go on with a new chain where the old one is broken; the old entries are kept beside it."""
    from getpass import getuser

    from radar.chain import restart

    print(restart(_settings(warehouse=warehouse).warehouse, reason, getuser()))


@sync_app.command("status")
def sync_status(warehouse: _Warehouse = None) -> None:
    """Say where each destination stands: what it took, what waits, what failed."""
    from exports.report import status_text
    from exports.sync import status

    print(status_text(*status(existing_warehouse(warehouse))))


@sync_app.command("preview")
def sync_preview(profile: _Profile = None, seeds: _Seeds = None, warehouse: _Warehouse = None) -> None:
    """Say what an export would write now, with its first rows; writes nothing."""
    from exports.guards import guards_of
    from exports.report import preview_text
    from exports.writer import preview

    settings = _settings(seeds=seeds, warehouse=warehouse)
    place = existing_warehouse(warehouse)
    print(
        preview_text(
            preview(place, profiles=[profile] if profile else _used(settings.seeds), guards=guards_of(place))
        )
    )


@sync_app.command("ack")
def sync_ack(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, its beginning, or last.")],
    profile: _Profile = None,
    result: Annotated[
        list[Path] | None, typer.Option(help="A result file of the CRM's; may be given more than once.")
    ] = None,
    not_imported: Annotated[
        bool, typer.Option("--not-imported", help="Nothing of it was imported: all of it goes again.")
    ] = False,
    warehouse: _Warehouse = None,
) -> None:
    """Acknowledge that a run's files were imported; rows that a result file refuses go again."""
    from getpass import getuser

    from exports.sync import acknowledge

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


@sync_app.command("give-up")
def sync_give_up(
    profile: Annotated[str, typer.Argument(metavar="PROFILE")],
    keys: Annotated[list[str], typer.Argument(metavar="KEY...")],
    reason: Annotated[str, typer.Option(help="Why.")],
    undo: Annotated[bool, typer.Option("--undo", help="Send them again.")] = False,
    warehouse: _Warehouse = None,
) -> None:
    """Send rows that a destination refuses no more."""
    from getpass import getuser

    from exports.sync import give_up

    count = give_up(existing_warehouse(warehouse), profile, keys, by=getuser(), reason=reason, undo=undo)
    print(f"{profile}: {count:,} rows {'go again' if undo else 'given up'}")


def _used(seeds: Path) -> list[str]:
    from exports.profiles import used_profiles
    from radar.rules import gather

    with tempfile.TemporaryDirectory() as scratch:
        return [profile.name for profile in used_profiles(gather(seeds, Path(scratch)))]


def existing_warehouse(warehouse: Path | None) -> Path:
    """The warehouse in use. Raises UsageError where there is none."""
    path = _settings(warehouse=warehouse).warehouse
    if not path.exists():
        raise UsageError("there is no warehouse yet", "run `radar run` first, or name --warehouse", file=path)
    return path


def _settings(**places: Path | None) -> Settings:
    from radar.settings import Settings

    return Settings.with_places(places)


def _system_refusal(error: OSError) -> str:
    """A full disk or a missing right, met where nobody translates it; anything else is a defect."""
    from radar.warehouse import explain_os_error

    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
        return str(explain_os_error(error, Path.cwd()))
    return _unexpected(error)


def _unexpected(error: Exception) -> str:
    """Keep the trace in a file, and say where."""
    from radar.settings import Settings
    from radar.warehouse import state_dir

    first = next((line for line in str(error).splitlines() if line.strip()), "")
    told = inert_value(masked(f"an unexpected {type(error).__name__}{f': {first}' if first else ''}"))
    trace = "".join(traceback.format_exception(error))
    name = f"error-{datetime.now():%Y%m%d-%H%M%S}.log"
    for folder in (state_dir(Settings().warehouse) / "logs", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(inert(masked(trace)), encoding="utf-8")
        except OSError:
            continue
        return f"{told}\n  What to do: report it with {folder / name}"
    return told
