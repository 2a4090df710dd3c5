"""A published copy of a company that a test made up: what the backtest reads, without a run.

The models before the backtest (versions, billing intervals, outcomes) are compiled from the dbt project, as
the backtest compiles its own; only staging is made up.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from radar.measurement.models import compile_model
from tests.frozen import SEEDS
from tests.oracle.measurement import Company

BEFORE = ("fct_billing_intervals", "int_churns", "int_renewals", "fct_outcomes")
STAGED = {
    "stg_billing__subscriptions": "staging.stg_billing__subscriptions",
    "int_account_versions": "staging.int_account_versions",
    "plans": "staging.plans",
    "settings": "seeds.settings",
    "fct_health_history": "marts.fct_health_history",
    "int_subscription_versions": "staging.int_subscription_versions",
}

_TABLES = """
create schema staging; create schema marts; create schema seeds; create schema scoring;
create table staging.stg_billing__subscriptions (
    subscription_id varchar, account_id varchar, plan_id varchar, status varchar, mrr_usd decimal(18, 6),
    started_at timestamp, current_period_end timestamp, cancel_at_period_end boolean, canceled_at timestamp,
    updated_at timestamp, seats bigint, card_expires_on date, deleted_date date,
    mrr_in_currency decimal(18, 6)
);
create table staging.int_account_versions (account_id varchar, valid_from_date date, is_deleted boolean);
create table staging.plans (plan_id varchar, is_paid boolean);
create table marts.fct_health_history (
    account_id varchar, as_of_date date, score double, model_bucket varchar, decision varchar,
    rule_set varchar,
    owner_id varchar, segment varchar, arr_usd double
);
create table marts.fct_outreach_days (account_id varchar, outreach_date date);
create table marts.fct_verdicts (account_id varchar, judged_date date, is_needed boolean);
create table scoring.dim_rule_sets (rule_set varchar, status varchar, rule_version varchar);
"""


def publish(company: Company, file: Path) -> Path:
    """Write the copy of a company."""
    with duckdb.connect(str(file)) as con:
        con.begin()
        make_tables(con)
        newest = {}
        for version in sorted(company.versions, key=lambda one: one.landed):
            newest[version.subscription_id, version.updated_at] = version
        fill(
            con,
            "staging.stg_billing__subscriptions",
            [
                (
                    *(
                        one.subscription_id,
                        one.account_id,
                        one.plan_id,
                        one.status,
                        one.mrr_usd,
                        one.started_at,
                    ),
                    *(one.current_period_end, one.cancel_at_period_end, one.canceled_at, one.updated_at),
                    *(None, None, None, one.mrr_usd),
                )
                for one in newest.values()
            ],
        )
        fill(con, "staging.plans", list(company.plans.items()))
        fill(
            con,
            "staging.int_account_versions",
            [(account, day, True) for account, found in company.deleted_from.items() for day in found],
        )
        fill(
            con,
            "marts.fct_health_history",
            [
                (
                    one.account_id,
                    one.day,
                    one.score,
                    one.bucket,
                    one.decision,
                    one.rule_set,
                    "olga",
                    "smb",
                    1200.0,
                )
                for one in company.scores
            ],
        )
        fill(
            con,
            "marts.fct_outreach_days",
            [(account, day) for account, found in company.outreach.items() for day in set(found)],
        )
        judged: dict[tuple[str, object], bool] = {}
        for account, found in company.verdicts.items():
            for day, needed in found:
                judged[account, day] = judged.get((account, day), True) and needed
        fill(con, "marts.fct_verdicts", [(*key, needed) for key, needed in judged.items()])
        make_outcomes(con)
        con.commit()
    return file


def make_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Empty tables, and the settings that ship."""
    con.execute("set timezone = 'UTC'")
    con.execute(_TABLES)
    con.execute(
        "create table seeds.settings as select setting, value "
        f"from read_csv('{SEEDS / 'settings.csv'}', header = true)"
    )


def make_outcomes(con: duckdb.DuckDBPyConnection) -> None:
    """From staging to marts.fct_outcomes, by the project's models."""
    relations = {**STAGED, **{name: f"marts.{name}" for name in BEFORE}}
    for name in ("int_subscription_versions", *BEFORE):
        con.execute(f"create table {relations[name]} as {compile_model(name, {}, relations)}")


def fill(con: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[object, ...]]) -> None:
    """Insert rows, 500 at a time."""
    for start in range(0, len(rows), 500):
        some = rows[start : start + 500]
        row = f"({', '.join('?' * len(some[0]))})"
        con.execute(
            f"insert into {table} values {', '.join([row] * len(some))}",
            [cell for cells in some for cell in cells],
        )
