"""Drafts of mails to customers, for whoever approves them.

A draft shows neither score, bucket nor rules: those are internal. What it shows of the account is
its own activity, drawn as characters, because mail clients hide images and strip SVG.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from radar.deliveries.rendering import Missing, Templates
from radar.deliveries.settings import Destinations

FIRST_NAME = "[first name]"
"""In place of the contact's first name where a draft is read by somebody who may not see it."""


@dataclass(frozen=True)
class Draft:
    """A mail that nobody has sent: one line, plain text, and the same as HTML."""

    subject: str
    text: str
    html: str


def missing_people(owner_name: str | None, *, has_contact: bool) -> str | None:
    """Why a mail to a customer cannot be written or sent: nobody signs it, or nobody may get it."""
    if not (owner_name or "").strip():
        return "the account has no owner who could sign the mail"
    return None if has_contact else "no contact who consented has an address"


def render(row: Mapping[str, Any], templates: Templates | None = None) -> Draft:
    """The draft of an action, from the template of its play (`mail_<play>.j2`) or the default one.

    `row` needs `play`, `account_name` and `owner_name`. `contact_name`, `guidance` (what the rules that fired
    offer to a customer), `rules` (their ids), `activity` (active days a week, oldest first) may be missing;
    `first_name` goes before that of `contact_name`.
    Raises InputError for a broken template, MissingValueError where it writes a value that is not known.
    """
    chosen = templates or _templates(Destinations.read().templates)
    name = f"mail_{row['play']}.j2"
    contact = (row.get("contact_name") or "").split()
    texts = {
        "account_name": row["account_name"],
        "owner_name": row["owner_name"],
        "first_name": row.get("first_name") or (contact[0] if contact else None),
        "guidance": row.get("guidance"),
    }
    values = {
        **{name: text if (text or "").strip() else Missing(name=name) for name, text in texts.items()},
        "rules": list(row.get("rules") or ()),
        "activity": weekly(row.get("activity") or ()),
    }
    subject, text = chosen.text(name if chosen.has(name) else "mail_default.j2", values)
    return _draft(subject, text, chosen)


def edited(
    subject: str, text: str, contact_name: str | None = None, templates: Templates | None = None
) -> Draft:
    """What a person wrote in place of a draft, to the letter; FIRST_NAME becomes the contact's own."""
    chosen = templates or _templates(Destinations.read().templates)
    first_name = (contact_name or "").split()[:1]
    for name in first_name:
        subject, text = subject.replace(FIRST_NAME, name), text.replace(FIRST_NAME, name)
    return _draft(subject, text.strip() + "\n", chosen)


def _draft(subject: str, text: str, templates: Templates) -> Draft:
    paragraphs = [paragraph.splitlines() for paragraph in text.strip().split("\n\n")]
    html = templates.html("mail.html.j2", {"subject": subject, "paragraphs": paragraphs})
    return Draft(subject, text, html)


def weekly(activity: Any) -> list[float]:
    """Every seventh value, the newest last.

    The weeks of a daily series of seven-day windows do not overlap.
    """
    return list(reversed(list(reversed(list(activity)))[::7]))


@cache
def _templates(folder: Path | None) -> Templates:
    return Templates(folder)
