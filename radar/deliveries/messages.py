"""Turns what is due into messages: which words, and what goes out as one."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from itertools import zip_longest
from urllib.parse import quote

from radar.audit.delivery_ledger import Item, Row
from radar.deliveries.channels.base import Message
from radar.deliveries.channels.mail import compose
from radar.deliveries.channels.outbox import MOST_FILES
from radar.deliveries.drafts import Draft, edited, fingerprint, mention, missing_people, render
from radar.deliveries.rendering import (
    ENGLISH,
    MissingValueError,
    Templates,
    is_cut,
    shortened,
    slack_mention,
)

MOST_IN_DIGEST = 20
"""What a digest names; the rest is counted, and is in the panel."""
MOST_IN_SUBJECT = 59
"""Characters of a task's subject: lists of tasks show no more."""
ANSWERS = {
    "approval": (("approved", "Approve"), ("dropped", "Drop")),
    "alert": (("done", "Done"), ("not_now", "Not now")),
    "reminder": (("done", "Done"), ("not_now", "Not now")),
}
"""What a message of a kind asks: verdicts of `crm/reviews`, and what their buttons are called."""
CONFIRMED = {
    "title": {"type": "plain_text", "text": "Approve this mail?"},
    "text": {"type": "plain_text", "text": "The next run sends it to the customer."},
    "confirm": {"type": "plain_text", "text": "Approve"},
    "deny": {"type": "plain_text", "text": "Not yet"},
}
MOST_IN_VALUE = 2_000
"""Characters that Slack takes as a button's value."""
NO_SENDER = "radar@radar.invalid"
"""The sender of drafts where none is set; the name is reserved, so nothing can be sent from it."""


def with_links(row: Row, panel_url: str | None) -> Row:
    """The row with what templates need besides its columns."""
    reasons = [row[name] for name in ("reason_1", "reason_2", "reason_3", "reason_4") if row[name]]
    linked = _linked(row, panel_url)
    return {
        **linked,
        "reasons": reasons,
        "reason_links": [link for link, _ in zip_longest(rule_links(linked["panel"], row), reasons)],
        "mention": slack_mention(row["slack_user_id"], row["owner_name"]),
    }


def _linked(row: Row, panel_url: str | None) -> Row:
    """The row with the addresses of the panel and of its account there."""
    base = panel_url.rstrip("/") if panel_url else None
    link = f"{base}/accounts/{quote(str(row['account_id']), safe='')}" if base else None
    return {**row, "panel": base, "link": link}


def rule_links(base: str | None, row: Row) -> list[str]:
    """Where the panel's page of rules says what each reason's rule is, in the order of the reasons."""
    if base is None:
        return []
    anchor = quote(row["rule_set"] or "", safe="")
    rules = (row["reason_rules"] or "").split(", ")
    return [f"{base}/rules#{anchor}-{quote(rule, safe='')}" for rule in rules if rule]


def slack(
    items: Iterable[Item],
    templates: Templates,
    panel_url: str | None,
    digest_above: int,
    *,
    is_slack: bool = True,
    has_buttons: bool = False,
) -> list[Message]:
    """One message an item, or one for all of an owner who would get more than `digest_above`.

    What is to be approved is counted for itself, so that it keeps back no alert. `is_slack`: owners can be
    mentioned by their Slack id; elsewhere by their name. `has_buttons`: people answer with buttons, which
    only messages of one item have.
    """
    by_owner: dict[tuple[str | None, bool], list[Item]] = defaultdict(list)
    for item in items:
        by_owner[item.owner_id, item.kind == "approval"].append(item)
    messages = []
    for (_, is_approval), owned in by_owner.items():
        rows = [{**with_links(item.row, panel_url), "kind": item.kind} for item in owned]
        if not is_slack:
            rows = [row | {"mention": slack_mention(None, row["owner_name"])} for row in rows]
        if len(owned) <= digest_above:
            messages += [
                Message(item.delivery_key, (item,), _alone(row, templates, has_buttons=has_buttons))
                for item, row in zip(owned, rows, strict=True)
            ]
            continue
        values = {
            "items": rows,
            "most": MOST_IN_DIGEST,
            "mention": rows[0]["mention"],
            "owner_name": rows[0]["owner_name"],
            "waiting_actions": rows[0]["waiting_actions"],
            "panel": rows[0]["panel"],
            "approvals": rows[0]["panel"] and f"{rows[0]['panel']}/approvals",
        }
        template = "slack_approvals.j2" if is_approval else "slack_digest.j2"
        messages.append(Message(_digest_key(owned), tuple(owned), templates.slack(template, values)))
    return messages


