"""The command `radar`.

Options in, exit status out: 0 done, 1 failed, 2 wrong usage, 3 done but something was left out.
"""

from __future__ import annotations

import gc
import os
import shlex
import sys
from datetime import timedelta
from getpass import getuser
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from radar import __version__
from radar.cli import (
    audit,
    backtest,
    calibrate,
    deliveries,
    init,
    mcp,
    panel,
    pull,
    receive,
    replay,
    rule_sets,
    rules,
    sources,
    sync,
    whatif,
)
from radar.cli.failures import system_refusal, unexpected
from radar.cli.options import Exports, Published, Seeds, Warehouse, existing_warehouse, settings_of
from radar.cli.run_daily import run_daily
from radar.core.errors import RadarError, UsageError
from radar.core.file_rights import restrict
from radar.core.runs import parse_day, utc_now
from radar.core.terminal import guard_output
from radar.deliveries.forget_day import forget_day as take_back
from radar.deliveries.restoring import restore as restore_warehouse
from radar.demo import generate
from radar.publishing.explain import explain as explain_account
from radar.publishing.file_set import COPY_NAME

NEEDS_A_LOOK = 3
"""The exit status of what is done, but leaves something for a person to look at."""

app = typer.Typer(
    help="Scores the health of customers from what their systems already know.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for name in ("states", "promote", "rollback", "retire", "shadow"):
    rules.app.command(name)(getattr(rule_sets, name))
app.add_typer(rules.app, name="rules")
app.add_typer(sources.app, name="sources")
app.add_typer(audit.app, name="audit")
app.add_typer(panel.app, name="panel")
app.command("mcp")(mcp.serve)
app.command("receive")(receive.receive)
app.command("pull")(pull.command)
app.add_typer(sync.app, name="sync")
app.add_typer(deliveries.app, name="deliveries")
app.command("backtest")(backtest.command)
app.command("init")(init.command)
app.command("calibrate")(calibrate.command)
app.command("whatif")(whatif.command)
app.command("replay")(replay.command)


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
        print(f"radar: {system_refusal(error)}", file=sys.stderr)
        return 1
    except Exception as error:
        print(f"radar: {unexpected(error)}", file=sys.stderr)
        return 1
    return 0


@app.command()
def run(  # noqa: PLR0917 the options
    extracts: Annotated[
        Path | None, typer.Option(help="Folder of the extracts, as <source>/<feed>/. [var/extracts]")
    ] = None,
    seeds: Seeds = None,
    warehouse: Warehouse = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day to score. [today in UTC]")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Score every day from this one to --as-of.")
    ] = None,
    exports: Exports = None,
    published: Published = None,
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
    paths = {
        "extracts": extracts,
        "seeds": seeds,
        "warehouse": warehouse,
        "exports": exports,
        "published": published,
    }
    raise typer.Exit(
        run_daily(
            paths,
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
    warehouse: Warehouse = None,
    exports: Exports = None,
) -> None:
    """Take a recorded day back, as if it had never been scored; what was delivered is named."""
    settings = settings_of(warehouse=warehouse, exports=exports)
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
    warehouse: Warehouse = None,
    exports: Annotated[
        Path | None, typer.Option(help="Folder for the files that other systems import. [var/exports]")
    ] = None,
    published: Published = None,
) -> None:
    """After a backup was put back: say until which day what went out counts as delivered."""

    until = parse_day("--delivered-until", delivered_until)
    file = existing_warehouse(warehouse)
    settings = settings_of(warehouse=warehouse, exports=exports, published=published)
    done = restore_warehouse(
        file, settings.exports, settings.published, until=until, by=getuser(), reason=reason
    )
    print(
        f"{done.runs:,} run(s) decided: {done.deliveries:,} deliveries and {done.sets:,} sets of files until "
        f"{until} count as given."
    )


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder for the extracts.")],
    *,
    accounts: Annotated[int, typer.Option(help="Customers, 1 to 100,000.")] = 400,
    days: Annotated[int, typer.Option(help="Days of history, 1 to 1,000.")] = 365,
    seed: Annotated[int, typer.Option(help="Another number gives another company.")] = 1,
    end: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day with facts. [yesterday in UTC]")
    ] = None,
    stale: Annotated[
        bool, typer.Option("--stale", help="Leave out the touchpoints of the last 9 days.")
    ] = False,
) -> None:
    """Write the extracts of an invented company: the same bytes for the same arguments, --end among them."""

    last = parse_day("--end", end) if end else utc_now().date() - timedelta(days=1)
    rows = generate(folder, accounts=accounts, days=days, seed=seed, end=last, is_stale=stale)
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
    published: Published = None,
) -> None:
    """Say why an account has its score: points, what is unknown, the trend, what to do next."""
    published_db = settings_of(published=published).published / COPY_NAME
    if not published_db.exists():
        raise UsageError(
            "nothing has been published yet", "run `radar run` first, or name --published", file=published_db
        )
    explanation = explain_account(published_db, account, parse_day("--as-of", as_of) if as_of else None)
    print(explanation.json() if as_json else explanation.text())
