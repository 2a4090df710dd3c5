"""What becomes an entry: each thing once, and again only when it has come to something else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from radar.audit.chain import verify
from radar.audit.delivery_ledger import QUERIES
from radar.audit.entries import KEYS, record
from radar.core.runs import Run, Window
from radar.core.warehouse import connect
from radar.exports.writer import QUERIES as SYNC
from tests.frozen import SEEDS

DAY = date(2026, 3, 13)
RUN = Run("run-1", 1, Window(DAY, DAY), datetime(2026, 3, 14, 5))

TABLES = """
create schema staging; create schema marts; create schema scoring; create schema seeds; create schema audit;
create table seeds.rule_sets as select 'v1' as rule_set, 'champion' as status, 80 as healthy_from;
create table seeds.rules as
    select * from (
        values ('v1', 'no_login', null, -20), ('v1', 'no_login', 'smb', -10), ('v1', 'paid', null, 5)
    ) as rules (rule_set, rule_id, segment, points);
create table seeds.rule_conditions as
    select 'v1' as rule_set, 'no_login' as rule_id, null::varchar as segment, 1 as position, 14 as threshold;
create table seeds.settings as select 'trend_points' as setting, 5 as value;
create table scoring.dim_rule_sets as
    select 'v1' as rule_set, 'champion' as status, null as description, 'aaa' as rule_version;
create table staging.stg_crm__overrides (
    override_id varchar, account_id varchar, bucket varchar, reason varchar, overridden_by varchar,
    overridden_at timestamp, expires_at timestamp
);
create table audit.exports (
    run_id varchar, profile varchar, as_of_date date, folder varchar, rows bigint, bytes bigint,
    sha256 varchar, exported_at timestamp, rule_set varchar, rule_version varchar
);
"""
ACTIONS = """
create table marts.fct_actions as
select
    'act-' || number as action_id, 'a' || number as account_id, 'own-1' as owner_id, 'save_call' as play,
    'crm_task' as channel, 'to_approve' as status, null::varchar as suppressed_by,
    'No login for 20 days' as evidence, date '2026-03-12' as as_of_date,
    'v0' as rule_set, 'zzz' as rule_version, case when number < 4 then date '2026-03-12' end as released_on
