"""A risk model in the seeds that leaves values on no step, or on two, is named with file, row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.seed_folder import Rows, SeedFolder

MODEL = {
    "model_version": "m1",
    "horizon_days": "60",
    "train_until_date": "2026-01-31",
    "baseline_log_odds": "-3.123456789012",
    "observations": "1000",
    "accounts": "100",
    "churned_accounts": "30",
}


def steps() -> Rows:
    columns = ("signal", "step", "is_without_value", "value_from", "value_below", "log_odds", "trained_pct")
    rows = (
        ("logins_30d", "1", "false", "", "8.5", "1.25", "40"),
        ("logins_30d", "2", "false", "8.5", "20", "0", "30"),
        ("logins_30d", "3", "false", "20", "", "-0.5", "30"),
        ("logins_30d", "4", "true", "", "", "0.125", "0"),
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.fixture
def folder(tmp_path: Path) -> SeedFolder:
    made = SeedFolder(tmp_path / "own")
    made.write("risk_model", [MODEL])
    made.write("risk_model_steps", steps())
    return made


def test_a_model_without_gaps_is_sound(folder: SeedFolder, tmp_path: Path) -> None:
    assert folder.problems(tmp_path / "seeds") == []


@pytest.mark.parametrize(
    ("name", "row", "cells", "column", "words"),
    [
        ("risk_model", 1, {"horizon_days": "0"}, "horizon_days", "below 1"),
        ("risk_model", 1, {"train_until_date": "31.1.2026"}, "train_until_date", "is not a day such as"),
        ("risk_model", 1, {"train_until_date": "2026-02-30"}, "train_until_date", "is not a day such as"),
        ("risk_model", 1, {"baseline_log_odds": "-3.1234567890123"}, "baseline_log_odds", "not a number"),
        ("risk_model", 1, {"model_version": ""}, "model_version", "the cell is empty"),
        ("risk_model_steps", 1, {"signal": "logons"}, "signal", "there is no signal 'logons'"),
        ("risk_model_steps", 2, {"step": "3"}, "step", "the step is 3, and 2 is next"),
        ("risk_model_steps", 1, {"value_from": "0"}, "value_from", "are on no step, or on two"),
        ("risk_model_steps", 2, {"value_from": "9"}, "value_from", "values from 8.5 on"),
        ("risk_model_steps", 2, {"value_below": "8.5"}, "value_below", "before it begins"),
        ("risk_model_steps", 2, {"value_below": ""}, "value_below", "the next step has values too"),
        ("risk_model_steps", 3, {"value_below": "30"}, "value_below", "no step has the values above"),
        ("risk_model_steps", 4, {"is_without_value": "false"}, "is_without_value", "the last step"),
        ("risk_model_steps", 2, {"is_without_value": "true"}, "is_without_value", "the last step"),
        ("risk_model_steps", 4, {"value_from": "30"}, "value_from", "has no ends"),
        ("risk_model_steps", 1, {"trained_pct": "100.5"}, "trained_pct", "no share of 0 to 100"),
    ],
)
def test_what_is_wrong_is_named(
    folder: SeedFolder, tmp_path: Path, name: str, row: int, cells: dict[str, str], column: str, words: str
) -> None:
    folder.change(name, row, **cells)
    problems = folder.problems(tmp_path / "seeds")
    found = [one for one in problems if (one.file, one.row, one.column) == (f"{name}.csv", row, column)]
    assert any(words in one.what for one in found), problems


def test_one_file_without_the_other_and_two_models_are_refused(folder: SeedFolder, tmp_path: Path) -> None:
    folder.add("risk_model", 1, model_version="m2")
    (problem,) = folder.problems(tmp_path / "two")
    assert (problem.file, problem.row) == ("risk_model.csv", 2)
    (folder.folder / "risk_model.csv").unlink()
    assert any("there is no model" in one.what for one in folder.problems(tmp_path / "steps_alone"))
    folder.write("risk_model", [MODEL])
    (folder.folder / "risk_model_steps.csv").unlink()
    assert any("it has no steps" in one.what for one in folder.problems(tmp_path / "model_alone"))
