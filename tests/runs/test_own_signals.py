"""A signal that an installation adds with two rows is computed, scored and explained like a shipped one."""

from __future__ import annotations

import shutil
from datetime import date

import duckdb
import pytest

from radar.rules.vocabulary import unrecognised
from tests.frozen import SEEDS
from tests.runs.radar_run import Place, radar
from tests.runs.test_words import AS_OF, EVENT, company, events

ROWS = {
    "product_events": "invoice_viewed,false,false,false,false,,billing_view",
    "signals": (
        "billing_views_30d,adoption,events,product/events,false,invoices viewed in 30 days,"
        "Views of an invoice in the last 30 days,billing_view,events,30,higher_is_better"
    ),
    "rules": (
        "playbook_v1,reads_invoices,,points,-7,false,,,,,,false,Reads its invoices,"
        "{value_1} invoices viewed (limit {threshold_1}),"
    ),
    "rule_conditions": "playbook_v1,reads_invoices,,1,billing_views_30d,>=,2,",
}
FIRST_SEEN = "2026-11-21"


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("own_signals"))
    views = [
        f"v{number},acc_01,u1,Invoice Viewed,{day}T09:00:00Z,"
        for number, day in enumerate([FIRST_SEEN, "2026-11-26"])
    ]
    rows = [*events({"login": "u1", "report_created": "u1"}), *views]
    company(place, {"product/events": (EVENT, rows)})
    seeds = place.folder / "seeds"
    for name, row in ROWS.items():
        shutil.copy(SEEDS / f"{name}.csv", seeds)
        with (seeds / f"{name}.csv").open("a", encoding="utf-8") as file:
            file.write(row + "\n")
    checked = radar("rules", "check", f"--seeds={seeds}")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    place.run(f"--seeds={seeds}", "--since=2026-11-20", f"--as-of={AS_OF}")
    return place


def test_it_is_unknown_until_an_event_of_its_measure_has_come(extended: Place) -> None:
    values = extended.rows(
        "select as_of_date::text, billing_views_30d from signals.sig_adoption where account_id = 'acc_01'"
        " and as_of_date in ('2026-11-20', '2026-11-21', '2026-11-26') order by 1"
    )
    assert values == [("2026-11-20", None), (FIRST_SEEN, 1), ("2026-11-26", 2)]
    others = f"select distinct billing_views_30d from signals.sig_adoption where as_of_date = '{AS_OF}'"
    assert sorted(extended.rows(others)) == [(0,), (2,)]
    assert extended.rows(
        "select as_of_date::text, value, is_known from scoring.fct_signal_values"
        " where signal = 'billing_views_30d' and account_id = 'acc_02'"
        " and as_of_date in ('2026-11-20', '2026-11-21') order by 1"
    ) == [("2026-11-20", None, False), (FIRST_SEEN, 0, True)]


def test_while_it_is_unknown_the_names_to_mark_are_reported(extended: Place) -> None:
    with extended.read() as con:
        found = {item.vocabulary: item for item in unrecognised(con, date(2026, 11, 20))}
    assert found["billing_view"].signals == ["billing_views_30d"]
    assert "in measures (as billing_view) of seeds/product_events.csv" in found["billing_view"].remedy


def test_a_rule_fires_on_it_and_leaves_evidence(extended: Place) -> None:
    assert extended.rows(
        "select account_id, observed_value, threshold, points, evidence from marts.fct_health_evidence"
        f" where rule_id = 'reads_invoices' and result = 'true' and as_of_date = '{AS_OF}'"
    ) == [("acc_01", 2, 2, -7, "2 invoices viewed (limit 2) (-7 points)")]
    explained = radar("explain", "acc_01", f"--published={extended.published}")
    assert "2 invoices viewed (limit 2)" in explained.stdout


def test_readers_find_its_label_and_value(extended: Place) -> None:
    with duckdb.connect(str(extended.published / "radar.duckdb"), read_only=True) as con:
        found = con.execute(
            "select signals.label, signals.unit, found.value from scoring.fct_signal_values as found"
            " join seeds.signals using (signal) where signal = 'billing_views_30d'"
            f" and account_id = 'acc_01' and as_of_date = '{AS_OF}'"
        ).fetchall()
    assert found == [("invoices viewed in 30 days", "events", 2)]
