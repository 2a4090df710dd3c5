"""One small company on two engines: the same models, built on the same rows by each, and compared."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from tests.conventions.test_portable import ON_BOTH_ENGINES
from tests.frozen import ROOT
from tests.runs.radar_run import Place
from tests.spark.cluster import Cluster
from tests.spark.warehouses import differences, hand_over, rows_of, statements

ROLLED_UP = ("int_event_keys", "int_user_days", "int_event_bounds")
SIGNALS = ("sig_usage", "sig_adoption")
DBT_PROJECT = ROOT / "dbt_project"

RAW_COLUMNS = (
    "event_id, account_id, user_id, event_name, occurred_at, is_deleted, _batch_id, _source_file, _row_number"
)


@dataclass
class BothEngines:
    """A warehouse of DuckDB's and a cluster. What is compared is kept: stage -> table -> what differs."""

    place: Place
    cluster: Cluster
    folder: Path
    builds: int = 0

    def write(self, *sql: str) -> None:
        """Statements in the warehouse, one after the other."""
        with duckdb.connect(
            str(self.place.warehouse), config={"storage_compatibility_version": "v1.5.0"}
        ) as con:
            con.execute("SET TimeZone = 'UTC'")
            for statement in sql:
                con.execute(statement)

    def land(self, batch: int, events: str) -> None:
        """Rows of raw events as a batch; `events` is a query of all but its number."""
        self.write(
            f"INSERT INTO raw.product_events BY NAME SELECT {RAW_COLUMNS} FROM "
            f"(SELECT *, {batch} AS _batch_id FROM ({events}))"
        )

    def build(self, start: date, end: date) -> None:
        """Build the days on both engines."""
        self.builds += 1
        self.write(f"UPDATE control.run_window SET as_of_start = '{start}', as_of_end = '{end}'")
        target = self.folder / "duckdb"
        dbt = Path(sys.executable).with_name("dbt")
        _ended(_dbt(dbt, target, ["run", "--select", *(f"+{name}" for name in SIGNALS)], self._variables()))
        folders = hand_over(self.place.warehouse, target / "manifest.json", self.folder / f"in{self.builds}")
        self.execute(list(statements(folders)))
        spark = _dbt(self.dbt, self.folder / "spark", self._spark("run", ON_BOTH_ENGINES), self._variables())
        _ended(spark)

    @property
    def dbt(self) -> Path:
        """dbt in the environment of Spark."""
        return self.cluster.environment / "bin" / "dbt"

    def test_on_spark(self, *nodes: str) -> str:
        """What dbt prints of these tests on Spark; they have to pass."""
        return _ended(_dbt(self.dbt, self.folder / "spark", self._spark("test", nodes), self._variables()))

    def _spark(self, command: str, nodes: Sequence[str]) -> list[str]:
        return [command, "--target", "spark", "--select", *nodes]

    def _variables(self) -> dict[str, str]:
        return {"RADAR_WAREHOUSE": str(self.place.warehouse), "RADAR_SPARK_REMOTE": self.cluster.remote}

    def execute(self, sql: Sequence[str]) -> str:
        """Statements on Spark, all of which have to succeed; their rows, as lines of JSON."""
        python = self.cluster.environment / "bin" / "python"
        done = subprocess.run(
            [python, Path(__file__).with_name("execute.py"), self.cluster.remote],
            input="\n".join(sql), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def compare(self, start: date, end: date) -> dict[str, list[str]]:
        """What differs, table by table, for days that were built; with the restated day before them."""
        days = f"as_of_date BETWEEN '{start}' AND '{end}'"
        found = {}
        with duckdb.connect(str(self.place.warehouse), read_only=True) as con:
            for name in (*ROLLED_UP, "int_activity_changes", "int_account_activity__as_of"):
                assert rows_of(con, f"intermediate.{name}") > 0
                found[name] = differences(con, f"intermediate.{name}", self.files("intermediate", name))
            restated = f"as_of_date = DATE '{start}' - 1"
            for name in SIGNALS:
                assert rows_of(con, f"signals.{name}", days) > 0
                files = self.files("signals", name)
                found[name] = differences(con, f"signals.{name}", files, days)
                if start == end:
                    table = f"intermediate.{name}__restated"
                    assert rows_of(con, table, restated) > 0
                    found[f"{name}, restated"] = differences(con, table, files, restated)
        return found

    def files(self, schema: str, table: str) -> Path:
        """The folder of a table's files on Spark."""
        return self.cluster.tables / f"{schema}.db" / table


def _dbt(
    dbt: Path, target: Path, arguments: Sequence[str], variables: dict[str, str]
) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "RADAR_SEEDS"}
    places = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    places += ["--target-path", str(target), "--log-path", str(target)]
    return subprocess.Popen(
        [dbt, *arguments, *places, "--no-use-colors"],
        env={**inherited, **variables, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=DBT_PROJECT,
    )  # fmt: skip


def _ended(process: subprocess.Popen[str]) -> str:
    told, _ = process.communicate()
    assert process.returncode == 0, told[-6000:]
    return told
