"""The chain: what it holds, what shows that somebody had a hand in it, and what a crash leaves."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from radar.audit import chain
from radar.audit.chain import COLUMNS, Entry, open_chain, restart, verify
from radar.core.errors import AuditError, RadarError, UsageError
from radar.core.warehouse import connect

ENTRIES = 30


def entry(number: int) -> Entry:
    return Entry(
        recorded_at=datetime(2026, 3, 13, 5, 0, number % 60, number),
        run_id=f"run-{number // 10}",
        kind="override",
        subject_id=f"o{number}",
        account_id=None if number % 3 else f"a{number}",
        as_of_date=date(2026, 3, 13),
        rule_set="playbook_v1",
        rule_version="abc",
        state=f"s{number}",
        evidence=f'{{"reason":"Größe {number}, \\"so\\""}}',
        actor="own-1",
    )


def add(warehouse: Path, first: int, last: int) -> None:
    with connect(warehouse) as con:
        open_chain(con, warehouse).append(entry(number) for number in range(first, last + 1))


def sql(warehouse: Path, *statements: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(warehouse)) as con:
        found: list[tuple[object, ...]] = []
        for statement in statements:
            found = con.execute(statement).fetchall()
        return found


def state(warehouse: Path, name: str) -> Path:
    return warehouse.parent / "w.state" / name


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    warehouse = tmp_path_factory.mktemp("made") / "w.duckdb"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(chain.KEY_VARIABLE, raising=False)
        add(warehouse, 1, 20)
        add(warehouse, 21, ENTRIES)
    return warehouse


@pytest.fixture
def warehouse(made: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(made.parent, tmp_path / "place")
    return tmp_path / "place" / "w.duckdb"


def test_a_chain_that_nobody_touched_holds(warehouse: Path) -> None:
    found = verify(warehouse)
    assert (found.head.count, found.unheaded) == (ENTRIES, 0)
    assert (found.first, found.last) == (entry(1), entry(ENTRIES))
    assert str(found).startswith("30 entries, unbroken from 2026-03-13 05:00:01 to 2026-03-13 05:00:30 UTC\n")


def test_the_hash_is_what_the_readme_says(warehouse: Path) -> None:
    """A reading of its own: HMAC-SHA256 of the columns as a JSON list, times as ISO 8601."""
    key = state(warehouse, "audit.key").read_text().strip().encode()
    before = "0" * 64
    for number, row in enumerate(sql(warehouse, "select * from audit.entries order by sequence"), start=1):
        *columns, hashed = [value.isoformat() if isinstance(value, date) else value for value in row]
        assert columns[0] == number
        assert columns[-1] == before
        text = json.dumps(columns, ensure_ascii=False, separators=(",", ":"))
        assert hmac.new(key, text.encode(), hashlib.sha256).hexdigest() == hashed
        before = str(hashed)


CHANGES = {
    "sequence": "1000",
    "recorded_at": "recorded_at + interval 1 microsecond",
    "as_of_date": "as_of_date - 1",
    "account_id": "'a999'",
    "previous_hash": "'0' || substr(previous_hash, 2) || ' '",
    "hash": "reverse(hash)",
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("place", [1, 17, ENTRIES])
def test_a_changed_value_shows(warehouse: Path, column: str, place: int) -> None:
    value = CHANGES.get(column, f"{column} || ' '")
    sql(warehouse, f"update audit.entries set {column} = {value} where sequence = {place}")
    with pytest.raises(
        AuditError, match=rf"entr(y|ies) {place} (is not as it was written|is missing|to 999 are missing)"
    ):
        verify(warehouse)


@pytest.mark.parametrize("column", [column for column in COLUMNS if column != "sequence"])
def test_a_value_that_was_taken_away_shows(warehouse: Path, column: str) -> None:
    place = 3  # has an account
    sql(warehouse, f"update audit.entries set {column} = null where sequence = {place}")
    with pytest.raises(AuditError, match=f"entry {place} is not as it was written"):
        verify(warehouse)


SWAPPED = """
    update audit.entries set {columns} from (select * from audit.entries where sequence in (8, 9)) as other
    where entries.sequence in (8, 9) and other.sequence = 17 - entries.sequence
