"""A published copy as the second run leaves it: with entries of the audit, and names hard to show."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb

from radar.publishing.contents import RECORDS
from radar.publishing.published_copy import publish
from tests.runs.radar_run import Place

LONG = "Gesellschaft für außerordentlich lange Firmennamen und Zusammenhängendesohneleerzeichen " * 2
RTL = "شركة الاختبار المحدودة"
LIVE = '=HYPERLINK("https://example.com")'
DAY = date(2026, 6, 30)


def publish_again(demo: Place, folder: Path, *changes: str) -> Path:
    """Publish a copy of the demo's warehouse, after these statements; the folder for readers."""
    folder.mkdir(parents=True, exist_ok=True)
    warehouse = folder / "warehouse.duckdb"
    shutil.copy(demo.warehouse, warehouse)
    with duckdb.connect(str(warehouse)) as con:
        worst = con.execute(
            "select account_id from marts.rpt_account_health order by arr_usd desc, account_id limit 3"
        ).fetchall()
        for (account_id,), name in zip(worst, (LONG, RTL, LIVE), strict=True):
            con.execute(
                "update marts.rpt_account_health set account_name = ? where account_id = ?",
                [name, account_id],
            )
        for change in changes:
            con.execute(change)
    publish(
        warehouse,
        folder / "published",
        run_id="again",
        as_of_start=DAY,
        as_of_end=DAY,
        extra_relations=RECORDS,
    )
    return folder / "published"
