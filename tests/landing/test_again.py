"""Files and rows that come again, late, in another order, or amid a run that is killed."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from inbox import ACCOUNTS, NEWEST, Inbox, ndjson

from radar.core.warehouse import connect
from radar.landing import contents, load, schema
from radar.landing.files import ExtractFile
from radar.landing.land import release_waiting
from radar.landing.readers import Readers, Reading

OWNER = "owner_id,name,updated_at\n"
NEWEST_OWNERS = NEWEST.format(columns="owner_id, name", table="crm_owners", key="owner_id")
EVENT = {"account_id": "a1", "event_name": "login", "occurred_at": "2026-01-01"}


def test_a_file_that_is_there_again_is_not_read(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    path = inbox.put("crm/owners/day.csv", OWNER + "o1,A,\n")
    inbox.land_feed("crm/owners")
    hashed: list[str] = []
    fingerprint = contents.fingerprint
    monkeypatch.setattr(
        contents, "fingerprint", lambda file: hashed.append(file.source_file) or fingerprint(file)
    )
    monkeypatch.setattr(load, "STABLE_SECONDS", -1)  # as two days later
    report = inbox.land_feed("crm/owners")
    assert (report.files_known, report.rows_read, hashed) == (1, 0, [])
    os.utime(path, ns=(0, 0))
    assert inbox.land_feed("crm/owners").files_known == 1
    assert hashed == ["crm/owners/day.csv"]
    assert inbox.column("select count(*) from audit.loads where feed = 'crm/owners'") == [1]
    inbox.land_feed("crm/owners")
    assert hashed == ["crm/owners/day.csv"]


def test_other_content_of_the_same_size_and_time_is_read(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = inbox.put("crm/owners/day.csv", OWNER + "o1,A,\n")
    os.utime(path, ns=(0, 0))
    inbox.land_feed("crm/owners")
    path.write_text(OWNER + "o1,B,\n")  # in place, at once, the time set back as copying programs do
    os.utime(path, ns=(0, 0))
    assert inbox.land_feed("crm/owners").rows_landed == 1
    monkeypatch.setattr(load, "STABLE_SECONDS", -1)
    assert inbox.land_feed("crm/owners").files_known == 1
    other = path.with_suffix(".new")
    other.write_text(OWNER + "o1,C,\n")
    os.utime(other, ns=(0, 0))
    other.rename(path)  # another file in its place
    assert inbox.land_feed("crm/owners").rows_landed == 1
    path.write_text(OWNER + "o1,D,\n")
    os.utime(path, ns=(0, 0))  # its ctime cannot be set back
    assert inbox.land_feed("crm/owners").rows_landed == 1
    assert inbox.all(NEWEST_OWNERS) == [("o1", "D")]


def test_files_that_an_earlier_release_knew_are_hashed_once(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.put("crm/owners/day.csv", OWNER + "o1,A,\n")
    inbox.land_feed("crm/owners")
    for column in ("inode", "ctime_ns"):
        inbox.con.execute(f"alter table control.known_files drop column {column}")
    inbox.con.execute("alter table audit.loads drop column records_counted")
    monkeypatch.setattr(load, "STABLE_SECONDS", -1)
    report = inbox.land_feed("crm/owners")
    assert (report.files_known, report.rows_read) == (1, 0)
    assert inbox.column("select count(*) from control.known_files where inode is null") == [0]


def test_the_same_content_under_another_name_lands_nothing_but_counts_as_an_arrival(inbox: Inbox) -> None:
    inbox.put("product/events/1.ndjson", ndjson({"event_id": "e1", **EVENT}))
    inbox.land_feed("product/events")
    inbox.put("product/events/2.ndjson", ndjson({"event_id": "e1", **EVENT}))
    report = inbox.land_feed("product/events")
    assert (report.files_repeated, report.files_landed, report.rows_landed) == (1, 0, 0)
    assert inbox.load("product/events/2.ndjson")["status"] == "repeated"
    assert inbox.column(
        "select state from audit.feed_states where feed = 'product/events' order by batch_id"
    ) == [
        "ok",
        "ok",
    ]
    assert inbox.column("select count(*) from raw.product_events") == [1]


def test_a_file_whose_rows_were_blocked_lands_under_another_name(inbox: Inbox) -> None:
    inbox.put("product/events/1.ndjson", ndjson({"event_id": "e1", **EVENT}))
    inbox.land_feed("product/events")
    inbox.con.execute("delete from raw.product_events")
    inbox.con.execute(
        "insert into quarantine.rejected_rows (feed, source_file, rule, batch_id)"
        " values ('product/events', 'product/events/1.ndjson', 'feed_held', 1)"
    )
    inbox.put("product/events/2.ndjson", ndjson({"event_id": "e1", **EVENT}))
    assert inbox.land_feed("product/events").rows_landed == 1


def test_the_same_content_in_another_feed_lands(inbox: Inbox) -> None:
    rows = "account_id,name,created_at,owner_id\na1,Acme,2026-01-01,o1\n"
    inbox.put("crm/accounts/day.csv", rows)
    inbox.put("crm/owners/day.csv", rows)
    assert inbox.land_feed("crm/owners").rows_landed == 1


def test_a_file_that_changed_lands_again_with_its_new_rows_only(inbox: Inbox) -> None:
    inbox.put("crm/owners/day.csv", OWNER + "o1,A,2026-01-01\no2,B,2026-01-01\n")
    inbox.land_feed("crm/owners")
    inbox.put("crm/owners/day.csv", OWNER + "o1,A,2026-01-01\no2,B2,2026-01-02\no3,C,2026-01-01\n")
    report = inbox.land_feed("crm/owners")
    assert (report.rows_read, report.rows_landed, report.rows_repeated) == (3, 2, 1)
    assert inbox.all(NEWEST_OWNERS) == [("o1", "A"), ("o2", "B2"), ("o3", "C")]


def test_daily_full_extracts_do_not_make_raw_grow(inbox: Inbox) -> None:
    rows = "".join(f"o{n},Name {n},2026-01-0{n % 9 + 1}\n" for n in range(50)) + "x,no time,\n"
    inbox.put("crm/owners/1.csv", OWNER + rows)
    inbox.land_feed("crm/owners")
    for day in (2, 3):
        inbox.put(f"crm/owners/{day}.csv", OWNER + rows + f"new{day},N,\n")
        report = inbox.land_feed("crm/owners")
        assert report.rows_landed == 1
    assert inbox.column("select count(*) from raw.crm_owners") == [53]


def test_every_version_of_a_history_is_kept_once(inbox: Inbox) -> None:
    history = "o1,A,2026-01-01\no1,B,2026-02-01\no1,C,2026-03-01\n"
    inbox.put("crm/owners/1.csv", OWNER + history)
    inbox.land_feed("crm/owners")
    inbox.put("crm/owners/2.csv", OWNER + history + "o1,D,2026-04-01\n")
    assert inbox.land_feed("crm/owners").rows_repeated == 3
    assert inbox.column("select name from raw.crm_owners order by updated_at") == ["A", "B", "C", "D"]


@pytest.mark.parametrize("time", ["", "2026-01-01"])
def test_what_was_said_first_wins_again_when_it_is_said_again(inbox: Inbox, time: str) -> None:
    for number, name in enumerate(["A", "B", "A", "A"]):
        inbox.put(f"crm/owners/{number}.csv", f"{OWNER}o1,{name},{time}\nfile{number},X,\n")
        inbox.land_feed("crm/owners")
        assert inbox.all(NEWEST_OWNERS)[-1] == ("o1", name)
    assert inbox.column("select count(*) from raw.crm_owners where owner_id = 'o1'") == [3]


def test_in_a_file_the_last_row_wins(inbox: Inbox) -> None:
    inbox.put("crm/owners/1.csv", OWNER + "o1,A,\no1,B,\no1,B,\no1,A,\no2,X,2026-02-01\no2,Y,2026-01-01\n")
    report = inbox.land_feed("crm/owners")
    assert (report.rows_landed, report.rows_repeated) == (5, 1)
    assert inbox.all(NEWEST_OWNERS) == [("o1", "A"), ("o2", "X")]
    inbox.put("crm/owners/2.csv", OWNER + "o1,C,\no1,A,\n")
    assert inbox.land_feed("crm/owners").rows_landed == 2
    assert inbox.all(NEWEST_OWNERS) == [("o1", "A"), ("o2", "X")]


def test_events_and_identities_land_every_row(inbox: Inbox) -> None:
    inbox.put("product/events/1.ndjson", ndjson(*[{"event_id": "e1", **EVENT}] * 3))
    inbox.put("crm/identities/1.csv", "source,source_account_id,account_id\ns,1,a1\ns,1,a2\ns,1,a1\n")
    inbox.put_accounts()
    inbox.land()
    assert inbox.column("select count(*) from raw.product_events") == [3]
    assert inbox.column("select account_id from raw.crm_identities order by _row_number") == [
        "a1",
        "a2",
        "a1",
    ]


def test_the_order_in_which_files_arrive_does_not_matter(tmp_path: Path) -> None:
    """Three files of overlapping versions, in every order, in one run and in three."""
    files = {
        "1.csv": OWNER + "o1,A1,2026-01-01\no2,B1,2026-01-01\n",
        "2.csv": OWNER + "o1,A2,2026-02-01\no2,B1,2026-01-01\n",
        "3.ndjson": ndjson(
            {"owner_id": "o1", "name": "A1", "updated_at": "2026-01-01T01:00:00+01:00"},
            {"owner_id": "o2", "name": "B3", "updated_at": "2026-03-01"},
        ),
    }
    found = set()
    for number, order in enumerate(itertools.permutations(files)):
        for is_one_run in (True, False):
            with connect(tmp_path / f"{number}{is_one_run}.duckdb") as con:
                inbox = Inbox(tmp_path / f"extracts{number}{is_one_run}", con)
                inbox.put_accounts()
                for name in order:
                    inbox.put(f"crm/owners/{name}", files[name])
                    if not is_one_run:
                        inbox.land()
                inbox.land()
                versions = inbox.all("select owner_id, name, updated_at from raw.crm_owners order by all")
                found.add((str(inbox.all(NEWEST_OWNERS)), str(versions)))
    assert len(found) == 1
    assert "('o1', 'A2'), ('o2', 'B3')" in found.pop()[0]


def test_files_of_one_run_land_in_path_order(inbox: Inbox) -> None:
    for name in ("b", "a", "c"):
        inbox.put(f"crm/owners/{name}.csv", f"{OWNER}o1,{name},\n")
    inbox.land_feed("crm/owners")
    assert inbox.all(NEWEST_OWNERS) == [("o1", "c")]
    assert inbox.column("select source_file from audit.loads where feed = 'crm/owners' order by rowid") == [
        "crm/owners/a.csv",
        "crm/owners/b.csv",
        "crm/owners/c.csv",
    ]


# rows that wait for their account

GOAL = "goal_id,account_id,signal,target\n"


def put_in_waiting(inbox: Inbox, table: str, account: str) -> None:
    """What hygiene does with rows whose account is not there."""
    feed = table.replace("_", "/", 1)
    inbox.con.execute(
        f"insert into quarantine.waiting_{table} by name from raw.{table} where account_id = '{account}'"
    )
    inbox.con.execute(
        "insert into quarantine.rejected_rows (feed, source_file, row_number, rule, column_name, batch_id)"
        f" select '{feed}', _source_file, _row_number, 'unresolved_account', 'account_id', _batch_id"
        f" from raw.{table} where account_id = '{account}'"
    )
    inbox.con.execute(f"delete from raw.{table} where account_id = '{account}'")


def test_waiting_rows_land_when_their_account_arrives(inbox: Inbox) -> None:
    inbox.put("crm/goals/1.csv", GOAL + "g1,a1,s,1\ng2,late,s,2\ng3,never,s,3\n")
    inbox.land_feed("crm/goals")
    put_in_waiting(inbox, "crm_goals", "late")
    put_in_waiting(inbox, "crm_goals", "never")
    assert inbox.land_feed("crm/goals").rows_released == 0
    inbox.put("crm/accounts/2.csv", ACCOUNTS.replace("a1", "late"))
    assert inbox.land_feed("crm/goals").rows_released == 1
    assert inbox.all(
        "select goal_id, _batch_id, _source_file, _row_number from raw.crm_goals order by 1"
    ) == [
        ("g1", 1, "crm/goals/1.csv", 1),
        ("g2", 3, "crm/goals/1.csv", 2),
    ]
    assert inbox.column("select goal_id from quarantine.waiting_crm_goals") == ["g3"]
    assert [row[1:4] for row in inbox.rejected()] == [(3, "unresolved_account", "account_id")]
    assert release_waiting(inbox.con, 9) == {"crm/goals": 0}


def test_a_waiting_row_that_comes_again_is_a_repeat(inbox: Inbox) -> None:
    inbox.put("crm/goals/1.csv", GOAL + "g1,a1,s,1\ng2,late,s,2\n")
    inbox.land_feed("crm/goals")
    put_in_waiting(inbox, "crm_goals", "late")
    inbox.put("crm/goals/2.csv", GOAL + "g1,a1,s,1\ng2,late,s,2\ng3,a1,s,3\n")
    report = inbox.land_feed("crm/goals")
    assert (report.rows_landed, report.rows_repeated) == (1, 2)


def test_a_waiting_row_does_not_overrule_what_replaced_it(inbox: Inbox) -> None:
    inbox.put("crm/goals/1.csv", GOAL + "g1,late,s,1\ng2,late,s,1\n")
    inbox.land_feed("crm/goals")
    put_in_waiting(inbox, "crm_goals", "late")
    inbox.put("crm/goals/2.csv", GOAL + "g1,a1,s,2\ng2,late,s,2\n")
    inbox.land_feed("crm/goals")
    put_in_waiting(inbox, "crm_goals", "late")
    inbox.put("crm/accounts/2.csv", ACCOUNTS.replace("a1", "late"))
    assert inbox.land_feed("crm/goals").rows_released == 1
    assert inbox.all("select goal_id, account_id, cast(target as int) from raw.crm_goals order by 1") == [
        ("g1", "a1", 2),
        ("g2", "late", 2),
    ]
    assert inbox.column("select count(*) from quarantine.waiting_crm_goals") == [0]


def test_waiting_events_all_land(inbox: Inbox) -> None:
    inbox.put("product/events/1.ndjson", ndjson(*[{"event_id": "e1", **EVENT, "account_id": "late"}] * 2))
    inbox.land_feed("product/events")
    put_in_waiting(inbox, "product_events", "late")
    inbox.put("crm/accounts/2.csv", ACCOUNTS.replace("a1", "late"))
    assert inbox.land_feed("product/events").rows_released == 2


# a run that is killed

RUN = """
import sys
from datetime import datetime
from pathlib import Path
from radar.landing import contents
from radar.landing.land import land
from radar.core.warehouse import connect
fingerprint = contents.fingerprint
def told(file):
    print(file.source_file, flush=True)
    return fingerprint(file)
