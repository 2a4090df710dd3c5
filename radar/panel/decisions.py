"""What people decide: added to the store, never changed, each once.

Belongs here: what a form may decide, and how two people who decide at once learn of each other. How it
reaches the warehouse is `radar.landing.decision_feed`.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from typing import Any
from unicodedata import category

from radar.core.dates import day
from radar.core.runs import utc_now
from radar.panel.people import Person
from radar.panel.store import Store
from radar.panel.web import BUCKET_LABELS

KINDS = (
    "sign_off", "spot_check", "override", "withdraw", "snooze", "wake", "outcome", "action", "call", "cover",
    "note", "undo",
)  # fmt: skip
VERDICTS = {
    "sign_off": ("agree", "disagree"),
    "spot_check": ("agree", "disagree"),
    "outcome": ("right", "too_early", "wrong"),
    "action": ("approved", "dropped", "done", "not_now"),
    "call": ("reached", "no_answer", "meeting_booked"),
}
BUCKETS = ("healthy", "watch", "at_risk")
REASON_LIMIT = 2_000
TEXT_LIMIT = 10_000
LONGEST_OVERRIDE_DAYS = 366
LONGEST_SNOOZE_DAYS = 90
"""Also the latest next date of a call, and until when a task is put off or somebody covers."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


class UnfitError(Exception):
    """A form that cannot be decided; the message names what to correct."""


class OvertakenError(Exception):
    """Somebody decided on the account after the form was shown."""

    def __init__(self, since: list[Decision]) -> None:
        super().__init__("overtaken")
        self.since = since


@dataclass(frozen=True)
class Wanted:
    """What a form asks for, found sound. `version`: the last decision of the account that its author saw.

    `owner_id`: in whose name a call was made, or who is asked for cover. `undoes`: a decision's id.
    """

    account_id: str
    as_of_date: str
    kind: str
    form_token: str
    version: int
    verdict: str | None = None
    bucket: str | None = None
    reason: str | None = None
    until_date: str | None = None
    action_id: str | None = None
    owner_id: str | None = None
    owner_name: str | None = None
    undoes: str | None = None
    edited_subject: str | None = None
    edited_text: str | None = None
    draft_text: str | None = None


@dataclass(frozen=True)
class Decision:
    """One decision as it was kept. `sequence` is its place among all; `decided_at` is UTC."""

    sequence: int
    decision_id: str
    account_id: str
    as_of_date: str
    kind: str
    verdict: str | None
    bucket: str | None
    reason: str | None
    until_date: str | None
    action_id: str | None
    decided_by: str
    decided_at: str
    owner_id: str | None
    owner_name: str | None
    undoes: str | None
    edited_subject: str | None
    edited_text: str | None

    @property
    def text(self) -> str:
        """In one line, as a reviewer would say it."""
        return decision_text(asdict(self))


_COLUMNS = ", ".join(field.name for field in fields(Decision))


def new_token() -> str:
    """For one form: whatever comes with it is decided once."""
    return secrets.token_urlsafe(18)


def read_form(form: Mapping[str, str], account_id: str, today: date) -> Wanted:
    """What the fields ask for. Raises UnfitError."""
    kind = form.get("kind", "")
    if kind not in KINDS:
        raise UnfitError("Choose what to decide.")
    token, version = form.get("form_token", ""), form.get("version", "")
    if not _TOKEN.fullmatch(token) or not re.fullmatch(r"\d{1,15}", version):
        raise UnfitError("This form is not complete: load the page again.")
    as_of = _day(form.get("as_of_date", ""), "the day that was looked at")
    reason = _reason(form.get("reason", ""))
    given: dict[str, str | None] = {"reason": reason}
    if kind in VERDICTS:
        given["verdict"] = _one_of(form.get("verdict", ""), VERDICTS[kind], "Choose one of the answers.")
    if kind in ("override", "withdraw"):
        given["bucket"] = _one_of(form.get("bucket", ""), BUCKETS, "Choose the bucket that you would say.")
    if kind == "override" and not reason:
        raise UnfitError("Say why: an override needs a reason.")
    if kind == "action":
        action_id = form.get("action_id", "")
        if not re.fullmatch(r"[\w.:-]{1,100}", action_id):
            raise UnfitError("Load the page again: the draft is not named.")
        given["action_id"] = action_id
    if kind == "note" and not reason:
        raise UnfitError("Write the note.")
    if kind in ("cover", "note"):
        given["owner_id"] = form.get("owner_id", "")
    if kind == "undo":
        given["undoes"] = form.get("undoes", "")
    given["until_date"] = _until_of(kind, given.get("verdict"), form.get("until_date", ""), today)
    if kind == "sign_off" and given["verdict"] == "disagree" and not reason:
        raise UnfitError("Say why you do not agree.")
    return Wanted(account_id, as_of.isoformat(), kind, token, int(version), **given)


