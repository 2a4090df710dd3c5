"""What vendors have becomes files: every record once, whatever breaks, and nothing half written."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from radar.core.errors import RadarError, UsageError
from radar.core.settings import SHIPPED_PULLS
from radar.pulls import folder as pull_folder
from radar.pulls import reading
from radar.pulls.definitions import Definition, load_definitions
from radar.pulls.folder import FOLDER, MARKER
from radar.pulls.pulling import pull
from tests.frozen import SEEDS
from tests.panel.server import RADAR
from tests.pulls.vendors import Record, Vendor, hubspot, serving, stripe_list

NOW = datetime.now(UTC)
SHIPPED = load_definitions(SHIPPED_PULLS)


@pytest.fixture(autouse=True)
def just_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """NOW is when the test begins: of a long run of tests it is not when the file was loaded."""
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC))


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    monkeypatch.setattr(reading, "BACKOFF_SECONDS", 0)
    with serving() as vendor:
        for name in ("STRIPE", "HUBSPOT_PULL"):
            monkeypatch.setenv(f"RADAR_{name}_URL", vendor.url)
        monkeypatch.setenv("RADAR_STRIPE_KEY", "rk_test_key")
        monkeypatch.setenv("RADAR_HUBSPOT_PULL_TOKEN", "pat-key")
        yield vendor


def shipped(title: str, **changes: Any) -> Definition:
    """A shipped definition, without the pauses between requests."""
    return replace(SHIPPED[title], requests_per_second=1_000, **changes)


def pulled(extracts: Path, folder: str) -> list[Record]:
    """The records of all files of a folder, in the order of the files."""
    files = sorted((extracts / folder).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def ids(records: list[Record]) -> list[str]:
    return [one["id"] for one in records]


def left_over(extracts: Path) -> list[str]:
    """Files that are not whole."""
    return [path.name for path in extracts.rglob("*") if path.suffix in (".part", ".new")]


def ago(**time_ago: float) -> int:
    return int((NOW - timedelta(**time_ago)).timestamp())


def subscription(number: int, **others: Any) -> Record:
    return {"id": f"sub_{number}", "object": "subscription", "customer": "cus_1", "status": "active",
            "created": ago(days=100), **others}  # fmt: skip


def event(number: int, kind: str, record: Record, created: int) -> Record:
    return {"id": f"evt_{number}", "type": kind, "created": created, "data": {"object": record}}


SUBSCRIPTIONS = [subscription(number) for number in range(8)]
TITLE = "stripe/subscriptions"


def play_stripe(vendor: Vendor, events: list[Record] | None = None) -> None:
    vendor.answers["/v1/subscriptions"] = stripe_list(SUBSCRIPTIONS)
    vendor.answers["/v1/events"] = stripe_list(events if events is not None else [])


def test_the_first_pull_reads_everything_and_the_next_what_changed(vendor: Vendor, tmp_path: Path) -> None:
    events: list[Record] = []
    play_stripe(vendor, events)
    first = pull(shipped(TITLE), tmp_path)
    assert ids(pulled(tmp_path, TITLE)) == ids(SUBSCRIPTIONS)
    assert vendor.asked[0].headers["Authorization"] == "Bearer rk_test_key"
    marker = json.loads((tmp_path / TITLE / MARKER).read_text())
    assert marker["files"] == {first.files[0].name: 8}
    canceled = subscription(3, status="canceled")
    events.append(event(1, "customer.subscription.deleted", canceled, ago(minutes=1)))
    events.append(event(2, "customer.created", {"id": "cus_9"}, ago(minutes=1)))
    del vendor.asked[:]
    second = pull(shipped(TITLE), tmp_path)
    assert second.records == 1
    assert set(vendor.paths()) == {"/v1/events"}
    assert pulled(tmp_path, TITLE)[-1]["data"]["object"]["status"] == "canceled"
    assert pull(shipped(TITLE), tmp_path).files == [], "the overlap was written again"
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(
    ("faults", "least_seconds"),
    [
        pytest.param([None, (429, {"Retry-After": "1"})], 1, id="too_fast"),
        pytest.param([(500, {}), (503, {}), None, (502, {})], 0, id="broken_server"),
        pytest.param([None, "broken", "broken"], 0, id="broken_connection"),
    ],
)
def test_every_record_comes_once_though_requests_fail(
    vendor: Vendor, tmp_path: Path, faults: list[Any], least_seconds: float
) -> None:
    play_stripe(vendor)
    vendor.faults[:] = faults
    began = time.monotonic()
    pull(shipped(TITLE), tmp_path)
    assert time.monotonic() - began >= least_seconds
    assert ids(pulled(tmp_path, TITLE)) == ids(SUBSCRIPTIONS)
    assert vendor.faults == []


@pytest.mark.parametrize("fault", ["broken", (500, {}), (429, {}), (401, {}), (404, {})], ids=str)
def test_a_pull_that_fails_writes_nothing_and_the_next_begins_where_it_began(
    vendor: Vendor, tmp_path: Path, fault: Any
) -> None:
    play_stripe(vendor)
    vendor.faults[:] = [None, *[fault] * 6]
    with pytest.raises(RadarError) as failed:
        pull(shipped(TITLE), tmp_path)
    assert "stripe/subscriptions" in str(failed.value)
    assert "rk_test_key" not in str(failed.value)
    if fault == (401, {}):
        assert "RADAR_STRIPE_KEY: Stripe's Dashboard, Developers, API keys" in failed.value.remedy
    assert not (tmp_path / TITLE).exists()
    assert left_over(tmp_path) == []
    vendor.faults.clear()
    pull(shipped(TITLE), tmp_path)
    assert ids(pulled(tmp_path, TITLE)) == ids(SUBSCRIPTIONS)


def test_a_page_that_repeats_brings_each_record_once(vendor: Vendor, tmp_path: Path) -> None:
    pages = [SUBSCRIPTIONS[:3], SUBSCRIPTIONS[1:4], SUBSCRIPTIONS[3:6], SUBSCRIPTIONS[5:]]
    taken: list[list[Record]] = []

    def answer(_: Any) -> tuple[int, Any]:
        taken.append(pages[len(taken)])
        return 200, {"data": taken[-1], "has_more": len(taken) < len(pages)}

    vendor.answers["/v1/subscriptions"] = answer
    pull(shipped(TITLE), tmp_path)
    assert ids(pulled(tmp_path, TITLE)) == ids(SUBSCRIPTIONS)


def test_pages_that_lead_in_a_circle_end_the_pull(vendor: Vendor, tmp_path: Path) -> None:
    vendor.answers["/v1/subscriptions"] = lambda _: (200, {"data": SUBSCRIPTIONS[:3], "has_more": True})
    with pytest.raises(RadarError, match="leads to a page that came before"):
        pull(shipped(TITLE), tmp_path)
    assert not (tmp_path / TITLE).exists()


def test_a_page_cursor_that_expires_begins_the_reading_again(vendor: Vendor, tmp_path: Path) -> None:
    companies = [company(number) for number in range(8)]
    vendor.answers["/crm/v3/objects/companies"] = hubspot("companies", companies)
    vendor.faults[:] = [None, (410, {})]
    pull(shipped("hubspot/companies"), tmp_path)
    assert ids(pulled(tmp_path, "hubspot/companies")) == ids(companies)


def test_a_cursor_that_is_too_old_for_the_vendor_reads_everything(vendor: Vendor, tmp_path: Path) -> None:
    companies = [company(number) for number in range(4)]
    vendor.answers["/crm/v3/objects/companies"] = hubspot("companies", companies)
    pull(shipped("hubspot/companies"), tmp_path)
    companies.append(company(4))
    vendor.faults[:] = [(410, {})]  # to the search
    assert pull(shipped("hubspot/companies"), tmp_path).records == 5
    play_stripe(vendor)
    pull(shipped(TITLE), tmp_path)
    state = tmp_path / FOLDER / TITLE / "state.json"
    old = json.loads(state.read_text())
    state.write_text(json.dumps({**old, "cursors": {"": (NOW - timedelta(days=31)).isoformat()}}))
    del vendor.asked[:]
    pull(shipped(TITLE), tmp_path)
    assert set(vendor.paths()) == {"/v1/subscriptions"}, "Stripe has no events of 31 days ago"


def company(number: int, **others: Any) -> Record:
    changed = (NOW - timedelta(days=3, minutes=-number)).isoformat(timespec="milliseconds")
    properties = {"name": f"Company {number}", "hs_lastmodifieddate": changed, **others}
    return {"id": str(number), "properties": properties}


def test_more_changes_than_a_search_gives_are_asked_for_in_turns(vendor: Vendor, tmp_path: Path) -> None:
    companies = [company(number) for number in range(2)]
    vendor.answers["/crm/v3/objects/companies"] = hubspot("companies", companies)
    definition = shipped("hubspot/companies", most_records=9)
    pull(definition, tmp_path)
    del vendor.asked[:]
    for number in range(100, 125):
        changed = NOW - timedelta(minutes=10) + timedelta(seconds=number)
        companies.append(company(number, hs_lastmodifieddate=changed.isoformat(timespec="milliseconds")))
    assert pull(definition, tmp_path).records == 25
    assert sorted(ids(pulled(tmp_path, "hubspot/companies"))) == sorted(ids(companies))
    assert set(vendor.paths()) == {"/crm/v3/objects/companies/search"}


def test_a_time_that_is_still_to_come_hides_nothing(vendor: Vendor, tmp_path: Path) -> None:
    companies = [company(1), company(2, hs_lastmodifieddate="2099-01-01T00:00:00.000+00:00")]
    vendor.answers["/crm/v3/objects/companies"] = hubspot("companies", companies)
    pull(shipped("hubspot/companies"), tmp_path)
    companies.append(company(3, hs_lastmodifieddate=NOW.isoformat(timespec="milliseconds")))
    assert pull(shipped("hubspot/companies"), tmp_path).records == 1
    companies.append(company(4, hs_lastmodifieddate=NOW.isoformat(timespec="milliseconds")))
    assert pull(shipped("hubspot/companies"), tmp_path).records == 1


def test_changed_tickets_come_with_their_associations_and_deleted_ones_are_passed_over(
    vendor: Vendor, tmp_path: Path
) -> None:
    associations = {"companies": {"results": [{"id": "7", "type": "ticket_to_company"}]}}
    tickets = [{**company(number), "associations": associations} for number in range(5)]
    play = hubspot("tickets", tickets)
    vendor.answers["/crm/v3/objects/tickets"] = play
    pull(shipped("hubspot/tickets"), tmp_path)
    just_now = NOW.isoformat(timespec="milliseconds")
    for number in (1, 2):
        tickets[number]["properties"] = {**tickets[number]["properties"], "hs_lastmodifieddate": just_now}
    vendor.answers["/crm/v3/objects/tickets/2"] = lambda _: (404, {"message": "gone"})
    assert pull(shipped("hubspot/tickets"), tmp_path).records == 1
    assert pulled(tmp_path, "hubspot/tickets")[-1] == tickets[1]


def test_an_object_of_several_kinds_has_a_cursor_for_each(vendor: Vendor, tmp_path: Path) -> None:
    for number, kind in enumerate(("calls", "emails", "meetings", "notes")):
        vendor.answers[f"/crm/v3/objects/{kind}"] = hubspot(kind, [company(number)])
    pull(shipped("hubspot/engagements"), tmp_path)
    assert ids(pulled(tmp_path, "hubspot/engagements")) == ["0", "1", "2", "3"]
    state = json.loads((tmp_path / FOLDER / "hubspot/engagements/state.json").read_text())
    assert sorted(state["cursors"]) == ["calls", "emails", "meetings", "notes"]


def test_an_object_without_a_cursor_is_written_only_where_it_changed(vendor: Vendor, tmp_path: Path) -> None:
    owners = [{"id": str(number), "email": f"{number}@acme.test"} for number in range(3)]
    vendor.answers["/crm/v3/owners"] = lambda _: (200, {"results": owners})
    pull(shipped("hubspot/owners"), tmp_path)
    assert pull(shipped("hubspot/owners"), tmp_path).files == []
    owners[1] = {"id": "1", "email": "new@acme.test"}
    pull(shipped("hubspot/owners"), tmp_path)
    owners[1] = {"id": "1", "email": "1@acme.test"}  # as it was: it is a change all the same
    pull(shipped("hubspot/owners"), tmp_path)
    later = pulled(tmp_path, "hubspot/owners")[3:]
    assert [one["email"] for one in later] == ["new@acme.test", "1@acme.test"]


def test_an_answer_without_the_records_is_an_error_and_no_empty_page(vendor: Vendor, tmp_path: Path) -> None:
    vendor.answers["/v1/subscriptions"] = lambda _: (200, {"error": "maintenance", "has_more": False})
    with pytest.raises(RadarError, match="has no data"):
        pull(shipped(TITLE), tmp_path)


def test_a_key_goes_to_no_other_host(vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as other:
        other.answers["/"] = lambda _: (200, {"results": []})
        definition = shipped("hubspot/owners")
        definition.client["paginator"] = {"type": "json_link", "next_url_path": "next"}
        page = {"results": [{"id": "1"}], "next": f"{other.url}/x"}
        vendor.answers["/crm/v3/owners"] = lambda _: (200, page)
        with pytest.raises(RadarError, match="leads to another host"):
            pull(definition, tmp_path)
        assert other.asked == []
    asking = reading._Requests(shipped("hubspot/owners"), "https://api.hubapi.example")
    with pytest.raises(RadarError, match=r"leads to another host, http://api\.hubapi\.example"):
        asking.session.get("http://api.hubapi.example/crm/v3/owners?after=1")  # the same in the clear
    monkeypatch.setenv("RADAR_STRIPE_URL", "http://api.stripe.example")
    with pytest.raises(UsageError, match="does not begin with https"):
        pull(shipped(TITLE), tmp_path)


def test_a_pull_without_its_key_says_which_and_where_the_vendor_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RADAR_STRIPE_KEY", raising=False)
    with pytest.raises(UsageError) as refused:
        pull(SHIPPED[TITLE], tmp_path)
    assert "RADAR_STRIPE_KEY is not set" in refused.value.problem
    assert "Create restricted key" in refused.value.remedy
    assert list(tmp_path.iterdir()) == []


STEPS = range(5)
"""The commit: what is to be done, the file's rename, the marker, the cursor; and none."""


