"""What every destination does: send messages, and say which of them it has already.

A client translates its vendor's errors into `TroubleError`, which carries the one thing that matters
afterwards: whether the destination may have what was sent.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from radar.audit.delivery_ledger import FAILED, IN_DOUBT, Item, Result

TIMEOUT_SECONDS = 20.0
_BUSY, _GATEWAY, _REFUSALS = 429, (502, 504), (400, 409, 413, 422)
_NEVER_SENT = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "SSLError", "ProxyError")
"""Of urllib3, by name, so that it need not be there."""


@dataclass(frozen=True)
class Message:
    """What goes out as one. `key` makes it once: it is derived from what the message is about.

    `file` is a name and bytes for the outbox, where the message is more than a line.
    """

    key: str
    items: tuple[Item, ...]
    payload: Mapping[str, Any]
    file: tuple[str, bytes] | None = None


class Client(Protocol):
    """A destination. `looks_up`: it can be asked what it has, so a call in doubt can be repeated safely."""

    name: str
    looks_up: bool
    batch: int
    """The most messages in one call."""
    pause_seconds: float
    """The least time between two calls."""

    def send(self, messages: Sequence[Message]) -> list[Result]:
        """Send them in one call.

        A message without a result is in doubt. Raises TroubleError for the whole call.
        """

    def find(self, keys: Sequence[str], since: datetime, threads: Collection[str] = ()) -> dict[str, str]:
        """Which of these keys the destination has (key: its own id), of what was sent since then (UTC).

        `threads`: ids of earlier messages that some of them may answer.
        """


class TroubleError(Exception):
    """A call that did not end well.

    `status` is failed or in_doubt; `may_pass`: trying again at once may help; `is_refusal`: what was sent is
    refused for what it is, and other messages may fare better.
    """

    def __init__(
        self,
        text: str,
        status: str = FAILED,
        *,
        retry_after: float | None = None,
        may_pass: bool = False,
        is_refusal: bool = False,
    ) -> None:
        super().__init__(text)
        self.status, self.retry_after = status, retry_after
        self.may_pass, self.is_refusal = may_pass, is_refusal

    def result(self, message_key: str) -> Result:
        """The same as the result of one message."""
        return Result(message_key, self.status, error=str(self), retry_after=self.retry_after)


def of_status(
    status: int, detail: str, headers: Mapping[str, str] | None = None, *, looks_up: bool
) -> TroubleError:
    """What an answer other than success means. A gateway's answer is not what the destination did."""
    text = f"answered {status}: {detail}".rstrip(": ")
    retry_after = _retry_after(
        {name.lower(): value for name, value in (headers or {}).items()}.get("retry-after")
    )
    if status == _BUSY:
        return TroubleError(text, retry_after=retry_after, may_pass=True)
    if status in _GATEWAY or (status >= 500 and looks_up) or status < 300:
        return TroubleError(text, IN_DOUBT, retry_after=retry_after, may_pass=True)
    return TroubleError(text, retry_after=retry_after, may_pass=status >= 500, is_refusal=status in _REFUSALS)


def of_error(error: Exception) -> TroubleError:
    """What a broken connection means: in doubt, unless it is certain that nothing was sent."""
    text = f"{type(error).__name__}: {error}"
    if _never_sent(error):
        return TroubleError(text, may_pass=True)
    return TroubleError(text, IN_DOUBT, may_pass=True)


CONNECTION_ERRORS = (OSError, http.client.HTTPException)
"""What the standard library raises where a call breaks.

Those of requests and urllib.error are OSErrors too.
"""


def _never_sent(error: BaseException, depth: int = 0) -> bool:
    if isinstance(error, (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)):
        return True
    if type(error).__name__ in _NEVER_SENT:
        return True
    if depth > 5:
        return False
    inner = [error.__cause__, getattr(error, "reason", None), *error.args]
    return any(_never_sent(cause, depth + 1) for cause in inner if isinstance(cause, BaseException))


def _retry_after(text: str | None) -> float | None:
    """Seconds from a Retry-After header, which may be a date."""
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        wait = parsedate_to_datetime(text) - datetime.now(UTC)
    except (ValueError, TypeError):
        return None
    return max(0.0, wait / timedelta(seconds=1))