from range(1, 5) as numbers (number)
"""
REVIEWS = """
create table staging.stg_crm__reviews as
select * from (values
    ('r1', 'a1', date '2026-03-10', 'sign_off', 'agree', null, null, 'dora', timestamp '2026-03-11', null),
    ('r2', 'a2', date '2026-03-09', 'spot_check', 'disagree', 'watch', 'told x@y.example', 'ed', null, null),
    ('r3', 'a2', date '2026-03-12', 'action', 'approved', null, null, 'emil', null, 'act-2')
) as reviews (
    review_id, account_id, as_of_date, kind, verdict, bucket, reason, reviewed_by, reviewed_at, action_id
)
cross join (
    select
        null::date as until_date, null::varchar as owner_id, null::date as deleted_date,
        null::varchar as edited_subject, null::varchar as edited_text, null::varchar as draft_text
) as later
"""
OVERRIDE = """
insert into staging.stg_crm__overrides values
(
    'o1', 'a1', 'watch',
    'they merge, says jo.smith+1@corp.example.com, +49 30 1234567, card 4111 1111 1111 1111',
    'lead@us.example',
    '2026-03-12 10:00:00', null
)
"""
EXPORT = """
insert into audit.exports values
(
    'run-0', 'generic', '2026-03-12', 'generic/2026-03-12_run-0', 7, 700, 'ff',
    '2026-03-12 06:00:00', 'v0', 'zzz'
)
"""


class Company:
    """A small warehouse that each test changes; every `record` is a run of its own."""

    def __init__(self, warehouse: Path) -> None:
        self.warehouse = warehouse
        self._runs = 0

    def do(self, *statements: str) -> None:
        with duckdb.connect(str(self.warehouse)) as con:
            for statement in statements:
                con.execute(statement)

    def record(self) -> dict[str, int]:
        self._runs += 1
        with connect(self.warehouse) as con:
            return record(con, self.warehouse, replace(RUN, run_id=f"run-{self._runs}"))

    def entries(self, kind: str) -> list[dict[str, Any]]:
        with duckdb.connect(str(self.warehouse), read_only=True) as con:
            con.execute("select * from audit.entries where kind = ? order by sequence", [kind])
            names = [column[0] for column in con.description or []]
            rows = [dict(zip(names, row, strict=True)) for row in con.fetchall()]
        return [row | {"evidence": json.loads(row["evidence"])} for row in rows]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path / "w.duckdb")
    made.do(TABLES)
    yield made
    verify(made.warehouse)


def test_a_repeated_run_adds_nothing(company: Company) -> None:
    company.do(ACTIONS, REVIEWS, OVERRIDE, EXPORT)
    assert company.record() == {
        "reference_change": 1,
        "rule_change": 1,
        "override": 1,
        "sign_off": 1,
        "spot_check": 1,
        "action_decision": 1,
        "action": 3,
        "export": 1,
    }
    assert company.record() == {}


def test_a_warehouse_without_actions_and_reviews_is_recorded_too(company: Company) -> None:
    company.do(OVERRIDE)
    assert company.record() == {"reference_change": 1, "rule_change": 1, "override": 1}


def test_an_override_says_who_what_and_under_which_rules(company: Company) -> None:
    company.do(OVERRIDE)
    company.record()
    (found,) = company.entries("override")
    assert (found["subject_id"], found["account_id"], found["actor"]) == ("o1", "a1", "lead@us.example")
    assert (found["run_id"], found["as_of_date"]) == ("run-1", DAY)
    assert (found["rule_set"], found["rule_version"]) == ("v1", "aaa")
    assert found["evidence"] == {
        "bucket": "watch",
        "expires_at": None,
        "overridden_at": "2026-03-12T10:00:00Z",
        "reason": "they merge, says (e-mail), (phone), card (card)",
    }


def test_every_version_of_an_override_is_an_entry_also_when_it_goes_back(company: Company) -> None:
    company.do(OVERRIDE)
    company.record()
    for bucket in ("at_risk", "watch"):
        company.do(f"update staging.stg_crm__overrides set bucket = '{bucket}'")
        assert company.record() == {"override": 1}
    assert [found["evidence"]["bucket"] for found in company.entries("override")] == [
        "watch",
        "at_risk",
        "watch",
    ]


@pytest.mark.parametrize(
    "change",
    [
        "account_id = 'a2'",
        "reason = 'they merge, says someone.else@corp.example.com'",
        "overridden_by = 'dora'",
        "overridden_at = '2026-03-12 10:00:01'",
        "expires_at = '2026-04-12'",
    ],
)
def test_any_change_of_an_override_is_an_entry(company: Company, change: str) -> None:
    company.do(OVERRIDE)
    company.record()
    company.do(f"update staging.stg_crm__overrides set {change}")
    assert company.record() == {"override": 1}


def test_an_action_is_an_entry_for_each_status_and_not_for_each_sentence(company: Company) -> None:
    company.do(ACTIONS)
    company.record()
    company.do("update marts.fct_actions set evidence = 'No login for 21 days', as_of_date = '2026-03-13'")
    assert company.record() == {}
    company.do(
        "update marts.fct_actions set status = 'suppressed', suppressed_by = 'quiet_mode'"
        " where action_id = 'act-2'"
    )
    assert company.record() == {"action": 1}
    found = company.entries("action")
    assert [row["subject_id"] for row in found] == ["act-1", "act-2", "act-3", "act-2"]
    assert (found[0]["as_of_date"], found[3]["as_of_date"]) == (date(2026, 3, 12), DAY)
    assert (found[3]["actor"], found[3]["account_id"]) == ("radar", "a2")
    assert (found[3]["rule_set"], found[3]["rule_version"]) == ("v0", "zzz")
    assert found[3]["evidence"] == {
        "channel": "crm_task",
        "evidence": "No login for 21 days",
        "owner_id": "own-1",
        "play": "save_call",
        "status": "suppressed",
        "suppressed_by": "quiet_mode",
    }


def test_what_people_decided_is_an_entry_of_its_kind(company: Company) -> None:
    company.do(REVIEWS)
    company.record()
    (signed,), (checked,) = company.entries("sign_off"), company.entries("spot_check")
    assert (signed["actor"], signed["as_of_date"], signed["evidence"]["verdict"]) == (
        "dora",
        date(2026, 3, 10),
        "agree",
    )
    assert checked["evidence"]["reason"] == "told (e-mail)"
    (approved,) = company.entries("action_decision")
    assert (approved["evidence"]["action_id"], approved["evidence"]["verdict"]) == ("act-2", "approved")
    assert "action_id" not in signed["evidence"]  # or every entry of before the column would have changed
    company.do("update staging.stg_crm__reviews set verdict = 'disagree' where kind <> 'action'")
    assert company.record() == {"sign_off": 1}


def test_a_text_that_somebody_changed_is_there_next_to_the_draft(company: Company) -> None:
    company.do(REVIEWS)
    company.do(
        "update staging.stg_crm__reviews set edited_subject = 'Hello', edited_text = 'Call +49 30 1234567',"
        " draft_text = 'Subject, then text' where review_id = 'r3'"
    )
    company.record()
    (approved,) = company.entries("action_decision")
    assert approved["evidence"]["draft"] == "Subject, then text"
    assert approved["evidence"]["sent"].startswith("Hello\n\nCall (")


def test_what_was_taken_back_is_an_entry_of_its_own(company: Company) -> None:
    company.do(REVIEWS)
    company.do(
        "insert into staging.stg_crm__reviews values ('r4', 'a1', '2026-03-12', 'cover', 'asked', null,"
        " 'away', 'ed', '2026-03-12 10:00:00', null, '2026-03-20', 'own-2', null, null, null, null)"
    )
    company.record()
    company.do("update staging.stg_crm__reviews set deleted_date = '2026-03-12' where review_id = 'r4'")
    assert company.record() == {"cover": 1}
    asked, undone = (entry["evidence"] for entry in company.entries("cover"))
    assert (asked["owner_id"], asked["until"], asked["reason"]) == ("own-2", "2026-03-20", "away")
    assert "deleted_on" not in asked
    assert undone == asked | {"deleted_on": "2026-03-12"}


def test_what_was_delivered_is_an_entry_once_and_attempts_are_none(company: Company) -> None:
    company.do(QUERIES["create"])
    row = "insert into audit.deliveries by name select {} as sequence, '{}' as status, {}"
    task = (
        "'task:act-1' as delivery_key, 'act-1' as action_id, 'task' as kind, 'hubspot' as carrier, "
        "timestamp '2026-03-13 05:00:00' as recorded_at, 'run-0' as run_id, date '2026-03-12' as as_of_date"
    )
    account = task.replace("'task' as kind", "'account' as kind").replace("task:act-1", "account:a1")
    company.do(row.format(1, "attempting", task), row.format(2, "delivered", account))
    assert "delivery" not in company.record()
    company.do(row.format(3, "in_doubt", task))
    assert company.record() == {"delivery": 1}
    company.do(row.format(4, "attempting", task), row.format(5, "delivered", task))
    assert company.record() == {"delivery": 1}
    found = [
        (entry["run_id"], entry["state"], entry["evidence"]["carrier"])
        for entry in company.entries("delivery")
    ]
    assert found == [("run-0", "in_doubt", "hubspot"), ("run-0", "delivered", "hubspot")]


def test_what_a_person_said_by_a_command_that_died_is_caught_up(company: Company) -> None:
    company.do(
        EXPORT,
        SYNC["sync_decisions"],
        """
        insert into audit.sync_decisions by name
        select 1 as sequence, 'run-0' as run_id, 'generic' as profile, 'acknowledged' as decision,
            7 as acknowledged, 0 as failed, 'dora' as decided_by, date '2026-03-12' as as_of_date
        """,
    )
    assert company.record()["sync_acknowledgement"] == 1
    assert company.record() == {}
    (found,) = company.entries("sync_acknowledgement")
    assert (found["run_id"], found["actor"], found["rule_version"]) == ("run-0", "dora", "zzz")


def test_an_export_keeps_its_own_run_day_and_rules(company: Company) -> None:
    """The run that wrote it may have died before it came to the audit."""
    company.do(EXPORT)
    company.record()
    (found,) = company.entries("export")
    assert (found["run_id"], found["as_of_date"]) == ("run-0", date(2026, 3, 12))
    assert (found["rule_set"], found["rule_version"]) == ("v0", "zzz")
    assert found["evidence"] == {
        "bytes": 700,
        "exported_at": "2026-03-12T06:00:00Z",
        "profile": "generic",
        "rows": 7,
        "sha256": "ff",
    }


def test_a_rule_change_lists_rows_added_removed_and_changed_with_what_they_were(company: Company) -> None:
    company.record()
    (first,) = company.entries("rule_change")
    assert (first["subject_id"], first["state"], first["evidence"].keys()) == ("v1", "champion aaa", {"rows"})
    assert len(first["evidence"]["rows"]) == 5
    company.do(
        "update seeds.rules set points = -25 where rule_id = 'no_login' and segment is null",
        "delete from seeds.rules where rule_id = 'paid'",
        "insert into seeds.rule_conditions values ('v1', 'no_login', 'smb', 1, 21)",
        "update scoring.dim_rule_sets set rule_version = 'bbb'",
    )
    assert company.record() == {"rule_change": 1}
    found = company.entries("rule_change")[1]
    assert (found["rule_set"], found["rule_version"], found["state"]) == ("v1", "bbb", "champion bbb")
    rule = {"seed": "rules", "rule_set": "v1", "rule_id": "no_login"}
    condition = {"seed": "rule_conditions", "rule_set": "v1", "rule_id": "no_login"}
    assert {name: found["evidence"][name] for name in ("was", "added", "removed", "changed")} == {
        "was": "champion aaa",
        "added": [{**condition, "segment": "smb", "position": 1, "threshold": 21}],
        "removed": [{"seed": "rules", "rule_set": "v1", "rule_id": "paid", "points": 5}],
        "changed": [{"old": {**rule, "points": -20}, "new": {**rule, "points": -25}}],
    }


def test_a_rule_set_that_retires_or_goes_is_an_entry(company: Company) -> None:
    company.do(
        "insert into seeds.rule_sets values ('v2', 'shadow', 80)",
        "insert into scoring.dim_rule_sets values ('v2', 'shadow', null, 'ccc')",
    )
    company.record()
    company.do(
        "update seeds.rule_sets set status = 'retired' where rule_set = 'v2'",
        "update scoring.dim_rule_sets set status = 'retired', rule_version = null where rule_set = 'v2'",
    )
    assert company.record() == {"rule_change": 1}
    company.do(
        "delete from seeds.rule_sets where rule_set = 'v2'",
        "delete from scoring.dim_rule_sets where rule_set = 'v2'",
    )
    assert company.record() == {"rule_change": 1}
    assert company.record() == {}
    found = [row for row in company.entries("rule_change") if row["subject_id"] == "v2"]
    assert [row["state"] for row in found] == ["shadow ccc", "retired", "removed"]
    assert [row["rule_set"] for row in found] == ["v2", "v2", "v2"]


def test_other_reference_data_is_an_entry_when_it_changes(company: Company) -> None:
    company.record()
    company.do("update seeds.settings set value = 6")
    assert company.record() == {"reference_change": 1}
    found = company.entries("reference_change")[1]
    assert found["subject_id"] == "settings"
    assert found["evidence"]["changed"] == [
        {
            "old": {"seed": "settings", "setting": "trend_points", "value": 5},
            "new": {"seed": "settings", "setting": "trend_points", "value": 6},
        }
    ]


def test_a_column_that_a_seed_gains_empty_changes_no_row(company: Company) -> None:
    company.record()
    company.do("alter table seeds.settings add column note varchar")
    assert company.record() == {}


def test_every_seed_has_a_key() -> None:
    assert set(KEYS) == {path.stem for path in SEEDS.glob("*.csv")}
