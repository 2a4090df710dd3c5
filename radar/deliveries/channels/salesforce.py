"""Salesforce: accounts are upserted by an external id, tasks are created once.

The fields `Radar_Account_Id__c` of Account (external id, unique) and `Radar_Action_Id__c` of Activity (text)
have to exist. A task is looked for by its field before it is created, with SOQL, which sees what was just
written.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from radar.audit.delivery_ledger import DELIVERED, FAILED, Result
from radar.deliveries.channels.base import CONNECTION_ERRORS, TIMEOUT_SECONDS, Message, of_error, of_status
from radar.deliveries.settings import checked_url

if TYPE_CHECKING:
    import requests

ACCOUNT_FIELD, ACTION_FIELD = "Radar_Account_Id__c", "Radar_Action_Id__c"
_BATCH = 200
"""Records that one call of sObject Collections takes."""
_LIMITS = {"REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW"}


class _Api:
    def __init__(self, url: str, token: str | None, key: str | None, secret: str | None) -> None:
        import requests  # noqa: PLC0415 only where Salesforce is used
        from simple_salesforce import Salesforce, format_soql  # noqa: PLC0415
        from simple_salesforce.exceptions import SalesforceError  # noqa: PLC0415

        self._error, self.soql = SalesforceError, format_soql
        self._retry_after: str | None = None
        parts = urlsplit(checked_url(url, "RADAR_SALESFORCE_URL"))
        session = requests.Session()
        session.hooks["response"].append(self._note_headers)
        token = token or self._sign_in(session, url, key or "", secret or "")
        self._client = Salesforce(instance_url=url, session_id=token, session=session)
        if parts.scheme == "http":  # a server on this machine; the client knows https alone
            self._client.base_url = f"http://{parts.netloc}/services/data/v{self._client.sf_version}/"

    def _sign_in(self, session: requests.Session, url: str, key: str, secret: str) -> str:
        """An access token by the client credentials flow. (The client's own waits for ever.)"""
        token_url = f"{url.rstrip('/')}/services/oauth2/token"
        try:
            answer = session.post(
                token_url,
                {"grant_type": "client_credentials"},
                auth=(key, secret),
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
            body = answer.json()
        except CONNECTION_ERRORS as error:
            raise of_error(error) from error
        if answer.status_code != 200 or not isinstance(body, dict) or not body.get("access_token"):
            reason = body.get("error_description") or body.get("error") if isinstance(body, dict) else ""
            raise of_status(answer.status_code, f"Salesforce refused the sign-in: {reason}", looks_up=True)
        return str(body["access_token"])

    def call(self, path: str, method: str = "GET", **options: Any) -> Any:
        """The answer. Raises TroubleError."""
        self._retry_after = None
        try:
            return self._client.restful(path, method=method, timeout=TIMEOUT_SECONDS, **options)
        except self._error as error:
            headers = {"Retry-After": self._retry_after or ""}
            code, detail = _first_error(error.content)
            status = 429 if code in _LIMITS else error.status
            raise of_status(status, detail, headers, looks_up=True) from error
        except CONNECTION_ERRORS as error:
            raise of_error(error) from error

    def query(self, template: str, values: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of a query whose `{values}` are these."""
        if not values:
            return []
        answer = self.call("query/", params={"q": self.soql(template, values=list(values))})
        return list(answer["records"])

    def _note_headers(self, answer: Any, *_: Any, **__: Any) -> None:
        self._retry_after = answer.headers.get("Retry-After")


class SalesforceTasks:
    """Creates tasks, each about its account."""

    name, looks_up, batch, pause_seconds = "salesforce", True, _BATCH, 0.0

    def __init__(self, url: str, token: str | None, key: str | None, secret: str | None) -> None:
        """Raises UsageError for an address without TLS, TroubleError where the sign-in fails."""
        self._api = _Api(url, token, key, secret)

    def send(self, messages: Sequence[Message]) -> list[Result]:
        """Create those that are not there. Raises TroubleError."""
        there = self.find([message.key for message in messages], datetime.min)
        rows = self._api.query(
            f"SELECT Id, {ACCOUNT_FIELD} FROM Account WHERE {ACCOUNT_FIELD} IN {{values}}",
            sorted({message.items[0].account_id for message in messages}),
        )
        accounts = {row[ACCOUNT_FIELD]: row["Id"] for row in rows}
        results = [Result(key, DELIVERED, remote_id=remote_id) for key, remote_id in there.items()]
        sent, records = [], []
        for message in messages:
            account = accounts.get(message.items[0].account_id)
            if message.key in there:
                continue
            if account is None:
                problem = f"Salesforce has no account whose {ACCOUNT_FIELD} is {message.items[0].account_id}"
                results.append(Result(message.key, FAILED, error=problem))
                continue
            sent.append(message.key)
            records.append(_task(message, account))
        if records:
            body = {"allOrNone": False, "records": records}
            results += _results(sent, self._api.call("composite/sobjects", "POST", json=body))
        return results

    def find(self, keys: Sequence[str], since: datetime, threads: Collection[str] = ()) -> dict[str, str]:
        """Tasks that are there, by key. Raises TroubleError."""
        rows = self._api.query(
            f"SELECT Id, {ACTION_FIELD} FROM Task WHERE {ACTION_FIELD} IN {{values}}", keys
        )
        return {row[ACTION_FIELD]: row["Id"] for row in rows}


class SalesforceAccounts:
    """Writes the mapped fields of accounts; the same again changes nothing."""

    name, looks_up, batch, pause_seconds = "salesforce", True, _BATCH, 0.0

    def __init__(self, url: str, token: str | None, key: str | None, secret: str | None) -> None:
        """Raises UsageError for an address without TLS, TroubleError where the sign-in fails."""
        self._api = _Api(url, token, key, secret)

    def send(self, messages: Sequence[Message]) -> list[Result]:
        """Upsert them. Raises TroubleError."""
        records = [{"attributes": {"type": "Account"}, **message.payload} for message in messages]
        answer = self._api.call(
            f"composite/sobjects/Account/{ACCOUNT_FIELD}",
            "PATCH",
            json={"allOrNone": False, "records": records},
        )
        return _results([message.key for message in messages], answer)

    def find(self, keys: Sequence[str], since: datetime, threads: Collection[str] = ()) -> dict[str, str]:
        """Nothing needs to be found: an upsert may be repeated."""
        return {}


def _task(message: Message, account: str) -> dict[str, Any]:
    payload = message.payload
    task = {
        "attributes": {"type": "Task"},
        ACTION_FIELD: message.key,
        "WhatId": account,
        "Subject": payload["subject"][:255],
        "Description": payload["body"],
        "ActivityDate": payload["due_at"].date().isoformat(),
        "Status": "Not Started",
        "Priority": "High" if payload["is_urgent"] else "Normal",
    }
    owner = str(payload["owner_id"] or "")
    if owner.startswith("005") and len(owner) in (15, 18):  # Salesforce's own ids of users
        task["OwnerId"] = owner
    return task


def _results(sent: Sequence[str], answer: Any) -> list[Result]:
    """The answer lists records in the order in which they were sent."""
    results = []
    for key, entry in zip(sent, answer or [], strict=False):
        if entry.get("success"):
            results.append(Result(key, DELIVERED, remote_id=entry.get("id")))
        else:
            problem = "; ".join(str(error.get("message")) for error in entry.get("errors") or []) or "refused"
            results.append(Result(key, FAILED, error=problem))
    return results


def _first_error(content: Any) -> tuple[str, str]:
    """Code and message of an error's body."""
    try:
        parsed = json.loads(content) if isinstance(content, (bytes, str)) else content
        first = parsed[0] if isinstance(parsed, list) else parsed
        return str(first.get("errorCode", "")), str(first.get("message", ""))
    except (ValueError, LookupError, AttributeError):
        return "", ""
