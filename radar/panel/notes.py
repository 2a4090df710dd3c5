"""Accounts that people follow, and what others did on the accounts of a person.

Notes themselves are decisions of the kind `note`: they land, are audited and can be undone like the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request

from radar.core.runs import utc_now
from radar.panel.decisions import Decision, since_of_others
from radar.panel.people import Person
from radar.panel.published_db import NoDataError
from radar.panel.queries import load
from radar.panel.read_model import ReadModel
from radar.panel.store import Store
from radar.panel.web import person_of

MOST = 300
"""Acts of others that are looked through: the newest."""


@dataclass(frozen=True)
class News:
    """What somebody else did on an account. `why`: as whose it concerns the person."""

    act: Decision
    account_name: str
    why: str
    is_new: bool


def follows(store: Store, person: Person, account_id: str) -> bool:
    """Whether the person follows the account."""
    query = "select 1 from follows where user_name = ? and account_id = ?"
    return store.con.execute(query, [person.name, account_id]).fetchone() is not None


def follow(store: Store, person: Person, account_id: str, *, wanted: bool) -> None:
    """Follow an account, or stop."""
    with store.writing() as con:
        con.execute("delete from follows where user_name = ? and account_id = ?", [person.name, account_id])
        if wanted:
            at = f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"
            con.execute("insert into follows values (?, ?, ?)", [person.name, account_id, at])


def seen(store: Store, person: Person) -> int:
    """The number of the last act that the person marked as read."""
    row = store.con.execute("select sequence from seen_acts where user_name = ?", [person.name]).fetchone()
    return int(row["sequence"]) if row else 0


def mark_seen(store: Store, person: Person, sequence: int) -> None:
    """Mark everything up to this act as read; what was marked stays so."""
    newest = max(sequence, seen(store, person))
    with store.writing() as con:
        con.execute("insert or replace into seen_acts values (?, ?)", [person.name, newest])


def news(request: Request, *, after: int = 0) -> list[News]:
    """What others did on accounts of the person: their own, those they follow, and where a note names them.

    The newest first; `after`: only acts with a greater number. Of accounts that the person may see.
    """
    store, person = request.app.state.store, person_of(request)
    acts = since_of_others(store, person, after, MOST)
    if not acts:
        return []
    accounts = _accounts(request, {one.account_id for one in acts})
    followed = {
        row["account_id"]
        for row in store.con.execute("select account_id from follows where user_name = ?", [person.name])
    }
    names, read_until, found = _names(request), seen(store, person), []
    for one in acts:
        if one.account_id not in accounts:
            continue
        owner_id, account_name = accounts[one.account_id]
        why = (
            "names you" if mentions(one.reason or "", names)
            else "yours" if owner_id in person.owner_ids
            else "followed" if one.account_id in followed
            else ""
        )  # fmt: skip
        if why:
            found.append(News(one, account_name, why, one.sequence > read_until))
    return found


def unread(request: Request) -> int:
    """How many of them the person has not marked as read; 0 where there is no data yet."""
    try:
        return len(news(request, after=seen(request.app.state.store, person_of(request))))
    except NoDataError:
        return 0


def mentions(text: str, names: Iterable[str]) -> bool:
    """Whether `@name` is in the text, in any case, as a whole name."""
    return any(re.search(rf"@{re.escape(name)}(?!\w)", text, re.IGNORECASE) for name in names if name)


def _names(request: Request) -> set[str]:
    """What a note calls the person: the name that they sign in with, and their own as an owner."""
    person = person_of(request)
    owners = _read_model(request).rows(person, load("my_day")["owners"]) if person.role == "rep" else []
    return {person.name, *(row["owner_name"] for row in owners if row["owner_name"])}


def _accounts(request: Request, account_ids: set[str]) -> dict[str, tuple[str | None, str]]:
    rows = _read_model(request).rows(
        person_of(request), load("my_day")["owners_of"], account_ids=json.dumps(sorted(account_ids))
    )
    return {row["account_id"]: (row["owner_id"], row["account_name"]) for row in rows}


def _read_model(request: Request) -> ReadModel:
    found: ReadModel = request.app.state.read_model
    return found
