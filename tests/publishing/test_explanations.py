"""What `radar explain` prints of who decided."""

from __future__ import annotations

from radar.publishing.explain import explain
from tests.runs.radar_run import Place


def test_an_owner_who_overruled_the_rules_is_called_by_name(demo_run: Place) -> None:
    (account_id, owner_id, name), *_ = demo_run.rows(
        "select account_id, overridden_by, owner.owner_name from marts.fct_health_history as history"
        " inner join marts.rpt_owner_work as owner on overridden_by = owner.owner_id"
        " where is_overridden and as_of_date = (select max(as_of_date) from marts.fct_health_history)"
        " order by 1"
    )
    explanation = explain(demo_run.published / "radar.duckdb", account_id)
    assert f"Overruled by {name} " in explanation.text()
    assert (explanation.overridden_by, explanation.overridden_by_name) == (owner_id, name)