def decide(store: Store, person: Person, wanted: Wanted, channel: str = "panel") -> bool:
    """Keep it; False where this form was kept before (a double click). Raises OvertakenError.

    What has returned is on the disk. What is undone stays in the file, next to the undoing. `channel`: where
    it was decided, with which its id begins, in the feeds and in the audit too.
    """
    with store.writing() as con:
        if con.execute("select 1 from decisions where form_token = ?", [wanted.form_token]).fetchone():
            return False
        since = _of_account(con, wanted.account_id, after=wanted.version)
        if since:
            raise OvertakenError(since)
        con.execute(
            "insert into decisions (decision_id, form_token, account_id, as_of_date, kind, verdict, bucket,"
            " reason, until_date, action_id, decided_by, decided_at, owner_id, owner_name, undoes,"
            " edited_subject, edited_text, draft_text)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                f"{channel}-{secrets.token_hex(12)}",
                wanted.form_token,
                wanted.account_id,
                wanted.as_of_date,
                wanted.kind,
                wanted.verdict,
                wanted.bucket,
                wanted.reason,
                wanted.until_date,
                wanted.action_id,
                person.name,
                f"{utc_now():%Y-%m-%dT%H:%M:%S.%fZ}",
                wanted.owner_id,
                wanted.owner_name,
                wanted.undoes,
                wanted.edited_subject,
                wanted.edited_text,
                wanted.draft_text,
            ],
        )
    return True


def of_account(store: Store, account_id: str) -> list[Decision]:
    """Everything decided on an account, newest first."""
    return _of_account(store.con, account_id)[::-1]


def newest(store: Store) -> int:
    """The number of the newest decision; 0 for none."""
    return int(store.con.execute("select coalesce(max(sequence), 0) from decisions").fetchone()[0])


def at(store: Store, sequence: str) -> Decision | None:
    """The decision of this number; None where there is none."""
    if not re.fullmatch(r"\d{1,15}", sequence, re.ASCII):
        return None
    row = store.con.execute(
        f"select {_COLUMNS} from decisions where sequence = ?", [int(sequence)]
    ).fetchone()
    return Decision(*row) if row else None


def of_form(store: Store, form_token: str) -> Decision | None:
    """What this form decided; None where it was not kept."""
    row = store.con.execute(f"select {_COLUMNS} from decisions where form_token = ?", [form_token]).fetchone()
    return Decision(*row) if row else None


def of_accounts(store: Store, account_ids: Iterable[str]) -> dict[str, list[Decision]]:
    """The same of several accounts at once."""
    wanted = list(account_ids)
    marks = ", ".join("?" * len(wanted))
    found: dict[str, list[Decision]] = {account_id: [] for account_id in wanted}
    query = f"select {_COLUMNS} from decisions where account_id in ({marks}) order by sequence desc"
    for row in store.con.execute(query, wanted):
        found[row["account_id"]].append(Decision(*row))
    return found


def answered_actions(store: Store, today: date) -> list[str]:
    """Actions that wait for no answer any more: those with one that is in force."""
    query = (
        "select distinct action_id from decisions as answers where kind = 'action'"
        " and (verdict <> 'not_now' or until_date > ?)"
        " and not exists (select 1 from decisions where undoes = answers.decision_id)"
    )
    return [row["action_id"] for row in store.con.execute(query, [today.isoformat()])]


def edited(subject: str, text: str) -> tuple[str, str]:
    """Subject and text that a person made of a draft, without control characters. Raises UnfitError."""
    lines = [
        "".join(letter for letter in line if category(letter) != "Cc").rstrip() for line in text.splitlines()
    ]
    found = _reason(subject) or "", "\n".join(lines).strip()
    if not all(found):
        raise UnfitError("A mail needs a subject and a text.")
    if len(found[1]) > TEXT_LIMIT:
        raise UnfitError(f"The text is too long: {TEXT_LIMIT:,} characters at most.")
    return found


