"""Where the panel's own things are and how it is reached: `RADAR_PANEL_*` variables or the defaults.

The published copy is that of the installation (`RADAR_PUBLISHED`). Nothing here reads or writes files.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from radar.core.settings import AbsolutePath, Settings, contact_store_of
from radar.panel.people import ROLES, Role


class PanelSettings(BaseSettings):
    """One panel. Paths are absolute; relative ones count from the working folder."""

    model_config = SettingsConfigDict(env_prefix="RADAR_PANEL_", env_ignore_empty=True, validate_default=True)

    published: AbsolutePath = Field(default_factory=lambda: Settings().published)
    """The folder of the published copy."""
    store: AbsolutePath = Field(default_factory=lambda: Settings().panel_store)
    """The SQLite file of what people decide, of local users and of sessions."""
    cache: AbsolutePath | None = None
    """Folder of the read model, made from each copy; next to the store by default."""
    origin: str = ""
    """The address that people use, `https://panel.example.com`: behind a proxy, and for sign-in elsewhere."""
    contact_roles: Annotated[tuple[Role, ...], NoDecode] = ROLES
    """The roles that see names, addresses and texts of customers' people, each of their own accounts."""
    stale_days: int = 1
    """A copy whose newest day is more than this many days ago is marked as old on every page."""
    session_hours: int = 10
    """A session that was not used for this long ends."""
    memory_limit: str = "512MB"
    """What DuckDB may use in each process."""

    proxy_header: str = ""
    """Name of a header that holds the user, set by a proxy; only from `proxy_addresses`."""
    proxy_addresses: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Addresses or networks of trusted proxies, separated by commas in the variable; none by default.

    From them alone `X-Forwarded-For` counts, and `proxy_header`.
    """

    oidc_issuer: str = ""
    """The company's OpenID provider, as it calls itself: `https://login.example.com`."""
    oidc_client_id: str = ""
    """What the provider calls this panel."""
    oidc_client_secret: SecretStr = SecretStr("")
    """The panel's secret there."""

    @field_validator("proxy_addresses", "contact_roles", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @property
    def contact_store(self) -> Path:
        """Where runs write names and texts of customers' people."""
        return contact_store_of(self.store)

    @property
    def cache_folder(self) -> Path:
        """The folder of the read model."""
        return self.cache or self.store.with_name(f"{self.store.stem}.cache")
