"""What every feed writer is handed: the arguments, the calendar, and the open files of the text feeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from radar.demo.files import FeedFiles, Row
from radar.demo.stories import Calendar


@dataclass(frozen=True, slots=True)
class Company:
    """The invented company that is being written."""

    seed: int
    accounts: int
    calendar: Calendar
    feeds: dict[str, FeedFiles]
    missing_days: Mapping[str, int] = field(default_factory=dict)
    """Of these feeds so many of the last days have not come."""

    @property
    def last(self) -> int:
        """The last day that has facts."""
        return self.calendar.last

    def at(self, day: int, second: int) -> str:
        """A time as the feeds write it."""
        return self.calendar.at(day, second)

    def writer(self, feed: str) -> Callable[[int, Row], None]:
        """The function that writes a row of that feed into the file of its day, where that day has come."""
        write, until = self.feeds[feed].write, self.last - self.missing_days.get(feed, 0)
        return write if until == self.last else lambda day, row: write(day, row) if day <= until else None


def is_every(number: int, step: int, first: int) -> bool:
    """Whether deliberate dirt falls on this account: on number `first`, and on every `step`-th from there."""
    return number % step == first


def usd(cents: int) -> float:
    """An amount in US dollars, as the feeds write it."""
    return cents / 100
