"""Relations in place of files: a real Postgres, DuckDB, SQLite, Parquet; new rows, and what is wrong."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from inbox import Inbox, ndjson
from postgres import PASSWORD, Postgres, postgres

from radar.core.errors import UsageError
from radar.core.warehouse import connect
from radar.demo import generate
from radar.landing.feeds import load_feeds
from radar.landing.land import FeedReport
from radar.landing.tables import KINDS, Table, load_tables

VARIABLE = "RADAR_TEST_DATABASE"
ACCOUNTS, CONTACTS = "crm/accounts", "crm/contacts"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as started:
        yield started


@dataclass
class Installation:
    """An inbox with a `tables.yml` next to it, which is read for every landing."""

    inbox: Inbox

    @property
    def folder(self) -> Path:
        return self.inbox.root.parent

    def write(self, text: str) -> None:
        (self.folder / "tables.yml").write_text(text)

    def tables(self) -> tuple[Table, ...]:
        return load_tables(self.folder / "tables.yml")

    def land(self, feed: str = ACCOUNTS) -> FeedReport:
        report = self.inbox.land(self.tables())
        return next(one for one in report if one.feed == feed)

    def wrong(self) -> str:
        with pytest.raises(UsageError) as error:
            self.tables()
        return str(error.value)


@pytest.fixture
def place(inbox: Inbox) -> Installation:
    return Installation(inbox)


# Postgres


@pytest.fixture
def app(place: Installation, server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Two accounts in a Postgres that Radar may read."""
    monkeypatch.setenv(VARIABLE, server.connection)
    server.sql(
        "drop schema if exists sales cascade",
        "create schema sales",
        "create table sales.accounts (account_id text, name text, created_at timestamptz,"
        " updated_at timestamptz, arr_usd numeric(12,2), internal_note text)",
        "insert into sales.accounts values"
        " ('a1', 'Acme', '2026-01-01', '2026-01-01 10:00+00', 1.5, 'x'),"
        " ('a2', 'Bolt', '2026-01-02', '2026-01-02 10:00+00', 2.5, 'y')",
        "grant usage on schema sales to radar",
        "grant select on all tables in schema sales to radar",
    )
    place.write(f"""
databases:
  app: {{type: postgres, connection_env: {VARIABLE}}}
tables:
  - {{database: app, relation: sales.accounts, feed: crm/accounts, loaded_at: updated_at}}
""")
    return place


SALES = "tables/app/sales.accounts"


def names(place: Installation) -> list[str]:
    return [
        name
        for (name,) in place.inbox.all("select name from raw.crm_accounts order by _batch_id, account_id")
    ]


def test_new_and_changed_rows_of_postgres_land_once(app: Installation, server: Postgres) -> None:
    first = app.land()
    assert (first.files_landed, first.rows_landed, first.warnings) == (1, 2, [])
    load = app.inbox.load(SALES)
    assert (load["status"], load["rows_read"], load["records_counted"]) == ("landed", 2, 2)
    assert app.inbox.all("select created_at::varchar from raw.crm_accounts where account_id = 'a1'") == [
        ("2026-01-01 00:00:00",)
    ]

    again = app.land()  # the hour before the newest row that has come is read again, then known
    assert (again.rows_read, again.rows_landed, again.rows_repeated, again.warnings) == (1, 0, 1, [])
    known = app.land()
    assert (known.files_landed, known.files_known, known.warnings) == (0, 1, [])

    server.sql(
        "insert into sales.accounts values ('a3', 'Cog', '2026-01-03', '2026-01-03 10:00+00', 1, 'z')",
        "update sales.accounts set name = 'Acme Ltd', updated_at = '2026-01-03 11:00+00'"
        " where account_id = 'a1'",
    )
    third = app.land()
    # of the hour before the newest row that had come, what had landed is a repeat
    assert (third.rows_read, third.rows_landed, third.rows_repeated, third.warnings) == (3, 2, 1, [])
    assert names(app) == ["Acme", "Bolt", "Acme Ltd", "Cog"]


