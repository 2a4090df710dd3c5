"""Local users: name, role, whose accounts they see, and the argon2 hash of a password."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from radar.core.errors import UsageError
from radar.core.runs import utc_now
from radar.panel.people import ROLES, Person, Role
from radar.panel.store import Store

LEAST_PASSWORD = 12
_hasher = PasswordHasher()


def add(store: Store, name: str, role: Role, owner_ids: Sequence[str], password: str | None) -> None:
    """Add a user. Without a password a proxy or the OpenID provider lets them in. Raises UsageError."""
    if not name or len(name) > 100 or not name.isprintable() or name != name.strip():
        raise UsageError("a user needs a name of 1 to 100 printable characters", "choose another name")
    if role not in ROLES:
        raise UsageError(f"'{role}' is no role", f"use one of {', '.join(ROLES)}")
    if role == "rep" and len(owner_ids) != 1:
        raise UsageError("a rep is one owner", "name their id in the CRM once: --owner own_1")
    with store.writing() as con:
        if con.execute("select 1 from users where name = ?", [name]).fetchone():
            raise UsageError(f"there is a user '{name}'", "choose another name, or change this one")
        con.execute(
            "insert into users (name, password_hash, role, owner_ids, created_at) values (?, ?, ?, ?, ?)",
            [
                name,
                None if password is None else hashed(password),
                role,
                json.dumps(sorted(set(owner_ids))),
                f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
            ],
        )


def hashed(password: str) -> str:
    """The argon2id hash. Raises UsageError for one that is too short."""
    if len(password) < LEAST_PASSWORD:
        raise UsageError(
            f"a password has at least {LEAST_PASSWORD} characters", "choose a longer one, such as four words"
        )
    return _hasher.hash(password)


def change(store: Store, name: str, *, password: str | None = None, disabled: bool | None = None) -> None:
    """Set a new password, or switch the user off or on; every session of theirs ends. Raises UsageError."""
    with store.writing() as con:
        if not con.execute("select 1 from users where name = ?", [name]).fetchone():
            raise UsageError(f"there is no user '{name}'", "radar panel users list shows those that are")
        if password is not None:
            con.execute("update users set password_hash = ? where name = ?", [hashed(password), name])
        if disabled is not None:
            con.execute("update users set is_disabled = ? where name = ?", [int(disabled), name])
        con.execute("update users set epoch = epoch + 1 where name = ?", [name])
        con.execute("delete from sessions where user_name = ?", [name])


def find(store: Store, name: str) -> tuple[Person, int] | None:
    """The user and the epoch of their sessions; None for nobody and for one who is switched off."""
    row = store.con.execute(
        "select name, role, owner_ids, epoch from users where name = ? and is_disabled = 0", [name]
    ).fetchone()
    if row is None:
        return None
    return Person(row["name"], row["role"], tuple(json.loads(row["owner_ids"]))), int(row["epoch"])


def set_slack_id(store: Store, name: str, slack_user_id: str | None) -> None:
    """Whose clicks in Slack are this user's; None for nobody's. Raises UsageError."""
    if slack_user_id is not None and not re.fullmatch(r"[UW][A-Z0-9]{2,30}", slack_user_id, re.ASCII):
        raise UsageError(
            f"'{slack_user_id}' is no member id of Slack", "copy it from the person's profile: U0123456789"
        )
    with store.writing() as con:
        if not con.execute("select 1 from users where name = ?", [name]).fetchone():
            raise UsageError(f"there is no user '{name}'", "radar panel users list shows those that are")
        other = con.execute(
            "select name from users where slack_user_id = ? and name <> ?", [slack_user_id, name]
        ).fetchone()
        if other:
            raise UsageError(
                f"'{slack_user_id}' is {other['name']} already", "take it from them first, with no id"
            )
        con.execute("update users set slack_user_id = ? where name = ?", [slack_user_id, name])


def find_by_slack_id(store: Store, slack_user_id: str) -> Person | None:
    """Whose clicks in Slack these are; None for nobody and for one who is switched off."""
    row = store.con.execute("select name from users where slack_user_id = ?", [slack_user_id]).fetchone()
    found = find(store, row["name"]) if row else None
    return found[0] if found else None


def teams(store: Store) -> dict[str, tuple[str, ...]]:
    """The owners of each lead who is not switched off, by the lead's name."""
    rows = store.con.execute(
        "select name, owner_ids from users where role = 'lead' and is_disabled = 0 order by name"
    )
    return {row["name"]: tuple(json.loads(row["owner_ids"])) for row in rows}


def find_by_email(store: Store, email: str) -> tuple[Person, int] | None:
    """The one user without a password whose name is this address; None for all others."""
    rows = store.con.execute(
        "select name from users where lower(name) = lower(?) and password_hash is null", [email]
    ).fetchall()
    return find(store, rows[0]["name"]) if len(rows) == 1 else None


def check_password(store: Store, name: str, password: str) -> bool:
    """Whether it is theirs; takes as long for a name that does not exist."""
    row = store.con.execute(
        "select password_hash from users where name = ? and is_disabled = 0", [name]
    ).fetchone()
    known = row["password_hash"] if row else None
    try:
        return _hasher.verify(known or _nobodys_hash(), password) and known is not None
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_hex(16))
