"""One task, one alert, one mail for each action, whatever the other end does."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from radar.deliveries.settings import Destinations
from tests.deliveries.small_company import NAME, Company
from tests.deliveries.vendors import Vendors

WEBHOOK_SECRET = "a-shared-secret"


class Mailbox:
    """What a mail server took; `faults` as in `Vendors`."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.to: list[str] = []
        self.faults: list[str] = []
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        fault = self.faults.pop(0) if self.faults else "ok"
        if fault == "451":
            return "451 come back later"
        if fault == "550":
            return "550 no such mailbox"
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        self.to += envelope.rcpt_tos
        if fault == "lose":
            server.transport.abort()
        return "250 taken"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        mailbox.port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, ready_timeout=20)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def slack_bot(vendors: Vendors) -> Destinations:
    return Destinations(
        slack_bot_token="xoxb-secret", slack_channel="C1", slack_api_url=f"{vendors.url}/slack/api/"
    )


def slack_webhook(vendors: Vendors) -> Destinations:
    return Destinations(slack_webhook_url=f"{vendors.url}/slack/hook")


def teams(vendors: Vendors) -> Destinations:
    return Destinations(teams_webhook_url=f"{vendors.url}/teams/workflow")


def hubspot(vendors: Vendors) -> Destinations:
    return Destinations(hubspot_token="pat-secret", hubspot_url=vendors.url)


def salesforce(vendors: Vendors) -> Destinations:
    return Destinations(salesforce_url=vendors.url, salesforce_token="00Dsecret")


def webhook(vendors: Vendors, **values: Any) -> Destinations:
    return Destinations(webhook_url=f"{vendors.url}/make", webhook_secret=WEBHOOK_SECRET, **values)


def smtp(mailbox: Any) -> Destinations:
    return Destinations(
        smtp_host="127.0.0.1",
        smtp_port=mailbox.port,
        smtp_security="none",
        smtp_from="Acme <success@house.example>",
    )


def with_crm_accounts(vendors: Vendors, count: int) -> None:
    """The CRM has these accounts already."""
    for number in range(count):
        key = f"acc-{number:02}"
        vendors.companies[key] = {"id": f"c{number}"}
        vendors.accounts[key] = {}


# --- exactly one -------------------------------------------------------------------------------------------

DESTINATIONS: dict[str, tuple[Callable[[Vendors], Destinations], str, str, str]] = {
    "slack_bot": (slack_bot, "slack", "alert", "chat.postMessage"),
    "slack_webhook": (slack_webhook, "slack", "alert", "/slack/hook"),
    "teams": (teams, "slack", "alert", "/teams/workflow"),
    "hubspot": (hubspot, "tasks", "task", "tasks/batch/create"),
    "salesforce": (salesforce, "tasks", "task", "composite/sobjects"),
    "webhook": (webhook, "webhook", "guide", "/make"),
}


def committed(vendors: Vendors) -> list[str]:
    """What each side effect is about."""
    return sorted(
        [json.dumps(post, sort_keys=True) for post in vendors.posts]
        + [task["key"] for task in vendors.hubspot_tasks]
        + [task["Radar_Action_Id__c"] for task in vendors.salesforce_tasks]
        + [hook["key"] for hook in vendors.hooks]
    )


@pytest.mark.parametrize("fault", ["ok", "429", "500", "503", "lose"])
@pytest.mark.parametrize("name", DESTINATIONS)
def test_an_action_has_one_side_effect_whatever_happens(
    name: str, fault: str, vendors: Vendors, company: Company
) -> None:
    make, channel, kind, path = DESTINATIONS[name]
    company.settings = make(vendors)
    with_crm_accounts(vendors, 3)
    action = company.act(kind, 1)
    vendors.fail(path, fault)
    for _ in range(3):
        company.run(channel)
    assert len(committed(vendors)) == 1, vendors.calls
    looks_up = name not in ("slack_webhook", "teams", "webhook")
    expected = "in_doubt" if fault == "lose" and not looks_up else "delivered"
    assert company.states() == {f"{kind}:{action}": expected}


@pytest.mark.parametrize("name", ["hubspot", "salesforce"])
def test_half_a_batch_that_is_refused_goes_again_without_the_other_half(
    name: str, vendors: Vendors, company: Company
) -> None:
    make, channel, kind, path = DESTINATIONS[name]
    company.settings = make(vendors)
    with_crm_accounts(vendors, 4)
    actions = [company.act(kind, number) for number in range(4)]
    vendors.fail(path, "half")
    report = company.run(channel)
    assert committed(vendors) == sorted(actions)
    assert report.counts == {"delivered": 4}
    assert report.is_ok
    company.run(channel)
    assert committed(vendors) == sorted(actions)


def test_a_destination_that_asks_to_wait_is_waited_for(vendors: Vendors, company: Company) -> None:
    company.settings = slack_bot(vendors)
    company.act("alert", 1)
    vendors.fail("chat.postMessage", "429")
    assert company.run("slack").is_ok
    assert company.slept[0] == 7.0


