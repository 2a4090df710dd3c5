"""The page of an account shows every family next to similar accounts, and leads to where things come from."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from starlette.testclient import TestClient

from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.settings import PanelSettings
from tests.panel.conftest import ClientAs
from tests.panel.people import Owners
from tests.panel.republished_copy import publish_again
from tests.runs.radar_run import Place


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def page_of(published: Path, store: Path, address: str) -> str:
    app = create_app(PanelSettings(published=published, store=store, stale_days=100_000))
    users.add(app.state.store, "admin", "admin", [], None)
    with TestClient(app, base_url="https://testserver") as client:
        found = users.find(app.state.store, "admin")
        assert found
        client.cookies.set(sessions.COOKIE, sessions.begin(app.state.store, *found))
        answer = client.get(address)
    assert answer.status_code == 200
    return answer.text


def test_a_healthy_account_has_its_eight_families_next_to_similar_accounts(
    demo_run: Place, client_as: ClientAs
) -> None:
    account_id, *_ = demo_run.rows(
        "select account_id from marts.rpt_account_health"
        " where reason_1 is null and bucket = 'healthy' and segment is not null order by account_id"
    )[0]
    families = demo_run.rows(
        "select family, comparison, similar_value, similar_accounts from marts.rpt_account_families"
        f" where account_id = '{account_id}'"
    )
    html = client_as("admin").get(f"/accounts/{account_id}").text
    assert html.index('<ul class="families">') < html.index("Why the score is")
    block = html[
        html.index('<ul class="families">') : html.index("</ul>", html.index('<ul class="families">'))
    ]
    shown = [text_of(one) for one in block.split("<li>")[1:]]
    assert [one.split()[0] for one in shown] == [
        "Usage", "Adoption", "Support", "Billing", "Mail", "Relationship", "Value", "Sentiment",
    ]  # fmt: skip
    assert block.count('class="sparkline"') == 8
    compared = {
        family: (word, count) for family, word, value, count in families if value is not None and word
    }
    assert compared
    for family, (word, count) in compared.items():
        (one,) = [
            one for one in shown if one.startswith("Mail" if family == "comms" else family.capitalize())
        ]
        words = {"better": "Better than", "worse": "Worse than", "same": "The same as"}[word]
        assert f"{words} similar accounts: median" in one
        assert f" of {count} " in one


def test_a_signal_next_to_its_number_is_one_thing_or_several(demo_run: Place, tmp_path: Path) -> None:
    (one, two), *_ = demo_run.rows(
        "select min(account_id), max(account_id) from marts.rpt_account_families where family = 'billing'"
    )
    published = publish_again(
        demo_run,
        tmp_path / "counted",
        f"update marts.rpt_account_families set value = 1 where account_id = '{one}'",
        f"update marts.rpt_account_families set value = 2 where account_id = '{two}'",
        f"update marts.rpt_account_health set days_to_renewal = 1 where account_id = '{one}'",
        f"update marts.rpt_account_health set days_to_renewal = 2 where account_id = '{two}'",
    )
    first, second = (
        text_of(page_of(published, tmp_path / f"{account}.sqlite", f"/accounts/{account}"))
        for account in (one, two)
    )
    assert "1 overdue invoice " in first
    assert "1 login in 30 days" in first
    assert "Renewal in 1 day " in first
    assert "2 overdue invoices " in second
    assert "2 logins in 30 days" in second
    assert "Renewal in 2 days " in second


def test_an_owner_who_decided_is_called_by_name(demo_run: Place, tmp_path: Path) -> None:
    (account_id, owner_id, name), *_ = demo_run.rows(
        "select work.account_id, acted_by, owner.owner_name from marts.rpt_work_list as work"
        " inner join marts.rpt_owner_work as owner on acted_by = owner.owner_id"
        " where last_act = 'sign_off' and state <> 'new' order by 1"
    )
    published = publish_again(demo_run, tmp_path / "again")
    page = text_of(page_of(published, tmp_path / "page.sqlite", f"/accounts/{account_id}"))
    assert f"Signed off · {name}," in page.replace(" ,", ",")
    assert owner_id not in page
    search = f"/audit?person={'+'.join(reversed(name.lower().split()))}"
    audit = page_of(published, tmp_path / "audit.sqlite", search).partition('id="entries"')[2]
    assert audit.count(f"<bdi>{name}</bdi>") == audit.count("<tr>") - 1 > 0, "found by name, and called so"
    assert owner_id not in text_of(audit)


def test_records_are_opened_where_they_come_from(demo_run: Place, tmp_path: Path) -> None:
    account_id, ticket_id = demo_run.rows(
        "select account_id, fact_id from marts.rpt_account_facts where kind = 'ticket' order by 2"
    )[0]
    published = publish_again(
        demo_run,
        tmp_path / "links",
        f"insert into marts.rpt_record_links values"
        f" ('{account_id}', 'account', '{account_id}', 'Open in HubSpot', 'https://crm.example/c/a%2F1?x=\"'),"
        f" ('{account_id}', 'ticket', '{ticket_id}', 'Open in Zendesk', 'https://desk.example/{ticket_id}'),"
        f" ('another', 'account', 'another', 'Open in HubSpot', 'https://crm.example/another')",
    )
    html = page_of(published, tmp_path / "panel.sqlite", f"/accounts/{account_id}")
    assert 'href="https://crm.example/c/a%2F1?x=&#34;" rel="noopener noreferrer">Open in HubSpot' in html
    assert f'href="https://desk.example/{ticket_id}" rel="noopener noreferrer">Open in Zendesk' in html
    assert "crm.example/another" not in html


def test_each_reason_on_my_day_leads_to_what_its_rule_says(client_as: ClientAs) -> None:
    html = client_as("admin").get("/").text
    links = re.findall(r'<li><a class="why" href="/rules#([^"]+)">', html)
    assert links
    rules = client_as("admin").get("/rules").text
    assert all(f'id="{anchor}"' in rules for anchor in links)
    assert '<ul class="reasons"><li>No' not in html


def test_a_copy_of_an_earlier_release_is_shown_without_them(demo_run: Place, tmp_path: Path) -> None:
    account_id, *_ = demo_run.rows(
        "select account_id from marts.rpt_account_facts group by 1 order by count(distinct kind) desc, 1"
    )[0]
    published = publish_again(
        demo_run,
        tmp_path / "earlier",
        *(
            f"drop table marts.{name}"
            for name in (
                "rpt_record_links",
                "rpt_account_families",
                "rpt_account_timeline",
                "rpt_account_briefs",
            )
        ),
        "alter table marts.rpt_account_facts drop column contact_id",
        "alter table marts.rpt_account_facts drop column last_contact_at",
        "alter table marts.rpt_account_health drop column reason_rules",
        "alter table marts.rpt_account_health drop column account_url",
    )
    html = page_of(published, tmp_path / "panel.sqlite", f"/accounts/{account_id}")
    assert "People, tickets, money" in html
    assert "How it is doing" not in html


def test_what_happened_has_everything_in_one_order(
    demo_run: Place, client_as: ClientAs, owners: Owners
) -> None:
    account_id, *_ = demo_run.rows(
        "select account_id from marts.rpt_account_timeline"
        " inner join marts.rpt_account_health using (account_id)"
        f" where owner_id = '{owners.rep}' group by 1 order by count(distinct kind) desc, 1"
    )[0]
    rows = demo_run.rows(
        "select title, brief, trend_sentence from marts.rpt_account_timeline"
        " inner join marts.rpt_account_briefs using (account_id)"
        f" where account_id = '{account_id}' order by happened_at desc, event_id desc"
    )
    client = client_as("rep")
    html = client.get(f"/accounts/{account_id}").text
    text = text_of(unescape(html))
    assert " ".join(str(rows[0][1]).split()) in text
    assert " ".join(str(rows[0][2]).split()) in text
    shown = html[html.index('id="timeline"') : html.index('id="history"')]
    assert len(re.findall(r"<li><time", shown)) == min(len(rows), 150)
    lines = [text_of(unescape(line)) for line in shown.split("<li>")[1:]]
    assert all(str(title) in line for (title, *_), line in zip(rows[:20], lines, strict=False))

    forms = re.findall(r'name="(form_key|form_token|version|as_of_date)" value="([^"]*)"', html)
    answer = dict(forms) | {"kind": "sign_off", "verdict": "agree", "back": f"/accounts/{account_id}"}
    assert client.post(f"/accounts/{account_id}/decide", data=answer).status_code == 303
    html = client.get(f"/accounts/{account_id}").text
    first = html[html.index('id="timeline"') :].split("<li>")[1]
    assert "Decision Signed off" in text_of(first), "what was decided since the data landed comes first"
