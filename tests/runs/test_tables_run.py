"""A run with a `tables.yml`: what is wrong in it stops the run before anything lands."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.runs.radar_run import Place

END = date(2026, 6, 30)


@pytest.mark.slow
def test_a_file_of_tables_that_is_wrong_stops_the_run_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)
    place.extracts.mkdir(parents=True)
    (tmp_path / "tables.yml").write_text("databases:\n  app: {type: oracle}\ntables: []\n")
    monkeypatch.setenv("RADAR_TABLES", str(tmp_path / "tables.yml"))
    done = place.run(f"--as-of={END}", status=1)
    assert "tables.yml, line 2: oracle is no type of database that is read" in done.stdout + done.stderr
