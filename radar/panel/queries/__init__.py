"""Named queries of the pages, one file a page: `-- name: x` starts each."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def load(page: str) -> dict[str, str]:
    """The queries of `queries/<page>.sql` by name."""
    text = Path(__file__).with_name(f"{page}.sql").read_text(encoding="utf-8")
    return {
        name: query.strip().rstrip(";")
        for name, query in re.findall(
            r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", text, re.DOTALL | re.MULTILINE
        )
    }
