"""How the demo is written: the same bytes, bounded memory, arguments and folders refused clearly."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from written_demo import END, REPOSITORY, open_demo

from radar.core.errors import RadarError, UsageError
from radar.demo import generate, usage
from radar.demo.writing import MARKER
from radar.landing.feeds import load_feeds

SMALL = {"accounts": 40, "days": 120, "end": END}


def digests(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def run_python(code: str, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


WRITE = """
import sys, datetime, pathlib
from radar.demo import generate
generate(pathlib.Path(sys.argv[1]), accounts=40, days=120, seed=3, end=datetime.date(2026, 6, 30))
"""


def test_the_same_arguments_give_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    run_python(WRITE, str(tmp_path / "a"), PYTHONHASHSEED="1", TZ="Asia/Tokyo", LC_ALL="C")
    run_python(WRITE, str(tmp_path / "b"), PYTHONHASHSEED="4242", TZ="America/New_York", LC_ALL="C.UTF-8")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_another_seed_is_another_company(tmp_path: Path) -> None:
    for seed in (1, 2):
        generate(tmp_path / str(seed), **SMALL, seed=seed)
    one, two = digests(tmp_path / "1"), digests(tmp_path / "2")
    assert one.keys() == two.keys()
    assert not [name for name in one if one[name] == two[name] and "identities" not in name]


def test_a_stale_demo_lacks_the_last_days_of_its_touchpoints_and_nothing_else(tmp_path: Path) -> None:
    generate(tmp_path / "whole", **SMALL)
    rows = generate(tmp_path / "stale", **SMALL, is_stale=True)
    whole, stale = digests(tmp_path / "whole"), digests(tmp_path / "stale")
    differs = {name for name in whole.keys() | stale.keys() if whole.get(name) != stale.get(name)}
    assert {name.rpartition("/")[0] for name in differs} == {"", "crm/touchpoints"}
    newest = open_demo(tmp_path / "stale", rows).ask(
        "select max(cast(cast(occurred_at as timestamptz) at time zone 'UTC' as date)) from crm_touchpoints"
    )
    assert newest == [(date(2026, 6, 21),)]


def test_the_size_of_a_chunk_does_not_change_the_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = []
    for size in (500, 7):
        monkeypatch.setattr(usage, "CHUNK_ACCOUNTS", size)
        demo = open_demo(tmp_path / str(size), generate(tmp_path / str(size), **SMALL))
        facts.append(demo.ask("select * exclude (filename) from product_events order by all"))
    assert facts[0] == facts[1]


MEASURE = """
import sys, datetime, pathlib, resource
from radar.demo import generate
generate(pathlib.Path(sys.argv[1]), accounts=int(sys.argv[2]), days=40, end=datetime.date(2026, 6, 30))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_accounts(tmp_path: Path) -> None:
    few, many = (int(run_python(MEASURE, str(tmp_path / n), n)) for n in ("500", "5000"))
    assert many < few + 40  # MB


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"accounts": 0}, "--accounts is 0"),
        ({"accounts": 100_001}, "--accounts is 100001"),
        ({"days": 0}, "--days is 0"),
        ({"days": 1_001}, "--days is 1001"),
        ({"end": None}, "no last day"),
        ({"end": date(1999, 12, 31)}, "--end is 1999-12-31"),
    ],
)
def test_arguments_out_of_range_are_refused(tmp_path: Path, arguments: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        generate(tmp_path / "demo", **{**SMALL, **arguments})
    assert refused.value.remedy
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(("accounts", "days"), [(1, 1), (1, 1000), (13, 2), (60, 45)])
def test_small_and_long_companies_can_be_written(tmp_path: Path, accounts: int, days: int) -> None:
    rows = generate(tmp_path, accounts=accounts, days=days, end=END)
    demo = open_demo(tmp_path, rows)
    assert demo.number("select count(distinct account_id) from crm_accounts") == accounts
    assert {"crm/accounts", "product/events"} < rows.keys() <= load_feeds().keys()
    for feed, count in rows.items():
        assert demo.number(f"select count(*) from {feed.replace('/', '_')}") == count


def test_an_earlier_demo_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    generate(tmp_path, accounts=40, days=200, end=END)
    (tmp_path / "crm/accounts/mine.txt").write_text("mine")
    (tmp_path / "product/events/2025-12.parquet.part").write_text("left by a killed process")
    generate(tmp_path, **SMALL)
    kept = digests(tmp_path)
    assert kept.pop("crm/accounts/mine.txt")
    generate(tmp_path / "fresh" / "demo", **SMALL)
    assert digests(tmp_path / "fresh" / "demo") == kept


def test_a_folder_of_somebody_else_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="not a demo"):
        generate(tmp_path, **SMALL)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "content", ["{", '{"files": ["../../thesis.txt"]}', '{"files": ["crm/accounts/../x"]}']
)
def test_a_damaged_list_of_files_removes_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / MARKER).write_text(content)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="damaged"):
        generate(tmp_path / "demo", **SMALL)
    assert (tmp_path / "thesis.txt").exists()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="not a folder"):
        generate(tmp_path / "file", **SMALL)
    with pytest.raises(RadarError, match="file") as refused:
        generate(tmp_path / "file" / "below", **SMALL)
    assert refused.value.remedy


def test_a_failure_halfway_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: usage.Usage, accounts: list, *, with_strangers: bool = False) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(usage.Usage, "write", full)
    with pytest.raises(RadarError, match="disk is full"):
        generate(tmp_path / "demo", **SMALL)
    assert list(digests(tmp_path / "demo")) == [MARKER]
    monkeypatch.undo()
    generate(tmp_path / "demo", **SMALL)
