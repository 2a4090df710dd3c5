"""The change of a score between two scored dates, by what caused it.

Belongs here: reading the days and changes that `read_model` has of an account. Where they are shown is the
pages'.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

PARTS = {
    "behaviour": "What the customer did",
    "new_data": "Data that came new",
    "late_data": "Data that came late",
    "rule_change": "Rules that changed",
    "coverage": "What became known or unknown",
}
"""What may have caused a change, and what people read for it."""

Day = dict[str, Any]


def every_day(days: list[Day]) -> Iterator[Day]:
    """Every scored date, from those on which something differs; a gap stays one."""
    for one, following in zip(days, [*days[1:], None], strict=True):
        yield one
        if following and not following["is_gap"]:
            first = date.fromisoformat(one["day"]).toordinal() + 1
            for ordinal in range(first, date.fromisoformat(following["day"]).toordinal()):
                yield {**one, "day": date.fromordinal(ordinal).isoformat()}


def between(days: list[Day], changes: list[dict[str, Any]], since: str, until: str) -> dict[str, Any] | None:
    """The change between two days: the last scored date up to each, and the sums between, part by part.

    `days` are those of `every_day`. What is no date is the first or the newest one; None where nothing can be
    compared.
    """
    if len(days) < 2:
        return None
    first, newest = days[0]["day"], days[-1]["day"]
    start, end = _scored_by(days, since) or first, _scored_by(days, until) or newest
    if start > end:
        start, end = end, start
    of_interval = [one for one in changes if start < one["day"] <= end]
    scores = {one["day"]: one["score"] for one in days}
    return {
        "start": start,
        "end": end,
        "first": first,
        "newest": newest,
        "before": scores[start],
        "after": scores[end],
        "parts": {part: sum(one[part] or 0 for one in of_interval) for part in PARTS},
        "explained": sum(one["change"] or 0 for one in of_interval),
        "steps": [one for one in of_interval if one["change"] or one["reasons"]],
    }


def _scored_by(days: list[Day], text: str) -> str | None:
    """The last scored date that is not after the one asked for."""
    try:
        asked = date.fromisoformat(text).isoformat()
    except ValueError:
        return None
    earlier: list[str] = [one["day"] for one in days if one["day"] <= asked]
    return earlier[-1] if earlier else str(days[0]["day"])