@pytest.mark.parametrize("step", STEPS)
def test_a_pull_that_dies_while_it_commits_is_completed_by_the_next(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    play_stripe(vendor)
    left = iter([*[True] * step, False])

    class Died(BaseException):
        """As if the process had been killed here."""

    def dying(what: Any) -> Any:
        def call(*args: Any, **named: Any) -> None:
            if not next(left, True):
                raise Died
            what(*args, **named)

        return call

    with monkeypatch.context() as patched:
        for name in ("replace_file", "move_into_place"):
            patched.setattr(pull_folder, name, dying(getattr(pull_folder, name)))
        with contextlib.suppress(Died):
            pull(shipped(TITLE), tmp_path)
    pull(shipped(TITLE), tmp_path)
    assert ids(pulled(tmp_path, TITLE)) == ids(SUBSCRIPTIONS)
    assert left_over(tmp_path) == []
    assert (tmp_path / TITLE / MARKER).is_file()
    assert pull(shipped(TITLE), tmp_path).files == []


def test_a_killed_pull_leaves_nothing_and_the_next_brings_everything(vendor: Vendor, tmp_path: Path) -> None:
    play_stripe(vendor)
    vendor.faults[:] = [None, "stall"]
    process = subprocess.Popen([RADAR, "pull", TITLE, "--extracts", str(tmp_path)])
    while len(vendor.asked) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    with pytest.raises(RadarError, match="another process is pulling it"):
        pull(shipped(TITLE), tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / TITLE).exists()
    pull(shipped(TITLE), tmp_path)
    assert ids(pulled(tmp_path, TITLE)) == ids(SUBSCRIPTIONS)
    assert left_over(tmp_path) == []


def radar(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RADAR_")}
    kept["RADAR_SHIPPED_SEEDS"] = str(SEEDS)
    return subprocess.run(
        [RADAR, *arguments], env=kept | environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_command_pulls_vendors_with_keys_and_goes_on_where_one_object_fails(
    vendor: Vendor, tmp_path: Path
) -> None:
    for name in ("customers", "invoices", "charges", "payment_intents"):
        vendor.answers[f"/v1/{name}"] = stripe_list([])
    play_stripe(vendor)
    vendor.answers["/v1/invoices"] = lambda _: (404, {"message": "no such path"})
    home = tmp_path / "home"
    home.mkdir()
    known = {"RADAR_STRIPE_URL": vendor.url, "RADAR_STRIPE_KEY": "rk_test_secret", "HOME": str(home)}
    ran = radar("pull", "--extracts", str(tmp_path / "extracts"), **known)
    assert ran.returncode == 3
    assert "stripe/subscriptions                    8 records  " in ran.stdout
    assert "stripe/charges                  nothing new" in ran.stdout
    assert "radar: stripe/invoices: /v1/invoices answers 404" in ran.stderr
    assert "hubspot" not in ran.stdout
    assert "rk_test_secret" not in ran.stdout + ran.stderr
    assert list(home.rglob("*")) == [], "dlt keeps something of its own"
    assert not [one for one in vendor.asked if "telemetry" in one.path]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "no vendor can be pulled: no key is set"),
        (["stripe"], "RADAR_STRIPE_KEY is not set"),
        (["strpe"], "the nearest are stripe"),
    ],
    ids=["none", "without_a_key", "unknown"],
)
def test_a_wrong_call_says_what_to_do(tmp_path: Path, asked: list[str], said: str) -> None:
    ran = radar("pull", *asked, "--extracts", str(tmp_path))
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_who_has_not_the_extra_is_told_how_to_install_it(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radar.pulls.pulling.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"radar-customer-health\[pull\]"):
        pull(shipped(TITLE), tmp_path)
