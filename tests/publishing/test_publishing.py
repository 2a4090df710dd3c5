"""What the published copy holds, how it follows the warehouse, and what it says when it cannot."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import small_warehouse
from small_warehouse import FIRST, LAST

from radar.core.errors import CheckError, InputError, RadarError, WarehouseError
from radar.core.warehouse import state_dir
from radar.publishing import build_file, file_set
from radar.publishing.published_copy import PublishReport, publish
from radar.publishing.windows import announce_window

NEXT = LAST + timedelta(days=1)
VIEWS = (
    "intermediate.int_accounts__as_of",
    "intermediate.int_rules",
    "marts.rpt_today",
    "scoring.fct_health_scores",
    "scoring.fct_signal_values",
)


def first_publish(warehouse: Path, published: Path) -> PublishReport:
    return publish(warehouse, published, run_id="r1", as_of_start=FIRST, as_of_end=LAST)


def query(published: Path, sql: str) -> list[Any]:
    with duckdb.connect(str(published / "radar.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def change(warehouse: Path, sql: str) -> None:
    with duckdb.connect(str(warehouse)) as con:
        con.execute(sql)


def runs_by_day(published: Path, table: str = "marts.fct_health_history") -> dict[date, int]:
    return dict(query(published, f"select as_of_date, min(run) from {table} group by all"))


def test_holds_what_readers_may_see_and_nothing_else(warehouse: Path, published: Path) -> None:
    report = first_publish(warehouse, published)
    found = query(published, "select table_schema, table_name, table_type from information_schema.tables")
    views = {f"{schema}.{name}" for schema, name, kind in found if kind == "VIEW"}
    assert views == set(VIEWS)
    assert set(report.views) == set(VIEWS)
    assert {schema for schema, _, _ in found} == {
        "intermediate",
        "main",
        "marts",
        "scoring",
        "seeds",
        "signals",
    }
    assert {name for schema, name, _ in found if schema == "intermediate"} == {
        "int_accounts__as_of",
        "int_rules",
    }, "only what the views read"
    assert query(published, "select * from intermediate.int_accounts__as_of limit 1") == [
        ("a0", FIRST, "smb")
    ], "only the columns that the views read"
    assert b"secret" not in (published / "radar.duckdb").read_bytes()
    assert report.rows["signals.sig_usage"] == 400
    assert query(published, "select * from main.published_run") == [(build_file.FORMAT, "r1", FIRST, LAST)]


def test_tables_have_the_kind_names_and_types_of_the_warehouse(warehouse: Path, published: Path) -> None:
    columns = """
        select table_schema, table_name, table_type, column_name, data_type, ordinal_position
        from information_schema.tables
        inner join information_schema.columns using (table_catalog, table_schema, table_name)
        where table_schema in ('marts', 'scoring', 'seeds', 'signals')
        order by all
    """
    first_publish(warehouse, published)
    with duckdb.connect(str(warehouse), read_only=True) as con:
        expected = con.execute(columns).fetchall()
    assert query(published, columns) == expected
    assert ("marts", "fct_health_history", "BASE TABLE", "segment", "VARCHAR", 5) in expected


def test_a_copy_of_a_release_that_kept_enums_behind_views_is_rebuilt(
    warehouse: Path, published: Path
) -> None:
    first_publish(warehouse, published)
    build = state_dir(warehouse) / "publish" / "build.duckdb"
    change(
        build,
        """
        create schema stored;
        create table stored.fct_health_history as
        select * replace (cast(segment as enum ('smb')) as segment) from marts.fct_health_history;
        drop table marts.fct_health_history;
        create view marts.fct_health_history as
        select * replace (cast(segment as varchar) as segment) from stored.fct_health_history;
        update main.published_run set format = 1;
        """,
    )
    shutil.copy(build, (published / "radar.duckdb").resolve())
    small_warehouse.build(warehouse, NEXT, NEXT, run=2)
    change(warehouse, f"update marts.fct_health_history set segment = 'new' where as_of_date = '{NEXT}'")
    report = publish(warehouse, published, run_id="r2", as_of_start=NEXT, as_of_end=NEXT)
    assert report.rebuilt == "the build file has another format"
    kinds = (
        "select segment, typeof(segment), count(*) from marts.fct_health_history group by all order by all"
    )
    assert query(published, kinds) == [("new", "VARCHAR", 40), ("smb", "VARCHAR", 400)]
    assert query(published, "from information_schema.tables where table_schema = 'stored'") == []
    assert query(published, "from duckdb_schemas() where schema_name = 'stored'") == []


@pytest.mark.parametrize("alias", ["radar", "Some Copy", "house"])
def test_views_hold_under_any_file_name_and_alias(
    warehouse: Path, published: Path, tmp_path: Path, alias: str
) -> None:
    first_publish(warehouse, published)
    moved = tmp_path / "elsewhere.duckdb"
    shutil.copy(published / "radar.duckdb", moved)
    warehouse.unlink()
    with duckdb.connect() as con:
        con.execute(f"attach '{moved}' as \"{alias}\" (read_only)")
        scores = con.execute(
            f'select score, count(*) from "{alias}".scoring.fct_health_scores group by 1'
        ).fetchall()
        assert scores == [(50, 400)]
        told = con.execute(f'select distinct told from "{alias}".scoring.fct_signal_values').fetchall()
        assert told == [("house.signals.sig_usage",)], "text that looks like a name stays as it was written"
        odd = con.execute(f'select "odd ""name" from "{alias}".marts.rpt_today limit 1').fetchall()
        assert odd == [([2],)]


def test_is_written_in_the_format_that_older_clients_read(warehouse: Path, published: Path) -> None:
    first_publish(warehouse, published)
    small_warehouse.build(warehouse, NEXT, NEXT, run=2)
    publish(warehouse, published, run_id="r2", as_of_start=NEXT, as_of_end=NEXT)
    header = (published / "radar.duckdb").read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 64, "the storage number of DuckDB 0.10 to 1.1"


def test_descriptions_travel_with_the_copy(warehouse: Path, published: Path) -> None:
    first_publish(warehouse, published)
    assert query(published, "select comment from duckdb_views() where view_name = 'rpt_today'") == [
        ("Today's accounts",)
    ]
    columns = "select column_name, comment from duckdb_columns() where comment is not null"
    assert query(published, columns) == [("score", "Points, 0 to 100")]


def test_parquet_files_and_manifest_tell_the_same_run(warehouse: Path, published: Path) -> None:
    first_publish(warehouse, published)
    manifest = json.loads((published / "manifest.json").read_text())
    assert (manifest["run_id"], manifest["as_of_date"]) == ("r1", LAST.isoformat())
    assert [file["name"] for file in manifest["files"]] == [
        "radar.duckdb",
        "parquet/fct_account_flags.parquet",
        "parquet/rpt_account_health.parquet",
        "parquet/rpt_buckets_daily.parquet",
    ]
    for file in manifest["files"]:
        content = (published / file["name"]).read_bytes()
        assert len(content) == file["bytes"]
        if file["name"] != "radar.duckdb":
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
            with duckdb.connect() as con:
                read = con.execute("select * from read_parquet(?)", [str(published / file["name"])])
                assert [column[0] for column in read.description or ()] == file["columns"]
                assert len(read.fetchall()) == file["rows"] > 0


def test_only_the_days_of_the_run_are_copied_again(warehouse: Path, published: Path) -> None:
    first_publish(warehouse, published)
    # Changed behind the back of the publish: not its days, so the copy shows that they were not read again.
    change(warehouse, "update marts.fct_health_history set run = 99 where as_of_date < '2026-03-05'")
    small_warehouse.build(warehouse, LAST, NEXT, run=2)
    report = publish(warehouse, published, run_id="r2", as_of_start=LAST, as_of_end=NEXT)
    assert report.rebuilt == ""
    assert report.rows["marts.fct_health_history"] == 440
    expected = {FIRST + timedelta(days=n): 1 for n in range(9)} | {LAST: 2, NEXT: 2}
    assert runs_by_day(published) == expected
    assert runs_by_day(published, "signals.sig_usage") == expected
    assert runs_by_day(published, "scoring.fct_signal_values") == expected


def test_snapshots_are_copied_whole_though_they_have_a_day(warehouse: Path, published: Path) -> None:
    first_publish(warehouse, published)
    change(warehouse, "update marts.fct_actions set status = 'done' where action_id = 'x1'")
    small_warehouse.build(warehouse, NEXT, NEXT, run=2)
    publish(warehouse, published, run_id="r2", as_of_start=NEXT, as_of_end=NEXT)
    assert query(published, "select status from marts.fct_actions order by 1") == [("done",), ("open",)]
    days = query(published, "select as_of_date, count(*) from marts.rpt_account_health group by 1")
    assert days == [(NEXT, 40)], "yesterday's snapshot is gone"


def test_days_that_a_failed_run_had_announced_are_brought_up_to_date(
    warehouse: Path, published: Path
) -> None:
    first_publish(warehouse, published)
    announce_window(warehouse, as_of_start=FIRST, as_of_end=FIRST + timedelta(days=2))
    small_warehouse.build(warehouse, FIRST, FIRST + timedelta(days=2), run=2)  # ... and then that run failed
    small_warehouse.build(warehouse, NEXT, NEXT, run=3)
    report = publish(warehouse, published, run_id="r3", as_of_start=NEXT, as_of_end=NEXT)
    assert report.rebuilt == ""
    assert [runs_by_day(published)[FIRST + timedelta(days=n)] for n in range(4)] == [2, 2, 2, 1]
    assert not (state_dir(warehouse) / "publish" / "announced.txt").exists()


def test_days_with_another_number_of_rows_are_found_without_being_announced(
    warehouse: Path, published: Path
) -> None:
    first_publish(warehouse, published)
    change(warehouse, "delete from marts.fct_health_history where as_of_date = '2026-03-02'")
    change(
        warehouse,
        "delete from marts.fct_health_history where as_of_date = '2026-03-04' and account_id = 'a3'",
    )
    small_warehouse.build(warehouse, NEXT, NEXT, run=2)
    report = publish(warehouse, published, run_id="r2", as_of_start=NEXT, as_of_end=NEXT)
    assert (report.rebuilt, report.rows["marts.fct_health_history"]) == ("", 440 - 41)


def test_days_that_went_take_no_others_with_them(warehouse: Path, published: Path) -> None:
    first_publish(warehouse, published)
    for number in range(2, 8):
        day = FIRST + timedelta(days=number)
        change(warehouse, f"delete from signals.sig_usage where as_of_date = '{day}'")
        announce_window(warehouse, as_of_start=day, as_of_end=day)
    many = "select 'b' || i, '{day}', 1, 1 from range(130000) as more(i)"
    change(warehouse, f"insert into signals.sig_usage {many.format(day=LAST)}")
    report = publish(warehouse, published, run_id="r2", as_of_start=LAST, as_of_end=LAST)
    assert (report.rebuilt, report.rows["signals.sig_usage"]) == ("", 4 * 40 + 130_000)
    change(warehouse, f"insert into signals.sig_usage {many.format(day=FIRST)}")  # unannounced
    gone = FIRST + timedelta(days=2)
    report = publish(warehouse, published, run_id="r3", as_of_start=gone, as_of_end=gone)
    assert (report.rebuilt, report.rows["signals.sig_usage"]) == ("", 4 * 40 + 260_000)


def test_relations_that_went_or_came_or_turned_follow(warehouse: Path, published: Path) -> None:
    first_publish(warehouse, published)
    change(warehouse, "drop view marts.rpt_today; create table marts.rpt_today as select 1 as n")
    change(
        warehouse,
        "create table marts.dim_new as select 2 as n; create view marts.dim_newer as from marts.dim_new",
    )
    change(warehouse, "drop table marts.fct_actions; create view marts.fct_actions as select 3 as n")
    report = publish(warehouse, published, run_id="r2", as_of_start=LAST, as_of_end=LAST)
    assert report.rebuilt == ""
    union = "from marts.rpt_today union all from marts.dim_newer union all from marts.fct_actions order by 1"
    assert query(published, union) == [(1,), (2,), (3,)]


def _other_format(warehouse: Path, published: Path) -> None:
    change(state_dir(warehouse) / "publish" / "build.duckdb", "update main.published_run set format = 0")


def _other_run(warehouse: Path, published: Path) -> None:
    change(state_dir(warehouse) / "publish" / "build.duckdb", "update main.published_run set run_id = 'r0'")


def _new_column(warehouse: Path, published: Path) -> None:
    change(warehouse, "alter table signals.sig_usage add column logins_7d bigint default 7")


def _broken(warehouse: Path, published: Path) -> None:
    (state_dir(warehouse) / "publish" / "build.duckdb").write_bytes(b"not a database, " * 1000)


def _missing(warehouse: Path, published: Path) -> None:
    (state_dir(warehouse) / "publish" / "build.duckdb").unlink()


def _other_folder(warehouse: Path, published: Path) -> None:
    shutil.rmtree(published)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_missing, "no build file"),
        (_broken, "the build file cannot be read"),
        (_other_format, "the build file has another format"),
        (_other_run, "the build file is not the one that was published last"),
        (_other_folder, "the build file is not the one that was published last"),
        (_new_column, "columns changed"),
    ],
)
def test_what_cannot_be_carried_on_is_rebuilt(
    warehouse: Path, published: Path, spoil: Any, reason: str
) -> None:
    first_publish(warehouse, published)
    spoil(warehouse, published)
    change(warehouse, "update marts.fct_health_history set run = 99 where as_of_date < '2026-03-05'")
    report = publish(warehouse, published, run_id="r2", as_of_start=LAST, as_of_end=LAST)
    assert report.rebuilt == reason
    assert runs_by_day(published)[FIRST] == 99


@pytest.mark.parametrize("place", [0.5, 0.7, 0.9])
def test_a_build_file_that_is_damaged_inside_is_made_again(
    warehouse: Path, published: Path, place: float
) -> None:
    small_warehouse.build(warehouse, FIRST, LAST, run=1, accounts=2000)
    first_publish(warehouse, published)
    build = state_dir(warehouse) / "publish" / "build.duckdb"
    content = bytearray(build.read_bytes())
    start, length = int(len(content) * place), len(content) // 5
    content[start : start + length] = bytes(byte ^ 0x55 for byte in content[start : start + length])
    build.write_bytes(content)
    small_warehouse.build(warehouse, LAST, LAST, run=2, accounts=2000)
    report = publish(warehouse, published, run_id="r2", as_of_start=LAST, as_of_end=LAST)
    assert report.rebuilt == "the build file is damaged"
    assert runs_by_day(published) == {FIRST + timedelta(days=n): 1 for n in range(9)} | {LAST: 2}


def test_a_copy_that_fails_leaves_the_old_one(
    warehouse: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_publish(warehouse, published)
    with monkeypatch.context() as patch:
        patch.setattr(file_set, "copy_command", lambda source, target: ["sh", "-c", "echo quota >&2; exit 1"])
        with pytest.raises(WarehouseError, match=r"radar.duckdb: quota"):
            publish(warehouse, published, run_id="r2", as_of_start=LAST, as_of_end=LAST)
        patch.setattr(file_set, "copy_command", lambda source, target: ["cp", "/dev/null", str(target)])
        with pytest.raises(CheckError, match=r"the new copy cannot be read"):
            publish(warehouse, published, run_id="r3", as_of_start=LAST, as_of_end=LAST)
    assert query(published, "select run_id from main.published_run") == [("r1",)]
    assert len(list((published / ".sets").iterdir())) == 1
    publish(warehouse, published, run_id="r4", as_of_start=LAST, as_of_end=LAST)
    assert query(published, "select run_id from main.published_run") == [("r4",)]


def test_an_engine_that_gives_up_is_reported_without_a_stack_trace_and_its_build_file_goes(
    warehouse: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_publish(warehouse, published)

    def give_up(*_: object) -> None:
        raise duckdb.FatalException("database has been invalidated")

    monkeypatch.setattr(build_file, "_carry_comments", give_up)
    with pytest.raises(WarehouseError, match=r"database has been invalidated\n.*What to do"):
        publish(warehouse, published, run_id="r2", as_of_start=LAST, as_of_end=LAST)
    assert not (state_dir(warehouse) / "publish" / "build.duckdb").exists()


def test_a_view_on_rows_that_are_not_published_is_refused(warehouse: Path, published: Path) -> None:
    first_publish(warehouse, published)
    change(warehouse, "create view intermediate.int_people as select email from raw.product_events")
    change(warehouse, "create view marts.rpt_people as select email from house.intermediate.int_people")
    with pytest.raises(InputError, match=r"intermediate.int_people reads raw.product_events.*\n.*as a table"):
        publish(warehouse, published, run_id="r2", as_of_start=LAST, as_of_end=LAST)
    assert query(published, "select run_id from main.published_run") == [("r1",)]


def test_a_missing_mart_is_named(warehouse: Path, published: Path) -> None:
    change(warehouse, "drop table marts.rpt_buckets_daily")
    with pytest.raises(InputError, match=r"marts.rpt_buckets_daily .* not in the warehouse"):
        first_publish(warehouse, published)
    assert not (published / "radar.duckdb").exists()


def test_a_missing_warehouse_is_named(tmp_path: Path, published: Path) -> None:
    with pytest.raises(WarehouseError, match=r"none.duckdb: there is no warehouse here"):
        first_publish(tmp_path / "none.duckdb", published)


def test_a_reader_keeps_the_old_copy_and_at_most_two_sets_stay(warehouse: Path, published: Path) -> None:
    first_publish(warehouse, published)
    with duckdb.connect(str(published / "radar.duckdb"), read_only=True) as old:
        for run in range(2, 6):
            small_warehouse.build(warehouse, LAST, LAST, run=run)
            publish(warehouse, published, run_id=f"r{run}", as_of_start=LAST, as_of_end=LAST)
        assert old.execute("select max(run), count(*) from marts.fct_health_history").fetchall() == [(1, 400)]
    assert runs_by_day(published)[LAST] == 5
    assert len(list((published / ".sets").iterdir())) == 2
    assert sorted(path.name for path in published.iterdir()) == [
        ".sets", "current", "manifest.json", "parquet", "radar.duckdb",
    ]  # fmt: skip


def test_the_build_file_does_not_swell_with_every_publish(warehouse: Path, published: Path) -> None:
    small_warehouse.build(warehouse, FIRST, LAST, run=1, accounts=2000)
    first_publish(warehouse, published)
    sizes = []
    for run in range(2, 10):
        small_warehouse.build(warehouse, LAST, LAST, run=run, accounts=2000)
        sizes.append(publish(warehouse, published, run_id=f"r{run}", as_of_start=LAST, as_of_end=LAST).bytes)
    assert max(sizes[4:]) <= max(sizes[:4]) * 1.1, sizes


@pytest.mark.parametrize("broken", ["folder_in_the_way", "file_in_the_way"])
def test_a_folder_that_cannot_be_written_is_named(warehouse: Path, published: Path, broken: str) -> None:
    if broken == "file_in_the_way":
        published.write_text("a file")
    else:
        (published / "radar.duckdb").mkdir(parents=True)
    with pytest.raises(RadarError, match=r"What to do: ") as error:
        first_publish(warehouse, published)
    assert str(published) in str(error.value)


@pytest.mark.skipif(
    os.geteuid() != 0 and os.environ.get("CI") != "true", reason="becomes another user for a moment"
)
def test_no_permission_is_named_and_the_old_copy_stays(warehouse: Path, published: Path) -> None:
    first_publish(warehouse, published)
    if (pid := os.fork()) == 0:
        shutil.chown(warehouse.parent, 65534)
        for path in warehouse.parent.rglob("*"):
            shutil.chown(path, 65534)
        for parent in warehouse.parents:
            if parent.stat().st_uid == 0 and parent.name.startswith("pytest"):
                parent.chmod(0o755)
        os.setresuid(65534, 65534, 65534)
        try:
            publish(warehouse, published, run_id="r2", as_of_start=LAST, as_of_end=LAST)
        except WarehouseError as error:
            os._exit(7 if "no permission to write here" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert runs_by_day(published)[LAST] == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], check=False).returncode:
        assert os.environ.get("CI") != "true", "may not mount a small disk"
        pytest.skip("may not mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("full", ["published", "state"])
@pytest.mark.parametrize("seen_before", [True, False])
def test_a_full_disk_is_named_and_the_old_copy_stays(
    warehouse: Path, published: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch,
    full: str, seen_before: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(file_set, "_SPARE_BYTES", 0)
    if not seen_before:
        monkeypatch.setattr(file_set, "require_free_space", lambda folder, needed: None)
    if full == "published":
        published = small_disk / "published"
    else:
        state = state_dir(warehouse) / "publish"
        state.parent.mkdir(exist_ok=True)
        (small_disk / "publish").mkdir()
        state.symlink_to(small_disk / "publish")
    first_publish(warehouse, published)
    with (small_disk / "ballast").open("wb") as ballast:
        ballast.write(b"x" * (shutil.disk_usage(small_disk).free - 400_000))
    change(warehouse, "create table marts.dim_noise as select range as n, uuid() as noise from range(400000)")
    small_warehouse.build(warehouse, NEXT, NEXT, run=2)
    with pytest.raises(WarehouseError, match=r"the disk is full|are free and this run needs"):
        publish(warehouse, published, run_id="r2", as_of_start=NEXT, as_of_end=NEXT)
    assert query(published, "select run_id from main.published_run") == [("r1",)]
    assert len(runs_by_day(published)) == 10
    assert json.loads((published / "manifest.json").read_text())["run_id"] == "r1"
    change(warehouse, "drop table marts.dim_noise")
    (small_disk / "ballast").unlink()
    publish(warehouse, published, run_id="r3", as_of_start=NEXT, as_of_end=NEXT)
    assert len(runs_by_day(published)) == 11


def test_the_copy_command_is_pure() -> None:
    command = file_set.copy_command(Path("a b"), Path("-c"))
    assert command[0] == "cp"
    assert command[-3:] == ["--", "a b", "-c"]