def _alone(row: Row, templates: Templates, *, has_buttons: bool) -> Row:
    """A message of one item, in the thread of its episode where Slack has one."""
    draft: Draft | None = row.get("draft")
    texts = {}
    if draft:
        paragraphs = [paragraph.splitlines() for paragraph in draft.text.strip().split("\n\n")]
        texts = {"subject": draft.subject, "paragraphs": paragraphs}
    payload = templates.slack(f"slack_{row['kind']}.j2", row | texts)
    if has_buttons:
        payload |= {"blocks": [*payload["blocks"], *buttons(row, is_whole=not is_cut(payload))]}
    return payload | {"thread": row["slack_thread"]} if row.get("slack_thread") else payload


def buttons(row: Row, *, is_whole: bool) -> list[Row]:
    """The block with what a person may answer. Of a text that is not shown whole nothing is approved.

    A button's value names account, action and day, and what is approved by the fingerprint of its text.
    """
    answers = ANSWERS.get(row["kind"], ())
    value = {
        "account": row["account_id"],
        "action": row["action_id"],
        "as_of": row["as_of_date"].isoformat(),
    }
    if row.get("draft"):
        value["text"] = fingerprint(row["draft"])
    text = json.dumps(value, ensure_ascii=False)
    if not answers or len(text) > MOST_IN_VALUE:
        return []
    elements = [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": label},
            "action_id": verdict,
            "value": text,
            **({"style": "primary", "confirm": CONFIRMED} if verdict == "approved" else {}),
        }
        for verdict, label in answers
        if is_whole or verdict != "approved"
    ]
    return [{"type": "actions", "elements": elements}]


def tasks(items: Iterable[Item], templates: Templates, panel_url: str | None) -> list[Message]:
    """A task in a CRM for each item; the key is the action's id, which the task carries."""
    return [_task(item, templates, panel_url) for item in items]


def _task(item: Item, templates: Templates, panel_url: str | None) -> Message:
    row = with_links(item.row, panel_url)
    subject, body = templates.text("task.j2", row)
    payload = {
        "action_id": item.action_id,
        "account_id": item.account_id,
        "account_name": row["account_name"],
        "owner_id": item.owner_id if row["who"] == "owner" else None,
        "who": row["who"],
        "play": row["play"],
        "subject": shortened(subject, MOST_IN_SUBJECT),
        "body": body,
        "due_at": row["due_at"],
        "is_urgent": row["is_urgent"],
    }
    return Message(str(item.action_id), (item,), payload)


def guides(items: Iterable[Item], panel_url: str | None) -> list[Message]:
    """What other programs do: in-app guides, surveys, and tasks where the webhook takes them."""
    messages = []
    for item in items:
        row = with_links(item.row, panel_url)
        names = ("play", "account_name", "owner_name", "bucket", "score", "next_action", "link")
        payload = {
            "kind": row["play_channel"],
            "action_id": item.action_id,
            "account_id": item.account_id,
            "owner_id": item.owner_id,
            **{name: row[name] for name in names},
            "reasons": row["reasons"],
            "due_at": row["due_at"].isoformat() + "Z" if row["due_at"] else None,
            "as_of_date": row["as_of_date"].isoformat(),
        }
        messages.append(Message(str(item.action_id), (item,), payload))
    return messages


