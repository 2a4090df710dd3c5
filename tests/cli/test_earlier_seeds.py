"""Reference data that was written for an earlier release still builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from radar.rules import SHIPPED_SEEDS, check, gather


def lines(name: str) -> list[str]:
    return (SHIPPED_SEEDS / name).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("end", ["", "\n"])
def test_settings_that_came_later_are_as_they_ship(tmp_path: Path, end: str) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    kept = [line.replace("override_days,30", "override_days,12") for line in lines("settings.csv")[:5]]
    (mine / "settings.csv").write_text("\n".join(kept) + end)
    gathered = gather(mine, tmp_path / "seeds")
    assert check(gathered) == []
    told = (gathered / "settings.csv").read_text().splitlines()
    assert told == kept + lines("settings.csv")[5:]
    assert any(line.startswith("override_days,12,") for line in told)


def test_a_setting_that_nothing_reads_is_told(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "settings.csv").write_text(f"{lines('settings.csv')[0]}\noverride_day,30,days,misspelt\n")
    (problem,) = check(gather(mine, tmp_path / "seeds"))
    assert (problem.row, problem.what) == (1, "nothing reads 'override_day'")


def test_a_feed_that_no_signal_needs_may_have_no_row(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    text = "\n".join(line for line in lines("feeds.csv") if not line.startswith("crm/reviews"))
    (mine / "feeds.csv").write_text(text)
    assert check(gather(mine, tmp_path / "seeds")) == []
    text = "\n".join(line for line in text.splitlines() if not line.startswith("crm/pulses"))
    (mine / "feeds.csv").write_text(text)
    (problem,) = check(gather(mine, tmp_path / "seeds"))
    assert problem.what == "the feed crm/pulses has no row"


@pytest.mark.parametrize("name", ["rule_sets.csv", "rules.csv", "rule_conditions.csv"])
def test_a_rule_set_that_came_later_needs_no_row_in_files_of_ones_own(tmp_path: Path, name: str) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / name).write_text("\n".join(line for line in lines(name) if not line.startswith("snapshot_v1,")))
    gathered = gather(mine, tmp_path / "seeds")
    assert check(gathered) == []
    assert "snapshot_v1," not in (gathered / "rules.csv").read_text()
    assert "playbook_v1," in (gathered / "rules.csv").read_text()
