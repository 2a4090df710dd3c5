"""Drafts of mails to customers, for whoever approves them.

A draft shows neither score, bucket nor rules: those are internal. What it shows of the account is its own use
of the product. The template is that of the contact's language, where there is one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from radar.deliveries.rendering import ENGLISH, Missing, Templates
from radar.deliveries.settings import Destinations

TEXTS = (
    "account_name", "owner_name", "guidance", "product_name", "booking_url", "active_people", "active_days",
    "logins", "features", "top_feature", "top_feature_uses", "first_day", "last_day",
)  # fmt: skip
"""What a mail's template may write besides `first_name`, `rules` and `activity`; few are always known."""
MENTION = "owner_mention.j2"
FIRST_NAME = "[first name]"
"""In place of the contact's first name where a draft is read by somebody who may not see it."""


@dataclass(frozen=True)
class Draft:
    """A mail that nobody has sent: one line, plain text, and the same as HTML."""

    subject: str
    text: str
    html: str
    language: str = ENGLISH
    booking_url: str | None = None


def missing_people(owner_name: str | None, *, has_contact: bool) -> str | None:
    """Why a mail to a customer cannot be written or sent: nobody signs it, or nobody may get it."""
    if not (owner_name or "").strip():
        return "the account has no owner who could sign the mail"
    return None if has_contact else "no contact who consented has an address"


def render(row: Mapping[str, Any], templates: Templates | None = None) -> Draft:
    """The draft of an action, from the template of its play (`mail_<play>.j2`) or the default one.

    `row` needs `play`, `account_name` and `owner_name`; the other columns of `marts.rpt_mail_facts` may be
    missing, and `contact_name`; `first_name` goes before that of `contact_name`. In the folder of the row's
    language (`de/mail_<play>.j2` for `de-AT`) a template goes before the general one of the same play.
    Raises InputError for a broken template, MissingValueError where it writes a value that is not known.
    """
    chosen = templates or _templates(Destinations.read().templates)
    language = (row.get("language") or "").split("-")[0]
    contact = (row.get("contact_name") or "").split()
    texts = {name: row.get(name) for name in TEXTS} | {
        "account_name": row["account_name"],
        "owner_name": row["owner_name"],
        "first_name": row.get("first_name") or (contact[0] if contact else None),
    }
    values = {
        **{name: text if _is_known(text) else Missing(name=name) for name, text in texts.items()},
        "rules": list(row.get("rules") or ()),
        "activity": weekly(row.get("activity") or ()),
    }
    name = chosen.first(
        f"{folder}{file}"
        for file in (f"mail_{row['play']}.j2", "mail_default.j2")
        for folder in _folders(language)
    )
    written_in = name.rpartition("/")[0] or ENGLISH
    subject, text = chosen.text(name, values | {"language": written_in})
    return _draft(subject, text, chosen, written_in, row.get("booking_url"))


def for_approval(facts: Mapping[str, Any], play: str, templates: Templates | None = None) -> Draft:
    """The draft as somebody reads who is to approve it: FIRST_NAME is in place of the contact's own.

    `facts`: a row of `marts.rpt_mail_facts`. Raises InputError, MissingValueError as `render` does.
    """
    first_name = FIRST_NAME if facts["has_name"] else None
    return render({**facts, "play": play, "first_name": first_name}, templates)


def mention(row: Mapping[str, Any], templates: Templates, language: str = ENGLISH) -> Draft:
    """The mail to an owner whom a note names: a row of `outbound.rpt_due_mentions` with its `link`.

    Raises InputError for a broken template.
    """
    name = templates.first(f"{folder}{MENTION}" for folder in _folders(language))
    written_in = name.rpartition("/")[0] or ENGLISH
    texts = {name: row[name] for name in ("owner_name", "written_by", "account_name", "note", "link")}
    subject, text = templates.text(name, {**texts, "language": written_in})
    return _draft(subject, text, templates, written_in, row["link"])


def fingerprint(draft: Draft) -> str:
    """The same for the same subject and text: whether what somebody read is what is there now."""
    return hashlib.sha256(f"{draft.subject}\n\n{draft.text}".encode()).hexdigest()[:32]


def _is_known(value: object) -> bool:
    return value is not None and bool(str(value).strip())


def _folders(language: str) -> tuple[str, ...]:
    return (f"{language}/", "") if re.fullmatch(r"[a-z]{2,3}", language) else ("",)


def edited(
    subject: str,
    text: str,
    contact_name: str | None = None,
    templates: Templates | None = None,
    *,
    like: Draft | None = None,
) -> Draft:
    """What a person wrote in place of a draft, to the letter; FIRST_NAME becomes the contact's own.

    `like`: the draft, for its language and its link.
    """
    chosen = templates or _templates(Destinations.read().templates)
    first_name = (contact_name or "").split()[:1]
    for name in first_name:
        subject, text = subject.replace(FIRST_NAME, name), text.replace(FIRST_NAME, name)
    language, url = (like.language, like.booking_url) if like else (ENGLISH, None)
    return _draft(subject, text.strip() + "\n", chosen, language, url)


def _draft(subject: str, text: str, templates: Templates, language: str, booking_url: str | None) -> Draft:
    paragraphs = [paragraph.splitlines() for paragraph in text.strip().split("\n\n")]
    values = {"subject": subject, "paragraphs": paragraphs, "language": language, "booking_url": booking_url}
    return Draft(subject, text, templates.html("mail.html.j2", values), language, booking_url)


def weekly(activity: Any) -> list[float]:
    """Every seventh value, the newest last.

    The weeks of a daily series of seven-day windows do not overlap.
    """
    return list(reversed(list(reversed(list(activity)))[::7]))


@cache
def _templates(folder: Path | None) -> Templates:
    return Templates(folder)