def is_worded(number: int, item: Item) -> bool:
    """Whether the mail is put into words: not so drafts beyond the most that become files."""
    return item.kind != "draft" or number < MOST_FILES


def mails(
    items: Iterable[Item],
    templates: Templates,
    contexts: Mapping[str, Row],
    *,
    sender: str | None,
    unsubscribe: str | None = None,
    panel_url: str | None = None,
    owner_language: str = ENGLISH,
    as_of: date,
    now: datetime,
    blocked: dict[str, str],
) -> Iterator[Message]:
    """Drafts, approved mails, and mails to owners whom a note names.

    A draft is dated to its day, so that it is the same bytes again.

    What cannot be written or sent is not among them: `blocked` gets its delivery key and why. What is not put
    into words (`is_worded`) is rendered by whoever looks at it.
    """
    for number, item in enumerate(items):
        if item.kind == "mention":
            yield _mention(
                item, mention(_linked(item.row, panel_url), templates, owner_language), sender, now
            )
            continue
        context = contexts[item.account_id]
        reason = missing_people(context["owner_name"], has_contact=bool(context["contact_email"]))
        if reason:
            blocked[item.delivery_key] = reason
            continue
        fields = {"kind": item.kind, "account_id": item.account_id, "account_name": item.row["account_name"]}
        payload = {**fields, "owner_id": item.owner_id, "play": item.row["play"]}
        if not is_worded(number, item):
            yield Message(item.delivery_key, (item,), payload)
            continue
        row = {**item.row, **context}
        try:
            draft = _wording(item, row, templates)
        except MissingValueError as error:
            blocked[item.delivery_key] = error.problem
            continue
        mail = compose(
            draft,
            action_id=str(item.action_id),
            sender=sender or NO_SENDER,
            owner_name=row["owner_name"],
            unsubscribe=unsubscribe,
            reply_to=(row["owner_name"], row["owner_email"]) if row["owner_email"] else None,
            to=(row["contact_name"] or "", row["contact_email"]) if row["contact_email"] else None,
            written_at=datetime.combine(as_of, time()) if item.kind == "draft" else now,
            is_draft=item.kind == "draft",
        )
        payload["subject"], prefix = draft.subject, "draft"
        if item.kind == "mail":
            prefix, payload["to"], payload["message_id"] = (
                "approved",
                row["contact_email"],
                mail["Message-ID"],
            )
        file = (f"{prefix}-{item.action_id}.eml", mail.as_bytes())
        yield Message(item.delivery_key, (item,), payload, file)


def _mention(item: Item, draft: Draft, sender: str | None, now: datetime) -> Message:
    """A mail to one of our own people: nobody is asked before it goes, and nobody can unsubscribe."""
    to = item.row["owner_email"]
    mail = compose(
        draft,
        action_id=f"mention-{hashlib.sha256(item.delivery_key.encode()).hexdigest()[:32]}",
        sender=sender or NO_SENDER,
        unsubscribe="",
        reply_to=None,
        to=(item.row["owner_name"], to),
        written_at=now,
        is_draft=False,
    )
    payload = {
        "kind": item.kind,
        "account_id": item.account_id,
        "account_name": item.row["account_name"],
        "owner_id": item.owner_id,
        "subject": draft.subject,
        "to": to,
        "message_id": mail["Message-ID"],
    }
    return Message(item.delivery_key, (item,), payload, ("mention.eml", mail.as_bytes()))


def _wording(item: Item, row: Row, templates: Templates) -> Draft:
    """What a person wrote in place of the draft, else the template's words. Raises MissingValueError."""
    if item.kind == "mail" and item.row["edited_text"]:
        draft = render(row, templates)
        subject = item.row["edited_subject"] or draft.subject
        return edited(subject, item.row["edited_text"], row["contact_name"], templates, like=draft)
    return render(row, templates)


def _digest_key(items: Iterable[Item]) -> str:
    keys = "\n".join(sorted(item.delivery_key for item in items))
    return f"digest:{hashlib.sha256(keys.encode()).hexdigest()[:32]}"
