"""Records that were posted land like a file, whatever else is in the folder at the time."""

from __future__ import annotations

import json
import time

from starlette.testclient import TestClient

from radar.receive.app import application
from radar.receive.serve import flush
from radar.receive.settings import ReceiveSettings
from radar.receive.signatures import sign
from tests.landing.inbox import Inbox

SECRET = b"a-secret-of-the-crm"
CALL = {"account_id": "a1", "channel": "call", "direction": "outbound"}
CALLS = [
    CALL | {"touchpoint_id": "t1", "occurred_at": "2026-03-13T10:00:00Z"},
    CALL | {"touchpoint_id": "t2", "occurred_at": "some day"},
]


def test_posted_records_land_and_bad_ones_are_refused_by_row(inbox: Inbox) -> None:
    inbox.put_accounts()
    settings = ReceiveSettings(extracts=inbox.root, secrets=f"crm={SECRET.decode()}", file_seconds=3_600)
    body = json.dumps(CALLS).encode()
    headers = {"Content-Type": "application/json", "Radar-Signature": sign(SECRET, int(time.time()), body)}
    with TestClient(application(settings)) as client:
        assert client.post("/ingest/crm/touchpoints", content=body, headers=headers).status_code == 202
        assert inbox.land_feed("crm/touchpoints").files_landed == 0, "what is in no file yet is not read"
        [path] = flush(settings)
        report = inbox.land_feed("crm/touchpoints")
    assert (report.rows_landed, report.rows_rejected) == (1, 1)
    assert inbox.column("select touchpoint_id from raw.crm_touchpoints") == ["t1"]
    assert inbox.all("select source_file, row_number, column_name from quarantine.rejected_rows") == [
        (f"crm/touchpoints/{path.name}", 2, "occurred_at")
    ]
    assert not any(".receive" in str(text) for text in inbox.land().notices)
