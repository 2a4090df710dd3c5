"""Whom the tests sign in as."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Owners:
    """Owner ids: the rep's own, the lead's team, and one that neither may see."""

    rep: str
    team: tuple[str, ...]
    stranger: str
