"""The wheel, installed into an empty environment: it needs nothing of the checkout that it was built from."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
AS_THEY_ARE = ("orchestration", "radar")
BELOW_PROJECT = ("dbt_project", "docs/deploy", "expectations", "exports", "feeds", "seeds")
LEFT_OUT = ("dbt_project/lint/", "exports/golden/")
"""What only the linter, the tests and readers of the source need."""

PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


def run(command: list[str], folder: Path) -> str:
    """What it prints; the test fails where it does."""
    ours = ("RADAR_", "PYTHON", "DAGSTER_", "XDG_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**inherited, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the repository, without what a working checkout has besides."""
    folder = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, *PIP, "wheel", "--no-build-isolation", "--no-deps", "-w", str(folder), "."]
    run(build, source)
    (file,) = folder.glob("*.whl")
    return file


def test_the_wheel_holds_the_packages_and_what_they_read(source: Path, wheel: Path) -> None:
    files = [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()]
    needed = {name for name in files if name.startswith(tuple(f"{room}/" for room in AS_THEY_ARE))}
    needed |= {
        f"radar/project/{name}"
        for name in files
        if name.startswith(tuple(f"{room}/" for room in BELOW_PROJECT)) and not name.startswith(LEFT_OUT)
    }
    needed -= set(LEFT_OUT)
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == needed


def test_an_empty_environment_makes_a_demo_and_runs_it(wheel: Path, tmp_path: Path) -> None:
    environment, work = tmp_path / "environment", tmp_path / "work"
    work.mkdir()
    run([sys.executable, "-m", "venv", str(environment)], work)
    python = str(environment / "bin" / "python")
    lock = str(ROOT / "requirements.lock")
    run([python, *PIP, "install", "--require-hashes", "--requirement", lock], work)
    run([python, *PIP, "install", "--no-deps", str(wheel)], work)
    installed = run([python, *PIP, "list", "--format", "freeze"], work)
    assert not {"pytest", "mypy", "ruff", "playwright", "trytond"} & {
        line.partition("==")[0] for line in installed.splitlines()
    }
    radar = str(environment / "bin" / "radar")
    run([radar, "demo", "extracts", "--accounts", "40", "--days", "90", "--end", "2026-06-30"], work)
    run([radar, "run", "--extracts", "extracts", "--as-of", "2026-06-30"], work)
    assert (work / "var" / "published" / "radar.duckdb").exists()
    project = run([python, "-c", "import radar.core.settings as s; print(s.PROJECT)"], work)
    assert Path(project.strip()).is_relative_to(environment)
