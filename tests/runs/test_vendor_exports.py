"""A company in vendors' exports alone, or in tables alone, is scored as in files of our own feeds."""

from __future__ import annotations

from datetime import date

import pytest

from radar.demo import generate
from tests.frozen import SEEDS
from tests.runs.radar_run import Place, radar
from tests.runs.vendor_company import FEEDS, as_ours, as_tables, as_vendors

END = date(2026, 6, 30)
COMPARED = {
    "scoring.fct_signal_values": "account_id, as_of_date, signal, value, is_known",
    "scoring.fct_health_scores": "account_id, as_of_date, rule_set, score, score_low, score_high, bucket, "
    "decision, flags, coverage_pct",
    "marts.rpt_account_health": "account_id, account_name, owner_name, segment, arr_usd, bucket, decision, "
    "reason_1, next_action, days_to_renewal",
}


Places = dict[str, Place]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """The company in our own feeds (`ours`), as four vendors export it, and in relations; all are run."""
    folder = tmp_path_factory.mktemp("company")
    generate(folder / "demo", accounts=30, days=100, seed=1, end=END)
    found = {name: Place(folder / name) for name in ("ours", "vendors", "tables")}
    as_ours(folder / "demo", found["ours"].extracts)
    as_vendors(folder / "demo", found["vendors"].extracts)
    found["tables"].extracts.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        for name, place in found.items():
            if name == "tables":
                tables = as_tables(found["ours"].extracts, place.folder / "source")
                patch.setenv("RADAR_TABLES", str(tables))
            place.run(f"--seeds={SEEDS}", f"--as-of={END}", "--since=2026-06-28")
    return found


@pytest.mark.parametrize("name", ["vendors", "tables"])
@pytest.mark.parametrize("relation", COMPARED)
def test_other_sources_give_the_scores_of_our_own_files(places: Places, relation: str, name: str) -> None:
    query = f"select {COMPARED[relation]} from {relation} order by all"
    ours = places["ours"].rows(query)
    assert len(ours) > 20
    assert places[name].rows(query) == ours


def test_every_feed_of_the_tables_came_from_a_relation(places: Places) -> None:
    query = "select feed, source_file from audit.loads where rows_landed > 0 order by all"
    assert places["tables"].rows(query) == [(feed, f"tables/{_relation(feed)}") for feed in sorted(FEEDS)]


def test_a_second_run_on_the_same_tables_lands_nothing(places: Places) -> None:
    place = places["tables"]
    landed = "select sum(rows_landed) from audit.loads"
    before = place.rows(landed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RADAR_TABLES", str(place.folder / "source" / "tables.yml"))
        place.run(f"--seeds={SEEDS}", f"--as-of={END}")
    assert place.rows(landed) == before


def _relation(feed: str) -> str:
    return "lake/product_events" if feed == "product/events" else f"app/{feed.replace('/', '.')}"


def test_customers_known_by_a_domain_alone_land_in_the_first_run(places: Places) -> None:
    """Stripe knows every second customer by an address, Zendesk every second organization by a domain."""
    theirs = places["vendors"]
    chains = theirs.rows(
        "select source, count(*) from raw.crm_identities where contains(account_id, '.example')"
        " group by all order by all"
    )
    assert [source for source, _ in chains] == ["billing", "support"]
    assert theirs.rows("select count(*) from quarantine.waiting_billing_subscriptions") == [(0,)]
    assert theirs.rows("select count(*) from quarantine.waiting_crm_identities") == [(0,)]


def test_what_was_refused_is_named_by_the_vendors_file(places: Places) -> None:
    theirs = places["vendors"]
    found = theirs.rows("select distinct source_file from quarantine.rejected_rows order by all")
    assert found == [("mixpanel/events/export.jsonl.gz",)]


def test_the_folder_that_was_run_is_found_sound_without_landing_it(places: Places) -> None:
    theirs = places["vendors"]
    done = radar("sources", "check", str(theirs.extracts), f"--seeds={SEEDS}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "stripe/subscriptions/events.ndjson.gz -> billing/subscriptions, read as stripe/subscriptions"
        in done.stdout
    )
    assert "12 of 12 readings land whole." in done.stdout
