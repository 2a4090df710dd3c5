"""`POST /ingest/<source>/<feed>` as an ASGI application: who may post, how much, and what is answered.

Belongs here: HTTP. What is in the records is checked when they land, by the feed's contract.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import fail_after
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from radar.landing.adapters import nearest_names, vendors
from radar.landing.feeds import load_feeds
from radar.receive import records, signatures
from radar.receive.settings import ReceiveSettings
from radar.receive.spool import CONFLICT, Spool

LOG = logging.getLogger("receive")
PATH = "/ingest"
BODY_SECONDS = 10
KEY_LIMIT = 200
CONTENT_TYPES = ("application/json", "application/x-ndjson")


class Refused(Exception):  # noqa: N818  an answer, not a fault
    """A request that is not taken in: status, what is wrong, what to do."""

    def __init__(self, status: int, problem: str, remedy: str, retry_after: int | None = None) -> None:
        super().__init__(problem)
        self.status, self.problem, self.remedy, self.retry_after = status, problem, remedy, retry_after


class Rate:
    """Requests of one source: on average so many a second, at once twice as many."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._left, self._at = 2 * per_second, time.monotonic()

    def take(self) -> bool:
        """Whether one more may come now."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._at) * self._per_second, 2 * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Receiver:
    """The application below `/ingest`."""

    def __init__(self, settings: ReceiveSettings) -> None:
        settings.check()
        self._settings, self._secrets = settings, settings.by_source
        self._spool = Spool(settings.extracts, file_seconds=settings.file_seconds, key_days=settings.key_days)
        self._folders = sorted(
            {*load_feeds(), *(f"{vendor}/{one}" for vendor, objects in vendors().items() for one in objects)}
        )
        self._rates = {source: Rate(settings.requests_per_second) for source in self._secrets}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Takes requests in while this is open; whatever was acknowledged is in files afterwards."""
        await run_in_threadpool(self._spool.start)
        try:
            yield
        finally:
            await run_in_threadpool(self._spool.stop)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._take_in(request)
        except Refused as refusal:
            response = JSONResponse(
                {"error": refusal.problem, "what_to_do": refusal.remedy},
                refusal.status,
                {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else None,
            )
        except ClientDisconnect:
            return
        except Exception as error:
            LOG.error("a request failed: %s", type(error).__name__)
            response = JSONResponse(
                {"error": "something went wrong here", "what_to_do": "send it again"}, 500
            )
        await response(scope, receive, send)

    async def _take_in(self, request: Request) -> Response:
        if request.method != "POST":
            raise Refused(405, "records are sent with POST", "send them to /ingest/<source>/<feed>")
        folder = request.url.path.removeprefix(PATH).strip("/")
        source = folder.partition("/")[0]
        secrets = self._secrets.get(source)
        if not secrets:
            raise Refused(
                401, "nobody may post for this source", "name it with a secret in RADAR_RECEIVE_SECRETS"
            )
        body = await self._body(request)
        _verify(request.headers, body, source, secrets, self._settings.tolerance_seconds)
        if folder not in self._folders:
            near = nearest_names(folder, self._folders)
            raise Refused(404, f"there is no feed or vendor's object {folder}", f"the nearest are {near}")
        if not self._rates[source].take():
            raise Refused(429, f"{source} sends more than it may", "send several records at once", 1)
        key = _key(request.headers, body)
        lines = _lines(body)
        try:
            outcome = await self._spool.add(folder, key, lines)
        except sqlite3.Error as error:
            raise Refused(503, "nothing can be stored at present", "send it again later", 30) from error
        if outcome == CONFLICT:
            raise Refused(
                409,
                "another request with this Idempotency-Key had other records",
                "use a new key for each request, and the same one only to send it again",
            )
        return JSONResponse({"status": outcome, "records": len(lines)}, 202)

    async def _body(self, request: Request) -> bytes:
        most = self._settings.max_bytes
        too_large = Refused(413, f"the body has more than {most} bytes", "send fewer records at once")
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type not in CONTENT_TYPES or request.headers.get("content-encoding"):
            raise Refused(
                415, f"the body is not plain {' or '.join(CONTENT_TYPES)}", "send it as one of them"
            )
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > most:
            raise too_large
        body = bytearray()
        try:
            with fail_after(BODY_SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > most:
                        raise too_large
        except TimeoutError:
            raise Refused(408, "the body did not come in time", "send it again") from None
        return bytes(body)


def application(settings: ReceiveSettings, panel: Starlette | None = None) -> Starlette:
    """The receiver alone, or in front of the panel's application, whose own rules do not apply to it."""
    receiver = Receiver(settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with receiver.running():
            if panel is None:
                yield
            else:
                async with panel.router.lifespan_context(panel):
                    yield

    routes: list[Mount] = [Mount(PATH, app=_below(receiver))]
    if panel is not None:
        routes.append(Mount("", app=panel))
    return Starlette(routes=routes, lifespan=lifespan)


def _below(receiver: Receiver) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receiver(scope, receive, send)

    return app


def _verify(headers: Headers, body: bytes, source: str, secrets: list[bytes], tolerance: int) -> None:
    try:
        if source == "segment" and signatures.SEGMENT_HEADER in headers:
            signatures.verify_segment(headers[signatures.SEGMENT_HEADER], body, secrets)
        else:
            signatures.verify(headers.get(signatures.HEADER, ""), body, secrets, time.time(), tolerance)
    except signatures.SignatureError as error:
        raise Refused(401, str(error), "docs/receive.md shows how to sign") from None


def _key(headers: Headers, body: bytes) -> str:
    """What a request that comes again has in common with itself."""
    key = headers.get("idempotency-key", "").strip()
    if len(key) > KEY_LIMIT:
        raise Refused(400, f"the Idempotency-Key has more than {KEY_LIMIT} characters", "use a shorter one")
    return f"key {key}" if key else f"body {hashlib.sha256(body).hexdigest()}"


def _lines(body: bytes) -> list[str]:
    try:
        return records.lines(body)
    except records.BodyError as error:
        raise Refused(400, str(error), "send JSON objects: one, a list, or one a line") from None
