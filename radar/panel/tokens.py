"""Tokens: what a program comes in with in a user's name, such as an agent at `radar mcp`.

A token gives what the user's role gives, until it expires or is revoked, and no longer than the user's
sessions: it ends with a new password, and while the user is switched off. It is shown once; the store has its
hash alone.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from radar.core.errors import UsageError
from radar.core.runs import utc_now
from radar.panel import users
from radar.panel.people import Person
from radar.panel.store import Store

PREFIX = "radar_mcp_"
"""How every token begins, so that what looks for secrets finds one, as `radar.core.masking` does."""
MOST_DAYS = 366


@dataclass(frozen=True)
class Caller:
    """Whoever came in with a token: the user, and which of their tokens it was."""

    person: Person
    token_id: str


def make(store: Store, name: str, days: int) -> tuple[str, str, datetime]:
    """A new token of the user: its id, the token, and when it expires (UTC). Raises UsageError."""
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"a token is valid for 1 to {MOST_DAYS} days", "choose another number with --days")
    found = users.find(store, name)
    if found is None:
        raise UsageError(
            f"there is no user '{name}' who may come in", "radar panel users list shows those that are"
        )
    token_id, token = secrets.token_hex(4), PREFIX + secrets.token_urlsafe(32)
    expires_at = int(time.time()) + days * 86_400
    with store.writing() as con:
        con.execute(
            "insert into tokens (token_id, token_hash, user_name, epoch, created_at, expires_at)"
            " values (?, ?, ?, ?, ?, ?)",
            [token_id, _hash(token), name, found[1], f"{utc_now():%Y-%m-%dT%H:%M:%SZ}", expires_at],
        )
    return token_id, token, datetime.fromtimestamp(expires_at, UTC)


def find(store: Store, token: str) -> Caller | None:
    """Who comes in with this token; None where it is none, expired, revoked, or its user is switched off."""
    row = store.con.execute(
        "select token_id, user_name, epoch, expires_at from tokens"
        " where token_hash = ? and revoked_at is null",
        [_hash(token)],
    ).fetchone()
    if row is None or row["expires_at"] <= time.time():
        return None
    found = users.find(store, row["user_name"])
    if found is None or found[1] != row["epoch"]:
        return None
    return Caller(found[0], row["token_id"])


def revoke(store: Store, token_id: str) -> str:
    """End a token at once; whose it was. Raises UsageError where there is none, or it was revoked before."""
    with store.writing() as con:
        row = con.execute(
            "select user_name, revoked_at from tokens where token_id = ?", [token_id]
        ).fetchone()
        if row is None or row["revoked_at"]:
            problem = "was revoked before" if row else "does not exist"
            raise UsageError(
                f"the token '{token_id}' {problem}", "radar panel users tokens shows all of them"
            )
        now = f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"
        con.execute("update tokens set revoked_at = ? where token_id = ?", [now, token_id])
    return str(row["user_name"])


def listed(store: Store) -> list[tuple[str, str, str]]:
    """Every token: its id, whose it is, and until when it is valid or why it is no longer."""
    rows = store.con.execute(
        "select tokens.*, users.epoch as user_epoch, users.is_disabled from tokens"
        " left join users on tokens.user_name = users.name order by user_name, created_at, token_id"
    )
    return [(row["token_id"], row["user_name"], _state(row)) for row in rows]


def _state(row: sqlite3.Row) -> str:
    last = f"{datetime.fromtimestamp(row['expires_at'], UTC):%Y-%m-%d}"
    if row["revoked_at"]:
        return f"revoked on {row['revoked_at'][:10]}"
    if row["expires_at"] <= time.time():
        return f"expired on {last}"
    if row["user_epoch"] != row["epoch"] or row["is_disabled"]:
        return "ended with the sessions of the user"
    return f"valid until {last}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
