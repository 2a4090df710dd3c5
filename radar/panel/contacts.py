"""Who the people of an account are and what they wrote, from the contact store, for whom it is meant.

Belongs here: reading the store for one person, and keeping that it was shown. Does not belong here: how the
store is made (`radar.publishing.contact_store`).
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from radar.core.runs import utc_now
from radar.panel.people import SQLITE_OWNERS, Person, scoped
from radar.panel.queries import load
from radar.panel.store import Store

Row = sqlite3.Row


@dataclass(frozen=True)
class Contacts:
    """Of one account: people by their id, texts by kind and id. `absent`: why there are none to show."""

    people: Mapping[str, Row] = field(default_factory=dict)
    texts: Mapping[tuple[str, str], Row] = field(default_factory=dict)
    absent: str = ""


class ContactStore:
    """The store as pages read it; without the file, or for other roles, nobody is named."""

    def __init__(self, file: Path, roles: Collection[str]) -> None:
        self._file, self._roles = file, frozenset(roles)

    def of_account(self, store: Store, person: Person, account_id: str) -> Contacts:
        """What this person may see of the account; that they saw it is on the disk before it is returned."""
        if person.role not in self._roles:
            return Contacts(absent="Names and texts are not for your role.")
        if not self._file.is_file():
            return Contacts(
                absent="Names and texts are not on this machine: a run writes them next to the store."
            )
        try:
            people = self._rows(person, "contacts", account_id)
            texts = self._rows(person, "texts", account_id)
        except sqlite3.Error:
            return Contacts(absent="Names and texts cannot be read: the next run writes them again.")
        if people or texts:
            _keep(store, person, account_id)
        return Contacts(
            {row["contact_id"]: row for row in people},
            {(row["kind"], row["object_id"]): row for row in texts},
        )

    def _rows(self, person: Person, query: str, account_id: str) -> list[sqlite3.Row]:
        text, owners = scoped(person, load("contacts")[query], SQLITE_OWNERS)
        with closing(sqlite3.connect(f"{self._file.as_uri()}?mode=ro&immutable=1", uri=True)) as con:
            con.row_factory = sqlite3.Row
            return con.execute(text, {"account_id": account_id, **owners}).fetchall()


def _keep(store: Store, person: Person, account_id: str) -> None:
    """Once a day for each person and account."""
    now = utc_now()
    seen = [person.name, account_id, f"{now:%Y-%m-%d}"]
    query = "select 1 from contact_views where user_name = ? and account_id = ? and shown_on = ?"
    if store.con.execute(query, seen).fetchone():
        return
    with store.writing() as con:
        con.execute(
            "insert or ignore into contact_views"
            " (user_name, account_id, shown_on, view_id, user_role, shown_at) values (?, ?, ?, ?, ?, ?)",
            [*seen, f"view-{secrets.token_hex(12)}", person.role, f"{now:%Y-%m-%dT%H:%M:%S.%fZ}"],
        )
