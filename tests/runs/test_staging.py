"""The staging models that a run builds are those that the contracts and their descriptions speak of."""

from __future__ import annotations

import duckdb
import yaml

from radar.landing.staging import STAGING
from tests.runs.radar_run import Place


def test_staging_models_have_the_columns_that_are_described(demo_run: Place) -> None:
    described = {
        model["name"]: {column["name"] for column in model["columns"]}
        for file in STAGING.glob("*/_*.yml")
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", [])
    }
    with duckdb.connect(str(demo_run.warehouse), read_only=True) as con:
        rows = con.execute(
            "select table_name, list(column_name) from duckdb_columns()"
            " where schema_name = 'staging' and not starts_with(table_name, '_') group by table_name"
        ).fetchall()
    assert {table: set(columns) for table, columns in rows} == described
