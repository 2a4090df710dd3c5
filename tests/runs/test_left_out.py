"""Own tenants, staff, test people and bots of seeds/excluded.csv: as if they had not been in the extracts."""

from __future__ import annotations

import pytest

from tests.runs.radar_run import Place
from tests.runs.test_words import ACCOUNTS, AS_OF, EVENT, company, events

pytestmark = pytest.mark.slow

EXCLUDED = """kind,value,reason
domain,acc_11.example,own tenant
email_domain,Radar.example,staff
email, Pat@acc-02.example,test person
bot,bot-*,robots
email,nobody@acc_01.example,gone
"""
HEADERS = {
    "crm/contacts": "contact_id,account_id,email,role,is_active,marketing_consent,created_at,updated_at",
    "crm/touchpoints": "touchpoint_id,account_id,contact_id,owner_id,channel,direction,occurred_at",
    "support/tickets": "ticket_id,account_id,contact_id,status,priority,subject,opened_at,updated_at",
    "comms/messages": "message_id,account_id,contact_id,kind,sent_at,opened_at,clicked_at,updated_at",
    "feedback/surveys": "response_id,account_id,contact_id,kind,score,comment,responded_at",
    "product/events": EVENT,
}
CUSTOMERS = {
    "crm/contacts": [
        f"c_{a},{a},kim@{a.replace('_', '-')}.example,user,true,false,2025-01-15,2026-11-01" for a in ACCOUNTS
    ],
    "crm/touchpoints": [f"h_{a},{a},c_{a},o,call,inbound,2026-10-20T09:00:00Z" for a in ACCOUNTS],
    "support/tickets": [
        f"t_{a},{a},c_{a},open,low,Slow export,2026-11-20T09:00:00Z,2026-11-25" for a in ACCOUNTS
    ],
    "comms/messages": [f"m_{a},{a},c_{a},feature,2026-11-20T09:00:00Z,,,2026-11-25" for a in ACCOUNTS],
    "feedback/surveys": [f"s_{a},{a},c_{a},nps,9,,2026-11-20T09:00:00Z" for a in ACCOUNTS],
    "product/events": events({"login": "u1", "report_created": "u1"}, ["2026-11-20"]),
}
# A colleague of ours, one of a subdomain, a test person who had the address once, and a bot.
OURS = {
    "crm/contacts": [
        "ours_1,acc_01,Olga@RADAR.example ,champion,true,true,2025-01-15,2026-11-01",
        "ours_2,acc_02,pat@ACC-02.example,champion,true,true,2025-01-15,2026-10-01",
        "ours_2,acc_02,pat@elsewhere.example,champion,true,true,2025-01-15,2026-11-01",
        "ours_3,acc_03,qa@eu.radar.example,sponsor,true,true,2025-01-15,2026-11-01",
    ],
    "crm/touchpoints": [
        f"ho_{n},acc_0{n},ours_{n},o,meeting,inbound,2026-11-2{n}T09:00:00Z" for n in (1, 2, 3)
    ],
    "support/tickets": [
        f"to_{n},acc_0{n},ours_{n},open,urgent,We look at Northlane,2026-11-2{n}T09:00:00Z,2026-11-25"
        for n in (1, 2, 3)
    ],
    "comms/messages": [
        f"mo_{n},acc_0{n},ours_{n},feature,2026-11-2{n}T09:00:00Z,2026-11-24,2026-11-24,2026-11-25"
        for n in (1, 2, 3)
    ],
    "feedback/surveys": [f"so_{n},acc_0{n},ours_{n},nps,1,Bad,2026-11-2{n}T10:00:00Z" for n in (1, 2, 3)],
    "product/events": [
        "e1,acc_01,olga@radar.example,login,2026-11-26T09:00:00Z,",
        "e2,acc_02,Pat@acc-02.example,login,2026-11-26T09:00:00Z,",
        "e3,acc_03,Bot-7,report_created,2026-11-26T09:00:00Z,",
        "e4,acc_04,bot-8,login,2026-11-26T09:00:00Z,",
    ],
}
COMPARED = (
    "staging.stg_crm__contacts",
    "signals.sig_usage",
    "signals.sig_adoption",
    "signals.sig_support",
    "signals.sig_comms",
    "signals.sig_relationship",
    "signals.sig_sentiment",
    "scoring.fct_rule_results",
    "scoring.fct_health_scores",
    "intermediate.int_outreach_states",
    "intermediate.int_contact_consents",
    "marts.fct_outreach_days",
    "marts.rpt_account_facts",
    "outbound.crm_contacts",
    "outbound.rpt_contact_details",
    "outbound.rpt_contact_texts",
)


def ran(place: Place, *, with_ours: bool, excluded: str) -> Place:
    rows = {feed: [*CUSTOMERS[feed], *(OURS[feed] if with_ours else [])] for feed in HEADERS}
    company(place, {feed: (HEADERS[feed], rows[feed]) for feed in HEADERS})
    seeds = place.folder / "seeds"
    lines = (seeds / "feeds.csv").read_text().splitlines()
    used = [line.replace(",false,", ",true,") if line.split(",")[0] in HEADERS else line for line in lines]
    (seeds / "feeds.csv").write_text("\n".join(used) + "\n")
    (seeds / "excluded.csv").write_text(excluded)
    done = place.run(f"--seeds={seeds}", "--since=2026-11-24", f"--as-of={AS_OF}")
    (place.folder / "said").write_text(done.stdout)
    return place


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Place]:
    """The company with people and bots of ours, who are left out, and the company without them."""
    folder = tmp_path_factory.mktemp("left_out")
    own_tenant = "".join(EXCLUDED.splitlines(keepends=True)[:2])
    mixed = ran(Place(folder / "mixed"), with_ours=True, excluded=EXCLUDED)
    return mixed, ran(Place(folder / "customers"), with_ours=False, excluded=own_tenant)


@pytest.mark.parametrize("relation", COMPARED)
def test_who_is_left_out_counts_nowhere(places: tuple[Place, Place], relation: str) -> None:
    mixed, customers = (place.rows(f"select * from {relation} as facts order by all") for place in places)
    assert mixed == customers


def test_the_people_of_the_company_without_ours_are_there(places: tuple[Place, Place]) -> None:
    counts = places[0].rows(
        "select kind, count(*) from marts.rpt_account_facts where account_id = 'acc_01'"
        " and kind in ('contact', 'ticket', 'touchpoint', 'survey') group by kind order by kind"
    )
    assert counts == [("contact", 1), ("survey", 1), ("ticket", 1), ("touchpoint", 1)]


def test_each_row_of_the_file_says_how_much_it_leaves_out(places: tuple[Place, Place]) -> None:
    found = places[0].rows("select * exclude (is_unmatched) from marts.rpt_excluded order by seed_row")
    assert found == [
        (1, "domain", "own tenant", 1, 0, 0, 0, 0),
        (2, "email_domain", "staff", 0, 1, 1, 2, 8),
        (3, "email", "test person", 0, 1, 1, 1, 4),
        (4, "bot", "robots", 0, 2, 2, 0, 0),
        (5, "email", "gone", 0, 0, 0, 0, 0),
    ]
    said = (places[0].folder / "said").read_text()
    assert "not counted: what 4 users and 3 contacts did (seeds/excluded.csv, marts.rpt_excluded)" in said
    assert "seeds/excluded.csv: nothing matches row 5. What to do: correct the value" in said
    assert "nothing matches" not in (places[1].folder / "said").read_text()
    assert "pat@" not in said.lower()
