"""`radar init` on a terminal: what it asks, and what becomes of each answer."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.frozen import SEEDS
from tests.onboarding.terminal import CTRL_C, CTRL_D, Terminal

RADAR = str(Path(sys.executable).with_name("radar"))
ACCOUNTS = "account_id,name,created_at,plan_id,lifecycle_stage\n" + "".join(
    f"a{n},Company {n},2025-01-01,{'team' if n % 2 else 'partner'},customer\n" for n in range(1, 7)
)
EVENTS = "event_id,account_id,user_id,event_name,occurred_at\n" + "".join(
    f"{name}-{n},a{n},u{n},{name},2026-06-{day:02}T10:00:00Z\n"
    for day, (name, accounts) in enumerate(
        [("sign_in", 6), ("sign_in_failed", 2), ("report_made", 5), ("Wall drawn", 4), ("page_view", 6)],
        start=1,
    )
    for n in range(1, accounts + 1)
)
EITHER = "id,customer,amount,currency,status,created\nch_1,cus_1,500,usd,succeeded,1780000000\n"
"""Stripe's charges and its payment intents have these columns."""

Init = Callable[..., Terminal]


@pytest.fixture
def init(tmp_path: Path) -> Iterator[Init]:
    """Starts `radar init` in a folder with files, without a first run."""
    started: list[Terminal] = []
    files = tmp_path / "my files"
    files.mkdir()
    (files / "accounts.csv").write_text(ACCOUNTS)
    (files / "events.csv").write_text(EVENTS)

    def start(*options: str) -> Terminal:
        command = [RADAR, "init", "company", "--no-run", *options]
        started.append(Terminal(command, tmp_path, {"RADAR_SHIPPED_SEEDS": str(SEEDS)}))
        return started[-1]

    yield start
    for terminal in started:
        terminal.close()
        assert "Traceback" not in terminal.text
        assert [path.name for path in tmp_path.iterdir() if path.name not in ("my files", "company")] == []


def column(folder: Path, name: str, of: str) -> dict[str, str]:
    """A column of a seed of the company, by the first."""
    with (folder / "company" / "seeds" / name).open(newline="") as stream:
        return {next(iter(row.values())): row[of] for row in csv.DictReader(stream)}


def test_every_question_is_asked_again_until_its_answer_can_be_used(init: Init, tmp_path: Path) -> None:
    (tmp_path / "my files" / "money.csv").write_text(EITHER)
    radar = init()
    radar.expect(r"Which folder has the files")
    radar.type("nowhere\n")
    radar.expect(r"nowhere: there is no such folder")
    radar.type("'my files'\n")  # as a terminal writes a folder that is dropped on it
    radar.expect(r"money.csv is: 1 stripe/payment_intents, 2 stripe/charges, 0 leave it out")
    radar.type("x\n")
    radar.expect(r"money.csv is:")
    radar.type("3\n")
    radar.expect(r"3 is none of them\n.*money.csv is:")
    radar.type("2\n")
    radar.expect(r"money.csv +stripe/charges")
    radar.expect(r"sign_in +6 events of 6 accounts: a login")
    radar.expect(r"Plans that are paid \[(partner, team|team, partner)\]")
    radar.type("teem\n")
    radar.expect(r"teem is not in the files; there are team\n.*Plans that are paid")
    radar.type("team\n")
    radar.expect(r"Logins \[sign_in\]")
    radar.type("\n")
    radar.expect(r"Key features \[report_made, Wall drawn\]")
    radar.type("wall DRAWN, page_view\n")
    radar.expect(r"Write this to .*company\? \[Y/n\]")
    radar.type("perhaps\n")
    radar.expect(r"Write this to")
    radar.type("y\n")
    assert radar.status() == 0
    assert column(tmp_path, "plans.csv", "is_paid") == {"team": "true", "partner": "false"}
    logins = column(tmp_path, "product_events.csv", "is_login")
    assert [name for name, value in logins.items() if value == "true"] == ["sign_in"]
    features = column(tmp_path, "product_events.csv", "is_key_feature")
    assert {name for name, value in features.items() if value == "true"} == {"Wall drawn", "page_view"}
    page = (tmp_path / "company" / "CONFIRM.md").read_text()
    assert "| report_made | 5 events of 5 accounts | is_key_feature is false, as answered |" in page
    assert "| sign_in | 6 events of 6 accounts | a login |" in page


def test_enter_keeps_every_guess_and_leaves_out_what_may_be_two_things(init: Init, tmp_path: Path) -> None:
    (tmp_path / "my files" / "money.csv").write_text(EITHER)
    radar = init("--from", "my files")
    for question in ("money.csv is", "Plans that are paid", "Logins", "Key features", "Write this to"):
        radar.expect(question)
        radar.type("\n")
    assert radar.status() == 0
    assert "as answered" not in (tmp_path / "company" / "CONFIRM.md").read_text()
    assert "money.csv: it may be stripe/payment_intents" in (tmp_path / "company" / "CONFIRM.md").read_text()


def test_none_is_an_answer(init: Init, tmp_path: Path) -> None:
    radar = init("--from", "my files")
    for question, answer in (("Plans", ""), ("Logins", "none"), ("Key features", "NONE"), ("Write this", "")):
        radar.expect(question)
        radar.type(f"{answer}\n")
    assert radar.status() == 0
    for of in ("is_login", "is_key_feature"):
        assert set(column(tmp_path, "product_events.csv", of).values()) == {"false"}


@pytest.mark.parametrize("key", ["n\n", CTRL_C, CTRL_D])
def test_who_does_not_want_it_has_nothing_written(init: Init, tmp_path: Path, key: str) -> None:
    radar = init("--from", "my files")
    for question in ("Plans", "Logins", "Key features"):
        radar.expect(question)
        radar.type("\n")
    radar.expect("Write this to")
    radar.type(key)
    radar.expect("Nothing was written.")
    assert radar.status() == 1
    assert os.listdir(tmp_path) == ["my files"]


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
def test_the_first_question_can_be_left_too(init: Init, tmp_path: Path, key: str) -> None:
    radar = init()
    radar.expect("Which folder")
    radar.type(key)
    assert radar.status() == 1
    assert os.listdir(tmp_path) == ["my files"]


def test_a_stop_while_the_files_are_read_leaves_nothing(init: Init, tmp_path: Path) -> None:
    radar = init("--from", "my files")
    radar.expect("Files\n")
    radar.type(CTRL_C)
    assert radar.status() == 1
    assert os.listdir(tmp_path) == ["my files"]


def test_names_from_files_do_not_steer_the_terminal(init: Init, tmp_path: Path) -> None:
    (tmp_path / "my files" / "events.csv").write_text(EVENTS.replace("report_made", "re\x1b[2Jport"))
    radar = init("--from", "my files")
    radar.expect(r"re\\u001b\[2Jport +5 events")
    radar.type(CTRL_C)
    assert radar.status() == 1
    assert "\x1b[2J" not in radar.text
