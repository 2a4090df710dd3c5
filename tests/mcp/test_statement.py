"""One statement on `marts`: what may be asked, and each way out of it or of one's accounts, which fails."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from radar.mcp import statement as statements
from radar.mcp.statement import MOST_CHARACTERS, RefusedError, open_marts
from radar.panel.people import Person
from tests.mcp.agents import Desk, body, refusal
from tests.panel.people import Owners
from tests.runs.radar_run import Place

OF_ALL = "select account_id from {} where account_id not in (select account_id from marts.rpt_account_health)"

OUT_OF_MARTS = [
    # the attached copy, whatever it is called
    "select * from published.marts.rpt_account_health",
    'select * from "published"."marts"."rpt_account_health"',
    "select * from radar.marts.rpt_account_health",
    "select * from memory.marts.rpt_account_health",
    "from PUBLISHED.MARTS.RPT_ACCOUNT_HEALTH",
    "select (select count(*) from published.marts.rpt_account_health)",
    "select 1 where exists (from published.marts.rpt_account_health)",
    "with a as (select * from published.marts.rpt_account_health) select * from a",
    "with a as materialized (from published.marts.rpt_account_health) from a",
    "select 1 union all select count(*) from published.marts.rpt_account_health",
    "select * from marts.rpt_account_health join published.marts.rpt_account_health as b using (account_id)",
    "select list_transform([1], lambda x: (select count(*) from published.marts.rpt_account_health))",
    "select * from (values ((select count(*) from published.marts.rpt_account_health)))",
    "select sum(1) over (order by (select count(*) from published.marts.rpt_account_health))",
    "select 1 order by (select count(*) from published.marts.rpt_account_health)",
    "select 1 limit (select count(*) from published.marts.rpt_account_health)",
    "select * from range((select count(*) from published.marts.rpt_account_health))",
    "from marts.rpt_account_health as a, lateral (select * from published.marts.rpt_account_health) as b",
    # other schemas and DuckDB's own catalogue
    "select * from seeds.settings",
    "select * from intermediate.int_account_versions",
    "select * from stored.fct_health_history",
    "select * from scoring.fct_health_scores",
    "select * from audit.entries",
    "select * from main.published_run",
    "select * from information_schema.tables",
    "select * from pg_catalog.pg_class",
    "select * from pg_class",
    "select * from sqlite_master",
    "select * from duckdb_tables",
    "select * from duckdb_tables()",
    "select * from duckdb_settings()",
    "select * from duckdb_databases()",
    "select * from duckdb_secrets()",
    "select * from pragma_show('marts.rpt_account_health')",
    "select * from (with sqlite_master as (select 1) select 1), sqlite_master",
    "with duckdb_views as (select 1) select 1 from duckdb_views",
    "show tables",
    "show all tables",
    "describe marts.rpt_account_health",
    "summarize marts.rpt_account_health",
    "select * from (show all tables)",
    "from (describe marts.rpt_account_health)",
    # text that becomes a query or a name
    "select * from query('select * from published.marts.rpt_account_health')",
    "select * from query_table('published.marts.rpt_account_health')",
    "select * from query_table(['published.marts.rpt_account_health'])",
    "select * from histogram('published.marts.rpt_account_health', 'score')",
    "select * from json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "select json_serialize_sql('select 1')",
    "select json_serialize_plan('select * from published.marts.rpt_account_health')",
    "from sql_auto_complete('select')",
    # files and the network
    "select * from '/etc/passwd'",
    "select * from 'https://example.com/a.csv'",
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "select * from read_blob('/etc/passwd')",
    "select * from read_parquet('s3://bucket/a.parquet')",
    "select * from parquet_scan('a.parquet')",
    "select * from glob('/*')",
    "select * from sniff_csv('/etc/passwd')",
    "select * from sqlite_scan('panel.sqlite', 'users')",
    "copy (select 1) to '/tmp/radar_mcp_out.csv'",
    "copy marts.rpt_account_health to '/tmp/radar_mcp_out.csv'",
    "export database '/tmp/radar_mcp_out'",
    # settings, the environment, extensions, other databases
    "set enable_external_access = true",
    "reset lock_configuration",
    "pragma database_list",
    "call pragma_version()",
    "select current_setting('memory_limit')",
    "select getenv('HOME')",
    "select getvariable('a')",
    "set variable a = 1",
    "attach '/tmp/radar_mcp.duckdb' as other",
    "detach published",
    "use published",
    "install httpfs",
    "load httpfs",
    "create secret s (type s3)",
    # changes
    "create table marts.mine as select 1",
    "create view marts.mine as select 1",
    "create macro f() as 1",
    "insert into marts.rpt_account_health select * from marts.rpt_account_health",
    "update marts.rpt_account_health set score = 100",
    "delete from marts.rpt_account_health",
    "drop view marts.rpt_account_health",
    "alter table marts.rpt_account_health add column a int",
    "with d as (delete from marts.rpt_account_health returning *) select * from d",
    "truncate marts.rpt_account_health",
    "checkpoint",
    "begin",
    "vacuum",
    # more than one, hidden statements, parameters
    "select 1; select 2",
    "select 1; attach '/tmp/radar_mcp.duckdb'",
    "select 1) as a; select (1",
    "select 1 /* ; */ ; drop view marts.rpt_account_health",
    "pivot marts.rpt_account_health on bucket using count(*)",
    "explain select * from marts.rpt_account_health",
    "explain analyze select 1",
    "prepare p as select 1",
    "execute p",
    "select ?",
    "select $owner_ids",
    "",
    "-- nothing",
    # what has side effects, waits or looks at the clock
    "select nextval('s')",
    "select setseed(0.5)",
    "select write_log('a')",
    "select sleep_ms(1000)",
    "select pg_sleep(1)",
    "select now()",
    "select current_date",
    "select current_user",
    'select "current_timestamp"',
    "select main.current_schema",
    "select current_query()",
    "select random()",
    "select pg_get_viewdef(1)",
    "select repeat('a', 1000000000)",
    "select lpad('a', 1000000000, 'b')",
    "with recursive t(n) as (select 1 union all select n + 1 from t) select * from t",
    "select 1 from marts.nothing",
    "select " + "1, " * 5_000 + "1",
]


@pytest.fixture(scope="session")
def copy(demo_run: Place) -> Path:
    return (demo_run.published / "current").resolve() / "radar.duckdb"


@pytest.fixture(scope="session")
def persons(owners: Owners) -> dict[str, Person]:
    return {
        "rep": Person("rep", "rep", (owners.rep,)),
        "lead": Person("lead", "lead", owners.team),
        "nobody": Person("nobody", "lead", ()),
        "admin": Person("admin", "admin"),
    }


@pytest.mark.parametrize("who", ["rep", "admin"])
def test_nothing_but_one_statement_on_marts_runs(who: str, copy: Path, persons: dict[str, Person]) -> None:
    ran = []
    for statement in OUT_OF_MARTS:
        con = duckdb.connect(":memory:")
        try:
            open_marts(con, copy, persons[who], statement)
            ran.append(statement)
        except RefusedError:
            pass
        finally:
            con.close()
    assert ran == []


def test_what_analysts_write_runs(desk: Desk, rep: str, lead: str, admin: str, demo_run: Place) -> None:
    statements_of_analysts = [
        "select bucket, count(*) as accounts, sum(arr_usd) from marts.rpt_account_health group by all;",
        "with weekly as (select date_trunc('week', as_of_date) as week, avg(score) as score"
        " from fct_health_history group by week) select * from weekly order by week -- by week",
        "select account_id, score - lag(score) over (partition by account_id order by as_of_date) as change"
        " from marts.fct_health_history qualify abs(change) > 0",
        "select flag, count(*) from (select unnest(string_split(flags, ', ')) as flag from"
        " marts.rpt_account_health) group by flag",
        "select a.account_id, e.evidence from marts.rpt_account_health as a"
        " join marts.fct_health_evidence as e using (account_id, as_of_date) where e.points < -10.5 limit 5",
        "select max(columns('score.*')) from marts.rpt_account_health where score > 10.5 and 1 in (1, 2)",
    ]
    for token in (rep, lead, admin):
        for answer in desk.ask(token, *(("query", {"statement": text}) for text in statements_of_analysts)):
            assert body(answer)["answer"]["columns"]
    (answer,) = desk.ask(admin, ("query", {"statement": "select count(*) from marts.fct_health_history"}))
    assert body(answer)["answer"]["rows"] == [
        list(row) for row in demo_run.rows("select count(*) from marts.fct_health_history")
    ]


@pytest.mark.parametrize("who", ["rep", "lead", "nobody"])
def test_every_relation_has_the_rows_of_ones_own_accounts_alone(
    who: str, copy: Path, persons: dict[str, Person]
) -> None:
    person = persons[who]
    with duckdb.connect(str(copy), read_only=True) as con:
        relations = dict(
            con.execute(
                "select table_name, list(column_name) from information_schema.columns"
                " where table_schema = 'marts' group by 1"
            ).fetchall()
        )
        own = {
            account_id
            for account_id, owner_id in con.execute(
                "select account_id, owner_id from marts.rpt_account_health union all"
                " select account_id, owner_id from marts.rpt_not_scored_accounts"
            ).fetchall()
            if owner_id in person.owner_ids
        }
    assert bool(own) == (who != "nobody")
    hidden = set()
    for relation, columns in relations.items():
        con = duckdb.connect(":memory:")
        query = f"select * from marts.{relation}"
        if not {"account_id", "owner_id"} & set(columns):
            with pytest.raises(RefusedError, match="sums up all accounts"):
                open_marts(con, copy, person, query)
            hidden.add(relation)
            continue
        open_marts(con, copy, person, query)
        found = con.sql(query)
        if "account_id" in columns:
            assert {row[0] for row in found.project("account_id").fetchall()} <= own, relation
        else:
            seen = {row[0] for row in found.project("owner_id").fetchall()}
            assert seen <= set(person.owner_ids), relation
        con.close()
    assert {"rpt_review_agreement", "rpt_refused_rows", "rpt_feed_states"} <= hidden


def test_behind_the_first_wall_there_is_nothing_of_others_either(
    copy: Path, persons: dict[str, Person]
) -> None:
    """Hostile statements that nobody looked at, run where a rep's statement runs."""
    con = duckdb.connect(":memory:")
    open_marts(con, copy, persons["rep"], "select * from marts.rpt_account_health")
    owners_seen = con.execute("select distinct owner_id from marts.rpt_account_health").fetchall()
    assert owners_seen == [(persons["rep"].owner_ids[0],)]
    attached = con.execute("select database_name from duckdb_databases() where not internal").fetchall()
    assert attached == [("memory",)]
    assert con.execute(
        "select distinct schema_name from duckdb_tables() union select schema_name from duckdb_views()"
        " where not internal"
    ).fetchall() == [("marts",)]
    for hostile in [
        "select * from published.marts.rpt_account_health",
        "select * from query('select * from published.marts.rpt_account_health')",
        f"attach '{copy}' as again (read_only)",
        f"select * from read_text('{copy}')",
        f"from '{copy}'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "reset enable_external_access",
        "install httpfs",
        "load sqlite_scanner",
        "copy marts.rpt_account_health to '/tmp/radar_mcp_out.csv'",
        "from copy",
    ]:
        with pytest.raises(duckdb.Error):
            con.execute(hostile)
    con.close()


