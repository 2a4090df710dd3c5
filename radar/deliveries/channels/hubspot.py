"""HubSpot: companies are written by a unique property of our own, tasks are created once.

Both properties have to exist and be unique: `radar_account_id` of companies, `radar_action_id` of tasks. A
task is looked for by its property before it is created: a lost answer, or a run that died, then makes no
second one, and what people did to a task since stays as it is. (Reading by a unique property sees what was
just written; HubSpot's search does not.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from radar.audit.delivery_ledger import DELIVERED, FAILED, Result
from radar.deliveries.channels.base import (
    CONNECTION_ERRORS,
    TIMEOUT_SECONDS,
    Message,
    of_error,
    of_status,
)
from radar.deliveries.settings import checked_url

ACCOUNT_PROPERTY, ACTION_PROPERTY = "radar_account_id", "radar_action_id"
TASK_TO_COMPANY = 192
"""HubSpot's own type of the association between a task and a company."""
_BATCH = 100


class _Api:
    """The vendor's client, its own retries off: whether to try again is decided where the ledger is."""

    def __init__(self, token: str, url: str) -> None:
        from hubspot import HubSpot  # noqa: PLC0415 only where HubSpot is used
        from urllib3 import Retry  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        self._connection_errors = (HTTPError, *CONNECTION_ERRORS)
        self.crm = HubSpot(
            access_token=token, host=checked_url(url, "RADAR_HUBSPOT_URL"), retry=Retry(total=False)
        ).crm

    def call(self, method: Callable[..., Any], body: dict[str, Any]) -> dict[str, Any]:
        """The answer as it came. Raises TroubleError."""
        try:
            answer = method(body, _preload_content=False, _request_timeout=TIMEOUT_SECONDS)
        except self._connection_errors as error:
            raise of_error(error) from error
        except Exception as error:  # each API of the client has exception classes of its own
            status = getattr(error, "status", None)
            if not isinstance(status, int):
                raise
            detail = _message(getattr(error, "body", None))
            headers = dict(getattr(error, "headers", None) or {})
            raise of_status(status, detail, headers, looks_up=True) from error
        return dict(json.loads(answer.data))


class HubSpotTasks:
    """Creates tasks, each associated with its company."""

    name, looks_up, batch, pause_seconds = "hubspot", True, _BATCH, 0.1

    def __init__(self, token: str, url: str) -> None:
        """Raises UsageError for an address without TLS."""
        self._api = _Api(token, url)

    def send(self, messages: Sequence[Message]) -> list[Result]:
        """Create those that are not there. Raises TroubleError."""
        there = self._read(
            self._api.crm.objects.tasks, ACTION_PROPERTY, [message.key for message in messages]
        )
        companies = self._read(
            self._api.crm.companies,
            ACCOUNT_PROPERTY,
            sorted({message.items[0].account_id for message in messages}),
        )
        results = [Result(key, DELIVERED, remote_id=remote_id) for key, remote_id in there.items()]
        inputs = []
        for message in messages:
            company = companies.get(message.items[0].account_id)
            if message.key in there:
                continue
            if company is None:
                problem = f"HubSpot has no company whose {ACCOUNT_PROPERTY} is {message.items[0].account_id}"
                results.append(Result(message.key, FAILED, error=problem))
                continue
            inputs.append(_task(message, company))
        if inputs:
            answer = self._api.call(self._api.crm.objects.tasks.batch_api.create, {"inputs": inputs})
            results += _results([entry["objectWriteTraceId"] for entry in inputs], answer, ACTION_PROPERTY)
        return results

    def find(self, keys: Sequence[str], since: datetime, threads: Collection[str] = ()) -> dict[str, str]:
        """Tasks that are there, by key. Raises TroubleError."""
        return self._read(self._api.crm.objects.tasks, ACTION_PROPERTY, keys)

    def _read(self, objects: Any, property_name: str, values: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(values), _BATCH):
            answer = self._api.call(
                objects.batch_api.read,
                {
                    "idProperty": property_name,
                    "properties": [property_name],
                    "propertiesWithHistory": [],
                    "inputs": [{"id": value} for value in values[start : start + _BATCH]],
                },
            )
            for entry in answer.get("results") or []:
                found[str(entry["properties"][property_name])] = str(entry["id"])
        return found


class HubSpotCompanies:
    """Writes the mapped properties of companies; the same again changes nothing."""

    name, looks_up, batch, pause_seconds = "hubspot", True, _BATCH, 0.1

    def __init__(self, token: str, url: str) -> None:
        """Raises UsageError for an address without TLS."""
        self._api = _Api(token, url)

    def send(self, messages: Sequence[Message]) -> list[Result]:
        """Upsert them. Raises TroubleError."""
        inputs = [
            {
                "idProperty": ACCOUNT_PROPERTY,
                "id": message.items[0].account_id,
                "objectWriteTraceId": message.key,
                "properties": dict(message.payload),
            }
            for message in messages
        ]
        answer = self._api.call(self._api.crm.companies.batch_api.upsert, {"inputs": inputs})
        return _results([message.key for message in messages], answer, None)

    def find(self, keys: Sequence[str], since: datetime, threads: Collection[str] = ()) -> dict[str, str]:
        """Nothing needs to be found: an upsert may be repeated."""
        return {}


def _task(message: Message, company: str) -> dict[str, Any]:
    payload = message.payload
    due = payload["due_at"].replace(tzinfo=UTC)
    properties = {
        ACTION_PROPERTY: message.key,
        "hs_timestamp": str(int(due.timestamp() * 1000)),
        "hs_task_subject": payload["subject"],
        "hs_task_body": escape(payload["body"]).replace("\n", "<br>"),  # HubSpot shows it as HTML
        "hs_task_status": "NOT_STARTED",
        "hs_task_type": "TODO",
        "hs_task_priority": "HIGH" if payload["is_urgent"] else "MEDIUM",
    }
    owner = str(payload["owner_id"] or "")
    if owner.isdigit():  # HubSpot's own ids are numbers; any other is another system's
        properties["hubspot_owner_id"] = owner
    return {
        "objectWriteTraceId": message.key,
        "properties": properties,
        "associations": [
            {
                "to": {"id": company},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": TASK_TO_COMPANY}],
            }
        ],
    }


def _results(sent: Sequence[str], answer: dict[str, Any], property_name: str | None) -> list[Result]:
    """Match an answer's entries with what was sent; half a batch may have failed.

    An entry names itself by its trace id, or by our property. An error without a trace id is that of all that
    are not among the results. Without any error, what is not named stays without a result, so in doubt.
    """
    results: dict[str, Result] = {}
    for entry in answer.get("results") or []:
        named = (entry.get("properties") or {}).get(property_name or "")
        key = str(entry.get("objectWriteTraceId") or named)
        if key in sent:
            results[key] = Result(key, DELIVERED, remote_id=str(entry.get("id")))
    general = None
    for error in answer.get("errors") or []:
        problem = str(error.get("message") or error.get("category") or "refused")
        traced = (error.get("context") or {}).get("objectWriteTraceId") or []
        for key in [traced] if isinstance(traced, str) else traced:
            if key in sent and key not in results:
                results[key] = Result(key, FAILED, error=problem)
        general = general or problem
    if general:
        for key in sent:
            results.setdefault(key, Result(key, FAILED, error=general))
    return list(results.values())


def _message(body: Any) -> str:
    """The message of an error's body, without its ids and links."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, TypeError, KeyError):
        return ""
