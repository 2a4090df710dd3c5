"""Messages as they ship, held against golden files; what a person edits can do no harm.

UPDATE_SNAPSHOTS=1 writes the golden files anew; what changed then stands in the diff.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from radar.audit.delivery_ledger import Item
from radar.core.errors import InputError, UsageError
from radar.deliveries.channels.mail import compose
from radar.deliveries.channels.teams import card
from radar.deliveries.drafts import Draft, render, weekly
from radar.deliveries.messages import NO_SENDER, slack, with_links
from radar.deliveries.rendering import SHIPPED, MissingValueError, Templates, sparkline
from radar.deliveries.settings import Destinations
from tests.panel.test_files_and_words import faults

GOLDEN = Path(__file__).parent / "golden"
NAME = 'Größe & <b>Sons</b> "x"\n\nمجموعة 🚀'
ROW: dict[str, Any] = {
    "account_id": "acc-1",
    "account_name": NAME,
    "owner_name": "Ruth Okafor",
    "slack_user_id": "U0RUTH",
    "bucket": "at_risk",
    "is_scored": True,
    "score": 35.5,
    "score_low": 20.0,
    "score_high": 50.0,
    "days_since_login": 25,
    "days_to_renewal": 40,
    "reason_1": "No login for 25 days (limit 14) (-20 points)",
    "reason_2": "1 failed payment in 30 days (-15 points)",
    "reason_3": None,
    "reason_4": None,
    "reason_rules": "no_login_14d, failed_payment",
    "rule_set": "playbook_v1",
    "account_url": "https://crm.example/companies/a1",
    "account_url_label": "Open in HubSpot",
    "evidence": "No login for 25 days",
    "next_action": "Look at the account today: it is at risk",
    "due_at": datetime(2026, 3, 15, 4),
    "episode_started_on": date(2026, 3, 10),
    "ended_on": date(2026, 3, 13),
    "mode_reason": None,
}
FACTS: dict[str, Any] = {
    "product_name": "Nimbus",
    "booking_url": "https://book.house.example/ruth?length=20&from=mail",
    "active_people": 1,
    "active_days": 22,
    "logins": 1204,
    "features": 4,
    "top_feature": "Reports",
    "top_feature_uses": 318,
    "first_day": date(2026, 6, 1),
    "last_day": "2026-06-30",
}
DRAFTS: dict[str, dict[str, Any]] = {
    "check_in": {
        "guidance": "some of what you set out to do with us has not been used lately. If something is in the "
        "way, I would like to hear of it, and can show your team how others do it."
    },
    "upsell_prompt": FACTS,
    "monthly_summary": FACTS,
    "some_play_of_the_house": {},
}


def held_against(name: str, text: str) -> None:
    file = GOLDEN / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["alert", "recovery", "reminder"])
def test_a_message_to_slack_is_what_was_agreed(kind: str) -> None:
    message = Templates().slack(f"slack_{kind}.j2", with_links(ROW, "https://radar.example"))
    held_against(f"slack_{kind}.json", json.dumps(message, ensure_ascii=False, indent=2) + "\n")


def item_of(kind: str, **values: Any) -> Item:
    row = {
        **ROW,
        "kind": kind,
        "action_id": "1",
        "play": "check_in",
        "as_of_date": date(2026, 3, 13),
        "waiting_actions": 2,
    } | values
    return Item(f"{kind}:1", kind, "slack", "acc-1", "1001", "1", None, 0, None, None, None, None, row)


DRAFT = Draft("A question", "Hi [first name],\n\nhow is *it*? <@U0RUTH>\n\nRegards,\nRuth\n", "")


@pytest.mark.parametrize("kind", ["alert", "recovery", "reminder", "approval"])
def test_what_can_be_answered_in_slack_has_buttons(kind: str) -> None:
    item = item_of(kind, **({"draft": DRAFT} if kind == "approval" else {}))
    (message,) = slack([item], Templates(), "https://radar.example", 3, has_buttons=True)
    held_against(
        f"slack_{kind}_buttons.json", json.dumps(message.payload, ensure_ascii=False, indent=2) + "\n"
    )
    (plain,) = slack([item], Templates(), "https://radar.example", 3)
    shown = [block for block in message.payload["blocks"] if block["type"] != "actions"]
    assert plain.payload["blocks"] == shown


def test_many_mails_to_approve_are_one_message_without_buttons_and_keep_back_no_alert() -> None:
    items = [item_of("approval", draft=DRAFT) for _ in range(21)]
    digest, alert = slack(
        [*items, item_of("alert")], Templates(), "https://radar.example", 3, has_buttons=True
    )
    held_against("slack_approvals.json", json.dumps(digest.payload, ensure_ascii=False, indent=2) + "\n")
    assert alert.payload["blocks"][-1]["type"] == "actions"


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [("x" * 2_890, ["approved", "dropped"]), ("x" * 2_900, ["dropped"]), ("x\n\n" * 60, ["dropped"])],
)
def test_of_a_text_that_is_not_shown_whole_nothing_is_approved(text: str, verdicts: list[str]) -> None:
    item = item_of("approval", draft=replace(DRAFT, text=text))
    (message,) = slack([item], Templates(), "https://radar.example", 3, has_buttons=True)
    assert len(message.payload["blocks"]) <= 50
    assert [button["action_id"] for button in message.payload["blocks"][-1]["elements"]] == verdicts


@pytest.mark.parametrize("kind", ["alert", "recovery", "reminder"])
def test_a_message_to_teams_has_the_text_of_slacks(kind: str) -> None:
    row = with_links(ROW, "https://radar.example") | {"mention": "Ruth Okafor"}
    message = card(Templates().slack(f"slack_{kind}.j2", row))
    held_against(f"teams_{kind}.json", json.dumps(message, ensure_ascii=False, indent=2) + "\n")


def test_no_formatting_comes_out_of_data_in_teams() -> None:
    name = "**Acme** [x](https://evil.example) _y_ `z` #1 <b> https://evil.example @everyone"
    row = with_links({**ROW, "account_name": name}, "https://radar.example")
    (attachment,) = card(Templates().slack("slack_alert.j2", row))["attachments"]
    text = attachment["content"]["body"][0]["text"]
    shown = text[1 : text.index("](https://radar.example/accounts/acc-1)")]
    assert shown.replace("\u200b", "") == (
        r"\*\*Acme\*\* \[x\](https://evil.example) \_y\_ \`z\` \#1 <b> https://evil.example @everyone"
    )
    assert "https://" not in shown, "what is no link in the template becomes none"
    assert attachment["content"]["fallbackText"].startswith(f"{name} is at risk")


def test_an_alert_that_a_person_decides_says_why() -> None:
    row = with_links({**ROW, "mode_reason": "High value: $120,000 a year"}, "https://radar.example")
    said = json.dumps(Templates().slack("slack_alert.j2", row))
    assert "A person decides: High value: $120,000 a year" in said


def test_a_digest_is_what_was_agreed() -> None:
    row = with_links(ROW, "https://radar.example")
    items = [{**row, "kind": kind} for kind in ("alert", "recovery", "reminder", "alert")]
    values = {
        "items": items,
        "most": 3,
        "waiting_actions": 2,
        "approvals": "https://radar.example/approvals",
        **{name: row[name] for name in ("mention", "owner_name", "panel")},
    }
    message = Templates().slack("slack_digest.j2", values)
    held_against("slack_digest.json", json.dumps(message, ensure_ascii=False, indent=2) + "\n")


def test_a_task_is_what_was_agreed() -> None:
    subject, body = Templates().text("task.j2", with_links(ROW, "https://radar.example"))
    held_against("task.txt", f"{subject}\n\n{body}")


BARE = dict.fromkeys(ROW) | {
    "account_id": "acc-1", "account_name": "acc-1", "bucket": "watch", "next_action": "Look at the account",
    "due_at": ROW["due_at"], "episode_started_on": date(2026, 3, 10), "is_scored": True,
}  # fmt: skip
"""What a row of an account always has; all else is not known."""


@pytest.mark.parametrize("kind", ["alert", "recovery", "reminder", "digest", "task"])
@pytest.mark.parametrize("is_scored", [True, False])
def test_a_message_of_which_little_is_known_reads_well(kind: str, is_scored: bool) -> None:
    row = with_links({**BARE, "is_scored": is_scored, "kind": kind}, None)
    items = [{**row, "kind": each} for each in ("alert", "recovery", "reminder")]
    if kind == "digest":
        row |= {"items": items, "most": 3, "waiting_actions": 1, "approvals": None}
    if kind == "task":
        said = "\n".join(Templates().text("task.j2", row))
    else:
        blocks = Templates().slack(f"slack_{kind}.j2", row)["blocks"]
        said = "\n".join(block["text"]["text"] for block in blocks if "text" in block)
    assert faults(said) == []
    halves = (r"score *$", r"score *[→,:;.]", r": *$", r"^- *$", r"[ \t]$", r"not told")
    assert [half for half in halves if re.search(half, said, re.MULTILINE)] == [], said


@pytest.mark.parametrize("play", DRAFTS)
def test_a_draft_is_what_was_agreed(play: str) -> None:
    draft = render({"play": play, "contact_name": "Łucja Zając", **ROW, **DRAFTS[play]})
    held_against(f"mail_{play}.txt", f"{draft.subject}\n\n{draft.text}")
    held_against(f"mail_{play}.html", draft.html)


@pytest.mark.parametrize(
    ("language", "top_feature", "texts"),
    [
        ("de", "Berichte", ("vom 1. Juni 2026 bis zum 30. Juni 2026", "Anmeldungen: 1.204", "318-mal")),
        ("es-MX", "Informes", ("del 1 de junio de 2026 al 30 de junio", "sesión: 1", "318 veces")),
        ("xx", "Reports", ("from 1 June 2026 to 30 June 2026", "Sign-ins: 1,204", "318 times")),
    ],
)
def test_a_mail_is_written_in_the_language_of_who_gets_it(
    language: str, top_feature: str, texts: tuple[str, ...]
) -> None:
    facts = {**ROW, **FACTS, "contact_name": "Łucja Zając", "language": language, "top_feature": top_feature}
    draft = render({**facts, "play": "monthly_summary"})
    assert [text for text in texts if text not in draft.text] == []
    assert f'<html lang="{draft.language}">' in draft.html
    if draft.language != "en":
        held_against(f"mail_monthly_summary.{draft.language}.txt", f"{draft.subject}\n\n{draft.text}")
    one, two = (render({**facts, "play": "upsell_prompt", "active_people": n}).text for n in (1, 2))
    forms = {"de": ("1 Person war", "2 Personen waren"), "es": ("1 persona ha", "2 personas han")}
    for text, form in zip(
        (one, two), forms.get(draft.language, ("1 person was", "2 people were")), strict=True
    ):
        assert form in text


def test_a_template_of_the_play_goes_before_the_default_of_the_language(tmp_path: Path) -> None:
    (tmp_path / "mail_renewal.j2").write_text("Renewal\n\n{{ owner_name }}, {{ last_day | day }}\n")
    row = {**ROW, **FACTS, "language": "de"}
    assert render({**row, "play": "renewal"}, Templates(tmp_path)).text == "Ruth Okafor, 30 June 2026\n"
    assert render({**row, "play": "other"}, Templates(tmp_path)).subject.startswith("Eine Frage")
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "mail_renewal.j2").write_text("Verlängerung\n\n{{ last_day | day }}\n")
    assert render({**row, "play": "renewal"}, Templates(tmp_path)).text == "30. Juni 2026\n"


@pytest.mark.parametrize(
    "number", ["active_people", "active_days", "logins", "features", "top_feature", "top_feature_uses"]
)
@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_a_summary_without_one_of_its_five_numbers_is_not_written(number: str, language: str) -> None:
    row = {**ROW, **FACTS, "play": "monthly_summary", "language": language, number: None}
    with pytest.raises(MissingValueError, match=f"the template needs {number}, which is not known"):
        render(row)


def test_only_the_owner_s_booking_link_becomes_a_link() -> None:
    row = {**ROW, **FACTS, "play": "check_in", "account_name": "https://evil.example"}
    html = render(row).html
    assert html.count("<a ") == 1
    assert 'href="https://book.house.example/ruth?length=20&amp;from=mail"' in html
    assert "<a " not in render({**row, "booking_url": None}).html


@pytest.mark.parametrize("play", DRAFTS)
def test_a_customer_reads_neither_score_nor_bucket_nor_rules(play: str) -> None:
    draft = render({"play": play, **ROW, **DRAFTS[play]})
    text = f"{draft.subject}{draft.text}{draft.html}"
    assert not [
        word
        for word in ("35.5", "score", "at risk", "points", "limit", "_")
        if word in text.replace("initial-scale", "").replace("color-scheme", "")
    ]


def test_a_draft_needs_little_and_says_what_it_lacks() -> None:
    draft = render({"play": "check_in", "account_name": "A", "owner_name": "B"})
    assert isinstance(draft, Draft)
    assert draft.text.startswith("Hello,\n")
    with pytest.raises(KeyError, match="owner_name"):
        render({"play": "check_in", "account_name": "A"})


@pytest.mark.parametrize(
    ("sender", "unsubscribe", "headers"),
    [
        (
            "Acme <success@acme.example>",
            None,
            (
                "Ruth Okafor (Acme) <success@acme.example>",
                "<mailto:success@acme.example?subject=unsubscribe>",
                None,
            ),
        ),
        (
            "success@acme.example",
            "https://acme.example/bye?mail={action_id}",
            (
                "Ruth Okafor <success@acme.example>",
                "<https://acme.example/bye?mail=a/1>",
                "List-Unsubscribe=One-Click",
            ),
        ),
        (
            "success@acme.example",
            "https://acme.example/bye",
            ("Ruth Okafor <success@acme.example>", "<https://acme.example/bye>", None),
        ),
        (NO_SENDER, None, (f"Ruth Okafor <{NO_SENDER}>", None, None)),
    ],
)
def test_a_mail_comes_from_the_owner_and_can_be_unsubscribed(
    sender: str, unsubscribe: str | None, headers: tuple[str | None, ...]
) -> None:
    mail = compose(
        render({"play": "check_in", **ROW}), action_id="a/1", sender=sender, reply_to=None, to=None,
        written_at=datetime(2026, 6, 30), is_draft=True, owner_name="Ruth Okafor", unsubscribe=unsubscribe,
    )  # fmt: skip
    found = tuple(mail[name] for name in ("From", "List-Unsubscribe", "List-Unsubscribe-Post"))
    assert tuple(name and name.replace('"', "") for name in found) == headers
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("address", ["http://acme.example", "bye", "https://acme.example/ x", "mailto:a>b"])
def test_an_address_that_is_none_of_mail_or_https_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_MAIL_UNSUBSCRIBE", address)
    with pytest.raises(UsageError, match="RADAR_MAIL_UNSUBSCRIBE"):
        Destinations.read()


def test_html_of_a_name_is_text() -> None:
    html = render({"play": "check_in", "account_name": "<script>x</script>", "owner_name": "&"}).html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_file_of_ones_own_replaces_one_template(tmp_path: Path) -> None:
    (tmp_path / "mail_check_in.j2").write_text("Hi\n\n{{ account_name }}, {{ owner_name }} here.\n")
    mine = Templates(tmp_path)
    assert render({"play": "check_in", **ROW}, mine).subject == "Hi"
    assert render({"play": "upsell_prompt", **ROW}, mine) == render({"play": "upsell_prompt", **ROW})


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ acount_name }}", r"there is no value acount_name \(line 1\)"),
        ("{{ account_name.__class__.__mro__ }}", "unsafe"),
        ("{{ ''.__class__ }}", "unsafe"),
        ("{% for x in range(10 ** 9) %}{% endfor %}", "Range too big"),
        ("{{ rules.append('x') }}", "unsafe"),
        ("{% if %}", "line 1"),
        ("{% include '../secrets.txt' %}", "there is no template"),
        ("{{ 1 / 0 }}", "division"),
    ],
)
def test_a_template_that_is_wrong_is_named_and_harms_nothing(
    template: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "mail_check_in.j2").write_text(template)
    (tmp_path.parent / "secrets.txt").write_text("secret")
    with pytest.raises(InputError, match=message) as caught:
        render({"play": "check_in", **ROW}, Templates(tmp_path))
    assert "line 1" in message or "no template" in message or "mail_check_in.j2" in str(caught.value)


def test_a_misspelt_name_is_found_where_it_is_not_reached(tmp_path: Path) -> None:
    (tmp_path / "de").mkdir()
    file = tmp_path / "de" / "mail_check_in.j2"
    file.write_text("Hallo\n\n{% if rules %}\n{{ ower_name }}\n{% endif %}\n")
    with pytest.raises(InputError) as caught:
        render({"play": "check_in", **ROW, "language": "de"}, Templates(tmp_path))
    assert (caught.value.file, caught.value.problem) == (file, "there is no value ower_name (line 4)")
    assert str(caught.value.remedy).startswith("write one of owner_name")
    blocks = tmp_path / "slack_alert.j2"
    blocks.write_text("{{ accountname }}")
    with pytest.raises(InputError, match=r"accountname.*line 1"):
        Templates(tmp_path).slack("slack_alert.j2", with_links(ROW, None))


def test_every_template_that_ships_is_described() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "crm.md").read_text(encoding="utf-8")
    assert [path.name for path in sorted(SHIPPED.glob("*.j2")) if f"`{path.name}`" not in page] == []


def test_bars_are_relative_to_the_greatest_and_a_gap_is_a_gap() -> None:
    assert sparkline([0, 3.5, 7]) == "▁▅█"
    assert sparkline([1, None, 1]) == "█ █"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([5]) == sparkline([]) == ""


def test_weeks_end_with_the_newest_day() -> None:
    assert weekly(range(15)) == [0, 7, 14]
    assert weekly([4]) == [4]