def test_a_long_answer_is_refused(desk: Desk, admin: str) -> None:
    wide = "select * from marts.fct_health_history a, marts.fct_health_history b, marts.fct_health_history c"
    (answer,) = desk.ask(admin, ("query", {"statement": wide}))
    assert refusal(answer) == "The answer is too long: ask for fewer rows or columns."
    assert MOST_CHARACTERS == 100_000


def test_a_long_text_ends_its_own_process_alone(desk: Desk, admin: str) -> None:
    longer = f"select '{'x' * 1_000}' as s"
    for _ in range(5):
        longer = f"select concat({', '.join(['s'] * 16)}) as s from ({longer})"
    answers = desk.ask(
        admin,
        (
            "query",
            {"statement": f"select length(concat(s, s, s)), length(concat(s, s, 'y')) from ({longer})"},
        ),
        ("query", {"statement": "select 1"}),
    )
    assert "needed more memory than it may take" in refusal(answers[0])
    assert body(answers[1])["answer"]["rows"] == [[1]]


def test_an_error_of_the_statement_is_the_agents_to_correct(desk: Desk, rep: str) -> None:
    answers = desk.ask(
        rep,
        ("query", {"statement": "select scor from marts.rpt_account_health"}),
        ("query", {"statement": "select * from marts.rpt_acount_health"}),
        ("query", {"statement": "select * frm marts.rpt_account_health"}),
    )
    column, relation, syntax = map(refusal, answers)
    assert '"scor"' in column
    assert "There is no relation marts.rpt_acount_health. There are: " in relation
    assert "rpt_account_health" in relation
    assert "rpt_feed_states" not in relation
    assert "syntax error" in syntax


def test_functions_that_may_be_called_change_nothing_and_look_at_nothing() -> None:
    with duckdb.connect(":memory:") as con:
        risky = con.execute(
            "select distinct function_name from duckdb_functions()"
            " where has_side_effects or stability in ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')"
            " or function_type in ('pragma', 'table_macro')"
        ).fetchall()
        allowed_tables = con.execute(
            "select distinct function_name from duckdb_functions() where function_type = 'table'"
        ).fetchall()
    assert statements.FUNCTIONS & {name for (name,) in risky} - {"histogram"} == set()
    assert statements.FUNCTIONS & {name for (name,) in allowed_tables} <= {"unnest"}
