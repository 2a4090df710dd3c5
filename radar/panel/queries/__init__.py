"""Named queries of the pages, one file a page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from radar.core.queries import named_queries


@cache
def load(page: str) -> dict[str, str]:
    """The queries of `queries/<page>.sql` by name."""
    return named_queries(Path(__file__).with_name(f"{page}.sql"))
