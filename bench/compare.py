"""Compare a warehouse with what `limit.sql` computed for the same day, account by account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

TOLERANCE = 1e-9  # of the greater value: means and medians of doubles depend on the order of their sum
RULE_SET = "playbook_v1"
SCORES = ("score", "score_low", "score_high")


@dataclass
class Comparison:
    """What one day's comparison saw; `differences` is empty where every value is equal."""

    as_of: date
    accounts: int = 0
    values: int = 0
    differences: list[str] = field(default_factory=list)

    def summary(self) -> str:
        verdict = f"{len(self.differences)} kinds of difference" if self.differences else "all equal"
        return f"{self.as_of}: {self.values:,} values of {self.accounts:,} accounts compared, {verdict}"


def compare(warehouse: Path, limit: Path, as_of: date) -> Comparison:
    """Every signal, the champion's scores and buckets, and the reported buckets of the newest day."""
    with duckdb.connect() as con:
        con.execute(f"attach '{warehouse}' as radar (read_only)")
        con.execute(f"attach '{limit}' as hand (read_only)")
        comparison = Comparison(as_of)
        comparison.accounts = con.execute("select count(*) from hand.limit_scores").fetchone()[0]
        _compare_signals(con, comparison)
        _compare_scores(con, comparison)
        _compare_reported(con, comparison)
    return comparison


def _compare_signals(con: duckdb.DuckDBPyConnection, comparison: Comparison) -> None:
    tables = dict(
        con.execute(
            """
            select column_name, table_name from duckdb_columns()
            where database_name = 'radar' and schema_name = 'signals' and starts_with(table_name, 'sig_')
            """
        ).fetchall()
    )
    for (signal,) in con.execute(
        """
        select column_name from duckdb_columns()
        where database_name = 'hand' and table_name = 'limit_signals' and column_name != 'account_id'
        order by column_index
        """
    ).fetchall():
        if signal not in tables:
            comparison.differences.append(f"{signal}: no table of signals has it")
            continue
        _compare_column(
            con,
            comparison,
            signal,
            hand=f"select account_id, cast({signal} as double) as value from hand.limit_signals",
            radar=f"""
                select account_id, cast({signal} as double) as value from radar.signals.{tables[signal]}
                where as_of_date = date '{comparison.as_of}'
                    and account_id in (select account_id from hand.limit_signals)
            """,
        )


def _compare_scores(con: duckdb.DuckDBPyConnection, comparison: Comparison) -> None:
    con.execute(f"""
        create or replace temp table scores as
        select * from radar.scoring.fct_health_scores
        where as_of_date = date '{comparison.as_of}' and rule_set = '{RULE_SET}'
    """)
    for column in (*SCORES, "bucket"):
        kind = "varchar" if column == "bucket" else "double"
        _compare_column(
            con,
            comparison,
            column,
            hand=f"select account_id, cast({column} as {kind}) as value from hand.limit_scores",
            radar=f"select account_id, cast({column} as {kind}) as value from scores",
        )


def _compare_reported(con: duckdb.DuckDBPyConnection, comparison: Comparison) -> None:
    """The buckets that people meet, overrides and all; the mart holds the newest day only."""
    reported = f"radar.marts.rpt_account_health where as_of_date = date '{comparison.as_of}'"
    if not con.execute(f"select count(*) from {reported}").fetchone()[0]:
        return
    for column, ours in (("model_bucket", "bucket"), ("bucket", "final_bucket")):
        _compare_column(
            con,
            comparison,
            f"rpt_account_health.{column}",
            hand=f"select account_id, {ours} as value from hand.limit_scores",
            radar=f"select account_id, {column} as value from {reported}",
        )


def _compare_column(
    con: duckdb.DuckDBPyConnection, comparison: Comparison, name: str, *, hand: str, radar: str
) -> None:
    is_number = con.execute(f"select typeof(value) = 'DOUBLE' from ({hand}) limit 1").fetchone()
    near = (
        f"abs(h.value - r.value) <= {TOLERANCE} * greatest(1, abs(h.value))"
        if is_number and is_number[0]
        else "h.value = r.value"
    )
    con.execute(f"""
        create or replace temp table compared as
        select
            coalesce(h.account_id, r.account_id) as account_id,
            if(h.account_id is null, 'no row', coalesce(cast(h.value as varchar), 'null')) as by_hand,
            if(r.account_id is null, 'no row', coalesce(cast(r.value as varchar), 'null')) as by_radar,
            h.account_id is not null and r.account_id is not null
                and (coalesce({near}, false) or (h.value is null and r.value is null)) as is_equal
        from ({hand}) as h
        full join ({radar}) as r using (account_id)
    """)
    rows, different = con.execute(
        "select count(*), count(*) filter (where not is_equal) from compared"
    ).fetchone()
    comparison.values += rows
    if different:
        examples = con.execute(
            """
            select account_id, by_hand, by_radar from compared
            where not is_equal order by account_id limit 3
            """
        ).fetchall()
        shown = "; ".join(
            f"{account} {ours} by hand, {theirs} by radar" for account, ours, theirs in examples
        )
        comparison.differences.append(f"{name}: {different:,} of {rows:,} differ ({shown})")
