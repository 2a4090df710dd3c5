"""Slack hears once that runs fail, and once that they are done again.

What was reported is in a file next to the warehouse, because the warehouse may be what fails. It is written
before the call and after it: where nobody knows whether a message came through, it is not sent again. Another
problem is another state, and is reported too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from radar.audit.delivery_ledger import ATTEMPTING, DELIVERED, FAILED, IN_DOUBT
from radar.core.state_files import read_json, replace_file
from radar.core.warehouse import state_dir
from radar.deliveries.channels.base import Message, TroubleError
from radar.deliveries.channels.choose import OUTBOX, client_for, destination
from radar.deliveries.rendering import Templates
from radar.deliveries.settings import Destinations

_FILE = "run_alert.json"
_RECOVERING = "recovering"
"""The state of a recovery that could not be reported yet."""


def run_failed(warehouse: Path, text: str, settings: Destinations) -> str | None:
    """Report that a run failed, if that is news; the status, or None where there was nothing to report.

    Raises RadarError where Slack's settings, a template or the file cannot be used.
    """
    problem, _, remedy = _masked(text, settings).partition("\nWhat to do: ")
    # numbers (processes, runs, rows) do not make it another problem
    state = hashlib.sha256(re.sub(r"[0-9a-f-]*\d[0-9a-f-]*", "#", problem).encode()).hexdigest()[:16]
    last = _last_alert(warehouse)
    if last.get("state") == state and last.get("status") != FAILED:
        return None
    values = {"problem": problem, "remedy": remedy.strip()}
    return _send(
        warehouse,
        settings,
        key=f"run_failed:{state}",
        state=state,
        template="slack_run_failed.j2",
        values=values,
    )


def run_done(warehouse: Path, as_of: date, settings: Destinations) -> str | None:
    """Report that runs are done again, if a failure was reported; the status, or None.

    Raises RadarError as `run_failed` does.
    """
    last = _last_alert(warehouse)
    if not last:
        return None
    status: str | None = None
    if last["state"] == _RECOVERING or last["status"] != FAILED:
        values = {"as_of_date": as_of}
        status = _send(
            warehouse,
            settings,
            key="run_recovered",
            state=_RECOVERING,
            template="slack_run_recovered.j2",
            values=values,
        )
    if status != FAILED:
        (state_dir(warehouse) / _FILE).unlink(missing_ok=True)
    return status


def _send(
    warehouse: Path,
    settings: Destinations,
    *,
    key: str,
    state: str,
    template: str,
    values: Mapping[str, Any],
) -> str | None:
    """Post a message and keep what became of it; None where Slack has no secret."""
    name = destination("slack", settings)
    if name == OUTBOX:
        return None
    message = Message(key, (), Templates(settings.templates).slack(template, values))
    _keep(warehouse, state, ATTEMPTING)
    try:
        client = client_for(name, "slack", settings)
        client.send([message])
        status = DELIVERED
    except TroubleError as trouble:
        status = FAILED if trouble.status == FAILED else IN_DOUBT
    _keep(warehouse, state, status)
    return status


def _masked(text: str, settings: Destinations) -> str:
    return "\n".join(settings.mask(line) for line in text.splitlines())


def _last_alert(warehouse: Path) -> dict[str, str]:
    def read(content: Any) -> dict[str, str]:
        return {"state": str(content["state"]), "status": str(content["status"])}

    return read_json(state_dir(warehouse) / _FILE, read) or {}


def _keep(warehouse: Path, state: str, status: str) -> None:
    replace_file(state_dir(warehouse) / _FILE, json.dumps({"state": state, "status": status}))
