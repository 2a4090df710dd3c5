"""Brings the tables of dbt that an earlier release left in a warehouse to their present names, once.

A table that models read again (its dates may have inputs that are purged by now) is renamed, or rewritten
from its own rows: nothing is computed again. A table that every build makes from nothing is dropped when no
model makes it any more. All of it is one transaction, so a run that is killed leaves the earlier layout, and
the next run starts over.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

_FAMILIES = ("usage", "adoption", "support", "billing", "comms", "relationship", "value", "sentiment")

RENAMED = {
    "intermediate.int_action_releases__as_of": "int_action_releases",
    "intermediate.int_play_days__as_of": "int_action_days",
    **{f"intermediate.sig_{family}__rechecked": f"sig_{family}__restated" for family in _FAMILIES},
}
"""Tables with rows of earlier builds: the name in the earlier layout, and the name in the same schema now."""

REWRITTEN = {"intermediate.int_play_days__as_of": "action_days_of_intervals.sql"}
"""What follows the renaming of a table whose grain has changed too."""

DROPPED = (
    "intermediate.int_champion_inputs",
    "intermediate.int_late_points",
    "intermediate.int_measured_user_days",
    "intermediate.int_review_reasons",
    "intermediate.int_rule_knowledge_changes",
    "intermediate.int_rule_moves",
    "intermediate.int_score_pairs",
    "intermediate.int_score_transitions",
    "intermediate.int_signal_vocabularies",
    "intermediate.int_stop_reasons__as_of",
    "intermediate.int_told_changes",
    "intermediate.int_told_moves",
    "intermediate.int_told_runs",
    "intermediate.int_told_spans",
    "scoring.int_rule_evaluations",
    "scoring.int_shadow_evaluations",
)
"""Tables and views that no model makes any more, and whose rows every build made from nothing."""


def migrate(con: duckdb.DuckDBPyConnection) -> None:
    """Rename, rewrite and drop what an earlier layout left; nothing in a warehouse of the present layout."""
    present = _present(con)
    if not present.keys() & {*RENAMED, *DROPPED}:
        return
    con.begin()
    try:
        for relation in DROPPED:
            if relation in present:
                con.execute(f"drop {present[relation]} {relation}")
        for earlier, name in RENAMED.items():
            if earlier in present and f"{earlier.split('.')[0]}.{name}" not in present:
                con.execute(f"alter table {earlier} rename to {name}")
                if earlier in REWRITTEN:
                    con.execute(Path(__file__).with_name(REWRITTEN[earlier]).read_text(encoding="utf-8"))
        con.commit()
    except BaseException:
        con.rollback()
        raise


def _present(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The tables and views of models that are not public, with what each of them is."""
    rows = con.execute(
        "select schema_name || '.' || table_name, 'table' from duckdb_tables()"
        " where database_name = current_database() and schema_name in ('intermediate', 'scoring')"
        " union all select schema_name || '.' || view_name, 'view' from duckdb_views()"
        " where database_name = current_database() and schema_name in ('intermediate', 'scoring')"
    ).fetchall()
    return dict(rows)
