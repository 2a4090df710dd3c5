"""The playbook is checked before anything is built: file, row and what to do."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest

from radar.core.project import PROJECT
from radar.rules.checks import CUSTOMER_CHANNELS, check
from tests.frozen import SEEDS


def problems(folder: Path, change: dict[str, str], row: int = 1) -> list[str]:
    """What is said of the shipped seeds with cells of one row of the playbook changed."""
    seeds = folder / "seeds"
    shutil.copytree(SEEDS, seeds)
    file = seeds / "playbook.csv"
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    rows[row - 1] |= change
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return [str(problem) for problem in check(seeds)]


def test_the_shipped_playbook_is_sound(tmp_path: Path) -> None:
    assert problems(tmp_path, {}) == []


def test_a_next_action_reads_the_same_on_a_page_and_in_a_message() -> None:
    with (SEEDS / "playbook.csv").open(encoding="utf-8", newline="") as text:
        actions = [row["next_action"] for row in csv.DictReader(text)]
    assert [action for action in actions if re.search(r"\b(row|column|table)\b", action)] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bucket": "", "flag": ""}, "column bucket: the row is for no bucket and no flag"),
        ({"bucket": "fine"}, "column bucket: there is no bucket 'fine'"),
        ({"flag": "rain"}, "column flag: no rule raises the flag 'rain'"),
        ({"mode": "maybe"}, "column mode: 'maybe' is not allowed"),
        ({"mode": ""}, "column mode: '' is not allowed"),
        ({"channel": "pigeon"}, "column channel: 'pigeon' is not allowed"),
        ({"within_hours": "-1"}, "column within_hours: the number is below 0"),
        ({"cooldown_days": "-1"}, "column cooldown_days: the number is below 0"),
        ({"play": "save_call"}, "column play: 'save_call' is in more than one row"),
        ({"channel": "survey", "mode": "automatic"}, "column mode: survey reaches the customer"),
    ],
)
def test_a_wrong_row_is_named_with_its_remedy(tmp_path: Path, change: dict[str, str], message: str) -> None:
    found = problems(tmp_path, change)
    assert any(problem.startswith(f"playbook.csv, row 1, {message}") for problem in found), found
    assert all("What to do" in problem for problem in found)


def test_the_checks_and_the_models_mean_the_same_channels() -> None:
    model = PROJECT / "dbt_project" / "models" / "plays" / "int_play_stop_reasons.sql"
    (channels,) = re.findall(r"open_plays\.channel in \(([^)]*)\)", model.read_text(encoding="utf-8"))
    assert tuple(re.findall(r"'(\w+)'", channels)) == CUSTOMER_CHANNELS
