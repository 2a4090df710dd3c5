"""Wrong calls: status 2, one message with a remedy, no stack trace, and nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from radar.core.warehouse import state_dir, writer_lock
from tests.frozen import SEEDS

RADAR = Path(sys.executable).with_name("radar")


def radar(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RADAR_", "DAGSTER_"))}
    clean["RADAR_SHIPPED_SEEDS"] = str(SEEDS)
    return subprocess.run(
        [RADAR, *map(str, arguments)],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def extracts(tmp_path: Path) -> Path:
    folder = tmp_path / "extracts" / "crm" / "accounts"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("account_id,name,created_at\nA,Able,2026-01-01\n")
    return tmp_path / "extracts"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--nonsense"], "No such option"),
        (["run", "--as-of", "13.3.2026"], "--as-of 13.3.2026 is not a day"),
        (["run", "--as-of", "2026-02-30"], "is not a day"),
        (["run", "--since", "2026-03-14", "--as-of", "2026-03-13"], "--since 2026-03-14 is after"),
        (["run", "--as-of", "2206-03-13"], "days ahead of today"),
        (["run", "--since", "1999-12-31", "--as-of", "2026-03-13"], "is before 2010-01-01"),
        (["run", "--extracts", "nowhere"], "no such folder of extracts"),
        (["run", "--extracts", "extracts", "--seeds", "nowhere"], "no such folder"),
        (["run", "--extracts", "extracts", "--warehouse", "extracts"], "the warehouse is a folder"),
        (["run", "--extracts", "extracts", "--warehouse", "raw.duckdb"], "the name of a schema"),
        (["demo", "demo", "--accounts", "0"], "--accounts is 0"),
        (["demo", "demo", "--end", "soon"], "--end soon is not a day"),
        (["explain", "A"], "nothing has been published yet"),
        (["rules", "check", "--seeds", "nowhere"], "no such folder"),
        (["audit", "verify"], "there is no such warehouse"),
        (["audit", "restart"], "--reason"),
        (["dance"], "No such command"),
    ],
)
def test_a_wrong_call_is_refused(arguments: list[str], words: str, extracts: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    answer = radar(*arguments, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_copy_is_reported_as_one(tmp_path: Path) -> None:
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "radar.duckdb").write_bytes(b"not DuckDB" * 500)
    before = sorted(tmp_path.rglob("*"))
    answer = radar("explain", "A", "--published", "published", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "cannot read the copy" in answer.stderr
    assert "run `radar run` once" in answer.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_seed_file_that_replaces_none_is_refused_by_name(extracts: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "plan.csv").write_text("plan_id\n")
    answer = radar("run", "--extracts", extracts, "--seeds", tmp_path / "mine", cwd=tmp_path)
    assert answer.returncode == 2
    assert "plan.csv" in answer.stderr
    assert "plans.csv" in answer.stderr


def test_a_warehouse_that_another_process_has_open_is_named(extracts: Path, tmp_path: Path) -> None:
    warehouse = tmp_path / "open.duckdb"
    with duckdb.connect(str(warehouse)):
        answer = radar("run", "--extracts", extracts, "--warehouse", warehouse, cwd=tmp_path)
    assert answer.returncode == 1
    # The whole path of the other program, which may hold a dot, and its id.
    assert f"{warehouse}: the warehouse is locked by another process (/" in answer.stderr
    assert f"(PID {os.getpid()}))" in answer.stderr
    assert "What to do: close that program" in answer.stderr


def test_a_second_run_is_refused_while_one_is_writing(extracts: Path, tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib; from radar.core.warehouse import writer_lock\n"
            "with writer_lock(pathlib.Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()",
            tmp_path / "w.duckdb",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        answer = radar("run", "--extracts", extracts, "--warehouse", tmp_path / "w.duckdb", cwd=tmp_path)
    finally:
        holder.communicate("")
    assert answer.returncode == 1
    assert f"another Radar run (process {holder.pid}) is writing this warehouse" in answer.stderr


_GIVES_WAY = """
import pathlib, sys, time
from radar.core.warehouse import giving_way, writer_lock
from tests.frozen import SEEDS
warehouse = pathlib.Path(sys.argv[1])
with writer_lock(warehouse):
    with giving_way(warehouse) as is_wanted:
        print("held", flush=True)
        while not is_wanted():
            time.sleep(0.05)
    print("stopped", flush=True)
    time.sleep(1)
"""


def gives_way(warehouse: Path) -> subprocess.Popen[str]:
    """A process that has the lock and lets it go once somebody wants it."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _GIVES_WAY, warehouse], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_whoever_gives_way_is_waited_for_and_ends(tmp_path: Path) -> None:
    warehouse = tmp_path / "w.duckdb"
    with gives_way(warehouse) as holder:
        assert holder.stdout is not None
        with writer_lock(warehouse):
            assert holder.stdout.readline() == "stopped\n"
    assert holder.returncode == 0
    assert sorted(path.name for path in state_dir(warehouse).iterdir()) == ["writer.holder", "writer.lock"]


def test_a_process_that_was_killed_holds_no_lock(tmp_path: Path) -> None:
    """Also where an earlier release left its lock file, which named the holder and said that it gives way."""
    warehouse = tmp_path / "w.duckdb"
    state_dir(warehouse).mkdir()
    (state_dir(warehouse) / "writer.lock").write_text("4711 gives way".ljust(64))
    with gives_way(warehouse) as holder:
        holder.kill()
    with writer_lock(warehouse):
        with writer_lock(warehouse):
            pass
        command = [sys.executable, "-c", _GIVES_WAY, warehouse]  # the lock was taken twice and let go once
        refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        assert f"another Radar run (process {os.getpid()}) is writing this warehouse" in refused.stderr
    with gives_way(warehouse) as holder:
        holder.kill()


def test_a_file_where_a_folder_must_be_is_named(extracts: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    answer = radar("run", "--extracts", extracts, "--exports", tmp_path / "taken" / "exports", cwd=tmp_path)
    assert answer.returncode == 1
    assert "taken" in answer.stderr
    assert "What to do" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_help_names_the_commands(tmp_path: Path) -> None:
    answer = radar("--help", cwd=tmp_path)
    assert answer.returncode == 0
    assert {"run", "demo", "explain", "rules", "audit"} <= set(answer.stdout.split())


def test_the_command_line_does_not_wait_for_what_only_a_run_needs() -> None:
    seconds_each = ("dagster", "dbt", "great_expectations")
    code = f"import sys, radar.cli.main; sys.exit(any(name in sys.modules for name in {seconds_each}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_shipped_rules_are_sound(tmp_path: Path) -> None:
    answer = radar("rules", "check", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_broken_rule_is_named_with_file_and_row(tmp_path: Path) -> None:
    rules = (SEEDS / "rules.csv").read_text().splitlines()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "rules.csv").write_text("\n".join([*rules, rules[-1]]) + "\n")
    answer = radar("rules", "check", "--seeds", tmp_path / "mine", cwd=tmp_path)
    assert answer.returncode == 1
    assert f"rules.csv, row {len(rules)}" in answer.stderr