def test_a_row_of_a_transaction_that_ended_late_lands(app: Installation, server: Postgres) -> None:
    app.land()
    server.sql("insert into sales.accounts values ('a3', 'Cog', '2026-01-01', '2026-01-02 09:30+00', 1, 'z')")
    assert (app.land().rows_landed, app.inbox.load(SALES)["rows_repeated"]) == (1, 1)

    server.sql("insert into sales.accounts values ('a4', 'Dot', '2026-01-01', '2026-01-01 09:30+00', 1, 'z')")
    late = app.land()
    assert (late.rows_landed, late.rows_repeated) == (1, 3)
    assert "got rows whose updated_at is older" in late.warnings[0]
    assert "overlap_minutes (now 60)" in late.warnings[0]
    assert app.land().warnings == []


def test_a_table_that_shrank_lost_a_column_or_went_back_is_reported_once(
    app: Installation, server: Postgres
) -> None:
    app.land()
    server.sql(
        "delete from sales.accounts where account_id = 'a2'",
        "alter table sales.accounts drop column internal_note",
        "alter table sales.accounts alter column arr_usd type bigint",
    )
    report = app.land()
    assert [warning.split(":")[0] for warning in report.warnings] == [
        f"{SALES} has 1 rows, and had 2 when it was read before; what has landed stays",
        f"{SALES} no longer has internal_note, so nothing is known of it for new rows",
        f"{SALES} changed the type of arr_usd from DECIMAL(12,2) to BIGINT",
        f"{SALES} went back in time",
    ]
    assert "the newest updated_at is 2026-01-01 10:00:00+00, and was 2026-01-02" in report.warnings[3]
    assert names(app)[:2] == ["Acme", "Bolt"]
    assert app.land().warnings == []


def test_a_table_that_was_restored_to_what_has_landed_is_reported_once(
    app: Installation, server: Postgres
) -> None:
    app.land()
    server.sql("insert into sales.accounts values ('a3', 'Cog', '2026-01-03', '2026-02-03 10:00+00', 1, 'z')")
    app.land()
    server.sql("delete from sales.accounts where account_id = 'a3'")
    assert [warning.split(":")[0].split(" ", 1)[1] for warning in app.land().warnings] == [
        "has 2 rows, and had 3 when it was read before; what has landed stays",
        "went back in time",
    ]
    assert app.land().warnings == []


def test_times_that_are_empty_or_ahead_do_not_hide_later_rows(app: Installation, server: Postgres) -> None:
    server.sql(
        "insert into sales.accounts values ('a3', 'Cog', '2026-01-01', '2026-03-01', 1, 'z')",
        "alter table sales.accounts add column synced_at timestamptz",
        "update sales.accounts set synced_at = updated_at",
        "update sales.accounts set synced_at = null where account_id = 'a1'",
        "update sales.accounts set synced_at = '2099-01-01' where account_id = 'a2'",
    )
    app.write((app.folder / "tables.yml").read_text().replace("updated_at}", "synced_at}"))
    report = app.land()
    assert report.rows_landed == 3
    assert "1 rows have no time in synced_at" in report.warnings[0]
    assert (
        "1 rows have a time in synced_at that is more than a day ahead, the newest 2099" in report.warnings[1]
    )
    server.sql(
        "insert into sales.accounts values ('a4', 'Dot', '2026-01-01', '2026-03-02', 1, 'z', '2026-03-02')",
        "insert into sales.accounts values ('a5', 'Eve', '2026-01-01', '2026-03-02', 1, 'z', null)",
    )
    later = app.land()
    assert (later.rows_landed, names(app)[-2:]) == (2, ["Dot", "Eve"])
    assert not [warning for warning in later.warnings if "read from its start" in warning]


