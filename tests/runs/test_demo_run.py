"""The demo company through the whole job, and what a second run, a late file and a changed day do."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from radar.publishing.contents import RECORDS
from tests.conftest import DEMO_DAYS as DAYS
from tests.runs.radar_run import Place, radar

TOLD = "select * from marts.fct_health_history order by all"
TABLES = (
    *(f"signals.sig_{family}" for family in ("usage", "adoption", "support", "billing", "comms")),
    *(f"signals.sig_{family}" for family in ("relationship", "value", "sentiment")),
    "marts.fct_health_history",
    "marts.fct_health_evidence",
    "marts.rpt_account_health",
    "marts.rpt_buckets_daily",
    "marts.fct_account_flags",
    "marts.fct_source_conflicts",
    "marts.rpt_review_queue",
    "marts.rpt_override_scoreboard",
    "marts.rpt_spot_checks",
    "marts.rpt_outreach_times",
    "marts.rpt_review_agreement",
)


def fingerprints(place: Place) -> dict[str, tuple[object, ...]]:
    """Rows and an order-free hash of every table that users read."""
    query = "select count(*), bit_xor(hash(told)) from {} as told"
    return {table: place.rows(query.format(table))[0] for table in TABLES}


@pytest.fixture
def demo(demo_run: Place) -> Place:
    return demo_run


def test_the_run_says_what_it_did(demo: Place) -> None:
    said = (demo.folder / "first.txt").read_text()
    for word in ("product/events", "healthy", "watch", "at risk", "hubspot_companies", "radar explain"):
        assert word in said.replace("at_risk", "at risk")
    assert "interrupted" not in said, "an upload under way is not read"


def test_every_day_is_told_for_every_scored_account(demo: Place) -> None:
    assert demo.rows("select count(distinct as_of_date) from marts.fct_health_history") == [(8,)]
    buckets = {bucket for (bucket,) in demo.rows("select distinct bucket from marts.rpt_account_health")}
    assert buckets == {"healthy", "watch", "at_risk"}


def test_refused_rows_name_file_row_rule_and_hide_the_value(demo: Place) -> None:
    rejected = demo.rows(
        "select feed, source_file, row_number, rule, masked_value from quarantine.rejected_rows"
    )
    assert {"unresolved_account"} < {row[3] for row in rejected}
    values = demo.rows("select masked_value from quarantine.rejected_values where column_name = 'email'")
    assert values
    assert all("@" not in (value or "") for (value,) in values)


@pytest.mark.slow
def test_a_second_run_changes_nothing(demo_run: Place, tmp_path: Path) -> None:
    demo = Place(tmp_path / "demo")
    shutil.copytree(demo_run.folder, demo.folder, symlinks=True)
    before = fingerprints(demo)
    raw = (
        demo.rows("select count(*) from raw.crm_accounts"),
        demo.rows("select count(*) from raw.support_tickets"),
    )
    demo.run(*DAYS)
    assert fingerprints(demo) == before
    assert raw == (
        demo.rows("select count(*) from raw.crm_accounts"),
        demo.rows("select count(*) from raw.support_tickets"),
    )
    changes = "select count(*) from information_schema.tables where table_name = 'health_history_changes'"
    if demo.rows(changes) == [(1,)]:
        assert demo.rows("select count(*) from audit.health_history_changes") == [(0,)]
    newest = max(demo.exports.glob("generic/*/manifest.json"), key=lambda path: path.stat().st_mtime_ns)
    manifest = json.loads(newest.read_text())
    assert manifest["as_of_date"] == "2026-06-30"
    assert sum(file["rows"] for file in manifest["files"]) == 0, "no account changed"


@pytest.mark.slow
def test_a_changed_day_keeps_what_was_told_before(demo: Place, tmp_path: Path) -> None:
    place = Place(tmp_path)
    for folder in ("extracts",):
        shutil.copytree(demo.folder / folder, place.folder / folder)
    place.run(*DAYS)
    account, owner = place.rows(
        """
        select account_id, owner_id from marts.rpt_account_health
        where bucket = 'healthy' and not is_overridden order by account_id limit 1
        """
    )[0]
    told = place.rows(
        f"select * from marts.fct_health_history where account_id = '{account}' order by as_of_date"
    )
    payments = place.extracts / "billing/payments/late.csv"
    with payments.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["payment_id", "account_id", "amount_usd", "status", "attempted_at"])
        writer.writerows([[f"late-{n}", account, 10, "failed", "2026-06-28T10:00:00Z"] for n in range(4)])
    place.run(*DAYS)
    now = place.rows(
        f"select as_of_date, bucket from marts.fct_health_history where account_id = '{account}' order by 1"
    )
    assert [bucket for day, bucket in now if day >= date(2026, 6, 28)] == ["at_risk"] * 3
    kept = place.rows(
        f"""
        select as_of_date, replaced_in_run from audit.health_history_changes
        where account_id = '{account}' order by as_of_date
        """
    )
    assert [day for day, _ in kept] == [date(2026, 6, 28), date(2026, 6, 29), date(2026, 6, 30)]
    assert len(told) == 8
    assert owner is not None


@pytest.mark.slow
def test_a_warehouse_of_an_earlier_release_gains_columns(demo: Place, tmp_path: Path) -> None:
    """Also what is kept of changed days: its table is as old as the first change."""
    place = Place(tmp_path / "place")
    shutil.copytree(demo.folder, place.folder, symlinks=True)
    with duckdb.connect(str(place.warehouse)) as con:
        con.execute("alter table marts.fct_health_history drop column bucket_low")
        con.execute(
            "create or replace table audit.health_history_changes as "
            "select *, null::varchar as replaced_in_run, null::timestamp as replaced_at "
            "from marts.fct_health_history limit 0"
        )
    place.run(DAYS[1])
    last = "as_of_date = '2026-06-30'"
    told = place.rows(f"select count(*), count(bucket_low) from marts.fct_health_history where {last}")
    assert told[0][0] == told[0][1]
    kept = f"select count(*), count(bucket_low) from audit.health_history_changes where {last}"
    assert place.rows(kept) == [(told[0][0], 0)]


def test_the_published_copy_answers_alone(demo: Place, tmp_path: Path) -> None:
    copy = tmp_path / "some other name.duckdb"
    shutil.copy(demo.published / "radar.duckdb", copy)
    with duckdb.connect(str(copy), read_only=True) as con:
        tables = con.execute("select distinct schema_name, table_name from duckdb_tables()").fetchall()
        assert not {schema for schema, _ in tables} & {"raw", "quarantine", "staging", "control"}
        assert {f"{schema}.{table}" for schema, table in tables if schema == "audit"} == set(RECORDS)
        scored = con.execute(
            "select count(*) from scoring.fct_health_scores"
            " where as_of_date = '2026-06-30' and rule_set_status = 'champion'"
        ).fetchone()
        told = con.execute("select count(*) from marts.rpt_account_health").fetchone()
        assert scored == told
        assert con.execute("select count(*) from scoring.fct_signal_values where is_known").fetchone() > (0,)
        kinds = con.execute("select distinct kind from audit.entries").fetchall()
        assert {("override",), ("action",), ("rule_change",)} <= set(kinds), "of the run that published it"


def test_explain_says_points_trend_and_next_step(demo: Place, tmp_path: Path) -> None:
    ((account, name, owner),) = demo.rows(
        "select account_id, account_name, owner_name from marts.rpt_account_health "
        "where decision = 'decided' and owner_name is not null order by score limit 1"
    )
    done = radar("explain", account, f"--published={demo.published}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{name} ({account})")
    assert f"Owner: {owner}" in done.stdout
    assert "points)" in done.stdout
    assert "Trend:" in done.stdout
    assert "Next:" in done.stdout
    assert len(done.stdout.splitlines()) <= 14
    told = json.loads(radar("explain", account, "--json", f"--published={demo.published}").stdout)
    assert told["base_score"] + sum(line["points"] for line in told["ledger"]) <= 100
    nobody = radar("explain", "nobody", f"--published={demo.published}")
    assert nobody.returncode == 2
    assert "What to do" in nobody.stderr
    shutil.copy(demo.published / "radar.duckdb", tmp_path)
    with duckdb.connect(str(tmp_path / "radar.duckdb")) as con:
        con.execute("drop table intermediate.int_account_versions")  # as before that was published
    older = radar("explain", account, f"--published={tmp_path}")
    assert older.returncode == 1
    assert "cannot read the copy" in older.stderr
    assert "run `radar run` once" in older.stderr


def test_a_question_about_one_account_reads_no_others(demo_run: Place) -> None:
    with duckdb.connect(str(demo_run.warehouse), read_only=True) as con:
        ((account,),) = con.execute("select max(account_id) from marts.rpt_account_health").fetchall()
        ((_, plan),) = con.execute(
            f"explain (format json) select * from scoring.fct_health_scores where account_id = '{account}'"
        ).fetchall()
    scans = [node["extra_info"] for node in nodes(json.loads(plan)) if "Table" in node.get("extra_info", {})]
    of_signals = [scan for scan in scans if ".signals.sig_" in scan["Table"]]
    assert of_signals
    assert [scan["Table"] for scan in of_signals if "account_id" not in str(scan.get("Filters"))] == []


def nodes(plan: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The operators of a plan, with what is below each."""
    for node in plan:
        yield node
        yield from nodes(node["children"])
