"""Who is signed in: sessions on the server, their cookie, and a brake on guessing passwords."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

from panel import users
from panel.people import Person
from panel.store import Store

COOKIE = "__Host-radar"
_USED_EVERY = 60  # seconds; `used_at` is not written on every request
_WINDOW = 15 * 60
_LIMITS = {"name and address": 5, "address": 30, "name": 50}
"""Failed sign-ins within the window after which the next is refused unseen."""


@dataclass(frozen=True)
class Session:
    """A session that holds now. `form_key` goes into every form (CSRF)."""

    person: Person
    form_key: str


def begin(store: Store, person: Person, epoch: int) -> str:
    """A new session; returns what goes into the cookie."""
    token, now = secrets.token_urlsafe(32), int(time.time())
    with store.writing() as con:
        con.execute(
            "insert into sessions values (?, ?, ?, ?, ?, ?)",
            [_hash(token), person.name, epoch, secrets.token_urlsafe(24), now, now],
        )
    return token


def find(store: Store, token: str | None, hours: int) -> Session | None:
    """The session of a cookie, if it holds: used within `hours`, its user as they were when it began."""
    if not token:
        return None
    now, key = int(time.time()), _hash(token)
    row = store.con.execute(
        "select user_name, epoch, form_key, used_at from sessions where token_hash = ?", [key]
    ).fetchone()
    if row is None or now - row["used_at"] > hours * 3600:
        return None
    found = users.find(store, row["user_name"])
    if found is None or found[1] != row["epoch"]:
        return None
    if now - row["used_at"] > _USED_EVERY:
        with store.writing() as con:
            con.execute("update sessions set used_at = ? where token_hash = ?", [now, key])
    return Session(found[0], row["form_key"])


def end(store: Store, token: str | None) -> None:
    """End the session of a cookie."""
    if token:
        with store.writing() as con:
            con.execute("delete from sessions where token_hash = ?", [_hash(token)])


def is_braked(store: Store, name: str, address: str) -> bool:
    """Whether too many sign-ins failed lately, by name, by address, or both."""
    since = int(time.time()) - _WINDOW
    query = "select count(*) from failed_sign_ins where key = ? and at > ?"
    return any(
        store.con.execute(query, [key, since]).fetchone()[0] >= _LIMITS[kind]
        for kind, key in _keys(name, address).items()
    )


def note_failure(store: Store, name: str, address: str) -> None:
    """Count a failed sign-in; old ones are forgotten."""
    now = int(time.time())
    with store.writing() as con:
        con.execute("delete from failed_sign_ins where at <= ?", [now - _WINDOW])
        con.executemany(
            "insert into failed_sign_ins values (?, ?)",
            [(key, now) for key in _keys(name, address).values()],
        )


def same(one: str, other: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def _keys(name: str, address: str) -> dict[str, str]:
    told = {"name and address": f"{name}\n{address}", "address": address, "name": name}
    return {kind: _hash(f"{kind}\n{text}") for kind, text in told.items()}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def proxy_form_key(store: Store, name: str, epoch: int) -> str:
    """The key for forms of a user whom a proxy names: made from a secret of the store."""
    return hmac.new(_secret(store), f"{name}\n{epoch}".encode(), hashlib.sha256).hexdigest()


def _secret(store: Store) -> bytes:
    query = "select value from secrets where name = 'forms'"
    row = store.con.execute(query).fetchone()
    if row is None:
        with store.writing() as con:
            con.execute("insert or ignore into secrets values ('forms', ?)", [secrets.token_hex(32)])
        row = store.con.execute(query).fetchone()
    return bytes.fromhex(row["value"])
