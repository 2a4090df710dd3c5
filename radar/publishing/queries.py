"""The queries of this package, by name, from `queries.sql`."""

from __future__ import annotations

from pathlib import Path

from radar.core.queries import named_queries

QUERIES = named_queries(Path(__file__).with_suffix(".sql"))
