"""A company in vendors' exports alone, or in tables alone, is scored as in files of our own feeds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from radar.core.runs import utc_now
from radar.core.settings import SHIPPED_PULLS
from radar.demo import generate
from radar.pulls.definitions import load_definitions
from radar.pulls.pulling import pull
from tests.frozen import SEEDS
from tests.pulls.played_company import play
from tests.pulls.vendors import serving
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
OBJECT = {"stripe": "customers", "hubspot": "companies", "zendesk": "tickets", "mixpanel": "events"}
NOT_EXPORTED = ("stripe/payment_intents", "zendesk/users", "zendesk/satisfaction_ratings")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """The company in our own feeds (`ours`), as four vendors export it, as it is pulled from the same, and in
    relations; all are run."""
    folder = tmp_path_factory.mktemp("company")
    generate(folder / "demo", accounts=30, days=100, seed=1, end=END)
    found = {name: Place(folder / name) for name in ("ours", "vendors", "pulled", "tables")}
    as_ours(folder / "demo", found["ours"].extracts)
    as_vendors(folder / "demo", found["vendors"].extracts)
    found["tables"].extracts.mkdir(parents=True)
    for name, place in found.items():
        with ExitStack() as stack:
            if name == "pulled":
                stack.enter_context(pulled_from_vendors(found["vendors"].extracts, place.extracts))
            if name == "tables":
                tables = as_tables(found["ours"].extracts, place.folder / "source")
                stack.enter_context(pytest.MonkeyPatch.context()).setenv("RADAR_TABLES", str(tables))
            done = place.run(f"--seeds={SEEDS}", f"--as-of={END}", "--since=2026-06-28")
        (place.folder / "output.txt").write_text(done.stdout)
    return found


@contextmanager
def pulled_from_vendors(exported: Path, extracts: Path) -> Iterator[None]:
    """What `radar pull` brings; while this lasts, the vendors are there, and a run may pull more."""
    definitions = load_definitions(SHIPPED_PULLS)
    extracts.mkdir(parents=True)
    days = (utc_now().date() - END).days + 100
    with serving() as vendor, pytest.MonkeyPatch.context() as patch:
        play(vendor, exported)
        for name in ("stripe", "hubspot", "zendesk", "mixpanel"):
            for one in definitions[f"{name}/{OBJECT[name]}"].variables:
                patch.setenv(one.name, vendor.url if one.name.endswith("_URL") else "key")
        for title, one in definitions.items():
            if not one.missing and title not in NOT_EXPORTED:
                quick = replace(one, requests_per_second=1_000, read=one.read | {"first_days": days})
                pull(quick if one.kind == "export" else replace(one, requests_per_second=1_000), extracts)
        patch.setenv("RADAR_PULL_VENDORS", "stripe/subscriptions,zendesk/satisfaction_ratings")
        yield


@pytest.mark.parametrize("name", ["vendors", "pulled", "tables"])
@pytest.mark.parametrize("relation", COMPARED)
def test_other_sources_give_the_scores_of_our_own_files(places: Places, relation: str, name: str) -> None:
    query = f"select {COMPARED[relation]} from {relation} order by all"
    ours = places["ours"].rows(query)
    assert len(ours) > 20
    assert places[name].rows(query) == ours


def test_a_run_pulls_what_it_is_told_to_and_goes_on_where_a_vendor_fails(places: Places) -> None:
    place = places["pulled"]
    landed = "select sum(rows_landed) > 0 from audit.loads where source_file like 'stripe/subscriptions/%'"
    assert place.rows(landed) == [(True,)]
    output = (place.folder / "output.txt").read_text()
    assert "not pulled: zendesk/satisfaction_ratings: /api/v2/satisfaction_ratings.json answers 404" in output


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
