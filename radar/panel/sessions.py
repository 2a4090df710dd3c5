"""Who is signed in: sessions on the server, their cookie, and the pauses that guessing a password meets.

Every attempt is counted before its password is looked at, in the transaction that lets it through, so that
many at once get no further than one after another. Pauses grow and end: nobody is locked out by a stranger. A
browser that has signed in once carries a mark and is counted by that alone.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import sqlite3
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from radar.panel import users
from radar.panel.people import Person
from radar.panel.store import Store

COOKIE = "__Host-radar"
KNOWN_COOKIE = "__Host-radar-known"
"""What a browser that has signed in keeps: a mark of this panel for that name; it opens nothing."""
_USED_EVERY = 60  # seconds; `used_at` is not written on every request
_WINDOW = 15 * 60


@dataclass(frozen=True)
class _Brake:
    """After `free` attempts in the window the next waits `first` seconds, then double, up to `longest`."""

    free: int
    first: int
    longest: int


_BRAKES = {
    "name and address": _Brake(5, 15, 60),
    "browser": _Brake(5, 15, 60),
    "name": _Brake(20, 5, 30),
    "address": _Brake(100, 1, 5),
}
"""An address may be a proxy's before everybody, and anybody can guess at a name: these pauses stay short."""


@dataclass(frozen=True)
class Attempt:
    """An attempt that was let through and counted: in which rows, and by what it is this person's `own`."""

    rows: tuple[int, ...]
    own: str


@dataclass(frozen=True)
class Session:
    """A valid session. `form_key` goes into every form (CSRF)."""

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
    """The session of a cookie, if it is valid: used within `hours`, its user as they were when it began."""
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


def admit(store: Store, name: str, address: str, known: str) -> Attempt | int:
    """Count an attempt to sign in and let it through, or the seconds for which it has to wait.

    `known` is the mark of the browser (`KNOWN_COOKIE`). What is refused is not counted: waiting ends.
    """
    keys = _keys(store, name, address, known)
    with store.writing() as con:
        now = time.time()
        con.execute("delete from failed_sign_ins where at <= ?", [int(now) - _WINDOW])
        pause = max(_pause(con, kind, key, now) for kind, key in keys.items())
        if pause > 0:
            return math.ceil(pause)
        query = "insert into failed_sign_ins values (?, ?)"
        rows = tuple(int(con.execute(query, [key, int(now)]).lastrowid or 0) for key in keys.values())
    return Attempt(rows, next(iter(keys.values())))


def take_back(store: Store, attempt: Attempt, *, is_right: bool) -> None:
    """The attempt was no failure: its password was right, or nobody looked at it."""
    with store.writing() as con:
        marks = ", ".join("?" * len(attempt.rows))
        con.execute(f"delete from failed_sign_ins where rowid in ({marks})", attempt.rows)
        if is_right:
            con.execute("delete from failed_sign_ins where key = ?", [attempt.own])


def _pause(con: sqlite3.Connection, kind: str, key: str, now: float) -> float:
    """Seconds that are left of the pause that this key's attempts have led to."""
    query = "select count(*), max(at) from failed_sign_ins where key = ?"
    count, newest = con.execute(query, [key]).fetchone() or (0, 0)
    brake = _BRAKES[kind]
    if count < brake.free:
        return 0.0
    length = float(min(brake.first * 2 ** min(int(count) - brake.free, 20), brake.longest))
    return min(float(newest) + length - now, length)  # a clock that was set back makes no pause longer


def mark(store: Store, name: str) -> str:
    """A new mark for the browser of somebody who has just signed in by that name."""
    nonce = secrets.token_urlsafe(12)
    return f"{nonce}.{_mark(store, name, nonce)}"


def is_marked(store: Store, name: str, known: str) -> bool:
    """Whether the mark is one of this panel's for this name."""
    nonce, _, found = known.partition(".")
    return bool(found) and same(found, _mark(store, name, nonce))


def _mark(store: Store, name: str, nonce: str) -> str:
    return hmac.new(_secret(store), f"browser\n{name}\n{nonce}".encode(), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def _keys(store: Store, name: str, address: str, known: str) -> dict[str, str]:
    """What an attempt is counted by; the first is the person's alone."""
    if is_marked(store, name, known):
        parts = {"browser": known}
    else:
        network = _network(address)
        parts = {"name and address": f"{name}\n{network}", "name": name, "address": network}
    return {kind: _hash(f"{kind}\n{text}") for kind, text in parts.items()}


def _network(address: str) -> str:
    """The address; of version 6 the network of one owner, who has more of them than anybody counts."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def proxy_form_key(store: Store, name: str, epoch: int) -> str:
    """The key for forms of a user whom a proxy names: made from a secret of the store."""
    return hmac.new(_secret(store), f"{name}\n{epoch}".encode(), hashlib.sha256).hexdigest()


def attempt_key(store: Store) -> str:
    """The key for the cookie of a sign-in at a provider: made from a secret of the store."""
    return hmac.new(_secret(store), b"attempt at a provider", hashlib.sha256).hexdigest()


def _secret(store: Store) -> bytes:
    query = "select value from secrets where name = 'forms'"
    row = store.con.execute(query).fetchone()
    if row is None:
        with store.writing() as con:
            con.execute("insert or ignore into secrets values ('forms', ?)", [secrets.token_hex(32)])
        row = store.con.execute(query).fetchone()
    return bytes.fromhex(row["value"])
