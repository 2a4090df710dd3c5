"""Whether a request comes from somebody who knows the source's secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

HEADER = "radar-signature"
SEGMENT_HEADER = "x-signature"


class SignatureError(Exception):
    """The request is not signed as it has to be; the text says how, and names no secret."""


def sign(secret: bytes, timestamp: int, body: bytes) -> str:
    """The value of the header `Radar-Signature`: HMAC-SHA256 of `<timestamp>.<body>`, in hex."""
    digest = hmac.new(secret, b"%d." % timestamp + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def verify(header: str, body: bytes, secrets: Iterable[bytes], now: float, tolerance: int) -> None:
    """Raises SignatureError where no secret made it, or its time is too far from `now`, both in seconds."""
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    timestamp, digest = parts.get("t", ""), parts.get("v1", "")
    if not timestamp.isascii() or not timestamp.isdigit() or not digest:
        raise SignatureError(
            "the header Radar-Signature is not t=<seconds since 1970>,v1=<hex of HMAC-SHA256 of '<t>.<body>'>"
        )
    if abs(now - int(timestamp)) > tolerance:
        raise SignatureError(
            f"the signature's time t is more than {tolerance} seconds from now: "
            "sign again when sending again, and set the sender's clock"
        )
    _compare(digest, (sign(secret, int(timestamp), body).rpartition("=")[2] for secret in secrets))


def verify_segment(header: str, body: bytes, secrets: Iterable[bytes]) -> None:
    """Segment signs the body alone, with HMAC-SHA1 in hex, and of a batch only its first event: a batch does
    not pass (Segment's reference of the destination Webhooks (Actions))."""
    _compare(header.strip(), (hmac.new(secret, body, hashlib.sha1).hexdigest() for secret in secrets))


def _compare(given: str, expected: Iterable[str]) -> None:
    # every one is compared, so that the time taken does not say which was near
    matches = [hmac.compare_digest(given.lower().encode(), one.encode()) for one in expected]
    if not any(matches):
        raise SignatureError("the signature is not made from this body with a secret of this source")
