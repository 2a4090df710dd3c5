"""What `radar init` writes to run a company every day: units, the compose file, settings."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from radar.onboarding import company_folder
from tests.panel.server import free_port

PROGRAMS = Path(sys.executable).parent
NAMES = ["company", "My company 100% & Söhne", "cost$ #1"]


def written(company: Path) -> Path:
    """The folder of a company without files and guesses."""
    company.mkdir()
    company_folder.write(company, company, [], [])
    shutil.copy(company / ".env.example", company / ".env")
    return company


@pytest.mark.parametrize("name", NAMES)
def test_a_shell_reads_the_settings_whatever_the_folder_is_called(tmp_path: Path, name: str) -> None:
    company = written(tmp_path / name)
    shown = subprocess.run(
        ["bash", "-euc", 'set -a; . ./.env; printf \'%s\\n\' "$RADAR_WAREHOUSE" "$DAGSTER_HOME"'],
        cwd=company,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.splitlines() == [f"{company}/warehouse.duckdb", f"{company}/dagster"]


@pytest.mark.parametrize("name", NAMES)
def test_systemd_accepts_the_units(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("systemd-analyze"):
        assert os.environ.get("CI") != "true", "systemd-analyze is missing, and the units were not verified"
        pytest.skip("systemd-analyze is not there")
    programs = tmp_path / "programs of radar"
    programs.symlink_to(PROGRAMS)
    if name != "company":
        monkeypatch.setattr(sys, "executable", str(programs / "python"))
    units = sorted((written(tmp_path / name) / "systemd").iterdir())
    assert len(units) == 3
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for unit in units:
        assert f"WorkingDirectory={str(tmp_path / name).replace('%', '%%')}\n" in unit.read_text()


def services(company: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((company / "compose.yaml").read_text())["services"]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_compose_file_mounts_the_folder_under_its_own_name(tmp_path: Path, name: str) -> None:
    company = written(tmp_path / name)
    whole = yaml.safe_load((company / "compose.yaml").read_text())
    assert re.fullmatch(r"radar-[a-z0-9-]+", whole["name"])
    for service in services(company).values():
        assert Path(service["build"]["context"]) / service["build"]["dockerfile"] == (
            company_folder.PROJECT / "docs/deploy/Dockerfile"
        )
        (mount,) = service["volumes"]
        assert (mount["source"], mount["target"]) == (str(company).replace("$", "$$"),) * 2
        assert (company / service["env_file"]).exists()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("name", ["webserver", "daemon", "panel"])
def test_each_service_starts_as_it_is_written_and_ends_when_asked(tmp_path: Path, name: str) -> None:
    """Its command with the settings of the folder, outside of a container; it stays until told to stop."""
    company, port = written(tmp_path / "company"), free_port()
    (company / "seeds").mkdir(exist_ok=True)
    settings = dict(
        line.split("=", 1)
        for line in (company / ".env").read_text().splitlines()
        if line and not line.startswith("#")
    )
    command = re.sub(r"\$\{\w+:-\d+\}", str(port), services(company)[name]["command"])
    ready: Callable[[], bool]
    with (tmp_path / "output").open("w") as output:
        child = subprocess.Popen(
            [str(PROGRAMS / shlex.split(command)[0]), *shlex.split(command)[1:]],
            cwd=company,
            env={**os.environ, **settings, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + 300
        if name == "daemon":
            ready = lambda: "daemon" in (tmp_path / "output").read_text().lower()  # noqa: E731
        else:
            ready = lambda: answers(port)  # noqa: E731
        while not ready():
            assert child.poll() is None, (tmp_path / "output").read_text()
            assert time.monotonic() < until, (tmp_path / "output").read_text()
            time.sleep(0.3)
        os.killpg(child.pid, signal.SIGTERM)
        child.wait(120)
        assert "Traceback" not in (tmp_path / "output").read_text()
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