def test_a_destination_that_is_down_is_tried_again_ever_later(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    company.act("alert", 1)
    vendors.fail("/slack/hook", *["503"] * 6)
    report = company.run("slack")
    assert (report.counts["failed"], len(vendors.calls)) == (1, 3)
    assert not report.is_ok
    company.run("slack", at=timedelta(minutes=4))
    assert len(vendors.calls) == 3  # five minutes have not passed
    company.run("slack", at=timedelta(minutes=2))
    assert len(vendors.calls) == 6
    company.run("slack", at=timedelta(minutes=6))
    assert len(vendors.calls) == 6  # now it is ten
    company.run("slack", at=timedelta(minutes=6))
    assert len(vendors.posts) == 1


def test_nobody_listening_is_a_failure_that_is_tried_again_and_not_a_doubt(company: Company) -> None:
    company.settings = Destinations(webhook_url="http://127.0.0.1:9/make", webhook_secret=WEBHOOK_SECRET)
    company.act("guide", 1)
    company.run("webhook")
    assert set(company.states().values()) == {"failed"}


def test_a_run_that_died_in_the_call_asks_the_destination_first(vendors: Vendors, company: Company) -> None:
    company.settings = hubspot(vendors)
    with_crm_accounts(vendors, 3)
    company.act("task", 1)
    company.act("task", 2)
    company.run("tasks")
    company.do("delete from audit.deliveries where status = 'delivered'")  # as if it had been killed
    vendors.hubspot_tasks = vendors.hubspot_tasks[:1]
    company.run("tasks")
    assert committed(vendors) == ["task01", "task02"]
    assert set(company.states().values()) == {"delivered"}


def test_a_run_that_died_where_nobody_can_be_asked_leaves_a_doubt(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    company.act("alert", 1)
    company.run("slack")
    company.do("delete from audit.deliveries where status = 'delivered'")
    report = company.run("slack")
    assert len(vendors.posts) == 1
    assert report.counts == {"in_doubt": 1}


def test_a_receiver_that_drops_repeats_is_called_again_with_the_same_key(
    vendors: Vendors, company: Company
) -> None:
    company.settings = webhook(vendors, webhook_drops_repeats=True)
    company.act("guide", 1)
    vendors.fail("/make", "lose")
    company.run("webhook")
    assert [hook["key"] for hook in vendors.hooks] == ["guide01", "guide01"]
    assert set(company.states().values()) == {"delivered"}


def test_each_attempt_is_written_down_before_it_is_made(vendors: Vendors, company: Company) -> None:
    company.settings = slack_bot(vendors)
    company.act("alert", 1)
    vendors.fail("chat.postMessage", "500")
    company.run("slack")
    rows = company.con.execute("select status, attempt from audit.deliveries order by sequence").fetchall()
    assert rows == [("attempting", 1), ("in_doubt", 1), ("attempting", 2), ("delivered", 2)]


def test_one_task_that_is_refused_does_not_keep_the_others_back(vendors: Vendors, company: Company) -> None:
    company.settings = hubspot(vendors)
    with_crm_accounts(vendors, 8)
    for number in range(8):
        company.act("task", number)
    vendors.refuse = "task05"
    report = company.run("tasks")
    assert len(committed(vendors)) == 7
    assert report.counts == {"delivered": 7, "failed": 1}


def test_one_mailbox_that_does_not_exist_does_not_keep_the_others_back(
    mailbox: Mailbox, company: Company
) -> None:
    company.settings = smtp(mailbox)
    for number in range(3):
        company.say(company.act("mail", number, status="to_approve"), "approved")
    mailbox.faults = ["550"]
    assert company.run("mail").counts == {"failed": 1, "delivered": 2}


def test_deliveries_stop_for_a_process_that_waits_and_go_on_with_the_next_run(
    vendors: Vendors, company: Company
) -> None:
    company.settings = slack_webhook(vendors)
    for number in range(3):
        company.act("alert", number)
    company.is_wanted = lambda: len(vendors.calls) >= 1
    report = company.run("slack")
    assert (len(vendors.calls), report.untried, report.yielded) == (1, 2, True)
    assert report.error is not None
    assert "waits to write the warehouse" in report.error
    company.is_wanted = lambda: False
    report = company.run("slack")
    assert (len(vendors.posts), report.yielded, report.error) == (3, False, None)


def test_a_destination_that_is_down_is_not_called_per_message(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    for number in range(3):
        company.act("alert", number)
    vendors.fail("/slack/hook", *["503"] * 9)
    report = company.run("slack")
    assert (len(vendors.calls), report.untried) == (3, 2)
    vendors.forgive()
    company.run("slack")
    assert len(vendors.posts) == 3


@pytest.mark.slow
@pytest.mark.parametrize("channel", ["tasks", "accounts"])
@pytest.mark.parametrize("name", ["hubspot", "salesforce"])
@pytest.mark.parametrize("fault", ["400", "403"])
def test_a_crm_that_refuses_everything_is_called_a_few_times_and_no_more(
    fault: str, name: str, channel: str, vendors: Vendors, company: Company
) -> None:
    company.settings = {"hubspot": hubspot, "salesforce": salesforce}[name](vendors)
    for number in range(400):
        company.account(f"acc-{number:02}")
        if channel == "tasks":
            company.act("task", number)
    with_crm_accounts(vendors, 400)
    vendors.fail("", *[fault] * 2_000)
    report = company.run(channel)
    assert not report.is_ok
    assert report.error is not None
    assert len(vendors.calls) <= 40
    ((rows,),) = company.con.execute("select count(*) from audit.deliveries").fetchall()
    assert rows <= 1_000
    assert report.untried + len(report.results) == 400
    assert report.untried >= 200
    vendors.forgive()
    for _ in range(2):
        assert company.run(channel).untried == 0
    assert set(company.states().values()) == {"delivered"}


def test_records_that_are_refused_one_by_one_stop_the_channel_too(vendors: Vendors, company: Company) -> None:
    company.settings = hubspot(vendors)
    for number in range(250):
        company.act("task", number)  # of companies that HubSpot does not have
    report = company.run("tasks")
    assert "refusals in a row" in (report.error or "")
    assert report.untried == 150
    with_crm_accounts(vendors, 250)
    company.run("tasks")
    assert len(committed(vendors)) == 250


def test_what_is_refused_again_and_again_does_not_keep_the_others_back(
    vendors: Vendors, company: Company
) -> None:
    company.settings = slack_webhook(vendors)
    for number in range(8):
        company.act("alert", number, owner_id=f"owner{number}")
    vendors.fail("/slack/hook", *["400"] * 5)
    assert company.run("slack").untried == 3
    vendors.fail("/slack/hook", "ok", "ok", "ok", *["400"] * 5)
    company.run("slack")
    assert len(vendors.posts) == 3


@pytest.mark.parametrize(
    ("setting", "value", "posts"), [("channel_calls", 2, 2), ("channel_minutes", 0.03, 3)]
)
def test_a_channel_has_so_many_calls_and_minutes_in_a_run(
    setting: str, value: float, posts: int, vendors: Vendors, company: Company
) -> None:
    company.do(f"insert into seeds.settings values ('{setting}', {value})")
    company.settings = slack_webhook(vendors)
    for number in range(7):
        company.act("alert", number, owner_id=f"owner{number}")
    report = company.run("slack")
    assert (len(vendors.posts), report.untried) == (posts, 7 - posts)
    assert setting in (report.error or "")
    company.run("slack")
    assert len(vendors.posts) == 2 * posts


def test_a_doubt_is_not_resolved_by_asking_another_destination(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    company.act("alert", 1)
    vendors.fail("/slack/hook", "lose")
    company.run("slack")
    for settings in (Destinations(), slack_bot(vendors)):
        company.settings = settings
        company.run("slack")
    assert len(vendors.posts) == 1
    assert company.outbox("slack") == []


# --- mail --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "state"), [("ok", "delivered"), ("451", "delivered"), ("550", "failed"), ("lose", "in_doubt")]
)
def test_an_approved_mail_is_sent_once(fault: str, state: str, mailbox: Mailbox, company: Company) -> None:
    company.settings = smtp(mailbox)
    action = company.act("mail", 1, status="to_approve")
    company.run("mail")
    assert mailbox.mails == []  # nobody has approved it
    company.say(action, "approved")
    mailbox.faults = [fault]
    company.run("mail")
    assert company.states()[f"mail:{action}"] == state
    company.run("mail", at=timedelta(hours=7))
    assert len(mailbox.mails) == 1
    assert mailbox.to == ["yes@acc-01.example"]  # the contact who consented
    assert b"Message-ID: <mail01@house.example>" in mailbox.mails[0]
    assert b"X-Unsent" not in mailbox.mails[0]


def test_a_text_that_somebody_wrote_goes_out_to_the_letter(mailbox: Mailbox, company: Company) -> None:
    company.settings = smtp(mailbox)
    action = company.act("mail", 1, status="to_approve")
    text = "Hello [first name],\n\n50 % off, {{ account_name }}?\nRuth"
    company.say(action, "approved", edited_subject="One question, [first name]", edited_text=text)
    company.run("mail")
    (sent,) = (message_from_bytes(mail, policy=policy.default) for mail in mailbox.mails)
    assert sent["Subject"] == "One question, Łucja"
    plain = sent.get_body(["plain"])
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n") == text.replace("[first name]", "Łucja") + "\n"
    page = sent.get_body(["html"])
    assert page is not None
    assert "{{ account_name }}?<br>Ruth" in page.get_content()


def test_a_mail_without_anybody_who_consented_is_not_sent(mailbox: Mailbox, company: Company) -> None:
    company.settings = smtp(mailbox)
    company.say(company.act("mail", 1, status="to_approve"), "approved")
    company.do("update staging.stg_crm__contacts set marketing_consent = false")
    report = company.run("mail")
    assert mailbox.mails == []
    assert report.error == "no contact who consented has an address"


LACKS = {
    "owner": "update marts.rpt_account_health set owner_id = null, owner_name = null",
    "owner's name": "update marts.rpt_account_health set owner_name = '  '",
    "contact": "delete from staging.stg_crm__contacts",
    "address": "update staging.stg_crm__contacts set email = null",
    "consent": "update staging.stg_crm__contacts set marketing_consent = false",
    "known consent": "insert into intermediate.int_account_unknowns values "
    "('acc-01', 'crm/contacts', 'c1', '2026-03-01', '9999-12-31')",
    "consent that is known of anybody": "insert into intermediate.int_account_unknowns values "
    "('acc-01', 'crm/contacts', null, '2026-03-01', '9999-12-31')",
    "template's value": "update marts.rpt_account_health set account_name = ' '",
}


@pytest.mark.parametrize("lack", LACKS)
@pytest.mark.parametrize("is_approved", [False, True])
def test_a_mail_that_lacks_something_is_blocked_with_its_reason_until_it_is_there(
    is_approved: bool, lack: str, mailbox: Mailbox, company: Company
) -> None:
    company.settings = smtp(mailbox)
    action = company.act("mail", 1, status="to_approve", play="check_in")
    company.do("create table kept_contacts as from staging.stg_crm__contacts")
    if is_approved:
        company.say(action, "approved")
    key = f"{'mail' if is_approved else 'draft'}:{action}"
    company.do(LACKS[lack])
    for _ in range(2):
        report = company.run("mail")
        assert report.counts == {"blocked": 1}
        assert report.error
    rows = company.con.execute("select delivery_key, status, error from audit.deliveries").fetchall()
    assert rows == [(key, "blocked", report.error)]
    assert mailbox.mails == []
    assert company.outbox("mail") == []

    company.do("create or replace table staging.stg_crm__contacts as from kept_contacts")
    company.do("delete from intermediate.int_account_unknowns")
    company.do("update marts.rpt_account_health set account_name = 'Acme', owner_name = 'Ruth Okafor'")
    company.run("mail")
    assert company.states()[key] == ("delivered" if is_approved else "written")
    sent = mailbox.mails or [path.read_bytes() for path in company.outbox("mail") if path.suffix == ".eml"]
    assert b"Ruth Okafor" in sent[0]
    assert b"Nobody" not in sent[0]


def test_a_draft_offers_what_the_rules_that_fired_offer_whatever_they_are_called(company: Company) -> None:
    company.act("mail", 1, status="to_approve", play="check_in")
    company.do("update marts.rpt_account_health set segment = 'smb'")
    for rule_id, number, segment, guidance in (
        ("silent", 1, None, None),
        ("of_the_house", 2, None, "shall we look at your export together?"),
        ("of_the_house", 2, "enterprise", "not for you"),
        ("later", 3, None, "too late"),
    ):
        values = [rule_id, segment, guidance]
        company.con.execute("insert into seeds.rules values ('own_v1', ?, ?, ?)", values)
        company.con.execute(
            "insert into marts.fct_health_evidence values ('acc-01', ?, 'own_v1', ?, ?, 'true', -20)",
            [company.day, rule_id, number],
        )
    company.run("mail")
    (draft,) = [path.read_bytes() for path in company.outbox("mail") if path.suffix == ".eml"]
    assert b"Shall we look at your export together?" in draft


def test_an_override_is_not_announced_as_a_recovery(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    company.act("alert", 1)
    company.run("slack")
    company.do(f"update marts.fct_actions set status = 'closed', ended_on = '{company.day}'")
    company.do("update marts.rpt_account_health set bucket = 'healthy', is_overridden = true")
    company.run("slack")
    assert len(vendors.posts) == 1
    company.do("update marts.rpt_account_health set bucket = 'at_risk', is_overridden = false")
    company.run("slack")
    assert len(vendors.posts) == 1, "the override ended, and it is at risk as before"
    company.do("update marts.rpt_account_health set bucket = 'healthy', score = 90")
    company.run("slack")
    assert len(vendors.posts) == 2


def test_a_mail_goes_in_the_clear_to_this_machine_only() -> None:
    from radar.core.errors import UsageError  # noqa: PLC0415
    from radar.deliveries.channels.mail import Smtp  # noqa: PLC0415

    with pytest.raises(UsageError, match="only this machine"):
        Smtp("mail.example.com", 25, security="none", user=None, password=None, sender="a@b.example")


# --- what is due -------------------------------------------------------------------------------------------


def test_what_waits_for_a_person_is_not_delivered_until_somebody_approves(company: Company) -> None:
    waits = {kind: company.act(kind, 1, status="to_approve") for kind in ("task", "guide")}
    channels = ("tasks", "webhook")
    assert all(not company.run(channel).counts for channel in channels)
    for action in waits.values():
        company.say(action, "approved")
    assert all(company.run(channel).counts == {"written": 1} for channel in channels)


def test_an_alert_that_a_person_decides_is_sent_to_that_person(company: Company) -> None:
    company.act("alert", 1, status="to_approve", mode_reason="High value: $120,000 a year")
    company.say(company.act("alert", 2, status="to_approve"), "dropped")
    company.act("alert", 3, status="suppressed", suppressed_by="undecided")
    assert company.run("slack").counts == {"written": 1}


def test_what_a_person_dropped_or_did_is_not_delivered(company: Company) -> None:
    company.say(company.act("task", 1), "dropped")
    company.say(company.act("task", 2), "done")
    company.act("task", 3, status="suppressed", suppressed_by="quiet_mode")
    company.act("task", 4, status="lapsed")
    assert not company.run("tasks").counts


def test_an_alert_is_sent_once_and_its_end_once(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    action = company.act("alert", 1)
    for _ in range(3):
        company.run("slack")
        company.next_day()
    company.do(f"update marts.fct_actions set status = 'closed', ended_on = '{company.day}'")
    company.do("update marts.rpt_account_health set bucket = 'healthy', score = 90")
    for _ in range(3):
        company.run("slack")
        company.next_day()
    assert len(vendors.posts) == 2
    assert "is *at risk*, score 35" in vendors.posts[0]["text"]
    assert "is over it: now *healthy*, score 90" in vendors.posts[1]["text"]
    assert company.states() == {f"alert:{action}": "delivered", f"recovery:{action}": "delivered"}


def test_the_end_of_an_alert_of_an_account_that_left_is_sent_once_under_its_newest_name(
    vendors: Vendors, company: Company
) -> None:
    company.settings = slack_webhook(vendors)
    company.act("alert", 1)
    company.run("slack")
    company.next_day()
    company.do(f"update marts.fct_actions set status = 'closed', ended_on = '{company.day}'")
    company.do("delete from marts.rpt_account_health")
    assert company.run("slack").counts == {"delivered": 1}
    assert len(vendors.posts) == 2
    assert "Größe" in vendors.posts[1]["text"]


def test_an_end_is_not_reported_of_what_nobody_heard_of(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    company.act("alert", 1)
    vendors.fail("/slack/hook", "500", "500", "500")
    company.run("slack")
    company.do("update marts.fct_actions set status = 'closed'")
    company.run("slack")
    assert vendors.posts == []


def test_an_overdue_task_is_reminded_of_once_and_not_where_it_is_done(company: Company) -> None:
    due, done = company.act("task", 1), company.act("task", 2)
    company.act("task", 3, who="marketing")
    company.run("tasks")
    assert not company.run("slack").counts  # due at the end of tomorrow
    company.next_day()
    company.say(done, "done")
    company.run("slack")
    assert company.states()[f"reminder:{due}"] == "written"
    assert [key for key in company.states() if key.startswith("reminder")] == [f"reminder:{due}"]
    company.next_day()
    assert not company.run("slack").counts


def test_an_owner_with_more_than_three_gets_them_in_one_digest(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    for number in range(3):
        company.act("alert", number, owner_id="other")
    for number in range(10, 14):
        company.act("alert", number)
    company.act("task", 20, status="to_approve")
    company.run("slack")
    digest = [post for post in vendors.posts if "4 of your accounts have news" in post["text"]]
    assert (len(vendors.posts), len(digest)) == (4, 1)
    assert "<@U0RUTH>" in digest[0]["text"]
    assert "1 action waits for your decision" in digest[0]["blocks"][-1]["text"]["text"]
    assert len(company.states()) == 7
    company.run("slack")
    assert len(vendors.posts) == 4


def test_a_digest_of_very_many_is_cut_and_says_so(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    for number in range(60):
        company.act("alert", number)
    company.run("slack")
    (post,) = vendors.posts
    assert len(post["blocks"]) <= 50
    assert "… and 40 more" in json.dumps(post, ensure_ascii=False)
    assert len(company.states()) == 60


def test_a_name_can_neither_mention_nor_link_nor_start_a_line(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    company.act("alert", 1)
    company.do(
        "update marts.rpt_account_health set account_name = '<!channel> *x*' || chr(10) || chr(10) || '<http://e|y>'"
    )
    company.run("slack")
    (post,) = vendors.posts
    text = json.dumps(post, ensure_ascii=False)
    assert "<!channel>" not in text
    assert "<http" not in text
    assert len(post["blocks"]) == 4


def test_what_a_name_holds_is_inert_in_slack(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    company.act("alert", 1)
    name = "\x1b[31mA\x9b2J :tada: https://evil.example www.evil.example a@evil.example @here \u202ex"
    company.con.execute("update marts.rpt_account_health set account_name = ?", [name])
    company.run("slack")
    (post,) = vendors.posts
    text = json.dumps(post, ensure_ascii=False)
    for live in ("\x1b", "\\u001b", "\x9b", ":tada:", "://", "www.evil", "evil.ex", "a@e", "@here", "\u202e"):
        assert live not in text, live
    assert "tada" in text


def test_a_link_leads_to_the_account_in_the_panel(vendors: Vendors, company: Company) -> None:
    company.settings = Destinations(
        slack_webhook_url=f"{vendors.url}/slack/hook", panel_url="https://radar.example/"
    )
    company.act("alert", 1, account_id="a/b|c>")
    company.run("slack")
    assert "<https://radar.example/accounts/a%2Fb%7Cc%3E|Größe &amp; &lt;Sons&gt;" in vendors.posts[0]["text"]


# --- where there is no secret ------------------------------------------------------------------------------


def test_without_a_secret_everything_is_in_the_outbox_once(company: Company) -> None:
    for kind, channel in (("alert", "slack"), ("task", "tasks"), ("guide", "webhook")):
        company.act(kind, 1)
        assert company.run(channel).carrier == "outbox"
        assert not company.run(channel).counts
        lines, manifest = sorted(company.outbox(channel), key=lambda path: path.name, reverse=True)
        told = json.loads(manifest.read_text())
        assert told["files"][0]["sha256"] == hashlib.sha256(lines.read_bytes()).hexdigest()
        assert told["files"][0]["rows"] == len(lines.read_text().splitlines()) == 1


def test_drafts_lie_in_the_outbox_as_mails_that_a_program_opens(company: Company) -> None:
    company.act("mail", 1, status="to_approve")
    company.run("mail")
    (draft,) = [path for path in company.outbox("mail") if path.suffix == ".eml"]
    again = Company(company.con, company.exports.parent / "again")
    company.do("delete from audit.deliveries")
    again.run("mail")
    assert [path.read_bytes() for path in again.outbox("mail") if path.suffix == ".eml"] == [
        draft.read_bytes()
    ]
    assert draft.read_bytes().isascii()
    assert b"X-Unsent: 1" in draft.read_bytes()


def test_more_drafts_than_anybody_opens_are_lines_of_one_file(company: Company) -> None:
    company.act("mail", 0, status="to_approve")
    company.do(
        "insert into marts.fct_actions by name select * exclude (i) replace (action_id || i as action_id) "
        "from marts.fct_actions cross join range(1, 700) as numbers (i)"
    )
    company.run("mail")
    assert len([path for path in company.outbox("mail") if path.suffix == ".eml"]) == 500
    (lines,) = [path for path in company.outbox("mail") if path.name == "messages.ndjson"]
    assert len(lines.read_text().splitlines()) == 700


def test_no_text_of_the_outbox_is_a_formula(company: Company) -> None:
    company.act("guide", 1)
    company.con.execute("update marts.rpt_account_health set account_name = ?", ["\u200b=HYPERLINK(1)"])
    company.run("webhook")
    (lines,) = [path for path in company.outbox("webhook") if path.name == "messages.ndjson"]
    told = json.loads(lines.read_text())
    assert told["account_name"] == "'\u200b=HYPERLINK(1)"
    assert (told["account_id"], told["key"]) == ("acc-01", "guide01")


def test_a_run_that_died_after_writing_the_outbox_does_not_write_it_again(company: Company) -> None:
    company.act("alert", 1)
    company.run("slack")
    company.do("delete from audit.deliveries where status = 'written'")
    company.run("slack")
    assert len(company.outbox("slack")) == 2
    assert set(company.states().values()) == {"written"}


def test_a_secret_that_comes_later_sends_only_what_is_new(vendors: Vendors, company: Company) -> None:
    company.act("alert", 1)
    company.run("slack")
    company.settings = slack_webhook(vendors)
    company.act("alert", 2)
    company.run("slack")
    assert len(vendors.posts) == 1


# --- accounts ----------------------------------------------------------------------------------------------


def test_accounts_that_changed_are_written_through_the_api_once(vendors: Vendors, company: Company) -> None:
    company.settings = hubspot(vendors)
    for number in range(3):
        company.account(f"acc-{number:02}")
    vendors.fail("companies/batch/upsert", "lose", "half")
    report = company.run("accounts")
    assert report.is_ok
    assert {key: record["radar_score"] for key, record in vendors.companies.items()} == dict.fromkeys(
        ["acc-00", "acc-01", "acc-02"], "35"
    )
    assert vendors.companies["acc-00"]["radar_account_name"] == NAME
    assert vendors.companies["acc-00"]["radar_reason_2"] == "", "through the API a field is emptied"
    calls = len(vendors.calls)
    company.next_day()
    company.run("accounts")
    assert len(vendors.calls) == calls  # the day alone is no change
    company.do("update marts.rpt_account_health set score = 34.5 where account_id = 'acc-01'")
    company.run("accounts")
    (inputs,) = json.loads(vendors.bodies[-1])["inputs"]
    assert (inputs["id"], inputs["properties"]["radar_score"]) == ("acc-01", "34.5")


def test_salesforce_gets_numbers_booleans_and_nulls_and_hears_of_who_left(
    vendors: Vendors, company: Company
) -> None:
    company.settings = salesforce(vendors)
    company.account("acc-01")
    company.account("acc-02", is_overridden=None)
    assert company.run("accounts").is_ok
    first, second = json.loads(vendors.bodies[-1])["records"]
    told = {
        "attributes": {"type": "Account"},
        "Radar_Account_Id__c": "acc-01",
        "Radar_Bucket__c": "at_risk",
        "Radar_Score__c": 35.0,
        "Radar_Is_Overridden__c": False,
        "Radar_Reason_2__c": None,
    }
    assert {name: first[name] for name in told} == told
    assert second["Radar_Is_Overridden__c"] is False
    company.do("delete from marts.rpt_account_health where account_id = 'acc-02'")
    company.run("accounts")
    (gone,) = json.loads(vendors.bodies[-1])["records"]
    assert gone.keys() == second.keys(), "every field that was written is told anew"
    assert {name: value for name, value in gone.items() if value is not None} == {
        "attributes": {"type": "Account"},
        "Radar_Account_Id__c": "acc-02",
        "Radar_Bucket__c": "not_scored",
        "Radar_Decision__c": "not_scored",
        "Radar_Is_Overridden__c": False,
        "Radar_Needs_Review__c": False,
        "Radar_As_Of_Date__c": "2026-03-13",
    }
    calls = len(vendors.calls)
    company.run("accounts")
    assert len(vendors.calls) == calls
    company.account("acc-02")
    company.run("accounts")
    assert len(vendors.calls) == calls + 1


def test_whom_a_note_names_is_told_once(vendors: Vendors, company: Company) -> None:
    company.settings = slack_bot(vendors)
    company.account("acc-01")
    note = {"review_id": "n1", "account_id": "acc-01", "kind": "note", "verdict": "written"}
    text = "@Ruth Okafor: <!channel> budget is decided in May"
    company._insert("intermediate.int_reviews", {**note, "reason": text, "reviewed_by": "sam"})
    assert company.run("slack").counts == {"delivered": 1}
    (message,) = vendors.posts
    shown = json.dumps(message)
    assert "<@U0RUTH>: sam names you in a note on" in shown
    assert "budget is decided in May" in shown
    assert "<!channel>" not in shown
    assert company.run("slack").counts == {}
    assert company.states() == {"mention:n1:1001": "delivered"}


def write_note(company: Company, text: str = "@Ruth Okafor: budget is decided in May") -> None:
    company.account("acc-01")
    note = {"review_id": "n1", "account_id": "acc-01", "kind": "note", "verdict": "written"}
    company._insert("intermediate.int_reviews", {**note, "reason": text, "reviewed_by": "sam"})


def test_whom_a_note_names_gets_a_mail_where_there_is_no_chat(mailbox: Mailbox, company: Company) -> None:
    company.settings = smtp(mailbox).model_copy(update={"panel_url": "https://radar.house.example/"})
    write_note(company, "@Ruth Okafor: <b>budget</b> is decided\nBcc: all@house.example")
    assert company.run("slack").counts == {}
    assert company.run("mail").counts == {"delivered": 1}
    assert company.run("mail").counts == {}
    assert company.states() == {"mention:n1:1001": "delivered"}
    assert mailbox.to == ["ruth@house.example"]
    (sent,) = (message_from_bytes(mail, policy=policy.default) for mail in mailbox.mails)
    assert sent["To"] == "Ruth Okafor <ruth@house.example>"
    assert sent["Subject"] == f"sam names you in a note on {NAME}"
    assert sent["Bcc"] is sent["List-Unsubscribe"] is sent["X-Unsent"] is None
    plain, page = (sent.get_body([kind]) for kind in ("plain", "html"))
    assert plain is not None
    assert page is not None
    assert "“@Ruth Okafor: <b>budget</b> is decided Bcc: all@house.example”" in plain.get_content()
    link = "https://radar.house.example/accounts/acc-01"
    assert plain.get_content().strip().endswith(f"The account in the panel: {link}")
    assert f'<a href="{link}">' in page.get_content()
    assert "&lt;b&gt;budget" in page.get_content()


@pytest.mark.parametrize(
    ("chat", "slack_id", "address", "is_by_mail"),
    [
        (slack_bot, "U0RUTH", "ruth@house.example", False),
        (slack_webhook, "U0RUTH", "ruth@house.example", False),
        (slack_bot, None, "ruth@house.example", True),
        (slack_bot, "ruth o", "ruth@house.example", True),
        (slack_bot, None, None, False),
        (teams, "U0RUTH", "ruth@house.example", True),
        (teams, None, None, False),
    ],
)
def test_whom_a_note_names_is_told_where_they_are_called(
    chat: Callable[[Vendors], Destinations],
    slack_id: str | None,
    address: str | None,
    is_by_mail: bool,
    mailbox: Mailbox,
    vendors: Vendors,
    company: Company,
) -> None:
    values = {name: value for name, value in chat(vendors) if name in chat(vendors).model_fields_set}
    company.settings = smtp(mailbox).model_copy(update=values)
    company.do(
        f"update staging.stg_crm__owners set slack_user_id = {_sql(slack_id)}, email = {_sql(address)}"
    )
    write_note(company)
    company.run("slack")
    company.run("mail")
    assert (len(mailbox.mails), len(vendors.posts)) == ((1, 0) if is_by_mail else (0, 1))
    assert company.states() == {"mention:n1:1001": "delivered"}


def _sql(value: str | None) -> str:
    return f"'{value}'" if value else "null"


def test_a_mention_without_any_destination_is_in_the_outbox_of_chat(company: Company) -> None:
    write_note(company)
    company.run("mail")
    company.run("slack")
    assert company.outbox("mail") == []
    written = [file.read_text(encoding="utf-8") for file in company.outbox("slack")]
    assert any("names you in a note" in text for text in written)
    assert company.states() == {"mention:n1:1001": "written"}


@pytest.mark.parametrize(
    ("language", "subject", "word"),
    [
        ("de", f"sam erwähnt Sie in einer Notiz zu {NAME}", "Guten Tag Ruth Okafor"),
        ("es", f"sam le menciona en una nota sobre {NAME}", "Hola, Ruth Okafor:"),
        ("fr", f"sam names you in a note on {NAME}", "Hello Ruth Okafor"),
    ],
)
def test_owners_get_mails_in_the_language_of_the_installation(
    language: str, subject: str, word: str, mailbox: Mailbox, company: Company
) -> None:
    company.settings = smtp(mailbox).model_copy(update={"owner_language": language})
    write_note(company)
    company.run("mail")
    (sent,) = (message_from_bytes(mail, policy=policy.default) for mail in mailbox.mails)
    assert sent["Subject"] == subject
    plain = sent.get_body(["plain"])
    assert plain is not None
    assert word in plain.get_content()
    assert "http" not in plain.get_content(), "no panel is set, so there is no line for it"


def test_a_task_s_subject_has_fewer_than_60_characters_and_its_text_says_all(
    vendors: Vendors, company: Company
) -> None:
    company.settings = hubspot(vendors)
    with_crm_accounts(vendors, 2)
    action = "Call the main contact and make a recovery plan from the reasons on this row"
    company.act("task", 1, next_action=action)
    company.run("tasks")
    (task,) = vendors.hubspot_tasks
    subject, body = (task["properties"][name] for name in ("hs_task_subject", "hs_task_body"))
    assert len(subject) < 60
    assert subject.endswith("…")
    assert subject[:-1] + " " in f"{NAME}: {action}"
    assert action in body


def test_hubspot_forgets_what_it_received_of_an_account_that_left(vendors: Vendors, company: Company) -> None:
    company.settings = hubspot(vendors)
    company.account("acc-01", flags="churn_risk", next_action="Call", needs_review=True)
    company.account("acc-02")
    company.run("accounts")
    assert vendors.companies["acc-01"]["radar_flags"] == "churn_risk"
    company.do("delete from marts.rpt_account_health where account_id = 'acc-01'")
    company.run("accounts")
    left = vendors.companies["acc-01"]
    assert (left["radar_score"], left["radar_flags"], left["radar_next_action"]) == ("", "", "")
    assert {name: value for name, value in left.items() if name.startswith("radar_") and value} == {
        "radar_account_id": "acc-01",
        "radar_bucket": "not_scored",
        "radar_decision": "not_scored",
        "radar_is_overridden": "false",
        "radar_trend": "unknown",
        "radar_needs_review": "false",
        "radar_as_of_date": "2026-03-13",
    }


def test_without_a_crm_no_account_is_written_anywhere(company: Company) -> None:
    company.account("acc-01")
    assert company.run("accounts").carrier == "none"
    assert company.outbox("accounts") == []


def test_a_task_of_an_account_that_the_crm_does_not_have_says_so(vendors: Vendors, company: Company) -> None:
    company.settings = hubspot(vendors)
    with_crm_accounts(vendors, 2)
    company.act("task", 1)
    company.act("task", 7)
    report = company.run("tasks")
    assert committed(vendors) == ["task01"]
    assert report.error == "HubSpot has no company whose radar_account_id is acc-07"


def test_tasks_carry_what_a_rep_needs(vendors: Vendors, company: Company) -> None:
    company.act("task", 1)
    with_crm_accounts(vendors, 2)
    company.settings = hubspot(vendors)
    company.run("tasks")
    (task,) = vendors.hubspot_tasks
    assert task["properties"]["hs_timestamp"] == str(int(datetime(2026, 3, 15).timestamp() * 1000))
    assert task["properties"]["hubspot_owner_id"] == "1001"
    assert "No login for 25 days" in task["properties"]["hs_task_body"]
    assert "Größe &amp; &lt;Sons&gt;" in task["properties"]["hs_task_body"]
    assert task["associations"][0]["to"] == {"id": "c1"}
    company.do("delete from audit.deliveries")
    company.settings = salesforce(vendors)
    company.run("tasks")
    (made,) = vendors.salesforce_tasks
    assert (made["WhatId"], made["ActivityDate"], made["Priority"]) == ("001acc-01", "2026-03-15", "High")


def test_two_crms_at_once_are_refused_on_their_channels_alone(vendors: Vendors, company: Company) -> None:
    company.settings = Destinations(
        hubspot_token="secret-a",
        hubspot_url=vendors.url,
        salesforce_url=vendors.url,
        salesforce_token="secret-b",
    )
    company.act("task", 1)
    company.act("alert", 1)
    assert "both set" in (company.run("tasks").error or "")
    assert company.run("slack").is_ok
    assert vendors.calls == []


# --- secrets -----------------------------------------------------------------------------------------------


def test_the_webhook_is_signed_over_time_and_body(vendors: Vendors, company: Company) -> None:
    company.settings = webhook(vendors)
    company.act("guide", 1)
    company.run("webhook")
    headers, body = vendors.headers[-1], vendors.bodies[-1]
    expected = hmac.new(
        WEBHOOK_SECRET.encode(), headers["Radar-Timestamp"].encode() + b"." + body, hashlib.sha256
    )
    assert headers["Radar-Signature"] == f"v1={expected.hexdigest()}"
    assert headers["Radar-Key"] == json.loads(body)["key"] == "guide01"


def test_no_secret_is_in_errors_or_in_what_is_printed(vendors: Vendors, company: Company) -> None:
    secret = "xoxb-1234-abcdef"
    settings = Destinations(
        slack_webhook_url=f"{vendors.url}/slack/hook?token={secret}", smtp_password=secret
    )
    assert secret not in repr(settings)
    text = f"POST {vendors.url}/slack/hook?token={secret} Bearer abc jo@doe.example https://hooks.slack.com/services/T/B/x"
    masked = settings.mask(text)
    assert not [part for part in (secret, "abc", "jo@", "/services/") if part in masked]
    company.settings = Destinations(slack_webhook_url="http://127.0.0.1:9/T000/B000/verysecret")
    company.act("alert", 1)
    report = company.run("slack")
    assert "verysecret" not in f"{report.error} {company.con.execute('from audit.deliveries').fetchall()}"


@pytest.mark.parametrize(
    "values",
    [
        {"slack_webhook_url": "http://hooks.example/x"},
        {"hubspot_token": "secret", "hubspot_url": "http://api.example"},
        {
            "webhook_url": "ftp://x.example",
            "webhook_secret": "secret",
            "webhook_channels": "crm_task,in_app_guide",
        },
    ],
)
def test_secrets_do_not_leave_without_tls(values: dict[str, str], company: Company) -> None:
    company.settings = Destinations(**values)  # type: ignore[arg-type]
    company.act("alert", 1)
    company.act("task", 1)
    errors = [company.run(channel).error for channel in ("slack", "tasks")]
    assert [error for error in errors if error and "https://" in error]


def test_only_of_the_newest_day_is_anything_delivered(company: Company) -> None:
    from radar.deliveries.deliveries import Deliveries  # noqa: PLC0415

    company.act("alert", 1)
    for day, expected in ((company.day, True), (date(2026, 3, 1), False)):
        work = Deliveries(company.con, company.exports, "run", day, Destinations())
        assert work.is_newest_day() == expected


# --- threads in Slack --------------------------------------------------------------------------------------


def over(company: Company, *actions: str) -> None:
    """These episodes end: the accounts are on watch."""
    for action in actions:
        company.do(
            f"update marts.fct_actions set status = 'closed', ended_on = '{company.day}' "
            f"where action_id = '{action}'"
        )
    company.do("update marts.rpt_account_health set bucket = 'watch', score = 60")


def test_what_follows_an_alert_is_in_its_thread(vendors: Vendors, company: Company) -> None:
    company.settings = slack_bot(vendors)
    first, other = company.act("alert", 1), company.act("alert", 2)
    company.act("task", 1, due_at=datetime(2026, 3, 13))
    company.run("tasks")
    company.run("slack")
    company.next_day()
    company.run("slack")
    over(company, first, other)
    company.run("slack")
    threads = [post.get("thread_ts") for post in vendors.posts]
    assert threads == [None, None, "1.0", "1.0", "2.0"], "alerts, the reminder, two recoveries"
    ids = company.con.execute("select remote_id from audit.deliveries where status = 'delivered'").fetchall()
    assert ids == [("1.0",), ("2.0",), ("1.0/3.0",), ("1.0/4.0",), ("2.0/5.0",)]


def test_another_episode_of_the_account_is_another_thread(vendors: Vendors, company: Company) -> None:
    company.settings = slack_bot(vendors)
    first = company.act("alert", 1)
    company.run("slack")
    over(company, first)
    company.run("slack")
    again = company.act("alert", 2, account_id="acc-01", episode_started_on=date(2026, 3, 13))
    company.do("update marts.rpt_account_health set bucket = 'at_risk'")
    company.run("slack")
    over(company, again)
    company.run("slack")
    assert [post.get("thread_ts") for post in vendors.posts] == [None, "1.0", None, "3.0"]


def test_where_the_thread_is_gone_a_message_goes_to_the_channel_and_is_the_next_thread(
    vendors: Vendors, company: Company
) -> None:
    company.settings = slack_bot(vendors)
    action = company.act("alert", 1)
    company.act("task", 1, due_at=datetime(2026, 3, 13))
    company.run("tasks")
    company.run("slack")
    vendors.removed.add("1.0")
    company.next_day()
    assert company.run("slack").is_ok
    over(company, action)
    company.run("slack")
    assert [post.get("thread_ts") for post in vendors.posts] == [None, None, "2.0"]


def test_a_digest_is_no_thread_and_in_none(vendors: Vendors, company: Company) -> None:
    company.settings = slack_bot(vendors)
    alone = company.act("alert", 1)
    company.run("slack")
    digested = [company.act("alert", number) for number in range(2, 6)]
    company.run("slack")
    over(company, alone, *digested)
    company.run("slack")
    assert [post.get("thread_ts") for post in vendors.posts] == [None, None, None]
    assert "5 of your accounts" in vendors.posts[-1]["text"]


def test_what_followed_a_digest_begins_a_thread(vendors: Vendors, company: Company) -> None:
    company.settings = slack_bot(vendors)
    digested = [company.act("alert", number) for number in range(2, 6)]
    company.run("slack")
    over(company, digested[0])
    company.run("slack")
    assert [post.get("thread_ts") for post in vendors.posts] == [None, None]


def test_a_webhook_knows_no_threads(vendors: Vendors, company: Company) -> None:
    company.settings = slack_webhook(vendors)
    action = company.act("alert", 1)
    company.run("slack")
    over(company, action)
    company.run("slack")
    assert [set(post) for post in vendors.posts] == [{"text", "blocks"}] * 2


def test_what_is_in_doubt_is_looked_up_in_its_thread(vendors: Vendors, company: Company) -> None:
    company.settings = slack_bot(vendors)
    action = company.act("alert", 1)
    company.run("slack")
    over(company, action)
    vendors.fail("chat.postMessage", "lose")
    vendors.fail("conversations", "500", "500", "500", "500")
    company.run("slack")
    assert company.states()[f"recovery:{action}"] == "in_doubt"
    vendors.forgive()
    company.run("slack")
    assert company.states()[f"recovery:{action}"] == "delivered"
    assert [post.get("thread_ts") for post in vendors.posts] == [None, "1.0"]


def test_a_message_in_doubt_whose_thread_is_gone_is_posted_once_in_the_channel(
    vendors: Vendors, company: Company
) -> None:
    company.settings = slack_bot(vendors)
    action = company.act("alert", 1)
    company.run("slack")
    over(company, action)
    vendors.fail("chat.postMessage", "429", "429", "429", "429")
    vendors.removed.add("1.0")
    company.run("slack")
    company.do("update audit.deliveries set status = 'in_doubt' where status = 'failed'")
    vendors.forgive()
    company.run("slack")
    assert [post.get("thread_ts") for post in vendors.posts] == [None, None]


# --- buttons in Slack --------------------------------------------------------------------------------------


def with_buttons(vendors: Vendors) -> Destinations:
    return slack_bot(vendors).model_copy(
        update={"slack_signing_secret": SecretStr("s" * 32), "panel_url": "https://radar.example"}
    )


def test_a_mail_that_waits_is_shown_in_slack_only_where_it_can_be_answered_there(
    vendors: Vendors, company: Company
) -> None:
    action = company.act("mail", 1, status="to_approve", play="check_in")
    for settings in (slack_webhook(vendors), slack_bot(vendors), teams(vendors), Destinations()):
        company.settings = settings
        assert company.run("slack").counts == {}
    company.settings = with_buttons(vendors)
    assert company.run("slack").counts == {"delivered": 1}
    (post,) = vendors.posts
    shown = json.dumps(post["blocks"], ensure_ascii=False)
    assert "[first name]" in shown
    assert "Łucja" not in shown, "names of customers' people stay out of Slack"
    assert [button["action_id"] for button in post["blocks"][-1]["elements"]] == ["approved", "dropped"]
    assert json.loads(post["blocks"][-1]["elements"][0]["value"])["action"] == action
    company.run("slack")
    assert len(vendors.posts) == 1


def test_a_mail_that_is_answered_or_cannot_be_written_is_not_shown(
    vendors: Vendors, company: Company
) -> None:
    company.settings = with_buttons(vendors)
    company.say(company.act("mail", 1, status="to_approve", play="check_in"), "approved")
    company.say(company.act("mail", 2, status="to_approve", play="check_in"), "dropped")
    lacks = company.act("mail", 3, status="to_approve", play="check_in")
    company.do("update staging.stg_crm__contacts set email = null where account_id = 'acc-03'")
    company.run("slack")
    assert vendors.posts == []
    assert company.states() == {f"approval:{lacks}": "blocked"}