def test_what_is_refused_is_named_by_the_key_of_the_relation(app: Installation, server: Postgres) -> None:
    server.sql(
        "alter table sales.accounts alter column created_at type text, add column id bigint",
        "insert into sales.accounts values"
        " (null, 'Nobody', '2026-01-01', '2026-01-04', 1, 'z', 77),"
        " ('a9', 'Odd', 'soon', '2026-01-04', 1, 'z', 78)",
    )
    app.write((app.folder / "tables.yml").read_text().replace("updated_at}", "updated_at, key: id}"))
    report = app.land()
    assert report.rows_landed + report.rows_rejected == 4
    refused = app.inbox.all(
        "select source_file, row_key, column_name, rule from quarantine.rejected_rows"
        " union all select source_file, row_key, column_name, rule from quarantine.rejected_values order by 2"
    )
    assert refused == [
        (SALES, "77", "account_id", "missing_required"),
        (SALES, "78", "created_at", "wrong_type"),
    ]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            ["alter table sales.accounts rename to account"],
            "there is no such relation, or its user may not see it\n"
            "  What to do: the nearest are sales.account",
        ),
        (
            ["alter table sales.accounts rename column updated_at to updated"],
            "column updated_at: it has no column updated_at, which tables.yml names as loaded_at\n"
            "  What to do: the nearest are updated",
        ),
        (
            ["alter table sales.accounts rename column name to title"],
            "column name: ",
        ),
        (
            ["revoke select on sales.accounts from radar"],
            f"the user of {VARIABLE} has no right to read it\n"
            "  What to do: let the owner of the database grant it: grant select on sales.accounts to",
        ),
        (
            ["alter table sales.accounts alter column updated_at type bigint using 5"],
            "column updated_at: loaded_at is of type BIGINT and holds no times",
        ),
    ],
)
def test_a_relation_that_cannot_be_read_is_a_sentence_and_other_feeds_go_on(
    app: Installation, server: Postgres, broken: list[str], message: str
) -> None:
    app.land()
    server.sql("insert into sales.accounts values ('a5', 'Eve')", *broken)
    app.inbox.put("crm/contacts/c.csv", "contact_id,account_id,name,updated_at\nc1,a1,Ann,2026-01-01\n")
    landed = app.land(CONTACTS)
    assert landed.rows_landed == 1, landed
    refusal = app.inbox.refusal(SALES)
    assert refusal.startswith(SALES)
    assert message in refusal
    assert names(app) == ["Acme", "Bolt"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("password=", "password=not-"), f"{VARIABLE} does not let Radar in"),
        (("dbname=app", "dbname=apps"), f"{VARIABLE} names a database that is not there"),
        (("127.0.0.1", "127.0.0.1 connect_timeout=5 hostaddr=127.0.0.2"), "cannot be reached"),
        ((".*", ""), f"{VARIABLE} is not set, which has the connection string of app"),
    ],
)
def test_a_connection_that_fails_says_which_variable_and_never_what_is_in_it(
    app: Installation,
    server: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    change: tuple[str, str],
    message: str,
) -> None:
    app.inbox.put_accounts()
    monkeypatch.setenv(VARIABLE, "" if change[0] == ".*" else server.connection.replace(*change))
    assert app.land().files_refused == 1
    refusal = app.inbox.refusal(SALES)
    assert message in refusal
    for secret in (PASSWORD, "127.0.0.1", "user=radar"):
        assert secret not in refusal
    monkeypatch.setenv(VARIABLE, server.connection)
    assert app.land().rows_landed == 2


def test_a_connection_that_breaks_amid_a_table_lands_nothing_of_it(
    app: Installation, server: Postgres
) -> None:
    """The view ends its own connection at its 150,000th row, when thousands have been read."""
    server.sql(
        "create function sales.breaks(n bigint) returns text language plpgsql as $$ begin"
        " if n = 150000 then perform pg_terminate_backend(pg_backend_pid()); end if; return 'a' || n; end $$",
        "create view sales.long as select sales.breaks(n) as account_id, 'N' as name,"
        " timestamptz '2026-01-01' as created_at, timestamptz '2026-01-01' as updated_at"
        " from generate_series(1, 200000) as n",
        "grant pg_signal_backend to radar",
        "grant select on sales.long to radar",
    )
    app.inbox.put_accounts()
    app.write((app.folder / "tables.yml").read_text().replace("sales.accounts", "sales.long"))
    assert app.land().files_refused == 1
    assert "the connection broke while it was read" in app.inbox.refusal("tables/app/sales.long")
    assert app.inbox.all("select count(*) from raw.crm_accounts") == [(1,)]
    assert app.inbox.all("select count(*) from control.table_states") == [(0,)]


