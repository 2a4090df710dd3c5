"""Which relations and columns readers get.

Belongs here: the lists, and how views are followed to what they read. Does not belong here: any rule about
customers, and how tables are copied.
"""

from __future__ import annotations

import graphlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import duckdb

from radar.core.errors import InputError
from radar.publishing.catalogue import Relation, quoted
from radar.publishing.view_text import references_of, select_of, without_catalogue

SCHEMAS = ("marts", "scoring", "seeds", "signals")
"""Published whole, tables and views."""

HELPING_SCHEMA = "intermediate"
"""Published only as far as the views of SCHEMAS read it."""

SNAPSHOTS = (
    "marts.fct_actions",
    "marts.fct_observations",
    "marts.fct_rule_set_comparison",
    "marts.fct_score_changes",
    "marts.rpt_account_health",
    "marts.rpt_outreach_times",
    "marts.rpt_override_scoreboard",
    "marts.rpt_review_queue",
    "marts.rpt_spot_checks",
    "scoring.int_rank_limits",
)
"""Tables with an `as_of_date` whose rows change after that day: copied whole on every run."""

RECORDS = ("audit.chain_checks", "audit.checks", "audit.entries", "audit.loads", "audit.runs")
"""What was done, for a run to publish too: who decided what, what runs brought, how their checks came out."""

PRIVATE_COLUMNS = {
    "audit.checks": ("error", "message", "observed"),
    "audit.loads": ("columns", "extra_columns", "message", "missing_columns"),
    "audit.runs": ("message",),
}
"""Columns of RECORDS that are not published: sentences that may name a value of a row."""

ACCOUNT_NAMES = "intermediate.int_account_versions"
"""Also published: whom `radar explain` speaks of, on whatever day."""

MAIL_CONTACTS = "intermediate.int_mail_contacts"
"""Read by a view of SCHEMAS: to which accounts a mail can go; nothing of the contact is published."""

PUBLISHED_COLUMNS = {
    "intermediate.int_accounts__as_of": ("account_id", "as_of_date", "segment"),
    ACCOUNT_NAMES: ("account_id", "name", "owner_name", "valid_from_date", "valid_to_date"),
    MAIL_CONTACTS: ("account_id", "has_name"),
}
"""The only columns of these tables that readers need."""

PUBLISHED_AS_VIEW = {"intermediate.int_accounts__as_of": "marts.fct_health_history"}
"""Tables that are views in the copy, on the same rows of another published table."""

PARQUET = ("marts.fct_account_flags", "marts.rpt_account_health", "marts.rpt_buckets_daily")
"""Also written as Parquet files, for tools that do not speak DuckDB."""


@dataclass(frozen=True)
class Contents:
    """What goes into the copy: tables, and views in an order in which they can be created."""

    tables: tuple[Relation, ...]
    views: tuple[tuple[Relation, str], ...]

    @property
    def relations(self) -> tuple[Relation, ...]:
        """Tables, then views."""
        return (*self.tables, *(view for view, _ in self.views))


def choose_contents(
    con: duckdb.DuckDBPyConnection, catalogue: Mapping[str, Relation], extra_relations: Collection[str] = ()
) -> Contents:
    """SCHEMAS, `extra_relations`, and what their views read in HELPING_SCHEMA, views rewritten."""
    catalogue = {key: _narrowed(relation) for key, relation in catalogue.items()}
    wanted = [key for key, relation in catalogue.items() if relation.schema in SCHEMAS]
    wanted += [known(key, catalogue) for key in extra_relations]
    reads: dict[str, set[str]] = {}
    texts: dict[str, str] = {}
    while wanted:
        key = wanted.pop()
        if key in reads:
            continue
        relation = catalogue[key]
        reads[key] = set()
        if relation.kind == "view":
            select = select_of(relation.view_sql)
            references = references_of(con, select, relation)
            texts[key] = without_catalogue(select, references)
            reads[key] = {f"{schema}.{name}" for _, schema, name in references if schema}
            _refuse_what_is_not_published(relation, reads[key], extra_relations)
            wanted += [known(read, catalogue) for read in reads[key]]
    order = [key for key in graphlib.TopologicalSorter(reads).static_order() if key in texts]
    return Contents(
        tables=tuple(catalogue[key] for key in sorted(reads) if key not in texts),
        views=tuple((catalogue[key], texts[key]) for key in order),
    )


def _narrowed(relation: Relation) -> Relation:
    """The relation with those of its columns that are published, or the view in its place."""
    private, public = PRIVATE_COLUMNS.get(relation.key, ()), PUBLISHED_COLUMNS.get(relation.key)
    narrowed = replace(
        relation,
        columns=tuple(
            column
            for column in relation.columns
            if column.name not in private and (public is None or column.name in public)
        ),
    )
    if relation.key not in PUBLISHED_AS_VIEW:
        return narrowed
    names = ", ".join(quoted(column.name) for column in narrowed.columns)
    select = f"select {names} from {PUBLISHED_AS_VIEW[relation.key]}"
    return replace(narrowed, kind="view", view_sql=f"create view published as {select}")


def known(key: str, catalogue: Mapping[str, Relation]) -> str:
    """The key itself. Raises InputError where the warehouse has no such relation."""
    if key not in catalogue:
        raise InputError(
            f"{key} is to be published and is not in the warehouse",
            "build the models again (radar run), then publish",
        )
    return key


def _refuse_what_is_not_published(
    view: Relation, reads: Iterable[str], extra_relations: Collection[str]
) -> None:
    for read in sorted(reads):
        if read.split(".")[0] not in (*SCHEMAS, HELPING_SCHEMA) and read not in extra_relations:
            raise InputError(
                f"the view {view.key} reads {read}, which is not published: readers could not open the view",
                f"materialize {view.key} as a table",
            )
