"""Views of the portfolio that people keep: a name, and the address with its filters, which can be shared."""

from __future__ import annotations

from radar.core.runs import utc_now
from radar.panel.decisions import UnfitError
from radar.panel.people import Person
from radar.panel.store import Store

MOST, LONGEST_NAME = 30, 60


def of_person(store: Store, person: Person) -> list[tuple[str, str]]:
    """Names and addresses of their own, in the order of the names."""
    query = "select name, address from saved_views where user_name = ? order by name"
    return [tuple(row) for row in store.con.execute(query, [person.name])]


def save(store: Store, person: Person, name: str, address: str) -> None:
    """Keep a view; one of the same name is replaced. Raises UnfitError."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UnfitError(f"Give the view a name of {LONGEST_NAME} characters at most.")
    with store.writing() as con:
        query = "select count(*) from saved_views where user_name = ? and name <> ?"
        if con.execute(query, [person.name, name]).fetchone()[0] >= MOST:
            raise UnfitError(f"You have {MOST} views: remove one first.")
        con.execute(
            "insert or replace into saved_views values (?, ?, ?, ?)",
            [person.name, name, address, f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"],
        )


def remove(store: Store, person: Person, name: str) -> None:
    """Remove a view of their own, if there is one."""
    with store.writing() as con:
        con.execute("delete from saved_views where user_name = ? and name = ?", [person.name, name])