def since_of_others(store: Store, person: Person, after: int, most: int) -> list[Decision]:
    """What others decided after an act, newest first, without what was undone."""
    query = f"select {_COLUMNS} from decisions where sequence > ? and decided_by <> ? order by sequence desc"
    rows = store.con.execute(f"{query} limit ?", [after, person.name, most])
    return in_force(Decision(*row) for row in rows)


def recent_accounts(store: Store, landed_at: str, today: date) -> list[str]:
    """Accounts on which something was decided that no run has read, or that are snoozed."""
    query = (
        "select account_id from decisions where decided_at > ?"
        " union select account_id from decisions where kind = 'snooze' and until_date > ?"
    )
    return [row["account_id"] for row in store.con.execute(query, [landed_at, today.isoformat()])]


def in_force(decisions: Iterable[Decision]) -> list[Decision]:
    """Those that nobody has undone, without the undoing itself."""
    every = list(decisions)
    undone = {one.undoes for one in every if one.kind == "undo"}
    return [one for one in every if one.kind != "undo" and one.decision_id not in undone]


def last(decisions: Iterable[Decision], *kinds: str) -> Decision | None:
    """The newest of these kinds."""
    return next((one for one in decisions if one.kind in kinds), None)


def decision_text(of: Mapping[str, Any]) -> str:
    """`Override to Watch until 3 Jul 2026`, from a decision's or a wanted one's fields."""
    bucket = BUCKET_LABELS.get(of["bucket"] or "", "")
    verdict, until = (of["verdict"] or "").replace("_", " "), _day_text(of["until_date"] or "")
    cover = of.get("owner_name") or "another owner"
    texts = {
        "sign_off": "Signed off" if verdict == "agree" else "Not signed off: does not agree",
        "spot_check": f"Spot check: {verdict}s",
        "override": f"Override to {bucket}" + (f" until {until}" if until else ""),
        "withdraw": "Override withdrawn",
        "snooze": f"Snoozed until {until}",
        "wake": "Snooze ended",
        "outcome": f"Outcome: {verdict}",
        "action": {"done": "Task done", "not now": f"Task put off until {until}"}.get(
            verdict, f"Draft {verdict}" + (", with another text" if of.get("edited_text") else "")
        ),
        "call": f"Called: {verdict}" + (f", next on {until}" if until else ""),
        "cover": f"Cover asked of {cover} until {until}",
        "note": "Note",
        "undo": "Undone",
    }
    return texts[of["kind"]]


def _until_of(kind: str, verdict: str | None, text: str, today: date) -> str | None:
    """The day that the form names: some kinds need one, some may have one. Raises UnfitError."""
    needs_one = kind in ("snooze", "cover") or verdict == "not_now"
    if needs_one or (text and kind in ("override", "call")):
        return _until(text, today, LONGEST_OVERRIDE_DAYS if kind == "override" else LONGEST_SNOOZE_DAYS)
    return None


def _of_account(con: sqlite3.Connection, account_id: str, after: int = 0) -> list[Decision]:
    query = f"select {_COLUMNS} from decisions where account_id = ? and sequence > ? order by sequence"
    return [Decision(*row) for row in con.execute(query, [account_id, after])]


def _reason(text: str) -> str | None:
    """One line without control characters; marks of direction and joined emoji stay."""
    cleaned = "".join(letter for letter in " ".join(text.split()) if category(letter) != "Cc")
    if len(cleaned) > REASON_LIMIT:
        raise UnfitError(f"The reason is too long: {REASON_LIMIT:,} characters at most.")
    return cleaned or None


def _one_of(value: str, allowed: tuple[str, ...], message: str) -> str:
    if value not in allowed:
        raise UnfitError(message)
    return value


def _day(text: str, what: str) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise UnfitError(f"Write {what} as a date, such as 2026-07-31.") from None


def _day_text(text: str) -> str:
    """As people read it; what a form has that is no day stays as it is."""
    try:
        return day(text)
    except ValueError:
        return text


def _until(text: str, today: date, longest: int) -> str:
    last_day = _day(text, "the day until which it holds")
    if not today < last_day <= today + timedelta(days=longest):
        raise UnfitError(f"The day must lie after today, by {longest} days at most.")
    return last_day.isoformat()
