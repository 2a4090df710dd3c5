"""Whose an id of another system is, as people chose: added to the store, never changed.

How it reaches the warehouse is `radar.landing.decision_feed`: as a row of `crm/identities` that goes before
all others.
"""

from __future__ import annotations

from dataclasses import dataclass

from radar.core.runs import utc_now
from radar.panel.people import Person
from radar.panel.store import Store


@dataclass(frozen=True)
class Choice:
    """The account that somebody chose for an id, and when (UTC)."""

    source: str
    source_account_id: str
    account_id: str
    decided_by: str
    decided_at: str


def choose(store: Store, person: Person, of: tuple[str, str], account_id: str, form_token: str) -> None:
    """Keep the account for an id, given as source and id, once for each form. It is then on the disk."""
    decided_at = f"{utc_now():%Y-%m-%dT%H:%M:%S.%fZ}"
    with store.writing() as con:
        con.execute(
            "insert into link_choices (form_token, source, source_account_id, account_id, decided_by,"
            " decided_at) values (?, ?, ?, ?, ?, ?) on conflict (form_token) do nothing",
            [form_token, *of, account_id, person.name, decided_at],
        )


def last_choices(store: Store) -> dict[tuple[str, str], Choice]:
    """The last choice for each id, by source and id."""
    query = (
        "select source, source_account_id, account_id, decided_by, decided_at from link_choices"
        " order by sequence"
    )
    return {(row["source"], row["source_account_id"]): Choice(*row) for row in store.con.execute(query)}
