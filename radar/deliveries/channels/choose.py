"""Which destination takes a channel, and its client. A vendor's client is imported when it is used."""

from __future__ import annotations

from pydantic import SecretStr

from radar import DISTRIBUTION
from radar.core.errors import UsageError
from radar.deliveries.channels.base import Client
from radar.deliveries.channels.hubspot import HubSpotCompanies, HubSpotTasks
from radar.deliveries.channels.mail import Smtp
from radar.deliveries.channels.salesforce import SalesforceAccounts, SalesforceTasks
from radar.deliveries.channels.slack import SlackBot, SlackWebhook
from radar.deliveries.channels.teams import TeamsWorkflow
from radar.deliveries.channels.webhook import Webhook
from radar.deliveries.settings import Destinations

OUTBOX, NONE = "outbox", "none"
SLACK = ("slack_bot", "slack_webhook")
CRMS = ("hubspot", "salesforce")


def destination(channel: str, settings: Destinations) -> str:
    """What takes a channel: the destination that has its secret, else the outbox (accounts: nothing).

    Raises UsageError where two CRMs are set.
    """
    if channel == "slack":
        return _chat(settings)
    if channel == "mail":
        return "smtp" if settings.smtp_host and settings.smtp_from else OUTBOX
    if channel == "accounts":
        return _crm(settings) or NONE
    if channel == "tasks" and (crm := _crm(settings)):
        return crm
    takes = {name.strip() for name in settings.webhook_channels.split(",")}
    is_taken = channel == "webhook" or "crm_task" in takes
    return "webhook" if is_taken and settings.webhook_url and settings.webhook_secret else OUTBOX


def client_for(name: str, channel: str, settings: Destinations) -> Client:
    """The client of a destination.

    Raises UsageError where its client is not installed or its address is not safe.
    """
    try:
        return _client_for(name, channel, settings)
    except ModuleNotFoundError as error:
        extra = name.partition("_")[0]
        raise UsageError(
            f"the client for {extra} is not installed ({error.name})",
            f"pip install '{DISTRIBUTION}[{extra}]'",
        ) from error


def _client_for(name: str, channel: str, settings: Destinations) -> Client:
    if channel == "slack":
        return _chat_client(name, settings)
    if name == "smtp":
        return Smtp(
            settings.smtp_host or "",
            settings.smtp_port,
            security=settings.smtp_security,
            user=settings.smtp_user,
            password=_open(settings.smtp_password),
            sender=settings.smtp_from or "",
        )
    if name == "hubspot":
        hubspot = HubSpotTasks if channel == "tasks" else HubSpotCompanies
        return hubspot(_open(settings.hubspot_token), settings.hubspot_url)
    if name == "salesforce":
        salesforce = SalesforceTasks if channel == "tasks" else SalesforceAccounts
        return salesforce(
            settings.salesforce_url or "",
            _open(settings.salesforce_token),
            _open(settings.salesforce_consumer_key),
            _open(settings.salesforce_consumer_secret),
        )
    return Webhook(
        _open(settings.webhook_url),
        _open(settings.webhook_secret),
        drops_repeats=settings.webhook_drops_repeats,
    )


def _chat(settings: Destinations) -> str:
    if settings.slack_bot_token and settings.slack_channel:
        return "slack_bot"
    if settings.slack_webhook_url:
        return "slack_webhook"
    return "teams" if settings.teams_webhook_url else OUTBOX


def _chat_client(name: str, settings: Destinations) -> Client:
    if name == "slack_bot":
        return SlackBot(_open(settings.slack_bot_token), settings.slack_channel or "", settings.slack_api_url)
    if name == "slack_webhook":
        return SlackWebhook(_open(settings.slack_webhook_url))
    return TeamsWorkflow(_open(settings.teams_webhook_url))


def _crm(settings: Destinations) -> str | None:
    has_hubspot = bool(settings.hubspot_token)
    has_salesforce = bool(
        settings.salesforce_url
        and (
            settings.salesforce_token
            or (settings.salesforce_consumer_key and settings.salesforce_consumer_secret)
        )
    )
    if has_hubspot and has_salesforce:
        raise UsageError(
            "secrets of HubSpot and of Salesforce are both set",
            "leave RADAR_HUBSPOT_TOKEN or RADAR_SALESFORCE_URL empty: a task must not be made twice",
        )
    return "hubspot" if has_hubspot else "salesforce" if has_salesforce else None


def _open(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
