"""What all pages of the documentation promise: links that lead somewhere, queries and examples that work."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import duckdb
import pytest
import yaml

from radar.exports.profiles import check_against_mart, load_profile
from radar.rules.checks import check
from tests.frozen import SEEDS
from tests.runs.radar_run import Place

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "bench" / "README.md"])
SQL = [
    (path.name, query)
    for path in PAGES
    for query in re.findall(r"```sql\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
]
EXTENDING = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
TEXTS = {".py", ".sql", ".yml", ".yaml", ".html", ".csv", ".j2"}
DEPLOY = ROOT / "docs" / "deploy"


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors of a page: those of its headings, as GitHub makes them, and those written out."""
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return frozenset([*slugs, *re.findall(r'<a id="([^"]+)">', text)])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{path.name})" in readme, path.name


def test_pages_that_the_product_names_exist() -> None:
    for room in ("radar", "orchestration", "exports", "dbt_project", "seeds", "expectations"):
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and path.suffix in TEXTS:
                for name in re.findall(r"\bdocs/[\w./-]+\.\w+", path.read_text(encoding="utf-8")):
                    assert (ROOT / name).exists(), f"{path.relative_to(ROOT)}: {name}"


@pytest.mark.parametrize(("name", "query"), SQL, ids=lambda part: part.split("\n")[0][:40])
def test_query_answers_on_the_published_copy(name: str, query: str, demo_run: Place) -> None:
    with duckdb.connect(str(demo_run.published / "radar.duckdb"), read_only=True) as con:
        assert con.execute(query).fetchall(), name


def example(kind: str) -> str:
    (found,) = re.findall(rf"```\w+ {kind}\n(.*?)```", EXTENDING, re.DOTALL)
    return str(found)


@pytest.fixture
def extended(tmp_path: Path) -> Path:
    """The shipped seeds with the rule and the signal that the page adds."""
    folder = tmp_path / "seeds"
    shutil.copytree(SEEDS, folder)
    for name in ("rules", "rule_conditions", "product_events", "signals"):
        with (folder / f"{name}.csv").open("a", encoding="utf-8") as file:
            file.write(example(name))
    return folder


def test_rule_and_signal_of_extending_are_sound_and_their_columns_are_explained(extended: Path) -> None:
    assert check(extended) == []
    for name in ("rules.csv", "signals.csv"):
        with (SEEDS / name).open(encoding="utf-8", newline="") as file:
            for column in next(csv.reader(file)):
                assert f"`{column}`" in EXTENDING, column


def test_the_destination_of_extending_fits_the_mart(tmp_path: Path, demo_run: Place) -> None:
    file = tmp_path / "support_desk.yml"
    file.write_text(example("profile"), encoding="utf-8")
    profile = load_profile(file)
    with demo_run.read() as con:
        mart = dict(
            con.execute(f"select column_name, column_type from (describe {profile.source})").fetchall()
        )
    check_against_mart(profile, mart)
    assert example("destinations") == f"{profile.name},true\n"


def test_operating_shows_the_unit_and_the_services_that_ship() -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    unit = (DEPLOY / "systemd" / "radar-daemon@.service").read_text(encoding="utf-8")
    assert unit.partition("\n")[2] in text
    services = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert services[services.index("x-service") :] in text


def test_services_listen_on_loopback_and_run_the_same_programs_everywhere() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    units = {path.name.split("-")[1].split("@")[0]: path for path in (DEPLOY / "systemd").glob("*.service")}
    assert units.keys() == compose.keys()
    for name, path in units.items():
        (program,) = re.findall(r"^ExecStart=\S+/(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert re.sub(r"\$\{(\w+)\}", "PORT", program) == re.sub(
            r"\$\{[^}]+\}", "PORT", compose[name]["command"]
        )
        assert ("--port" in program) == ("--host 127.0.0.1" in program)


@pytest.mark.parametrize("name", ["webserver", "daemon", "panel"])
def test_units_are_sound(name: str, tmp_path: Path) -> None:
    """As systemd reads them, with programs that exist."""
    if not shutil.which("systemd-analyze"):
        assert os.environ.get("CI") != "true", "systemd-analyze is missing, and the units were not verified"
        pytest.skip("systemd-analyze is not there")
    unit = tmp_path / f"radar-{name}@production.service"
    text = (DEPLOY / "systemd" / f"radar-{name}@.service").read_text(encoding="utf-8")
    unit.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
