"""Who really asks, where requests come through proxies.

Belongs here: which of the addresses that a request names is believed. `X-Forwarded-For` counts as far as
trusted proxies wrote it, and not a step further: the client may have written whatever precedes that.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import Request

Networks = Sequence[IPv4Network | IPv6Network]


def is_from(peer: str, trusted: Networks) -> bool:
    """Whether an address is one of these networks'."""
    found = _address(peer)
    return found is not None and any(found in network for network in trusted)


def client_address(request: Request, trusted: Networks) -> str:
    """The rightmost address that is not a trusted proxy's; without trusted proxies that of the connection."""
    at = _address(request.client.host) if request.client else None
    if at is None:
        return request.client.host if request.client else ""
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    while forwarded and any(at in network for network in trusted):
        before = _address(forwarded.pop())
        if before is None:
            break
        at = before
    return str(at)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address, also with a port, in brackets, or version 4 in the form of version 6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
