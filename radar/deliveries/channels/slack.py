"""Slack: an incoming webhook, or a bot that posts with chat.postMessage.

The bot writes each message's key into its metadata and finds it again in the channel's history, so that a
message of which the answer was lost is not posted twice. A webhook cannot be asked: what is in doubt there
stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from radar.audit.delivery_ledger import DELIVERED, IN_DOUBT, Result
from radar.deliveries.channels.base import (
    CONNECTION_ERRORS,
    TIMEOUT_SECONDS,
    Message,
    TroubleError,
    of_error,
    of_status,
)
from radar.deliveries.settings import checked_url

EVENT_TYPE = "radar_delivery"
_MOST_PAGES = 20
_REFUSALS = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text"}
_PASSING = {"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}


class SlackWebhook:
    """One call posts one message; Slack takes about one a second."""

    name, looks_up, batch, pause_seconds = "slack_webhook", False, 1, 1.0

    def __init__(self, url: str) -> None:
        """Raises UsageError for an address without TLS."""
        from slack_sdk.webhook import WebhookClient  # noqa: PLC0415 only where Slack is used

        address = checked_url(url, "RADAR_SLACK_WEBHOOK_URL")
        self._client = WebhookClient(address, timeout=int(TIMEOUT_SECONDS), retry_handlers=[])

    def send(self, messages: Sequence[Message]) -> list[Result]:
        """Post it. Raises TroubleError."""
        (message,) = messages
        try:
            answer = self._client.send(text=message.payload["text"], blocks=message.payload["blocks"])
        except CONNECTION_ERRORS as error:
            raise of_error(error) from error
        if answer.status_code != 200:
            raise of_status(answer.status_code, answer.body, answer.headers, looks_up=False)
        return [Result(message.key, DELIVERED)]

    def find(self, keys: Sequence[str], since: datetime) -> dict[str, str]:
        """Nothing: a webhook has no history."""
        return {}


class SlackBot:
    """Needs the scopes chat:write and, to look up what is in doubt, channels:history (or groups:history)."""

    name, looks_up, batch, pause_seconds = "slack_bot", True, 1, 1.0

    def __init__(self, token: str, channel: str, api_url: str) -> None:
        """Raises UsageError for an address without TLS."""
        from slack_sdk.errors import SlackApiError, SlackClientError  # noqa: PLC0415
        from slack_sdk.web import WebClient  # noqa: PLC0415

        self._errors = (SlackApiError, SlackClientError)
        self._channel = channel
        self._client = WebClient(
            token,
            base_url=checked_url(api_url, "RADAR_SLACK_API_URL"),
            timeout=int(TIMEOUT_SECONDS),
            retry_handlers=[],
        )

    def send(self, messages: Sequence[Message]) -> list[Result]:
        """Post it. Raises TroubleError."""
        (message,) = messages
        answer = self._call(
            "chat.postMessage",
            {
                "channel": self._channel,
                "text": message.payload["text"],
                "blocks": message.payload["blocks"],
                "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": message.key}},
                "unfurl_links": False,
            },
        )
        return [Result(message.key, DELIVERED, remote_id=answer.get("ts"))]

    def find(self, keys: Sequence[str], since: datetime) -> dict[str, str]:
        """Look for the keys in what the channel got since then. Raises TroubleError."""
        wanted, found, cursor = set(keys), dict[str, str](), ""
        oldest = (since - timedelta(minutes=10)).replace(tzinfo=UTC).timestamp()
        for _ in range(_MOST_PAGES):
            answer = self._call(
                "conversations.history",
                {
                    "channel": self._channel,
                    "oldest": f"{oldest:.6f}",
                    "limit": 200,
                    "include_all_metadata": True,
                    **({"cursor": cursor} if cursor else {}),
                },
            )
            for posted in answer.get("messages") or []:
                metadata = posted.get("metadata") or {}
                key = (metadata.get("event_payload") or {}).get("key")
                if metadata.get("event_type") == EVENT_TYPE and key in wanted:
                    found[key] = posted["ts"]
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found
        raise TroubleError("the channel's history is too long to look for a message in it", IN_DOUBT)

    def _call(self, method: str, body: dict[str, Any]) -> Any:
        api_error, client_error = self._errors
        try:
            return self._client.api_call(method, json=body)
        except api_error as error:
            answer = error.response
            code = answer.get("error") if isinstance(answer.data, dict) else ""
            if answer.status_code == 200:  # Slack's own refusal
                raise TroubleError(
                    f"Slack answered {code}", may_pass=code in _PASSING, is_refusal=code in _REFUSALS
                ) from error
            raise of_status(answer.status_code, str(code or ""), answer.headers, looks_up=True) from error
        except client_error as error:
            raise TroubleError(f"{type(error).__name__}: {error}", IN_DOUBT, may_pass=True) from error
        except CONNECTION_ERRORS as error:
            raise of_error(error) from error
