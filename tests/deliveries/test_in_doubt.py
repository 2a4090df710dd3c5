"""Deliveries in doubt, settled by a person: once, in the ledger and in the audit chain."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from radar.audit.chain import verify
from radar.audit.entries import record
from radar.core.errors import AuditError, UsageError
from radar.core.runs import Run, Window
from radar.core.warehouse import connect
from radar.deliveries.in_doubt import resolve, status
from radar.deliveries.settings import Destinations
from tests.deliveries.small_company import DAY, Company
from tests.deliveries.vendors import Vendors
from tests.frozen import SEEDS

RUN = Run("run-x", 1, Window(DAY, DAY), datetime(2026, 3, 14, 5))


@pytest.fixture
def doubtful(vendors: Vendors, company: Company) -> Company:
    """One alert of which the answer was lost."""
    company.do("create schema scoring")
    company.do(
        "create table scoring.dim_rule_sets as "
        "select 'v1' as rule_set, 'champion' as status, 'f0' as rule_version"
    )
    company.settings = Destinations(slack_webhook_url=f"{vendors.url}/slack/hook")
    company.act("alert", 1)
    vendors.fail("/slack/hook", "lose")
    company.run("slack")
    assert company.states() == {"alert:alert01": "in_doubt"}
    return company


@contextmanager
def closed(company: Company) -> Iterator[Path]:
    """The warehouse, for what opens it itself."""
    ((file,),) = company.con.execute("select path from duckdb_databases() where path is not null").fetchall()
    company.con.close()
    try:
        yield Path(file)
    finally:
        company.con = duckdb.connect(file)


def entries(company: Company, kind: str) -> list[Any]:
    return company.con.execute(
        "select subject_id, account_id, run_id, as_of_date, rule_version, actor, state, "
        "evidence ->> 'reason' from audit.entries where kind = ? order by sequence",
        [kind],
    ).fetchall()


def test_what_was_delivered_after_all_is_not_sent_again(vendors: Vendors, doubtful: Company) -> None:
    with closed(doubtful) as warehouse:
        (message,) = status(warehouse)[1]
        assert (message.message_key, message.accounts, message.carrier) == (
            "alert:alert01",
            ["acc-01"],
            "slack_webhook",
        )
        assert resolve(warehouse, message.message_key, was_delivered=True, by="dora", reason="seen") == 1
        assert status(warehouse) == ({"slack": {"delivered": 1}}, [])
        verify(warehouse)
    assert entries(doubtful, "delivery_decision") == [
        ("alert:alert01#1", "acc-01", "run1", DAY, "f0", "dora", "delivered", "seen")
    ]
    doubtful.run("slack")
    assert len(vendors.posts) == 1
    doubtful.do(f"update marts.fct_actions set status = 'closed', ended_on = '{DAY}'")
    doubtful.do("update marts.rpt_account_health set bucket = 'healthy'")
    doubtful.run("slack")
    assert len(vendors.posts) == 2, "so its end is told too"


def test_what_was_not_delivered_goes_again_and_may_be_in_doubt_again(
    vendors: Vendors, doubtful: Company
) -> None:
    with closed(doubtful) as warehouse, connect(warehouse) as con:
        assert record(con, warehouse, RUN)["delivery"] == 1
    for number in (1, 2):
        with closed(doubtful) as warehouse:
            resolve(warehouse, "alert:alert01", was_delivered=False, by="dora", reason=f"look {number}")
            with connect(warehouse) as con:
                assert record(con, warehouse, RUN) == {}, "the command has recorded it"
        if number == 1:
            vendors.fail("/slack/hook", "lose")
        doubtful.run("slack")
        assert doubtful.states() == {"alert:alert01": "in_doubt" if number == 1 else "delivered"}
        with closed(doubtful) as warehouse, connect(warehouse) as con:
            assert record(con, warehouse, RUN) == {"delivery": 1}
    told = [(row[0], row[6], row[7]) for row in entries(doubtful, "delivery_decision")]
    assert told == [
        ("alert:alert01#1", "not_delivered", "look 1"),
        ("alert:alert01#2", "not_delivered", "look 2"),
    ]
    states = [row[6] for row in entries(doubtful, "delivery")]
    assert states == ["in_doubt", "in_doubt again 1", "delivered again 2"]


def test_a_digest_is_resolved_as_the_one_message_that_it_is(vendors: Vendors, doubtful: Company) -> None:
    for number in range(10, 14):
        doubtful.act("alert", number)
    vendors.fail("/slack/hook", "lose")
    doubtful.run("slack")
    with closed(doubtful) as warehouse:
        keys = [message.message_key for message in status(warehouse)[1]]
        assert len(keys) == 2
        assert resolve(warehouse, keys[1], was_delivered=False, by="dora", reason="not there") == 4
    before = len(vendors.posts)
    doubtful.run("slack")
    assert len(vendors.posts) == before + 1
    assert sorted(doubtful.states().values()) == ["delivered"] * 4 + ["in_doubt"]


def refused(company: Company, match: str, key: str, reason: str) -> None:
    with closed(company) as warehouse, pytest.raises(UsageError, match=match):
        resolve(warehouse, key, was_delivered=True, by="dora", reason=reason)


def test_it_is_resolved_once_with_a_reason_and_only_where_there_is_a_doubt(doubtful: Company) -> None:
    refused(doubtful, "the reason is empty", "alert:alert01", " ")
    refused(doubtful, "nothing is in doubt under alert:other", "alert:other", "seen")
    assert doubtful.states() == {"alert:alert01": "in_doubt"}
    with closed(doubtful) as warehouse:
        resolve(warehouse, "alert:alert01", was_delivered=True, by="dora", reason="seen")
    refused(doubtful, "nothing is in doubt under alert:alert01", "alert:alert01", "seen")
    assert len(entries(doubtful, "delivery_decision")) == 1


def test_a_resolution_that_somebody_changes_or_takes_away_shows(doubtful: Company) -> None:
    with closed(doubtful) as warehouse:
        resolve(warehouse, "alert:alert01", was_delivered=False, by="dora", reason="not there")
    doubtful.do("update audit.entries set actor = 'ed' where kind = 'delivery_decision'")
    with closed(doubtful) as warehouse, pytest.raises(AuditError, match="not as it was written"):
        verify(warehouse)
    doubtful.do("delete from audit.entries")
    doubtful.do("update audit.deliveries set status = 'in_doubt' where carrier = 'person'")
    with closed(doubtful) as warehouse, pytest.raises(AuditError, match="cut off"):
        resolve(warehouse, "alert:alert01", was_delivered=True, by="dora", reason="seen")
    assert doubtful.con.execute("select count(*) from audit.delivery_decisions").fetchall() == [(1,)]


def test_the_commands(doubtful: Company) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RADAR_")}
    clean["RADAR_SHIPPED_SEEDS"] = str(SEEDS)

    def radar(*arguments: str) -> subprocess.CompletedProcess[str]:
        with closed(doubtful) as warehouse:
            return subprocess.run(
                [
                    Path(sys.executable).with_name("radar"),
                    "deliveries",
                    *arguments,
                    f"--warehouse={warehouse}",
                ],
                capture_output=True,
                text=True,
                env=clean,
                check=False,
            )

    told = radar("status").stdout
    assert "slack     1 in doubt" in told
    assert "in doubt: alert:alert01\n  alert of acc-01, sent to slack_webhook at 2026-03-15" in told
    assert radar("settle", "alert:alert01", "--as=perhaps", "--reason=x").returncode == 2
    done = radar("settle", "alert:alert01", "--as=not-delivered", "--reason=not in the channel")
    assert (done.returncode, done.stdout) == (0, "alert:alert01: 1 to go again with the next run\n")
    assert radar("status").stdout == "slack     1 failed\n"
    again = radar("settle", "alert:alert01", "--as=delivered", "--reason=x")
    assert (again.returncode, "What to do" in again.stderr) == (2, True)