def test_rows_of_a_feed_that_was_blocked_are_read_again_once_the_table_changed(
    app: Installation, server: Postgres
) -> None:
    app.land()
    app.inbox.con.execute("""
        delete from raw.crm_accounts;
        insert into quarantine.rejected_rows (feed, source_file, rule, batch_id, rejected_at)
        select feed, source_file, 'feed_held', 1, read_at from control.table_states
    """)  # what blocking a feed leaves
    assert app.land().rows_landed == 0
    server.sql("insert into sales.accounts values ('a3', 'Cog', '2026-01-03', '2026-02-03 10:00+00', 1, 'z')")
    assert (app.land().rows_landed, names(app)) == (3, ["Acme", "Bolt", "Cog"])


def test_a_key_that_is_an_address_is_masked(app: Installation, server: Postgres) -> None:
    server.sql("insert into sales.accounts values (null, 'ann@acme.test', '2026-01-01', '2026-01-04')")
    app.write((app.folder / "tables.yml").read_text().replace("updated_at}", "updated_at, key: name}"))
    app.land()
    assert app.inbox.column("select row_key from quarantine.rejected_rows") == ["a***(13)"]


# DuckDB, through an adapter


def fivetran(path: Path) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute("""
            create schema hubspot;
            create table hubspot.company (
                id bigint, is_deleted boolean, _fivetran_synced timestamptz,
                property_name varchar, property_createdate timestamptz, property_domain varchar,
                property_hs_lastmodifieddate timestamptz, portal_id bigint
            );
            insert into hubspot.company values
                (101, false, '2026-02-01 01:00:00+00', 'Acme', '2025-01-01', 'acme.test', '2026-01-31', 1),
                (102, false, '2026-02-01 01:00:00+00', 'Bolt', '2025-01-01', 'bolt.test', '2026-01-31', 1);
        """)


def test_a_schema_of_fivetran_lands_through_the_vendors_adapter(place: Installation) -> None:
    fivetran(place.folder / "loader.duckdb")
    place.write("""
databases:
  loader: {type: duckdb, path: loader.duckdb}
tables:
  - {database: loader, relation: hubspot.company, adapter: hubspot/companies, loaded_at: _fivetran_synced}
""")
    report = place.land()
    assert (report.rows_landed, report.messages) == (2, [])
    assert place.inbox.all("select account_id, name from raw.crm_accounts order by all") == [
        ("101", "Acme"),
        ("102", "Bolt"),
    ]
    assert place.inbox.all("select distinct source_file, feed from audit.loads order by all") == [
        ("tables/loader/hubspot.company", "crm/accounts"),
        ("tables/loader/hubspot.company", "crm/identities"),
    ]
    with duckdb.connect(str(place.folder / "loader.duckdb")) as con:
        con.execute("""
            insert into hubspot.company values
                (103, false, '2026-02-02 01:00:00+00', 'Cog', '2025-01-01', 'cog.test', '2026-02-01', 1)
        """)
    assert (place.land().rows_landed, names(place)[-1]) == (1, "Cog")


def as_tables(extracts: Path, target: Path) -> str:
    """Every feed as a table `<source>.<feed>` in one DuckDB file; what names them in tables.yml."""
    lines = ["databases:", f"  app: {{type: duckdb, path: {target}}}", "tables:"]
    csv = "all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"'"
    with duckdb.connect(str(target)) as con:
        for folder in sorted(extracts.glob("*/*/")):
            source, feed = folder.parts[-2:]
            files = [str(file) for file in sorted(folder.iterdir())]
            read = f"read_csv({files}, {csv}," if ".csv" in files[0] else f"read_json({files},"
            read = f"read_parquet({files}," if ".parquet" in files[0] else read
            con.execute(f"create schema if not exists {source}")
            con.execute(f"create table {source}.{feed} as select * from {read} union_by_name = true)")
            lines.append(f"  - {{database: app, relation: {source}.{feed}, feed: {source}/{feed}}}")
    return "\n".join(lines) + "\n"


def test_the_feeds_of_a_company_are_the_same_rows_from_tables_and_from_files(
    place: Installation, tmp_path: Path
) -> None:
    extracts = tmp_path / "demo"
    generate(extracts, accounts=12, days=60, seed=1, end=date(2026, 3, 13))
    for cut in extracts.rglob("*-interrupted*"):
        cut.unlink()  # a broken file has no counterpart among tables
    place.write(as_tables(extracts, tmp_path / "app.duckdb"))
    assert {one.files_refused for one in place.inbox.land(place.tables())} == {0}
    with connect(tmp_path / "files.duckdb") as con:
        Inbox(extracts, con).land()
        for feed in load_feeds().values():
            columns = ", ".join(
                f"cast({one.name} as varchar)" if one.type != "json" else f"{one.name} is null"
                for one in feed.columns
            )
            query = f"select distinct {columns} from {feed.raw_table} order by all"
            assert place.inbox.all(query) == con.execute(query).fetchall(), feed.name


