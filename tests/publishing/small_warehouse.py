"""A small warehouse in the contract's shape, made with SQL: what the publish is tested on."""

from datetime import date, timedelta
from pathlib import Path

import duckdb

FIRST = date(2026, 3, 1)
LAST = FIRST + timedelta(days=9)

SCHEMAS = """
create schema raw; create schema staging; create schema intermediate; create schema signals;
create schema scoring; create schema marts; create schema seeds; create schema quarantine;
create schema audit; create schema control;
create table raw.product_events (event_id varchar, email varchar);
insert into raw.product_events values ('e1', 'secret.person@example.com');
create table quarantine.rejected_rows (feed varchar, masked_value varchar);
create table seeds.rules (rule_id varchar, points integer);
insert into seeds.rules values ('no_login_14d', -20), ('key_feature_unused_30d', -30);
create table intermediate.int_accounts__as_of (
    account_id varchar, as_of_date date, segment varchar, owner_id varchar
);
create table intermediate.int_user_days (account_id varchar, activity_date date);
create table signals.sig_usage (account_id varchar, as_of_date date, days_since_login bigint, run integer);
create table marts.fct_health_history (
    account_id varchar, as_of_date date, score decimal(18,6), run integer, segment varchar
);
create table marts.fct_account_flags (account_id varchar, as_of_date date, flag varchar, run integer);
create table marts.rpt_buckets_daily (as_of_date date, bucket varchar, accounts bigint, run integer);
create table marts.rpt_account_health (
    account_id varchar not null, account_name varchar, as_of_date date, score decimal(18,6), run integer
);
create table marts.fct_actions (action_id varchar, account_id varchar, as_of_date date, status varchar);
insert into marts.fct_actions values ('x1', 'a0', '2026-03-01', 'open'), ('x2', 'a1', '2026-03-02', 'open');
"""

VIEWS = """
create view {db}."intermediate"."int_rules" as (select * from {db}."seeds"."rules");
create view {db}."scoring"."fct_signal_values" as (
    with usage as (select * from {db}."signals"."sig_usage"),
    accounts as (select * from {db}."intermediate"."int_accounts__as_of")
    select usage.account_id, usage.as_of_date, 'days_since_login' as signal,
        usage.days_since_login as value, '{name}.signals.sig_usage' as told, usage.run
    from usage inner join accounts
        on usage.account_id = accounts.account_id and usage.as_of_date = accounts.as_of_date
);
create view {db}."scoring"."fct_health_scores" as (
    with results as (select * from {db}."scoring"."fct_signal_values"),
    rules as (select * from {db}."intermediate"."int_rules")
    select results.account_id, results.as_of_date, 100 + sum(rules.points) as score
    from results cross join rules
    where results.value >= 0
    group by results.account_id, results.as_of_date
);
create view {db}."marts"."rpt_today" as (
    select {db}."marts"."rpt_account_health".account_id,
        list_transform([1], lambda x: x + run) as "odd ""name"
    from {db}."marts"."rpt_account_health"
);
comment on view {db}."marts"."rpt_today" is 'Today''s accounts';
comment on column {db}."marts"."rpt_account_health".score is 'Points, 0 to 100';
"""


def make(path: Path, *, accounts: int = 40) -> None:
    """The warehouse after its first run, with ten days."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as con:
        con.execute(SCHEMAS)
        name = path.stem
        con.execute(VIEWS.format(db=f'"{name}"', name=name))
    build(path, FIRST, LAST, run=1, accounts=accounts)


def build(path: Path, start: date, end: date, *, run: int, accounts: int = 40) -> None:
    """What a run does to the warehouse: replaces the days of its window, and the snapshot."""
    days = f"(select unnest(generate_series(date '{start}', date '{end}', interval 1 day))::date as d)"
    people = f"(select 'a' || range as a from range({accounts}))"
    with duckdb.connect(str(path)) as con:
        con.execute("begin")
        for table, columns in {
            "intermediate.int_accounts__as_of": "a, d, 'smb', 'secret_owner'",
            "signals.sig_usage": f"a, d, 5, {run}",
            "marts.fct_health_history": f"a, d, 80.5, {run}, 'smb'",
            "marts.fct_account_flags": f"a, d, 'upsell', {run}",
        }.items():
            con.execute(f"delete from {table} where as_of_date between '{start}' and '{end}'")
            con.execute(f"insert into {table} select {columns} from {days} cross join {people}")
        con.execute(f"delete from marts.rpt_buckets_daily where as_of_date between '{start}' and '{end}'")
        con.execute(f"insert into marts.rpt_buckets_daily select d, 'healthy', {accounts}, {run} from {days}")
        con.execute("delete from marts.rpt_account_health")
        today = f"a, 'Name ' || a, date '{end}', 80.5, {run}"
        con.execute(f"insert into marts.rpt_account_health select {today} from {people}")
        con.execute("commit")