"""
CONTENTS = [column for column in COLUMNS if column != "sequence"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("delete from audit.entries where sequence = 17", "entry 17 is missing, with later ones there"),
        ("delete from audit.entries where sequence < 4", "entries 1 to 3 are missing, with later ones there"),
        (
            "delete from audit.entries where sequence = 17;"
            "update audit.entries set sequence = sequence - 1 where sequence > 17",
            "entry 17 is not as it was written",
        ),
        (
            "update audit.entries set sequence = 17 - sequence where sequence in (8, 9)",
            "entry 8 is not as it was written",
        ),
        (
            SWAPPED.format(columns=", ".join(f"{column} = other.{column}" for column in CONTENTS)),
            "entry 8 is not as it was written",
        ),
        (
            "insert into audit.entries by name select * replace (repeat('f', 64) as hash) from audit.entries"
            " where sequence = 17",
            "an entry with the sequence 17 was put in by hand",
        ),
        (
            "insert into audit.entries by name select * from audit.entries where sequence = 17",
            "an entry with the sequence 17 was put in by hand",
        ),
        (
            "insert into audit.entries by name"
            " select * replace (null as sequence) from audit.entries limit 1",
            "an entry with the sequence None was put in by hand",
        ),
        (
            "insert into audit.entries by name select * replace (31 as sequence, hash as previous_hash)"
            " from audit.entries where sequence = 30",
            "entry 31 is not as it was written",
        ),
        ("delete from audit.entries where sequence = 30", "entry 30 is missing: the chain was cut off"),
        (
            "delete from audit.entries where sequence > 12",
            "entries 13 to 30 are missing: the chain was cut off",
        ),
        ("delete from audit.entries", "entries 1 to 30 are missing: the chain was cut off"),
        ("drop table audit.entries", "entries 1 to 30 are missing: the chain was cut off"),
        ("alter table audit.entries add column note varchar", "the columns of audit.entries were changed"),
        (
            "alter table audit.entries alter as_of_date type varchar",
            "the columns of audit.entries were changed",
        ),
    ],
)
def test_a_hand_in_the_table_shows(warehouse: Path, statement: str, words: str) -> None:
    sql(warehouse, statement)
    with pytest.raises(AuditError) as caught:
        verify(warehouse)
    assert words in caught.value.problem
    assert "What to do: restore" in str(caught.value)


@pytest.mark.parametrize(
    "statement",
    [
        "delete from audit.entries where sequence = 30",
        "delete from audit.entries",
        "drop table audit.entries",
        "update audit.entries set hash = reverse(hash) where sequence = 30",
        "insert into audit.entries by name select * replace (31 as sequence, hash as previous_hash)"
        " from audit.entries where sequence = 30",
        "alter table audit.entries add column note varchar",
    ],
)
def test_nothing_is_added_behind_an_end_that_does_not_hold(warehouse: Path, statement: str) -> None:
    sql(warehouse, statement)
    with pytest.raises(AuditError):
        add(warehouse, 31, 40)
    with pytest.raises(AuditError):
        verify(warehouse)


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (32, "entry 32 does not follow on the one before it"),
        (31, "entry 32 is not as it was written"),
    ],
)
def test_parts_of_two_courses_do_not_mix(warehouse: Path, tmp_path: Path, first: int, words: str) -> None:
    """Both were written under the key, from the same first thirty entries."""
    other = tmp_path / "other" / "w.duckdb"
    shutil.copytree(warehouse.parent, other.parent)
    add(warehouse, 31, 32)
    add(other, 41, 42)
    sql(
        warehouse,
        f"attach '{other}' as other",
        f"delete from audit.entries where sequence >= {first}",
        f"insert into audit.entries select * from other.audit.entries where sequence >= {first}",
    )
    with pytest.raises(AuditError, match=words):
        verify(warehouse)


# --- the head ---------------------------------------------------------------------------------------------


def test_a_missing_head_shows_and_is_not_made_again(warehouse: Path) -> None:
    state(warehouse, "audit.head").unlink()
    sql(warehouse, "delete from audit.entries where sequence = 30")
    for _ in range(2):
        with pytest.raises(AuditError, match="the head of the audit chain is missing"):
            verify(warehouse)
        with pytest.raises(AuditError, match="the head of the audit chain is missing"):
            add(warehouse, 31, 31)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"count": 1, "last_hash": "x", "key_check": "y"}'])
def test_a_damaged_head_shows(warehouse: Path, text: str) -> None:
    state(warehouse, "audit.head").write_text(text)
    with pytest.raises(AuditError, match="the head of the audit chain cannot be read"):
        verify(warehouse)


def test_a_head_that_was_changed_to_fit_shows(warehouse: Path) -> None:
    ((last_hash,),) = sql(
        warehouse,
        "delete from audit.entries where sequence = 30",
        "select hash from audit.entries where sequence = 29",
    )
    head = json.loads(state(warehouse, "audit.head").read_text())
    state(warehouse, "audit.head").write_text(json.dumps({**head, "count": 29, "last_hash": last_hash}))
    with pytest.raises(AuditError, match="the head of the audit chain was changed by hand"):
        verify(warehouse)


# --- the key ----------------------------------------------------------------------------------------------


def test_the_key_is_made_once_and_for_its_owner_alone(warehouse: Path) -> None:
    file = state(warehouse, "audit.key")
    before = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(state(warehouse, "audit.head").stat().st_mode) == 0o600
    add(warehouse, 31, 31)
    assert file.read_bytes() == before
    assert len(before.strip()) == 64


def test_a_key_from_the_environment_is_not_written_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(chain.KEY_VARIABLE, "a long and secret text")
    add(tmp_path / "w.duckdb", 1, 5)
    assert verify(tmp_path / "w.duckdb").head.count == 5
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"w.duckdb", "audit.head"}
    assert not any(b"secret text" in path.read_bytes() for path in files)
    monkeypatch.delenv(chain.KEY_VARIABLE)
    with pytest.raises(AuditError, match="the key of the audit chain is not there"):
        verify(tmp_path / "w.duckdb")
    with pytest.raises(AuditError, match="the key of the audit chain is not there"):
        add(tmp_path / "w.duckdb", 6, 6)


def test_another_key_says_so(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(chain.KEY_VARIABLE, "another long and secret text")
    with pytest.raises(AuditError, match="the key in RADAR_AUDIT_KEY is not the one") as caught:
        verify(warehouse)
    assert "secret text" not in str(caught.value)
    with pytest.raises(AuditError, match="is not the one that this audit chain was written with"):
        add(warehouse, 31, 31)
    monkeypatch.setenv(chain.KEY_VARIABLE, state(warehouse, "audit.key").read_text())
    assert verify(warehouse).head.count == ENTRIES


def test_a_key_file_with_nothing_in_it_is_no_key(tmp_path: Path) -> None:
    """As a full disk leaves it: nothing may be chained with a key that everybody knows."""
    warehouse = tmp_path / "w.duckdb"
    file = state(warehouse, "audit.key")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    add(warehouse, 1, 1)
    assert len(file.read_text().strip()) == 64
    file.write_text("")
    with pytest.raises(AuditError, match="the key of the audit chain is not there"):
        verify(warehouse)


def test_a_short_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(chain.KEY_VARIABLE, "fifteen letters")
    with pytest.raises(UsageError, match="fewer than 16 characters"):
        add(tmp_path / "w.duckdb", 1, 1)


# --- crashes ----------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from radar.audit import chain
from tests.audit.test_chain import add
whole = chain._write_whole
def die(file, text):
    if '"count": 35' in text:
        os.kill(os.getpid(), signal.SIGKILL)
    whole(file, text)
chain._write_whole = die
add(Path(sys.argv[1]), 31, 35)
"""