def test_a_duckdb_file_that_is_being_written_or_reads_other_files_is_refused(place: Installation) -> None:
    place.inbox.put_accounts()
    (place.folder / "secret.csv").write_text("account_id\nstolen\n")
    place.write("""
databases:
  loader: {type: duckdb, path: loader.duckdb}
tables:
  - {database: loader, relation: leak, feed: crm/accounts}
""")
    with duckdb.connect(str(place.folder / "loader.duckdb")) as con:
        con.execute(f"create view leak as select * from read_csv('{place.folder / 'secret.csv'}')")
        place.land()
        refusal = place.inbox.refusal("tables/loader/leak")
        assert "another program is writing the file" in refusal
    place.land()
    assert "cannot be read" in place.inbox.refusal("tables/loader/leak")
    assert place.inbox.all("select count(*) from raw.crm_accounts") == [(1,)]


# SQLite and Parquet


def test_a_table_of_sqlite_lands(place: Installation) -> None:
    path = place.folder / "app.db"
    with sqlite3.connect(path) as con:
        con.execute("create table accounts (account_id text, name text, created_at text, updated_at text)")
        con.execute("insert into accounts values ('a1', 'Acme', '2026-01-01', '2026-01-02T10:00:00Z')")
    con.close()
    place.write("""
databases:
  app: {type: sqlite, path: app.db}
tables:
  - {database: app, relation: accounts, feed: crm/accounts, loaded_at: updated_at}
""")
    assert place.land().rows_landed == 1
    with sqlite3.connect(path) as con:
        con.execute("insert into accounts values ('a2', 'Bolt', '2026-01-01', '2026-01-03T10:00:00Z')")
    con.close()
    report = place.land()
    assert (report.rows_landed, report.rows_repeated) == (1, 1)


def test_a_folder_of_parquet_lands_with_the_files_that_come(place: Installation) -> None:
    def put(name: str, account: str, day: str) -> None:
        row = f"'{account}' as account_id, 'N' as name, date '{day}' as created_at"
        target = place.folder / "lake" / "accounts" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        place.inbox.con.execute(
            f"copy (select {row}, timestamp '{day}' as updated_at) to '{target}' (format parquet)"
        )

    put("day=2026-01-01/part.parquet", "a1", "2026-01-01")
    place.write("""
databases:
  lake: {type: parquet, path: lake}
tables:
  - {database: lake, relation: accounts, feed: crm/accounts, loaded_at: updated_at}
""")
    assert place.land().rows_landed == 1
    put("day=2026-01-02/part.parquet", "a2", "2026-01-02")
    report = place.land()
    assert (report.rows_landed, report.rows_repeated) == (1, 1)

    (place.folder / "lake" / "accounts").rename(place.folder / "lake" / "account")
    place.land()
    assert "What to do: the nearest in" in place.inbox.refusal("tables/lake/accounts")


def test_a_table_of_delta_lands(place: Installation) -> None:
    folder = place.folder / "lake" / "accounts"
    (folder / "_delta_log").mkdir(parents=True)
    part = folder / "part.parquet"
    place.inbox.con.execute(f"""
        copy (
            select 'a1' as account_id, 'N' as name, date '2026-01-01' as created_at,
                timestamptz '2026-01-01 10:00:00+00' as updated_at
        ) to '{part}' (format parquet)
    """)
    types = {"account_id": "string", "name": "string", "created_at": "date", "updated_at": "timestamp"}
    schema = [{"name": one, "type": types[one], "nullable": True, "metadata": {}} for one in types]
    entries: list[dict[str, Any]] = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {
            "metaData": {
                "id": "accounts",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": schema}),
                "partitionColumns": [],
                "configuration": {},
            }
        },
        {
            "add": {
                "path": part.name,
                "partitionValues": {},
                "size": part.stat().st_size,
                "modificationTime": 0,
                "dataChange": True,
            }
        },
    ]
    (folder / "_delta_log" / f"{0:020}.json").write_text(ndjson(*entries))
    place.write("""
databases:
  lake: {type: delta, path: lake}
tables:
  - {database: lake, relation: accounts, feed: crm/accounts, loaded_at: updated_at}
""")
    assert place.land().rows_landed == 1


