"""When the daily job runs by itself, and for which day: what an installation sets in `RADAR_SCHEDULE_*`."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from radar.core.errors import UsageError


class Timetable(BaseSettings):
    """Read when definitions are loaded; Dagster shows a change after its code location is reloaded."""

    model_config = SettingsConfigDict(env_prefix="RADAR_", env_ignore_empty=True)

    schedule_time: time = time(5)
    """The time of day, such as 05:00."""
    schedule_zone: str = "UTC"
    """The time zone of that time, such as Europe/Berlin."""
    schedule_day: Literal["ended", "today"] = "ended"
    """The as-of date: the UTC day that has ended, or the UTC day under way, which is scored again later."""

    @field_validator("schedule_zone")
    @classmethod
    def _is_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (LookupError, OSError, ValueError):
            raise ValueError("no such time zone") from None
        return zone

    @classmethod
    def read(cls) -> Timetable:
        """Raises UsageError, naming the variable."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = f"RADAR_{str(first['loc'][0]).upper()}"
            raise UsageError(
                f"{name} is {first['input']!r}: {first['msg']}",
                "write a time such as 05:00, a zone such as Europe/Berlin, and ended or today for the day",
            ) from error

    @property
    def cron(self) -> str:
        """Once a day at the time."""
        return f"{self.schedule_time.minute} {self.schedule_time.hour} * * *"

    @property
    def description(self) -> str:
        """For the schedule's page."""
        day = "the day that has ended" if self.schedule_day == "ended" else "the day under way"
        return f"Every day at {self.schedule_time:%H:%M} {self.schedule_zone}, for {day} (UTC)."

    def as_of(self, today: date) -> date:
        """The as-of date of a run that starts on `today` (UTC)."""
        return today - timedelta(days=1) if self.schedule_day == "ended" else today
