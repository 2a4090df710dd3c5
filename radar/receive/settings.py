"""How others reach the receiver and what they may send: `RADAR_RECEIVE_*` variables or the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from radar.core.errors import UsageError
from radar.core.settings import AbsolutePath, Settings
from radar.landing.adapters import nearest_names, vendors
from radar.landing.feeds import load_feeds

LEAST_SECRET = 16
"""Characters of a secret: fewer can be guessed."""


class ReceiveSettings(BaseSettings):
    """One receiver."""

    model_config = SettingsConfigDict(
        env_prefix="RADAR_RECEIVE_", env_ignore_empty=True, validate_default=True, hide_input_in_errors=True
    )

    extracts: AbsolutePath = Field(default_factory=lambda: Settings().extracts)
    """The folder that gets the files, and holds what is not in one yet."""
    secrets: Annotated[str, NoDecode] = Field(default="", repr=False)
    """`product=SECRET,hubspot=SECRET`: who may post for which source; a source may have several, to change
    them without a gap."""
    max_bytes: int = Field(default=1 << 20, ge=1)
    """The largest body."""
    requests_per_second: float = Field(default=2_000, gt=0)
    """What one source may send on average; twice as many at once."""
    file_seconds: float = Field(default=60, gt=0)
    """How long requests are gathered into one file."""
    tolerance_seconds: int = Field(default=300, ge=1)
    """How far the time of a signature may be from that of this machine."""
    key_days: int = Field(default=7, ge=1)
    """How long a request that comes again is recognised."""

    @field_validator("secrets")
    @classmethod
    def _readable(cls, value: str) -> str:
        _by_source(value)
        return value

    @classmethod
    def read(cls, extracts: Path | None = None) -> ReceiveSettings:
        """From the environment. Raises UsageError that names the variable, and never its value."""
        try:
            return cls() if extracts is None else cls(extracts=extracts)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = "_".join(str(part) for part in first["loc"]).upper()
            raise UsageError(
                f"RADAR_RECEIVE_{name} cannot be used: {first['msg']}", "docs/receive.md has the variables"
            ) from None

    @property
    def by_source(self) -> dict[str, list[bytes]]:
        """The secrets of each source."""
        return _by_source(self.secrets)

    def check(self) -> None:
        """Raises UsageError where nobody could post, or a secret is for a source that does not exist."""
        if not self.by_source:
            raise UsageError(
                "RADAR_RECEIVE_SECRETS is not set, so nobody may post",
                "set it to <source>=<secret>, such as product=...; openssl rand -hex 32 makes a secret",
            )
        known = sorted({feed.source for feed in load_feeds().values()} | set(vendors()))
        for source in self.by_source:
            if source not in known:
                raise UsageError(
                    f"RADAR_RECEIVE_SECRETS names the source '{source}', and there is none",
                    f"the nearest are {nearest_names(source, known)}; radar sources list shows all",
                )


def _by_source(text: str) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for number, part in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        source, is_there, secret = part.partition("=")
        if not is_there:
            raise ValueError(f"entry {number} is not <source>=<secret>")
        if len(secret.strip()) < LEAST_SECRET:
            raise ValueError(f"the secret of '{source}' has fewer than {LEAST_SECRET} characters")
        found.setdefault(source.strip(), []).append(secret.strip().encode())
    return found