def test_without_a_watermark_the_whole_relation_is_read_and_lands_once(place: Installation) -> None:
    place.inbox.con.execute(
        f"copy (select 'a1' as account_id, 'N' as name, date '2026-01-01' as created_at,"
        f" timestamp '2026-01-01' as updated_at) to '{place.folder / 'a.parquet'}' (format parquet)"
    )
    place.write("""
databases:
  lake: {type: parquet, path: .}
tables:
  - {database: lake, relation: a.parquet, feed: crm/accounts}
""")
    assert [place.land().rows_landed, place.land().rows_landed] == [1, 0]


def test_an_extension_that_is_missing_is_named_with_its_package(place: Installation) -> None:
    place.inbox.put_accounts()
    (place.folder / "lake" / "accounts").mkdir(parents=True)
    place.write("""
databases:
  lake: {type: snowflake, connection_env: PATH}
tables:
  - {database: lake, relation: crm.accounts, feed: crm/accounts}
""")
    place.land()
    refusal = place.inbox.refusal("tables/lake/crm.accounts")
    assert "reading snowflake needs DuckDB's extension snowflake" in refusal
    assert f"pip install duckdb-extension-snowflake=={duckdb.__version__}" in refusal


# the file

GOOD = f"""
databases:
  app: {{type: postgres, connection_env: {VARIABLE}}}
  lake: {{type: parquet, path: lake}}
tables:
  - {{database: app, relation: sales.accounts, feed: crm/accounts, loaded_at: updated_at}}
"""


def test_the_file_of_the_documentation_is_a_good_one(place: Installation) -> None:
    page = (Path(__file__).parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml tables\n(.*?)```", page, re.DOTALL)
    place.write(text)
    assert {table.feed for table in place.tables()} == {ACCOUNTS, "crm/identities", "product/events"}
    assert all(f"| `{kind}`" in page or f"`{kind}`, `" in page or f", `{kind}`" in page for kind in KINDS)


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (("feed: crm/accounts", "feed: crm/acounts"), 6, "there is no feed crm/acounts"),
        (("feed: crm/accounts", "adapter: hubspot/company"), 6, "the nearest are hubspot/companies"),
        (("feed: crm/accounts, ", ""), 6, "has to name a feed or an adapter, and one alone"),
        (("database: app", "database: apps"), 6, "apps is none of the databases above"),
        (("type: postgres", "type: postgre"), 3, "the nearest are postgres"),
        ((f"connection_env: {VARIABLE}", "path: x"), 3, "write connection_env in its place"),
        (("loaded_at:", "loaded_on:"), 6, "a table has no property loaded_on"),
        (("sales.accounts", "a.b.c"), 6, "has more than a schema and a name"),
        (("database: app, relation: sales.accounts", "database: lake, relation: ../x"), 6, "is no relation"),
        (("updated_at}", "updated_at, overlap_minutes: -1}"), 6, "overlap_minutes is no number of minutes"),
    ],
)
def test_a_mistake_in_the_file_is_shown_with_its_line(
    place: Installation, change: tuple[str, str], line: int, message: str
) -> None:
    assert change[0] in GOOD
    place.write(GOOD.replace(*change))
    text = place.wrong()
    assert f"tables.yml, line {line}: " in text
    assert message in text


def test_a_secret_in_the_file_is_refused_and_not_shown(place: Installation) -> None:
    place.write(GOOD.replace(VARIABLE, "postgres://radar:hunter2@db/app"))
    text = place.wrong()
    assert "connection_env is no name of an environment variable" in text
    assert "hunter2" not in text


def test_a_file_that_is_named_and_missing_is_an_error_and_no_file_at_all_is_none(tmp_path: Path) -> None:
    assert load_tables(tmp_path / "tables.yml") == ()
    with pytest.raises(UsageError, match="correct RADAR_TABLES"):
        load_tables(tmp_path / "tables.yml", is_required=True)
