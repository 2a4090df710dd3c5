"""Who uses the panel, and which accounts each may see.

Belongs here: roles, and the one condition that every query about accounts carries (`scoped`). Does not belong
here: how a person proves who they are (`radar.panel.sessions`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["rep", "lead", "admin"]
ROLES: tuple[Role, ...] = ("rep", "lead", "admin")

_MINE = re.compile(r"\[\[mine ([\w.]+)\]\]")
_FOR_EVERYONE = "-- for everyone"
DUCKDB_OWNERS = "(select unnest(from_json($owner_ids, '[\"VARCHAR\"]')))"
SQLITE_OWNERS = "(select value from json_each($owner_ids))"


@dataclass(frozen=True)
class Person:
    """A signed-in user. `owner_ids`: whose accounts they see (rep: own, lead: the team's); admins see all."""

    name: str
    role: Role
    owner_ids: tuple[str, ...] = ()

    @property
    def scope(self) -> tuple[str, ...] | None:
        """The owner ids in order, or None for all accounts: equal scopes see equal pages."""
        return None if self.role == "admin" else self.owner_ids

    def may_see(self, owner_id: str | None) -> bool:
        """Whether accounts of this owner are theirs to see."""
        return self.role == "admin" or (owner_id is not None and owner_id in self.owner_ids)


def scoped(person: Person, query: str, owners: str = DUCKDB_OWNERS) -> tuple[str, dict[str, Any]]:
    """The query with each `[[mine COLUMN]]` made a condition on whose the row is, and its parameters.

    `owners` reads the JSON list `$owner_ids` in the dialect of the database. A query without the mark is
    refused, unless it holds the comment `-- for everyone` because it shows nothing about single accounts.
    """
    if not _MINE.search(query):
        if _FOR_EVERYONE not in query:
            raise ValueError(f"a query names neither [[mine COLUMN]] nor '{_FOR_EVERYONE}': {query[:80]}")
        return query, {}
    if person.role == "admin":
        return _MINE.sub("true", query), {}
    return _MINE.sub(rf"\1 in {owners}", query), {"owner_ids": json.dumps(sorted(person.owner_ids))}
