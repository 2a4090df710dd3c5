"""Addresses that servers of this machine listen on."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def http_address(host: str, port: int) -> str:
    """The address without a path."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
