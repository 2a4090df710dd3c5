"""What a destination is known to hold: acknowledged, refused, given up, gone; and what takes a set back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import small_mart
from small_mart import DAY, change

from radar.audit.chain import verify
from radar.core.errors import AuditError, InputError, UsageError
from radar.exports import writer
from radar.exports.profiles import load_profiles
from radar.exports.sync import acknowledge, dismiss, status
from radar.exports.writer import ExportReport, export, preview

MART = "marts.rpt_account_health"


class Crm:
    """A destination that keeps rows by their key, as an import of the files leaves them."""

    def __init__(self, profile: str) -> None:
        (self.profile,) = load_profiles([profile])
        self.rows: dict[str, dict[str, str]] = {}

    def read(self, folder: Path, of: str = "files") -> list[dict[str, str]]:
        manifest = json.loads((folder / "manifest.json").read_text())
        files = manifest["undo"]["files"] if of == "undo" else manifest["files"]
        rows: list[dict[str, str]] = []
        for file in files:
            text = (folder / file["name"]).read_bytes().decode()
            rows += csv.DictReader(io.StringIO(text, newline=""), strict=True)
        return rows

    def take(self, folder: Path, of: str = "files") -> None:
        key = self.profile.headers[self.profile.key_number]
        for row in self.read(folder, of):
            self.rows[row[key]] = row

    def scored(self) -> dict[str, dict[str, str]]:
        """What it says of accounts, without the day."""
        said = {
            key: {name: cell for name, cell in row.items() if "as_of_date" not in name}
            for key, row in self.rows.items()
        }
        return {key: row for key, row in said.items() if "not_scored" not in row.values()}


def send(
    warehouse: Path, out: Path, run: str, profile: str = "hubspot_companies", **more: Any
) -> ExportReport:
    return export(warehouse, out, run_id=run, as_of=DAY, profiles=[profile], **more)[0]


def keys(report: ExportReport) -> list[str]:
    rows = Crm(report.profile).read(report.folder)
    return [next(iter(row.values())) for row in rows]


def set_score(warehouse: Path, score: int, account: str = "a000001") -> None:
    change(warehouse, f"update {MART} set score = {score} where account_id = '{account}'")


def asked(warehouse: Path, sql: str) -> list[Any]:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_what_is_not_acknowledged_goes_again_with_what_changed_since(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 3)
    first = send(warehouse, out, "r1")
    set_score(warehouse, 12)
    second = send(warehouse, out, "r2")
    assert keys(first) == keys(second) == ["a000000", "a000001", "a000002"]
    assert (second.changes.added, second.changes.again) == (3, 3)
    acknowledge(warehouse, "r2", by="me")
    third = send(warehouse, out, "r3")
    assert keys(third) == []
    assert status(warehouse)[0][0].delivered == 3


def test_an_acknowledgement_of_an_earlier_run_counts_for_rows_that_said_the_same(
    warehouse: Path, out: Path
) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1")
    set_score(warehouse, 12)
    send(warehouse, out, "r2")
    (settled,) = acknowledge(warehouse, "r1", by="me")
    assert settled.acknowledged == 2
    assert keys(send(warehouse, out, "r3")) == ["a000001"]


def test_a_row_that_changed_back_before_it_was_acknowledged_goes_once_more(
    warehouse: Path, out: Path
) -> None:
    """Nobody knows whether the file between was imported: the CRM may hold what it said."""
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1")
    acknowledge(warehouse, "r1", by="me")
    set_score(warehouse, 12)
    send(warehouse, out, "r2")
    set_score(warehouse, 80)
    third = send(warehouse, out, "r3")
    assert (keys(third), third.changes.again) == (["a000001"], 1)
    acknowledge(warehouse, "r3", by="me")
    assert keys(send(warehouse, out, "r4")) == []


def test_an_account_that_left_is_sent_and_one_that_was_never_acknowledged_too(
    warehouse: Path, out: Path
) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1")
    acknowledge(warehouse, "r1", by="me")
    change(warehouse, f"delete from {MART} where account_id = 'a000001'")
    second = send(warehouse, out, "r2")
    (row,) = Crm("hubspot_companies").read(second.folder)
    assert (row["radar_account_id"], row["radar_bucket"], row["radar_flags"]) == (
        "a000001",
        "not_scored",
        "none",
    )
    assert second.changes.removed == 1
    acknowledge(warehouse, "r2", by="me")
    assert keys(send(warehouse, out, "r3")) == []
    small_mart.fill(warehouse, 4)
    fourth = send(warehouse, out, "r4")
    assert (keys(fourth), fourth.changes.added) == (["a000001", "a000003"], 2), (
        "back again, and one that is new"
    )
    change(warehouse, f"delete from {MART} where account_id = 'a000003'")
    assert send(warehouse, out, "r5").changes.removed == 1, "the file before may have been imported"


def test_a_set_is_taken_back_by_the_files_next_to_it(warehouse: Path, out: Path) -> None:
    for profile in ("hubspot_companies", "generic"):
        crm = Crm(profile)
        small_mart.fill(warehouse, 9)
        change(
            warehouse, f"update {MART} set account_name = 'Zoë \"x\"' || chr(10) || '日本' where score = 1"
        )
        first = send(warehouse, out, f"{profile}1", profile)
        crm.take(first.folder)
        acknowledge(warehouse, f"{profile}1", by="me")
        before = crm.scored()
        assert len(before) == 9
        set_score(warehouse, 12)
        set_score(warehouse, 13, "a000003")
        change(
            warehouse,
            f"delete from {MART} where account_id = 'a000006'; "
            f"insert into {MART} by name select * replace ('new' as account_id) from {MART} limit 1",
        )
        second = send(warehouse, out, f"{profile}2", profile)
        assert vars(second.changes) == {"added": 1, "changed": 2, "removed": 1, "again": 0, "rejected": 0}
        crm.take(second.folder)
        assert crm.scored() != before
        crm.take(second.folder, "undo")
        assert crm.scored() == before


def test_a_state_that_is_moved_part_by_part_is_the_same(
    warehouse: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = []
    for rows in (25_000, 2):
        monkeypatch.setattr(writer, "_PART_ROWS", rows)
        change(warehouse, "drop schema if exists audit cascade")
        small_mart.fill(warehouse, 9)
        for run in ("r1", "r2"):
            set_score(warehouse, 12 if run == "r1" else 13)
            for profile in ("generic", "hubspot_companies"):
                send(warehouse, out / str(rows), run, profile)
            acknowledge(warehouse, run, by="me", profile="hubspot_companies")
        states.append(
            asked(warehouse, "select * exclude (acknowledged_at) from audit.sync_state order by all")
        )
        for file in (warehouse.parent / "house.state").glob("audit.*"):
            file.unlink()
    assert states[0] == states[1]
    assert len(states[0]) == 18


def test_rows_that_hubspot_refuses_go_again_until_they_succeed(
    warehouse: Path, out: Path, tmp_path: Path
) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1")
    errors = tmp_path / "errors.csv"
    errors.write_text(
        "Row,radar_account_id,radar_account_name,Error type,Error message\n"
        '2,a000001,Company 1,INVALID_ENUMERATION_OPTION,"watch is no option, add it"\n'
    )
    (settled,) = acknowledge(warehouse, "r1", by="me", results=[errors])
    assert (settled.acknowledged, settled.failed) == (2, 1)
    for run in ("r2", "r3"):
        assert keys(send(warehouse, out, run)) == ["a000001"], run
        answer = tmp_path / "errors.json"
        answer.write_text(
            json.dumps({"results": [{"errorType": "X", "sourceData": {"rowData": ["a000001", "Company 1"]}}]})
        )
        acknowledge(warehouse, run, by="me", results=[answer])
    destinations, troubled = status(warehouse)
    assert (destinations[0].delivered, destinations[0].failed) == (2, 1)
    assert [(row.key, row.status, row.message) for row in troubled] == [("a000001", "failed", "X")]
    acknowledge(warehouse, send_and_name(warehouse, out, "r4"), by="me")
    assert keys(send(warehouse, out, "r5")) == []


def send_and_name(warehouse: Path, out: Path, run: str) -> str:
    send(warehouse, out, run)
    return run


def test_salesforce_says_what_it_took_and_what_it_did_not_touch_stays_open(
    warehouse: Path, out: Path, tmp_path: Path
) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1", "salesforce_accounts")
    taken, refused = tmp_path / "success.csv", tmp_path / "failed.csv"
    taken.write_text('"sf__Id","sf__Created",Radar_Account_Id__c\n"001x","false","a000000"\n')
    refused.write_text('"sf__Id","sf__Error",Radar_Account_Id__c\n"","UNABLE_TO_LOCK_ROW:x:--","a000001"\n')
    (settled,) = acknowledge(warehouse, "r1", by="me", results=[taken, refused])
    assert (settled.acknowledged, settled.failed) == (1, 1)
    assert [(at.delivered, at.open, at.failed) for at in status(warehouse)[0]] == [(1, 1, 1)]
    assert keys(send(warehouse, out, "r2", "salesforce_accounts")) == ["a000001", "a000002"]


def test_a_row_is_dismissed_by_name_and_taken_up_again(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1")
    acknowledge(warehouse, "r1", by="me", was_imported=False)
    dismiss(warehouse, "hubspot_companies", ["a000001"], by="me", reason="merged in the CRM")
    set_score(warehouse, 12)
    assert keys(send(warehouse, out, "r2")) == ["a000000", "a000002"]
    assert [row.message for row in status(warehouse)[1]] == ["merged in the CRM"]
    dismiss(warehouse, "hubspot_companies", ["a000001"], by="me", reason="", undo=True)
    assert keys(send(warehouse, out, "r3")) == ["a000000", "a000001", "a000002"]
    with pytest.raises(UsageError, match="no row nobody that failed"):
        dismiss(warehouse, "hubspot_companies", ["nobody"], by="me", reason="")


def test_what_counted_as_delivered_when_it_was_written_can_still_be_refused(
    warehouse: Path, out: Path, tmp_path: Path
) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1", "generic")
    set_score(warehouse, 12)
    send(warehouse, out, "r2", "generic")
    errors = tmp_path / "errors.csv"
    errors.write_text("account_id,error\na000001,no\n")
    acknowledge(warehouse, "r2", by="me", results=[errors])
    assert keys(send(warehouse, out, "r3", "generic")) == ["a000001"]
    assert keys(send(warehouse, out, "r4", "generic")) == []


def test_a_repeated_run_does_not_forget_what_was_said_of_it(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1")
    acknowledge(warehouse, "r1", by="me")
    before = asked(warehouse, "select * from audit.sync_changes order by all")
    assert not send(warehouse, out, "r1").is_new
    assert asked(warehouse, "select * from audit.sync_changes order by all") == before
    assert asked(warehouse, "select status, settled_by from audit.sync_runs") == [("acknowledged", "me")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,error\na000001,x\n", "has no column radar_account_id"),
        ("radar_account_id,error\nother,x\n", "'other', which run r1 did not send"),
    ],
)
def test_results_of_another_set_are_refused(
    warehouse: Path, out: Path, tmp_path: Path, content: str, message: str
) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1")
    file = tmp_path / "errors.csv"
    file.write_text(content)
    with pytest.raises(InputError, match=message):
        acknowledge(warehouse, "r1", by="me", results=[file])
    assert status(warehouse)[0][0].open == 3


def test_runs_are_named_in_full_in_short_or_as_the_last(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "run-1")
    send(warehouse, out, "run-2")
    assert acknowledge(warehouse, "last", by="me")[0].run_id == "run-2"
    assert acknowledge(warehouse, "run-1", by="me")[0].acknowledged == 0
    for run, message in (("run-", "more than one run begins with run-"), ("x", "no run x has written files")):
        with pytest.raises(UsageError, match=message):
            acknowledge(warehouse, run, by="me")


def test_a_preview_counts_shows_and_writes_nothing(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 9)
    send(warehouse, out, "r1")
    acknowledge(warehouse, "r1", by="me")
    set_score(warehouse, 12)
    content, files = warehouse.read_bytes(), sorted(out.rglob("*"))
    (generic, hubspot) = preview(warehouse, profiles=["generic", "hubspot_companies"])
    assert (generic.changes.added, hubspot.changes.changed) == (9, 1)
    assert [(kind, row["radar_score"]) for kind, row in hubspot.first_rows] == [("changed", "12")]
    assert len(generic.first_rows) == 5
    assert (warehouse.read_bytes(), sorted(out.rglob("*"))) == (content, files)
    assert keys(send(warehouse, out, "r2")) == ["a000001"]


def test_state_of_an_earlier_release_is_taken_over(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1", "generic")
    change(
        warehouse,
        """
        create table audit.export_state as
        select profile, row_key as account_id, row_hash, previous_row_hash, run_id from audit.sync_state;
        drop table audit.sync_state; drop table audit.sync_runs; drop table audit.sync_changes;
        """,
    )
    set_score(warehouse, 12)
    second = send(warehouse, out, "r2", "generic")
    assert keys(second) == ["a000001"]
    manifest = json.loads((second.folder / "manifest.json").read_text())
    assert manifest["undo"]["not_known"] == 1, "nobody kept what the row said"
    assert asked(warehouse, "select count(*) from audit.sync_state") == [(3,)]
    assert "export_state" not in {
        name for (name,) in asked(warehouse, "select table_name from duckdb_tables()")
    }


# --- the audit chain --------------------------------------------------------------------------------------


def entries(warehouse: Path) -> list[dict[str, Any]]:
    names = "kind, subject_id, account_id, run_id, as_of_date, rule_version, actor, state, evidence"
    rows = asked(warehouse, f"select {names} from audit.entries order by sequence")
    entries = [dict(zip(names.split(", "), row, strict=True)) for row in rows]
    return [row | {"evidence": json.loads(row["evidence"])} for row in entries]


def test_what_a_person_says_of_a_set_is_an_entry(warehouse: Path, out: Path, tmp_path: Path) -> None:
    small_mart.fill(warehouse, 3)
    change(warehouse, f"update {MART} set rule_set = 'v1', rule_version = 'f00d'")
    send(warehouse, out, "r1")
    errors = tmp_path / "errors.csv"
    errors.write_text("radar_account_id,error\na000001,no\n")
    acknowledge(warehouse, "r1", by="dora", results=[errors])
    dismiss(warehouse, "hubspot_companies", ["a000001"], by="ed", reason="merged, says x@y.example")
    dismiss(warehouse, "hubspot_companies", ["a000001"], by="ed", reason="not so", undo=True)
    acknowledge(warehouse, "r1", by="dora", was_imported=False)
    first, *others = entries(warehouse)
    assert first.pop("evidence") | {"decided_at": ""} == {
        "acknowledged": 2,
        "decided_at": "",
        "failed": 1,
        "profile": "hubspot_companies",
        "reason": None,
        "results": [{"name": "errors.csv", "sha256": hashlib.sha256(errors.read_bytes()).hexdigest()}],
        "row_key": None,
    }
    assert first == {
        "kind": "sync_acknowledgement",
        "subject_id": "hubspot_companies/r1#1",
        "account_id": None,
        "run_id": "r1",
        "as_of_date": DAY,
        "rule_version": "f00d",
        "actor": "dora",
        "state": "acknowledged",
    }
    said = [(row["subject_id"], row["account_id"], row["actor"], row["state"]) for row in others]
    assert said == [
        ("hubspot_companies/a000001#2", "a000001", "ed", "given_up"),
        ("hubspot_companies/a000001#3", "a000001", "ed", "taken_up"),
        ("hubspot_companies/r1#4", None, "dora", "not_imported"),
    ]
    assert others[0]["evidence"]["reason"] == "merged, says (e-mail)"
    assert others[2]["evidence"]["failed"] == 3
    assert verify(warehouse).head.count == 4


def test_an_acknowledgement_that_somebody_changes_or_takes_away_shows(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1")
    acknowledge(warehouse, "r1", by="dora")
    change(warehouse, "create table kept as from audit.entries; update audit.entries set actor = 'ed'")
    with pytest.raises(AuditError, match="entry 1 is not as it was written"):
        verify(warehouse)
    change(warehouse, "delete from audit.entries")
    with pytest.raises(AuditError, match="cut off at its end"):
        verify(warehouse)
    change(warehouse, "insert into audit.entries from kept")
    verify(warehouse)


def test_where_the_chain_is_broken_nothing_is_acknowledged_or_dismissed(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1")
    acknowledge(warehouse, "r1", by="dora")
    set_score(warehouse, 12)
    send(warehouse, out, "r2")
    change(warehouse, "delete from audit.entries")
    with pytest.raises(AuditError):
        acknowledge(warehouse, "r2", by="dora")
    with pytest.raises(AuditError):
        dismiss(warehouse, "hubspot_companies", ["a000001"], by="dora", reason="x")
    assert asked(warehouse, "select status from audit.sync_runs where run_id = 'r2'") == [("written",)]
    assert status(warehouse)[0][0].open == 1


# --- guards -----------------------------------------------------------------------------------------------


def blocked(warehouse: Path, out: Path, match: str, **more: Any) -> None:
    with pytest.raises(writer.BlockedError, match=match):
        export(warehouse, out, run_id="held", as_of=DAY, profiles=["generic", "hubspot_companies"], **more)


def test_no_rows_at_all_hold_what_is_known(warehouse: Path, out: Path) -> None:
    assert send(warehouse, out, "r0").rows == 0, "a company that has nobody yet"
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1", "generic")
    change(warehouse, f"delete from {MART}")
    blocked(warehouse, out, r"has no rows at all, and generic knows 3")
    assert not (out / "generic" / "2026-03-13_held").exists()


def test_a_destination_that_is_blocked_is_blocked_alone(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 40)
    send(warehouse, out, "r1", "generic")
    change(warehouse, f"update {MART} set bucket = 'at_risk'")
    blocked(warehouse, out, r"40 of the 40 accounts that generic knows change their bucket .*more than 20 %")
    assert (out / "hubspot_companies" / "2026-03-13_held" / "manifest.json").exists()
    states = asked(warehouse, "select profile, status from audit.sync_runs where run_id = 'held' order by 1")
    assert states == [("generic", "held"), ("hubspot_companies", "written")]
    set_score(warehouse, 1)
    again = export(
        warehouse,
        out,
        run_id="held",
        as_of=DAY,
        profiles=["generic"],
        guards=writer.Guards(allow_flood=True),
    )[0]
    assert again.changes.changed == 40
    states = asked(warehouse, "select profile, status from audit.sync_runs where run_id = 'held' order by 1")
    assert states == [("generic", "acknowledged"), ("hubspot_companies", "written")]


@pytest.mark.parametrize(("moved", "fires"), [(9, False), (12, False), (13, True)])
def test_more_than_a_fifth_and_at_least_ten_are_a_flood(
    warehouse: Path, out: Path, moved: int, fires: bool
) -> None:
    small_mart.fill(warehouse, 60 if moved > 9 else 20)
    send(warehouse, out, "r1", "generic")
    change(
        warehouse,
        f"update {MART} set bucket = 'at_risk' where account_id < '{f'a{moved - 3:06d}'}'; "
        f"delete from {MART} where account_id in (select max(account_id) from {MART}); "
        f"delete from {MART} where account_id in (select max(account_id) from {MART}); "
        f"delete from {MART} where account_id in (select max(account_id) from {MART})",
    )
    if fires:
        blocked(warehouse, out, f"{moved} of the 60")
    else:
        report = send(warehouse, out, "r2", "generic")
        assert report.changes.changed + report.changes.removed == moved


def test_a_field_does_not_get_back_its_own_value(
    warehouse: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_mart.fill(warehouse, 3)
    (whole,) = load_profiles(["hubspot_companies"])
    for changed in ({"header": "name"}, {"returns_as": "crm/accounts.name"}):
        columns = [
            column.model_copy(update=changed) if column.source == "account_name" else column
            for column in whole.columns
        ]
        loop = whole.model_copy(update={"columns": columns})
        with monkeypatch.context() as patch:
            patch.setattr(writer, "load_profiles", lambda _, loop=loop: [loop])
            with pytest.raises(writer.BlockedError, match=r"account_name came from crm/accounts.name"):
                export(warehouse, out, run_id="r1", as_of=DAY)
    assert asked(warehouse, "select status from audit.sync_runs") == [("held",)]


def test_an_older_day_does_not_overwrite_a_newer_one(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 3)
    send(warehouse, out, "r1")
    earlier = DAY - timedelta(days=1)
    small_mart.fill(warehouse, 3, day=earlier, run=5)
    with pytest.raises(
        writer.OlderDayError, match="was given 2026-03-13 before, so 2026-03-12 was not exported"
    ):
        export(warehouse, out, run_id="r2", as_of=earlier, profiles=["hubspot_companies"])
    assert asked(warehouse, "select run_id, status from audit.sync_runs") == [
        ("r1", "written"),
        ("r2", "skipped"),
    ]
    assert status(warehouse)[0][0].run_id == "r1"
