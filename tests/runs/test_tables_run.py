"""A company whose feeds are tables of a database is scored as the same company in files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from radar.demo import generate
from tests.frozen import SEEDS
from tests.runs.radar_run import Place

END = date(2026, 6, 30)


def as_tables(extracts: Path, target: Path) -> str:
    """Every feed as a table `<source>.<feed>` in one DuckDB file; what names them in tables.yml."""
    lines = ["databases:", f"  app: {{type: duckdb, path: {target}}}", "tables:"]
    with duckdb.connect(str(target)) as con:
        for folder in sorted(extracts.glob("*/*/")):
            source, feed = folder.parts[-2:]
            files = [str(file) for file in sorted(folder.iterdir())]
            con.execute(f"create schema if not exists {source}")
            if ".csv" in files[0]:
                options = "all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"'"
                read = f"read_csv({files}, {options}, union_by_name = true)"
            elif ".parquet" in files[0]:
                read = f"read_parquet({files}, union_by_name = true)"
            else:
                read = f"read_json({files}, union_by_name = true)"
            con.execute(f"create table {source}.{feed} as select * from {read}")
            lines.append(f"  - {{database: app, relation: {source}.{feed}, feed: {source}/{feed}}}")
    return "\n".join(lines) + "\n"


def test_tables_give_the_scores_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, tables = Place(tmp_path / "files"), Place(tmp_path / "tables")
    generate(files.extracts, accounts=30, days=100, seed=1, end=END)
    for cut in files.extracts.rglob("*-interrupted*"):
        cut.unlink()  # a broken file has no counterpart among tables
    tables.extracts.mkdir(parents=True)
    (tmp_path / "tables.yml").write_text(as_tables(files.extracts, tmp_path / "app.duckdb"))
    options = (f"--seeds={SEEDS}", f"--as-of={END}")
    files.run(*options)
    monkeypatch.setenv("RADAR_TABLES", str(tmp_path / "tables.yml"))
    tables.run(*options)
    query = """
        select account_id, as_of_date, rule_set, score, score_low, score_high, bucket, decision, flags,
            coverage_pct
        from scoring.fct_health_scores order by all
    """
    scores = files.rows(query)
    assert len(scores) > 20
    assert tables.rows(query) == scores
    sources = tables.rows("select distinct split_part(source_file, '/', 1) from audit.loads")
    assert sources == [("tables",)]


def test_a_file_of_tables_that_is_wrong_stops_the_run_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)
    place.extracts.mkdir(parents=True)
    (tmp_path / "tables.yml").write_text("databases:\n  app: {type: oracle}\ntables: []\n")
    monkeypatch.setenv("RADAR_TABLES", str(tmp_path / "tables.yml"))
    done = place.run(f"--as-of={END}", status=1)
    assert "tables.yml, line 2: oracle is no type of database that is read" in done.stdout + done.stderr
