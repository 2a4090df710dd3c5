"""The models from events to their signals on Spark come to the same cells as on DuckDB.

One file, in order: a cluster that is started once, a copy of the demo company, four builds. It is run by
`make test-spark`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.conventions.test_portable import ON_BOTH_ENGINES
from tests.runs.radar_run import Place
from tests.spark.both_engines import ROLLED_UP, BothEngines
from tests.spark.cluster import running_cluster
from tests.spark.warehouses import differences

pytestmark = pytest.mark.slow

LAST = date(2026, 6, 30)
DAY = timedelta(days=1)
ENVIRONMENT = Path(os.environ.get("RADAR_SPARK_ENVIRONMENT", ".venv-spark")).absolute()

ROWS_OF_DUCKDB_ALONE = (
    "test_int_event_keys__an_event_is_known_by_its_identity_and_account",
    "test_int_activity_changes__who_counts_enters_when_first_seen_and_leaves_a_window_after_the_last_time",
)
"""Unit tests whose rows only DuckDB reads: keys without a sign (macro key_of_text), and lists."""


@pytest.fixture(scope="module")
def both(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothEngines]:
    folder = tmp_path_factory.mktemp("spark")
    place = Place(folder)
    shutil.copy(demo_run.warehouse, place.warehouse)
    with running_cluster(ENVIRONMENT, folder / "cluster") as cluster:
        yield BothEngines(place, cluster, folder)


@pytest.fixture(scope="module")
def events(demo_run: Place) -> str:
    """All events of the company, as a query of raw columns."""
    files = demo_run.extracts / "product" / "events" / "*.parquet"
    return (
        "SELECT event_id, account_id, user_id, event_name, CAST(occurred_at AS TIMESTAMP) AS occurred_at, "
        f"NULL AS is_deleted, 'f' AS _source_file, row_number() OVER (ORDER BY event_id) AS _row_number "
        f"FROM read_parquet('{files}')"
    )


def test_a_first_load_comes_to_the_same_cells(both: BothEngines, events: str) -> None:
    both.write(
        *(f"DROP TABLE intermediate.{name}" for name in ROLLED_UP),
        "DELETE FROM raw.product_events",
    )
    both.land(1, f"FROM ({events}) WHERE CAST(occurred_at AS DATE) < '{LAST}'")
    # the same events again in the same batch, of which the later row counts
    both.land(
        1,
        "SELECT * EXCLUDE (_batch_id) REPLACE ('g' AS _source_file, 'report_exported' AS event_name) "
        "FROM raw.product_events WHERE _row_number % 77 = 0",
    )
    both.build(LAST - DAY, LAST - DAY)
    assert clean(both.compare(LAST - DAY, LAST - DAY))


def test_a_next_day_with_corrections_deletions_and_repeats_comes_to_the_same_cells(
    both: BothEngines, events: str
) -> None:
    both.land(2, f"FROM ({events}) WHERE CAST(occurred_at AS DATE) = '{LAST}'")
    both.land(
        2,
        "SELECT event_id, account_id, CASE WHEN _row_number % 2 = 0 THEN user_id END AS user_id, "
        "CASE WHEN _row_number % 3 = 0 THEN 'login' ELSE event_name END AS event_name, "
        "CASE WHEN _row_number % 5 = 0 THEN occurred_at - INTERVAL 3 DAY ELSE occurred_at END "
        "AS occurred_at, "
        "_row_number % 7 = 0 AS is_deleted, 'h' AS _source_file, _row_number "
        "FROM raw.product_events WHERE _batch_id = 1 AND _row_number % 31 < 3",
    )
    both.land(  # an account that loses every event it had
        2,
        "SELECT * EXCLUDE (_batch_id) REPLACE (true AS is_deleted, 'i' AS _source_file) "
        "FROM raw.product_events WHERE _batch_id = 1 "
        "AND account_id = (SELECT min(account_id) FROM raw.product_events)",
    )
    both.build(LAST, LAST)
    with both.place.read() as con:
        (withdrawn,) = con.execute(
            "SELECT count(*) FROM intermediate.int_user_days WHERE events = 0"
        ).fetchone() or (0,)
    assert withdrawn > 0
    assert clean(both.compare(LAST, LAST))


def test_the_same_day_again_changes_nothing(both: BothEngines) -> None:
    rolled_up = both.files("intermediate", "int_user_days")
    before = {path.name for path in rolled_up.rglob("*.parquet")}
    both.build(LAST, LAST)
    assert clean(both.compare(LAST, LAST))
    assert {path.name for path in rolled_up.rglob("*.parquet")} == before


def test_both_workers_received_work(both: BothEngines) -> None:
    tasks = both.cluster.tasks_by_worker()
    assert tasks.keys() == {"worker1", "worker2"}
    assert min(tasks.values()) > sum(tasks.values()) / 10


def test_a_cell_that_is_off_by_one_in_the_last_place_is_found(both: BothEngines, tmp_path: Path) -> None:
    files = tmp_path / "sig_usage"
    shutil.copytree(both.files("signals", "sig_usage"), files)
    (changed,) = (files / f"as_of_date={LAST}").glob("*.parquet")
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE cells AS FROM read_parquet('{changed}', hive_partitioning = false)")
        (account, value, next_value) = con.execute(
            "SELECT account_id, usage_trend_14d_pct, nextafter(usage_trend_14d_pct, 1000) FROM cells "
            "WHERE usage_trend_14d_pct IS NOT NULL AND usage_trend_14d_pct <> 0 ORDER BY account_id LIMIT 1"
        ).fetchone() or ("", 0.0, 0.0)
        con.execute(
            f"UPDATE cells SET usage_trend_14d_pct = nextafter(usage_trend_14d_pct, 1000) "
            f"WHERE account_id = '{account}'"
        )
        con.execute(f"COPY cells TO '{changed}' (FORMAT parquet)")
    with both.place.read() as con:
        found = differences(con, "signals.sig_usage", files, f"as_of_date = '{LAST}'")
    assert len(found) == 2
    assert repr(value) in found[0]
    assert repr(next_value) in found[1]


def test_a_backfill_of_30_days_comes_to_the_same_cells(both: BothEngines) -> None:
    start = LAST - 29 * DAY
    both.build(start, LAST)
    assert clean(both.compare(start, LAST))


def test_macros_of_the_engines_and_unit_tests_of_the_models_pass_on_spark(both: BothEngines) -> None:
    units = [f"{name},test_type:unit" for name in ON_BOTH_ENGINES]
    told = both.test_on_spark("assert_portable_macros_agree", *units, "--exclude", *ROWS_OF_DUCKDB_ALONE)
    assert "WARN=0 ERROR=0 SKIP=0" in told


def clean(found: dict[str, list[str]]) -> bool:
    """Whether nothing differs; reports the first of what does."""
    differing = {table: (len(lines), lines[:3]) for table, lines in found.items() if lines}
    assert differing == {}
    return True
