"""Connections that get nowhere end, and always leave room for the next.

Uvicorn waits for ever for the rest of a request, and holds as many connections as there are descriptors.
Belongs here: how long the server waits for a client, how many connections it holds, and descriptors. Uvicorn
takes the class as its HTTP protocol. How long a form may take is decided by `guard`, which can answer.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from functools import cache
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

LOG = logging.getLogger("panel")
REQUEST_SECONDS = 10
"""For the lines before a form to come, and between two requests at the most."""
FORM_SECONDS = 15
"""For the form itself, where what answers does not read it."""
UNREAD_SECONDS = 20
"""In which a client takes at least some of an answer."""

MOST_CONNECTIONS = 512
_OTHER_FILES = 300
"""Descriptors for the copy, for the read model and the store in each thread, and for what else is open."""
_FEWEST = 16
_MOST_FILES = 65_536
_LOOK_SECONDS = 1.0
_LOG_EVERY = 60.0

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 45\r\n\r\n"
    b"Too many connections. Try again in a moment.\n"
)


def raise_descriptors() -> int:
    """Let this process and those it starts open as many files as the system allows; how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft


@cache
def room() -> int:
    """How many connections one process holds: fewer than it has descriptors for."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(min(MOST_CONNECTIONS, soft - _OTHER_FILES), _FEWEST)


class Connection(H11Protocol):
    """One connection. Once a second it is looked at whether the client has got on.

    Where there is no room for another, the one that has waited longest for its client goes.
    """

    _logged_at = float("-inf")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch it, and make room for it."""
        super().connection_made(transport)
        self._at, self._since = self._position(), self.loop.time()
        self._watch = self.loop.call_later(_LOOK_SECONDS, self._look)
        if len(self.connections) > room():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch it no longer."""
        self._watch.cancel()
        super().connection_lost(exc)

    def _position(self) -> tuple[Any, bool, int]:
        """How far it is: the request, whether more of it is to come, and bytes that were not taken yet."""
        is_asking = self.cycle is None or self.cycle.response_complete or self.cycle.more_body
        return self.cycle, is_asking, self.transport.get_write_buffer_size()

    def _patience(self) -> float | None:
        """Seconds for which the client may leave it where it is; None while the server is at work."""
        cycle, is_asking, unread = self._at
        if unread:
            return UNREAD_SECONDS
        if not is_asking:
            return None
        return REQUEST_SECONDS if cycle is None or cycle.response_complete else FORM_SECONDS

    def _look(self) -> None:
        now, at = self.loop.time(), self._position()
        if at != self._at:
            self._at, self._since = at, now
        patience = self._patience()
        if patience is not None and now - self._since >= patience:
            self._end()
        else:
            self._watch = self.loop.call_later(_LOOK_SECONDS, self._look)

    def _make_room(self) -> None:
        waiting = [
            one
            for one in self.connections
            if isinstance(one, Connection) and one is not self and one._is_waiting()
        ]
        Connection._tell(len(self.connections))
        if waiting:
            min(waiting, key=lambda one: one._since)._end()
        else:
            self.transport.write(_FULL)
            self.transport.close()

    def _is_waiting(self) -> bool:
        _, is_asking, unread = self._position()
        return is_asking or unread > 0

    def _end(self) -> None:
        self.connections.discard(self)  # its place is free at once
        self.transport.abort()

    @staticmethod
    def _tell(number: int) -> None:
        """In the log, now and then."""
        if time.monotonic() - Connection._logged_at > _LOG_EVERY:
            Connection._logged_at = time.monotonic()
            LOG.warning("%d connections at once: those that wait longest for their client are closed", number)