@pytest.fixture
def killed(warehouse: Path) -> Path:
    """A process was killed after its commit and before the head moved."""
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(warehouse)],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert json.loads(state(warehouse, "audit.head").read_text())["count"] == ENTRIES
    return warehouse


def test_sound_entries_after_the_head_are_reported_and_added_to_it(killed: Path) -> None:
    found = verify(killed)
    assert (found.head.count, found.unheaded) == (35, 5)
    assert "the last 5 are sound, and the next run adds them to the head" in str(found)
    add(killed, 36, 36)
    assert (verify(killed).head.count, verify(killed).unheaded) == (36, 0)
    sql(killed, "delete from audit.entries where sequence > 34")
    with pytest.raises(AuditError, match="entries 35 to 36 are missing"):
        verify(killed)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit.entries set actor = 'me' where sequence = 33",
        "delete from audit.entries where sequence = 33",
        "update audit.entries set actor = 'me' where sequence = 35",
    ],
)
def test_the_head_does_not_move_over_entries_that_are_not_sound(killed: Path, statement: str) -> None:
    sql(killed, statement)
    before = state(killed, "audit.head").read_bytes()
    with pytest.raises(AuditError, match=r"entry 3[35] is"):
        add(killed, 36, 36)
    assert state(killed, "audit.head").read_bytes() == before


