"""A signed generic webhook, for Make.com and the like.

Each call is a POST of JSON with three headers: `Radar-Key` (the same for the same delivery, however often it
comes), `Radar-Timestamp` (seconds since 1970) and `Radar-Signature`: `v1=` and the HMAC-SHA256 of
`<timestamp>.<body>` under the shared secret, in hex. A receiver compares signatures in constant time and
refuses timestamps older than five minutes, so that nothing recorded can be played back.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from radar.audit.delivery_ledger import DELIVERED, Result
from radar.deliveries.channels.base import (
    CONNECTION_ERRORS,
    TIMEOUT_SECONDS,
    Message,
    of_error,
    of_status,
)
from radar.deliveries.settings import checked_url


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST would go on as a GET without its body, or take the signature elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        """Never."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256 of timestamp, a full stop and body, in hex."""
    return "v1=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Webhook:
    """One call is one delivery.

    `drops_repeats`: the receiver knows a key again, so calls in doubt are repeated.
    """

    name, looks_up, batch, pause_seconds = "webhook", False, 1, 0.1

    def __init__(self, url: str, secret: str, *, drops_repeats: bool) -> None:
        """Raises UsageError for an address without TLS."""
        self._url, self._secret = checked_url(url, "RADAR_WEBHOOK_URL"), secret
        self.looks_up = drops_repeats
        self._opener = urllib.request.build_opener(NoRedirects)

    def send(self, messages: Sequence[Message]) -> list[Result]:
        """Post it. Raises TroubleError."""
        (message,) = messages
        body = json.dumps({"key": message.key, **message.payload}, ensure_ascii=False, default=str).encode()
        timestamp = str(int(time.time()))
        request = urllib.request.Request(  # noqa: S310 the address was checked
            self._url,
            data=body,
            method="POST",
            headers={
                "Content-Type": "application/json",
                "User-Agent": "radar",
                "Radar-Key": message.key,
                "Radar-Timestamp": timestamp,
                "Radar-Signature": signature(self._secret, timestamp, body),
            },
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                answer.read(1_000)
        except urllib.error.HTTPError as error:
            raise of_status(
                error.code, str(error.reason), dict(error.headers), looks_up=self.looks_up
            ) from error
        except CONNECTION_ERRORS as error:
            raise of_error(error) from error
        return [Result(message.key, DELIVERED)]

    def find(self, keys: Sequence[str], since: datetime, threads: Collection[str] = ()) -> dict[str, str]:
        """Nothing is found, so everything is sent again: the receiver drops what it has."""
        return {}
