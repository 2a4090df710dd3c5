"""How agents reach the server, and what a statement of theirs may take: `RADAR_MCP_*` variables or the
defaults.

Where the published copy and the store with users and tokens are is the panel's (`RADAR_PANEL_*`).
"""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class McpSettings(BaseSettings):
    """One server for agents."""

    model_config = SettingsConfigDict(env_prefix="RADAR_MCP_", env_ignore_empty=True, validate_default=True)

    token: SecretStr = SecretStr("")
    """Over stdio: the token of the one user whose agent it is. Over HTTP each request brings its own."""
    origin: str = ""
    """Over HTTP behind a proxy: the address that agents use, `https://mcp.example.com`."""
    query_rows: int = Field(default=200, ge=1, le=10_000)
    """The most rows of one answer of the tool `query`."""
    query_seconds: float = Field(default=20, gt=0, le=600)
    """After as long a statement is ended."""
