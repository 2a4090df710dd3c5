"""Days and moments as people read them, in one form for pages and messages."""

from __future__ import annotations

from datetime import date, datetime


def day(value: date | str | None) -> str:
    """`30 Jun 2026`; nothing for None."""
    if value is None or value == "":
        return ""
    known = as_date(value)
    return f"{known.day} {known:%b %Y}"


def as_date(value: date | str) -> date:
    """A day of the data or of the store."""
    return date.fromisoformat(value[:10]) if isinstance(value, str) else value


def moment(value: datetime | str | None) -> str:
    """`30 Jun 2026, 14:05 UTC`; nothing for None. `value` is UTC."""
    if value is None or value == "":
        return ""
    in_utc = as_datetime(value)
    return f"{day(in_utc)}, {in_utc:%H:%M} UTC"


def as_datetime(value: datetime | str) -> datetime:
    """A time of the data or of the store, in UTC and without a zone."""
    return datetime.fromisoformat(value.replace("Z", "")) if isinstance(value, str) else value
