"""What `make demo` prints: each step before it begins, and at the end commands that can be pasted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from radar.demo.next_steps import text
from tests.runs.radar_run import Place

ROOT = Path(__file__).resolve().parents[2]


def test_the_commands_at_the_end_can_be_pasted(demo_run: Place) -> None:
    printed = text(demo_run.folder, Path(sys.executable).parent)
    assert "faults on purpose" in printed
    commands = re.findall(r"^  ([^ #].*)$", printed, re.MULTILINE)
    assert commands[:2] == ["make panel", "make dev"]
    explained, answered = (
        subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout
        for command in commands[2:]
    )
    assert "points" in explained
    assert "at_risk" in answered


def test_make_says_what_takes_minutes_before_it_begins() -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "--always-make", "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    steps = [
        "Installing, 1 of 2",
        "pip install",
        "Installing, 2 of 2",
        "compileall",
        "Demo, 1 of 2",
        "Demo, 2 of 2",
    ]
    places = [planned.index(step) for step in steps]
    assert places == sorted(places)
    assert planned.index("radar.demo.next_steps") > places[-1]
