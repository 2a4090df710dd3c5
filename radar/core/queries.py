"""Named queries: SQL files in which `-- name: x` begins each query."""

from __future__ import annotations

import re
from pathlib import Path

_QUERY = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", re.DOTALL | re.MULTILINE)


def named_queries(file: Path) -> dict[str, str]:
    """The queries of an SQL file by name, each without the semicolon that ends it."""
    text = file.read_text(encoding="utf-8")
    return {name: query.strip().rstrip(";") for name, query in _QUERY.findall(text)}
