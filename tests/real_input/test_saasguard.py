"""The whole job on extracts of a third party, where they are at hand (beside the checkout)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs.radar_run import Place

HERE = Path(__file__).parent
EXTRACTS = HERE.parents[2] / "shared" / "data" / "saasguard" / "extracts"
MISSING = (
    *("crm/contacts", "crm/touchpoints", "crm/milestones", "crm/goals", "crm/pulses", "crm/overrides"),
    *("crm/identities", "billing/invoices", "billing/payments", "comms/messages", "feedback/surveys"),
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not EXTRACTS.is_dir(), reason="the sample extracts are not beside the checkout"),
]


class Sample(Place):
    """A place that reads the sample where it lies."""

    @property
    def extracts(self) -> Path:
        return EXTRACTS


def test_with_feeds_that_never_came_little_is_decided(tmp_path: Path) -> None:
    place = Sample(tmp_path)
    done = place.run(f"--seeds={HERE / 'seeds'}", "--as-of=2026-03-13")
    for feed in MISSING:
        assert feed in done.stdout, f"{feed} is used by default and never came: the run says so"
    assert place.rows("select count(*), sum(events) from intermediate.int_user_days")[0][1] > 0
    scored, decided = place.rows(
        "select count(*), count(*) filter (where decision = 'decided') from marts.rpt_account_health"
    )[0]
    assert scored > 400
    assert decided < scored / 10
    assert place.rows("select min(score_high - score_low) from marts.rpt_account_health") > [(0.0,)]


def test_with_those_feeds_switched_off_the_rest_is_decided(tmp_path: Path) -> None:
    place = Sample(tmp_path)
    seeds = HERE / "seeds_without_missing_feeds"
    place.run(f"--seeds={seeds}", "--since=2026-02-11", "--as-of=2026-03-13")
    assert place.rows("select count(distinct as_of_date) from marts.fct_health_history") == [(31,)]
    assert place.rows("select distinct decision from marts.fct_health_history") == [("decided",)]
    assert place.rows("select distinct coverage_pct from marts.fct_health_history") == [(100.0,)]
    off = place.rows(
        """
        select distinct rule_id from scoring.fct_rule_results
        where result = 'off' and rule_set_status = 'champion' and as_of_date = '2026-03-13' order by 1
        """
    )
    assert off == [("failed_payment",), ("payment_risk",), ("silent_relationship",)]