contents.fingerprint = told
with connect(Path(sys.argv[1])) as con:
    land(con, Path(sys.argv[2]), run_id=sys.argv[3], batch_id=int(sys.argv[3]), now=datetime(2026, 3, 14))
"""


def test_a_killed_run_leaves_whole_files_and_the_next_completes_it(tmp_path: Path) -> None:
    root, warehouse = tmp_path / "extracts", tmp_path / "warehouse.duckdb"
    files, rows = 12, 20_000
    with connect(tmp_path / "other.duckdb") as con:
        inbox = Inbox(root, con)
        inbox.put_accounts()
        for number in range(files):
            text = "".join(
                f"e{number}-{row},a1,login,{'2026-01-01' if row else 'never'}\n" for row in range(rows)
            )
            inbox.put(
                f"product/events/{number:02}.csv.gz", f"event_id,account_id,event_name,occurred_at\n{text}"
            )
    partial = 0
    for attempt in range(1, 5):
        run = subprocess.Popen(
            [sys.executable, "-c", RUN, warehouse, root, str(attempt)], stdout=subprocess.PIPE, text=True
        )
        assert run.stdout
        while "product" not in run.stdout.readline():  # files that landed are met too: they are young
            pass
        for _ in range(3 * attempt - 1):  # amid the third new file of each attempt
            assert run.stdout.readline()
        time.sleep(0.02 * attempt)
        run.send_signal(signal.SIGKILL)
        run.wait()
        with connect(warehouse) as con:
            schema.create(con)
            landed = con.execute(
                "select _source_file, count(*), count(_extra) from raw.product_events group by 1 order by 1"
            ).fetchall()
            recorded = con.execute(
                "select source_file, rows_landed, 0 from audit.loads"
                " where feed = 'product/events' order by source_file"
            ).fetchall()
            assert landed == recorded
            assert all(count == rows - 1 for _, count, _ in landed)
            partial += 0 < len(landed) < files
    assert partial
    subprocess.run([sys.executable, "-c", RUN, warehouse, root, "9"], check=True, capture_output=True)
    with connect(warehouse) as con:
        count = "select count(*), count(distinct event_id) from raw.product_events"
        assert con.execute(count).fetchone() == (files * (rows - 1),) * 2
        rejected = "select count(*), count(distinct source_file) from quarantine.rejected_rows"
        assert con.execute(rejected).fetchone() == (files, files)
        runs = "select count(*) from (select distinct run_id, feed from audit.loads)"
        states = "select count(*) from audit.feed_states"
        assert con.execute(states).fetchone() == con.execute(runs).fetchone()
    assert not list((tmp_path / "warehouse.state/spill").glob("landing-*"))


def test_a_file_that_changes_while_it_is_read_is_left_to_the_next_run(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = inbox.put("crm/owners/day.csv.gz", OWNER + "o1,A,\n")
    read = Readers.read

    def read_and_touch(readers: Readers, file: ExtractFile, *rest: Any, **named: Any) -> Reading:
        reading = read(readers, file, *rest, **named)
        if file.path == path:
            os.utime(path, ns=(0, 0))
        return reading

    monkeypatch.setattr(Readers, "read", read_and_touch)
    report = inbox.land_feed("crm/owners")
    assert report.messages == ["crm/owners/day.csv.gz changed while it was read: the next run takes it"]
    assert inbox.column("select count(*) from raw.crm_owners") == [0]
    monkeypatch.undo()
    assert inbox.land_feed("crm/owners").rows_landed == 1
