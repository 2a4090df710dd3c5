"""The figures of the backtest are those of the definitions, read independently and counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radar.measurement.backtest import Question, backtest
from tests.measurement.company_copy import publish
from tests.measurement.random_company import company
from tests.oracle.measurement import Measured, differences


@pytest.mark.parametrize("seed", range(12))
def test_every_figure_of_a_random_company_is_that_of_the_definitions(seed: int, tmp_path: Path) -> None:
    made = company(seed)
    found = json.loads(backtest(publish(made, tmp_path / "radar.duckdb"), Question()).json())
    assert differences(Measured(made).figures(), found) == []