def test_entries_that_fail_half_way_leave_nothing(warehouse: Path) -> None:
    def failing() -> Iterator[Entry]:
        yield from (entry(number) for number in range(31, 31 + chain._BATCH))
        raise RuntimeError

    with connect(warehouse) as con:
        opened = open_chain(con, warehouse)
        with pytest.raises(RuntimeError):
            opened.append(failing())
        assert opened.append([entry(31)]) == {"override": 1}
    assert verify(warehouse).head.count == 31


def test_many_entries_are_one_chain_across_batches(warehouse: Path) -> None:
    add(warehouse, 31, 31 + 2 * chain._BATCH)
    assert verify(warehouse).head.count == 31 + 2 * chain._BATCH


def test_text_of_any_kind_verifies(warehouse: Path) -> None:
    texts = ["".join(map(chr, range(start, start + 256))) for start in (0, 0x2000, 0xFE00, 0x1F600)]
    told = [entry(31)._replace(evidence=text, subject_id=text, state="\\u001f\x1f") for text in texts]
    told += [entry(31)._replace(recorded_at=datetime(2026, 3, 13, 5, 0, 1, micro)) for micro in (0, 120_000)]
    told += [entry(31)._replace(as_of_date=None, run_id=None, rule_set="", actor=None)]
    with connect(warehouse) as con:
        open_chain(con, warehouse).append(told)
    assert verify(warehouse).head.count == ENTRIES + len(told)


# --- no chain, and a new one ------------------------------------------------------------------------------


def test_no_warehouse_and_no_entry_say_so_and_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such warehouse"):
        verify(tmp_path / "w.duckdb")
    assert list(tmp_path.iterdir()) == []
    sql(tmp_path / "w.duckdb", "select 1")
    with pytest.raises(UsageError, match="no entry to verify yet"):
        verify(tmp_path / "w.duckdb")
    assert [path.name for path in tmp_path.iterdir()] == ["w.duckdb"]
    add(tmp_path / "w.duckdb", 1, 0)
    with pytest.raises(UsageError, match="no entry to verify yet"):
        verify(tmp_path / "w.duckdb")


def test_a_chain_that_holds_is_not_begun_again(warehouse: Path) -> None:
    with pytest.raises(UsageError, match="the audit chain is unbroken"):
        restart(warehouse, "because", "me")
    assert verify(warehouse).head.count == ENTRIES


@pytest.mark.parametrize("what_is_lost", ["entry", "key", "head", "all entries"])
def test_a_broken_chain_is_kept_and_the_new_one_says_why(warehouse: Path, what_is_lost: str) -> None:
    if what_is_lost == "entry":
        sql(warehouse, "delete from audit.entries where sequence = 17")
    elif what_is_lost == "all entries":
        sql(warehouse, "drop table audit.entries")
    else:
        state(warehouse, f"audit.{what_is_lost}").unlink()
    with pytest.raises(RadarError) as caught:
        verify(warehouse)
    found = restart(warehouse, "the disk died", "dora")
    assert (found.head.count, found.first.kind, found.first.actor) == (1, "restart", "dora")
    told = json.loads(found.first.evidence)
    assert (told["reason"], told["problem"]) == ("the disk died", caught.value.problem)
    assert "begun by dora in place of another chain" in str(found)
    if what_is_lost != "all entries":
        kept = sql(warehouse, f"select count(*) from {told['kept_as']}")
        assert kept == [(ENTRIES - (what_is_lost == "entry"),)]
    add(warehouse, 1, 5)
    assert verify(warehouse).head.count == 6
