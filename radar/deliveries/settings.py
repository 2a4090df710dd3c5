"""How an installation reaches its destinations: addresses and secrets, from `RADAR_*` variables alone.

A destination without its secret is not an error: its channel then writes to the outbox. Secrets are kept as
`SecretStr`, so that no log and no `repr` shows them; `mask` takes them out of what others say of them.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from radar.core.errors import UsageError
from radar.core.masking import masked
from radar.core.settings import AbsolutePath

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
LEAST_SECRET = 6
"""Shorter values are not masked: they are no secrets, and masking them would leave nothing of a text."""


class Destinations(BaseSettings):
    """Where deliveries go. Anything left empty is not used."""

    model_config = SettingsConfigDict(env_prefix="RADAR_", env_ignore_empty=True)

    panel_url: str | None = None
    """Where the panel answers, for links: https://radar.example.com."""
    templates: AbsolutePath | None = None
    """A folder whose files replace those of `exports/templates/` one by one."""

    slack_webhook_url: SecretStr | None = None
    slack_bot_token: SecretStr | None = None
    slack_channel: str | None = None
    """The id of the channel that the bot posts to, such as C0123456789."""
    slack_signing_secret: SecretStr | None = None
    """The app's signing secret: with it, a bot and `panel_url`, messages have buttons."""
    slack_api_url: str = "https://slack.com/api/"

    teams_webhook_url: SecretStr | None = None
    """A workflow of Microsoft Teams, used where Slack is not set."""

    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_security: Literal["starttls", "ssl", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str | None = None
    mail_unsubscribe: str | None = Field(default=None, pattern=r"^(mailto:|https://)[!-;=?-~]+$")
    """Where a customer asks for no more mails, https: or mailto:; `{action_id}` becomes the mail's.

    Without it that is a mail to `smtp_from`.
    """
    owner_language: str = Field(default="en", pattern=r"^[a-z]{2,3}$")
    """The language of mails to owners: the folder of templates that goes before the general ones."""

    hubspot_token: SecretStr | None = None
    hubspot_url: str = "https://api.hubapi.com"

    salesforce_url: str | None = None
    salesforce_token: SecretStr | None = None
    salesforce_consumer_key: SecretStr | None = None
    salesforce_consumer_secret: SecretStr | None = None

    webhook_url: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    webhook_channels: str = "in_app_guide,survey"
    """Which channels of the playbook the webhook takes, separated by commas; crm_task may be one."""
    webhook_drops_repeats: bool = False
    """Whether the receiver drops what comes again with the same key.

    Only then is a call in doubt repeated.
    """

    @classmethod
    def read(cls) -> Destinations:
        """From the environment. Raises UsageError that names the variable, and never its value."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise UsageError(
                f"RADAR_{str(first['loc'][0]).upper()} cannot be used: {first['msg']}", "correct the variable"
            ) from None

    @property
    def has_buttons(self) -> bool:
        """Whether people can answer in Slack: the bot's messages have buttons, and the panel takes clicks."""
        return bool(
            self.slack_bot_token and self.slack_channel and self.slack_signing_secret and self.panel_url
        )

    def secrets(self) -> list[str]:
        """The values that no text may show."""
        found = [value.get_secret_value() for _, value in self if isinstance(value, SecretStr)]
        return sorted((secret for secret in found if len(secret) >= LEAST_SECRET), key=len, reverse=True)

    def mask(self, text: str) -> str:
        """A text without secrets and addresses, for errors that are kept; at most 500 characters."""
        for secret in self.secrets():
            text = text.replace(secret, "***")
        return " ".join(masked(text).split())[:500]


def checked_url(url: str, variable: str) -> str:
    """The address, if what is sent there cannot be read on the way. Raises UsageError."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return url
    raise UsageError(
        f"{variable} is not an https:// address", "secrets and customers' names go there: use TLS"
    )
