"""The queries of this package, by name, from `queries.sql`."""

from __future__ import annotations

import re
from pathlib import Path

QUERIES: dict[str, str] = dict(
    re.findall(
        r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)",
        Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
)
