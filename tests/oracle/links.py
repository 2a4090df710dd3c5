"""Whose the ids are by which feeds name accounts, row by row, from the words of docs/sources.md.

A claim of crm/identities goes first: a person's before those of files, one of the feed's own source before
those of others, and of the newest batch alone. It may lead to another id. An e-mail address is that of the
accounts whose contacts have it, else its domain's; a domain, unless anybody can have mail there, is that of
the accounts whose domain it is. Where more than one account is left, or claims contradict each other, the id
is nobody's; an account that the CRM has deleted is left only where there is no other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from .contract import Feeds, Row

ACCOUNTS, CONTACTS, IDENTITIES = "crm/accounts", "crm/contacts", "crm/identities"


class Links:
    """The links of a company; `free_mail`: domains of mail that are no company's."""

    def __init__(self, feeds: Feeds, free_mail: Iterable[str]) -> None:
        self._accounts = _newest(
            feeds[ACCOUNTS], "account_id", lambda row: row["updated_at"] or row["created_at"]
        )
        self._by_domain: dict[str, set[str]] = defaultdict(set)
        for name, row in self._accounts.items():
            if row.get("domain"):
                self._by_domain[_domain(row["domain"])].add(name)
        contacts = _newest(
            feeds.get(CONTACTS, ()), "contact_id", lambda row: row["updated_at"] or datetime.min
        )
        self._by_email: dict[str, set[str]] = defaultdict(set)
        for row in contacts.values():
            if row.get("email") and not row.get("is_deleted"):
                self._by_email[row["email"].strip().lower()].add(row["account_id"])
        self._free_mail = set(free_mail)
        self._claims = _claims(feeds.get(IDENTITIES, ()))

    def account_of(self, source: str, name: str, behind: tuple[str, ...] = ()) -> str | None:
        """The account that the feeds of `source` mean by `name`; None where it is nobody's."""
        if name in self._accounts and not self._accounts[name].get("is_deleted"):
            return name
        if name in behind:
            return None
        claimed = self._claims[source, name] or self._claimed_by_anybody(name)
        if claimed:
            leads_to = min(claimed)
            return self.account_of(source, leads_to, (*behind, name)) if len(claimed) == 1 else None
        if name in self._accounts:
            return name
        found = {self.account_of("crm", one) for one in self._by_email.get(name.strip().lower(), ())} - {None}
        domain = _domain(name.rpartition("@")[2])
        if not found and domain not in self._free_mail:
            if "@" in name and self._claimed_by_anybody(domain):
                return self.account_of("crm", domain, (*behind, name))
            found = set(self._by_domain.get(domain, ()))
        present = {one for one in found if one and not self._accounts[one].get("is_deleted")}
        return (present or found).pop() if len(present or found) == 1 else None

    def _claimed_by_anybody(self, name: str) -> set[str]:
        return {account for (_, other), found in self._claims.items() if other == name for account in found}


def resolved(feeds: Feeds, free_mail: Iterable[str]) -> dict[str, list[Row]]:
    """The feeds as if every one had named accounts by their ids in the CRM."""
    links = Links(feeds, free_mail)
    found: dict[str, list[Row]] = {}
    for feed, rows in feeds.items():
        source = feed.split("/", maxsplit=1)[0]
        found[feed] = list(rows)
        if feed not in {ACCOUNTS, IDENTITIES} and rows and "account_id" in rows[0]:
            names = {name: links.account_of(source, name) for name in {row["account_id"] for row in rows}}
            found[feed] = [
                {**row, "account_id": names[row["account_id"]] or row["account_id"]} for row in rows
            ]
    return found


def _newest(rows: Sequence[Row], key: str, moment: Callable[[Row], Any]) -> dict[str, Row]:
    newest: dict[str, Row] = {}
    for row in rows:
        known = newest.get(row[key])
        if known is None or moment(row) >= moment(known):
            newest[row[key]] = row
    return newest


def _claims(rows: Sequence[Row]) -> dict[tuple[str, str], set[str]]:
    """Source and id -> the accounts (or ids) that the rows which count say it is."""
    best: dict[tuple[str, str], tuple[bool, int]] = {}
    claims: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    for row in rows:
        key = row["source"].lower(), row["source_account_id"]
        rank = row.get("decided_by") is not None, row.get("_batch_id", 1)
        if rank > best.get(key, (False, 0)):
            best[key], claims[key] = rank, {}
        if rank == best[key]:
            claims[key][row["account_id"]] = not row.get("is_deleted")
    counted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for key, found in claims.items():
        counted[key] = {account for account, is_claimed in found.items() if is_claimed and account != key[1]}
    return counted


def _domain(text: str) -> str:
    """acme.com of https://www.acme.com/about."""
    return text.strip().lower().split("://")[-1].split("/")[0].split(":")[0].removeprefix("www.")
