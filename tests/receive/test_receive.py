"""What others post lands as if it had been a file: who may post, what comes again, what a crash leaves."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from radar.core.errors import UsageError
from radar.panel.serve import with_receiver
from radar.panel.settings import PanelSettings
from radar.receive.app import application
from radar.receive.serve import flush, serve
from radar.receive.settings import ReceiveSettings
from radar.receive.signatures import sign
from tests.panel.server import RADAR, free_port

SECRET, OLD_SECRET, SEGMENT_SECRET = (
    b"a-secret-of-the-product",
    b"the-secret-of-last-year",
    b"segments-own-secret",
)
SECRETS = ",".join(
    f"{source}={secret.decode()}"
    for source, secret in [("product", SECRET), ("product", OLD_SECRET), ("segment", SEGMENT_SECRET)]
)
EVENT = {"event_id": "e1", "account_id": "a1", "event_name": "login", "occurred_at": "2026-06-30T10:00:00Z"}


def settings(extracts: Path, **others: object) -> ReceiveSettings:
    return ReceiveSettings(**{"extracts": extracts, "secrets": SECRETS, "file_seconds": 3_600, **others})


def headers(
    body: bytes, *, key: str | None = None, secret: bytes = SECRET, at: float | None = None
) -> dict[str, str]:
    found = {
        "Content-Type": "application/json",
        "Radar-Signature": sign(secret, int(time.time() if at is None else at), body),
    }
    return found | ({"Idempotency-Key": key} if key else {})


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(application(settings(tmp_path))) as client:
        yield client


def post(
    client: TestClient, records: object, path: str = "/ingest/product/events", **options: str
) -> tuple[int, dict[str, object]]:
    body = json.dumps(records).encode()
    answer = client.post(path, content=body, headers=headers(body, **options))
    return answer.status_code, answer.json()


def landed(extracts: Path, feed: str = "product/events") -> list[dict[str, object]]:
    """The records of all files of a feed."""
    return [
        json.loads(line)
        for path in sorted((extracts / feed).glob("[!.]*"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def test_records_are_in_a_file_once_the_time_is_over(client: TestClient, tmp_path: Path) -> None:
    assert post(client, [EVENT, EVENT | {"event_id": "e2"}]) == (202, {"status": "received", "records": 2})
    assert not (tmp_path / "product").exists()
    [path] = flush(settings(tmp_path))
    assert path.parent == tmp_path / "product/events"
    assert [one["event_id"] for one in landed(tmp_path)] == ["e1", "e2"]
    assert flush(settings(tmp_path)) == []


def test_a_file_is_written_without_being_asked_for(tmp_path: Path) -> None:
    with TestClient(application(settings(tmp_path, file_seconds=0.2))) as client:
        post(client, EVENT)
        deadline = time.monotonic() + 20
        while not landed(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert landed(tmp_path) == [EVENT]


def test_what_waits_is_written_when_the_server_stops(tmp_path: Path) -> None:
    with TestClient(application(settings(tmp_path))) as client:
        post(client, EVENT)
    assert landed(tmp_path) == [EVENT]


def test_a_request_that_comes_again_counts_once(client: TestClient, tmp_path: Path) -> None:
    assert post(client, EVENT, key="k1")[1]["status"] == "received"
    assert post(client, EVENT, key="k1")[1]["status"] == "repeated"
    flush(settings(tmp_path))
    assert post(client, EVENT, key="k1")[1]["status"] == "repeated", "also once it is in a file"
    status, answer = post(client, EVENT | {"event_id": "e2"}, key="k1")
    assert (status, answer["error"]) == (409, "another request with this Idempotency-Key had other records")
    assert post(client, EVENT)[1]["status"] == "received", "without a key, what is in it is the key"
    assert post(client, EVENT)[1]["status"] == "repeated"
    flush(settings(tmp_path))
    assert len(landed(tmp_path)) == 2


def test_old_keys_are_forgotten(tmp_path: Path) -> None:
    with TestClient(application(settings(tmp_path))) as client:
        post(client, EVENT, key="k1")
        flush(settings(tmp_path))
        flush(settings(tmp_path, key_days=1))
        assert post(client, EVENT, key="k1")[1]["status"] == "repeated"
        week = 8 * 86_400
        with pytest.MonkeyPatch.context() as patch:
            now = time.time
            patch.setattr("radar.receive.spool.time.time", lambda: now() + week)
            flush(settings(tmp_path))
        assert post(client, EVENT, key="k1")[1]["status"] == "received"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"Radar-Signature": ""}, "the header Radar-Signature is not t="),
        ({"Radar-Signature": "t=1,v1="}, "the header Radar-Signature is not t="),
        ({"Radar-Signature": "t=1,v1=ab"}, "the signature's time t is more than 300 seconds from now"),
        ({"Radar-Signature": "t=²,v1=ab".encode()}, "the header Radar-Signature is not t="),
        ({"X-Signature": "ab", "Radar-Signature": ""}, "the header Radar-Signature is not t="),
    ],
)
def test_a_request_that_is_not_signed_is_refused(
    client: TestClient, tmp_path: Path, changed: dict[str, str], error: str
) -> None:
    body = json.dumps(EVENT).encode()
    answer = client.post("/ingest/product/events", content=body, headers=headers(body) | changed)
    assert answer.status_code == 401
    assert str(answer.json()["error"]).startswith(error)
    flush(settings(tmp_path))
    assert landed(tmp_path) == []


def test_a_signature_is_of_this_body_this_source_and_this_time(client: TestClient) -> None:
    body = json.dumps(EVENT).encode()
    now = time.time()
    wrong = "the signature is not made from this body with a secret of this source"

    def answer(**options: object) -> tuple[int, str | None]:
        sent = client.post("/ingest/product/events", content=body, headers=headers(body, **options))  # type: ignore[arg-type]
        return sent.status_code, sent.json().get("error")

    assert answer(secret=b"x" * 20) == (401, wrong)
    assert answer(secret=SEGMENT_SECRET) == (401, wrong)
    assert answer(at=now - 290)[0] == 202
    assert answer(at=now - 310)[0] == 401
    assert answer(at=now + 310)[0] == 401
    assert answer(secret=OLD_SECRET)[0] == 202, "both count while a secret is changed"
    other = client.post("/ingest/product/events", content=body + b" ", headers=headers(body))
    assert (other.status_code, other.json()["error"]) == (401, wrong)
    no_source = client.post("/ingest/crm/accounts", content=body, headers=headers(body))
    assert (no_source.status_code, no_source.json()["error"]) == (401, "nobody may post for this source")


def test_segment_signs_in_its_own_way_and_no_batches(client: TestClient, tmp_path: Path) -> None:
    event = {"type": "track", "event": "login", "messageId": "m1"}
    body = json.dumps(event, separators=(",", ":")).encode()
    signed = {
        "Content-Type": "application/json",
        "X-Signature": hmac.new(SEGMENT_SECRET, body, hashlib.sha1).hexdigest(),
    }
    assert client.post("/ingest/segment/track", content=body, headers=signed).status_code == 202
    assert client.post("/ingest/segment/track", content=b"[" + body + b"]", headers=signed).status_code == 401
    flush(settings(tmp_path))
    assert landed(tmp_path, "segment/track") == [event]


def test_what_cannot_be_taken_in_says_why(tmp_path: Path) -> None:
    with TestClient(application(settings(tmp_path, max_bytes=100, requests_per_second=4))) as client:

        def answer(body: bytes, path: str = "/ingest/product/events", **others: str) -> tuple[int, str]:
            sent = client.post(path, content=body, headers=headers(body) | others)
            return sent.status_code, sent.json()["error"]

        assert answer(b"[]") == (400, "there is no record in it")
        assert answer(b"{}", "/ingest/product/event") == (
            404,
            "there is no feed or vendor's object product/event",
        )
        assert answer(b"{}", "/ingest/product/../crm/owners")[0] == 401
        assert answer(b"{}" * 51) == (413, "the body has more than 100 bytes")
        assert answer(b"{}", **{"Content-Type": "text/csv"})[0] == 415
        assert answer(b"{}", **{"Content-Encoding": "gzip"})[0] == 415
        assert answer(b"{}", **{"Idempotency-Key": "k" * 201})[0] == 400
        assert client.get("/ingest/product/events").status_code == 405
        statuses = [answer(b"[]")[0] for _ in range(12)]
        assert statuses[-1] == 429, statuses
        body = b"[]"
        sent = client.post("/ingest/product/events", content=body, headers=headers(body))
        assert sent.headers["Retry-After"] == "1"


def test_a_disk_that_takes_nothing_is_said_and_nothing_acknowledged(tmp_path: Path) -> None:
    with TestClient(application(settings(tmp_path))) as client:
        post(client, EVENT)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("radar.receive.spool._insert", _full_disk)
            body = json.dumps(EVENT | {"event_id": "e2"}).encode()
            sent = client.post("/ingest/product/events", content=body, headers=headers(body))
        assert (sent.status_code, sent.headers["Retry-After"]) == (503, "30")
        assert post(client, EVENT | {"event_id": "e3"})[0] == 202
    assert [one["event_id"] for one in landed(tmp_path)] == ["e1", "e3"]


def _full_disk(*arguments: object) -> list[str]:
    raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ("", "RADAR_RECEIVE_SECRETS is not set"),
        ("produkt=" + "x" * 20, "names the source 'produkt', and there is none"),
    ],
)
def test_a_receiver_to_which_nobody_could_post_does_not_start(
    tmp_path: Path, secrets: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        application(settings(tmp_path, secrets=secrets))


def test_a_secret_that_cannot_be_used_is_named_by_its_source_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value, message in [
        ("product=guess", "the secret of 'product' has fewer than 16 characters"),
        ("guess" * 9, "entry 1 is not <source>=<secret>"),
    ]:
        monkeypatch.setenv("RADAR_RECEIVE_SECRETS", value)
        with pytest.raises(UsageError, match=message) as error:
            ReceiveSettings.read(tmp_path)
        assert "guess" not in str(error.value)


def test_others_reach_it_through_a_proxy_alone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"0\.0\.0\.0 can be reached from elsewhere"):
        serve(settings(tmp_path), host="0.0.0.0", port=free_port(), is_proxied=False)


def test_the_panel_takes_records_in_as_well(tmp_path: Path) -> None:
    panel = PanelSettings(published=tmp_path / "published", store=tmp_path / "panel.sqlite")
    with TestClient(with_receiver(panel, settings(tmp_path)), base_url="https://testserver") as client:
        assert post(client, EVENT)[0] == 202
        assert client.get("/alive").text == "yes\n"
        assert client.post("/sign-in", content=b"x").status_code in (400, 403), (
            "the panel's own rules count there"
        )
    assert landed(tmp_path) == [EVENT]


def test_a_killed_receiver_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    """Four senders, a kill in the middle of it all, twice, while files are written: each record once."""
    acknowledged: set[str] = set()
    sent: set[str] = set()
    for part in range(2):
        port = free_port()
        server = subprocess.Popen(
            [RADAR, "receive", "--extracts", tmp_path, "--port", str(port)],
            env=os.environ | {"RADAR_RECEIVE_SECRETS": SECRETS, "RADAR_RECEIVE_FILE_SECONDS": "0.05"},
            stderr=(tmp_path / ".receive.log").open("a"),
        )
        try:
            _wait_for(port, server)
            senders = [
                threading.Thread(target=_send, args=(port, f"{part}-{one}", sent, acknowledged))
                for one in range(4)
            ]
            for thread in senders:
                thread.start()
            time.sleep(1.5)
        finally:
            server.send_signal(signal.SIGKILL)
            server.wait(30)
        for thread in senders:
            thread.join()
    flush(settings(tmp_path))
    found = [str(one["event_id"]) for one in landed(tmp_path)]
    assert len(acknowledged) > 20
    assert acknowledged <= set(found) <= sent
    assert len(found) == len(set(found))


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None
        try:
            HTTPConnection("127.0.0.1", port, timeout=5).connect()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the receiver did not start")


def _send(port: int, sender: str, sent: set[str], acknowledged: set[str]) -> None:
    """Post event after event until nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    for number in range(1_000_000):
        name = f"{sender}-{number}"
        body = json.dumps(EVENT | {"event_id": name}).encode()
        sent.add(name)
        try:
            connection.request("POST", "/ingest/product/events", body, headers(body, key=name))
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            return
        assert answer.status == 202
        acknowledged.add(name)
