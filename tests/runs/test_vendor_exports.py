"""A company of which only the vendors' exports are there is scored as the same company in our own feeds."""

from __future__ import annotations

from datetime import date

import pytest

from radar.demo import generate
from tests.frozen import SEEDS
from tests.runs.radar_run import Place, radar
from tests.runs.vendor_company import as_ours, as_vendors

END = date(2026, 6, 30)
COMPARED = {
    "scoring.fct_signal_values": "account_id, as_of_date, signal, value, is_known",
    "scoring.fct_health_scores": "account_id, as_of_date, rule_set, score, score_low, score_high, bucket, "
    "decision, flags, coverage_pct",
    "marts.rpt_account_health": "account_id, account_name, owner_name, segment, arr_usd, bucket, decision, "
    "reason_1, next_action, days_to_renewal",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Place]:
    """The company in our own feeds, and as Stripe, HubSpot, Zendesk and Mixpanel export it; both are run."""
    folder = tmp_path_factory.mktemp("company")
    generate(folder / "demo", accounts=30, days=100, seed=1, end=END)
    ours, theirs = Place(folder / "ours"), Place(folder / "vendors")
    as_ours(folder / "demo", ours.extracts)
    as_vendors(folder / "demo", theirs.extracts)
    for place in (ours, theirs):
        place.run(f"--seeds={SEEDS}", f"--as-of={END}", "--since=2026-06-28")
    return ours, theirs


@pytest.mark.parametrize("relation", COMPARED)
def test_four_vendors_exports_give_the_scores_of_our_own_feeds(
    places: tuple[Place, Place], relation: str
) -> None:
    ours, theirs = (
        place.rows(f"select {COMPARED[relation]} from {relation} order by all") for place in places
    )
    assert len(ours) > 20
    assert theirs == ours


def test_customers_known_by_a_domain_alone_land_in_the_first_run(places: tuple[Place, Place]) -> None:
    """Stripe knows every second customer by an address, Zendesk every second organization by a domain."""
    _, theirs = places
    chains = theirs.rows(
        "select source, count(*) from raw.crm_identities where contains(account_id, '.example')"
        " group by all order by all"
    )
    assert [source for source, _ in chains] == ["billing", "support"]
    assert theirs.rows("select count(*) from quarantine.waiting_billing_subscriptions") == [(0,)]
    assert theirs.rows("select count(*) from quarantine.waiting_crm_identities") == [(0,)]


def test_what_was_refused_is_named_by_the_vendors_file(places: tuple[Place, Place]) -> None:
    _, theirs = places
    found = theirs.rows("select distinct source_file from quarantine.rejected_rows order by all")
    assert found == [("mixpanel/events/export.jsonl.gz",)]


def test_the_folder_that_was_run_is_found_sound_without_landing_it(places: tuple[Place, Place]) -> None:
    _, theirs = places
    done = radar("sources", "check", str(theirs.extracts), f"--seeds={SEEDS}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "stripe/subscriptions/events.ndjson.gz -> billing/subscriptions, read as stripe/subscriptions"
        in done.stdout
    )
    assert "12 of 12 readings land whole." in done.stdout
