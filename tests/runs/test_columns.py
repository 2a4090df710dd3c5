"""A company whose invoices say `paid_on` where Radar reads `paid_at`, from the file to what readers get."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.frozen import SEEDS
from tests.runs.radar_run import Place

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DAY = datetime.now(UTC).date() - timedelta(days=1)
USED = ("crm/accounts", "billing/invoices")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("company"))
    shipped = (SEEDS / "feeds.csv").read_text().splitlines()
    (place.folder / "seeds").mkdir()
    used = [line if line.split(",")[0] in USED else line.replace("true", "false") for line in shipped]
    (place.folder / "seeds/feeds.csv").write_text("\n".join(used) + "\n")
    for feed in USED:
        (place.extracts / feed).mkdir(parents=True)
    accounts = [f"acc_{number},Company {number},2025-01-01" for number in range(5)]
    (place.extracts / "crm/accounts/a.csv").write_text(
        "\n".join(["account_id,name,created_at", *accounts]) + "\n"
    )
    return place


def invoices(place: Place, name: str, column: str, more: str = "") -> None:
    issued, due, paid = (DAY - timedelta(days) for days in (40, 10, 9))
    rows = [f"{name}{number},acc_{number},100,paid,{issued},{due},{paid}" for number in range(5)]
    header = f"invoice_id,account_id,amount_usd,status,issued_at,due_at,{column}"
    if more:
        header, rows = f"{header},{more}", [f"{row},here" for row in rows]
    (place.extracts / f"billing/invoices/{name}.csv").write_text("\n".join([header, *rows]) + "\n")


def published(place: Place) -> list[tuple[object, ...]]:
    with duckdb.connect(str(place.published / "radar.duckdb"), read_only=True) as con:
        return con.execute(
            "select feed, column_name, finding, nearest_name, source_file, is_in_newest_files"
            " from marts.rpt_column_findings order by all"
        ).fetchall()


def test_a_misnamed_column_reaches_summary_audit_copy_and_is_named_once(place: Place) -> None:
    options = (f"--seeds={place.folder / 'seeds'}", f"--as-of={DAY}")
    failed = (
        "select check_name, severity from audit.checks where not success and check_name like 'no_%column%'"
    )
    finding = ("billing/invoices", "paid_on", "misnamed", "paid_at", "billing/invoices/m1.csv")
    invoices(place, "m1", "paid_on")
    said = place.run(*options).stdout
    assert "  billing/invoices: paid_on (resembles paid_at)\n" in said
    assert (
        "  warning billing/invoices no_misnamed_column: paid_at is missing, and paid_on resembles it"
        " (billing/invoices/m1.csv). What to do: have the column written under its known name" in said
    )
    assert place.rows(failed) == [("no_misnamed_column", "warning")]
    assert place.rows(
        "select feed, column_name, finding, nearest_name, source_file from audit.column_findings"
    ) == [finding]
    assert published(place) == [(*finding, True)]
    said = place.run(*options).stdout
    assert "paid_on" not in said
    assert published(place) == [(*finding, True)]
    invoices(place, "m2", "paid_at")
    said = place.run(*options).stdout
    assert "paid_on" not in said
    assert published(place) == [(*finding, False)]
    assert place.rows(failed) == [("no_misnamed_column", "warning")]


def test_what_changed_since_the_first_files_reaches_summary_and_copy_once(place: Place) -> None:
    options = (f"--seeds={place.folder / 'seeds'}", f"--as-of={DAY}")
    changes = (
        "select feed, column_name, change, files, refused_values, is_current from marts.rpt_schema_changes"
    )
    assert place.rows(changes) == [], "paid_on was in the first file of the feed"
    invoices(place, "m3", "paid_at", "warehouse")
    said = place.run(*options).stdout
    assert (
        "Changed since the first files of the feed\n  billing/invoices: new column warehouse (1 file" in said
    )
    expected = [("billing/invoices", "warehouse", "new_column", 1, None, True)]
    assert place.rows(changes) == expected
    with duckdb.connect(str(place.published / "radar.duckdb"), read_only=True) as con:
        assert con.execute(changes).fetchall() == expected
    assert "warehouse" not in place.run(*options).stdout.replace("warehouse.", "")


def test_columns_are_described_in_the_copy(place: Place) -> None:
    with duckdb.connect(str(place.published / "radar.duckdb"), read_only=True) as con:
        described = con.execute(
            "select bool_and(length(comment) > 5), count(*) > 0 from duckdb_columns()"
            " where table_name = 'rpt_column_findings'"
        ).fetchone()
        assert described == (True, True)
