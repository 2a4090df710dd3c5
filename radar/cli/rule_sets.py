"""The commands of `radar rules` that lead from a candidate to the champion rule set, and back."""

from __future__ import annotations

from getpass import getuser
from typing import Annotated, Any

import duckdb
import typer

from radar.cli.options import Published, Warehouse, settings_of
from radar.core.errors import UsageError
from radar.core.settings import Settings
from radar.panel import rule_sets
from radar.panel.store import Store
from radar.publishing.file_set import COPY_NAME

RuleSet = Annotated[str, typer.Argument(metavar="RULE_SET", help="Its name in rule_sets.csv.")]
Reason = Annotated[str | None, typer.Option(help="Why; it becomes part of the audit.")]


def states(warehouse: Warehouse = None, published: Published = None) -> None:
    """Show the status of every rule set, and what each shadow would have done so far."""
    settings = settings_of(warehouse=warehouse, published=published)
    for row in _states(settings):
        print(f"{row['rule_set']:<20}{rule_sets.state_text(row)}")
        for line in rule_sets.report(row):
            print(f"  {line}")


def promote(
    rule_set: RuleSet, reason: Reason = None, warehouse: Warehouse = None, published: Published = None
) -> None:
    """Propose a shadow as the champion rule set, or confirm what another person proposed."""
    settings = settings_of(warehouse=warehouse, published=published)
    found = _states(settings)
    print(rule_sets.promote(Store(settings.panel_store), found, rule_set, getuser(), reason))


def rollback(reason: Reason = None, warehouse: Warehouse = None, published: Published = None) -> None:
    """Put the champion rule set before the last promotion back."""
    settings = settings_of(warehouse=warehouse, published=published)
    print(rule_sets.roll_back(Store(settings.panel_store), _states(settings), getuser(), reason))


def retire(
    rule_set: RuleSet, reason: Reason = None, warehouse: Warehouse = None, published: Published = None
) -> None:
    """Score a shadow or candidate no more."""
    settings = settings_of(warehouse=warehouse, published=published)
    print(rule_sets.retire(Store(settings.panel_store), _states(settings), rule_set, getuser(), reason))


def shadow(
    rule_set: RuleSet, reason: Reason = None, warehouse: Warehouse = None, published: Published = None
) -> None:
    """Have a candidate or a retired rule set scored next to the champion rule set."""
    settings = settings_of(warehouse=warehouse, published=published)
    print(rule_sets.shadow(Store(settings.panel_store), _states(settings), rule_set, getuser(), reason))


def _states(settings: Settings) -> list[dict[str, Any]]:
    """The rule sets as the last run had them. Raises UsageError where nobody has published any."""
    published_db = settings.published / COPY_NAME
    remedy = "run `radar run` first, or name --published"
    if not published_db.exists():
        raise UsageError("nothing has been published yet", remedy, file=published_db)
    with duckdb.connect(str(published_db), read_only=True) as con:
        try:
            found = con.execute("select * from marts.rpt_rule_set_states order by status, rule_set")
        except duckdb.CatalogException:
            raise UsageError(
                "this copy is of a release without states of rule sets", remedy, file=published_db
            ) from None
        names = [name for name, *_ in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
