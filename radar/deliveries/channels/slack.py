"""Slack: an incoming webhook, or a bot that posts with chat.postMessage.

The bot writes each message's key into its metadata and finds it again in the channel's history, so that a
message of which the answer was lost is not posted twice. Its messages have ids, so that those of an episode
are one thread. A webhook cannot be asked: what is in doubt there stays so, and it knows no threads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
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
_NO_THREAD = {
    "thread_not_found", "invalid_thread_ts", "message_not_found", "cannot_reply_to_message",
    "restricted_action_thread_locked",
}  # fmt: skip
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

    def find(self, keys: Sequence[str], since: datetime, threads: Collection[str] = ()) -> dict[str, str]:
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
        """Post it: in its thread, or in the channel where the thread is gone. Raises TroubleError."""
        (message,) = messages
        thread = message.payload.get("thread")
        body = {
            "channel": self._channel,
            "text": message.payload["text"],
            "blocks": message.payload["blocks"],
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": message.key}},
            "unfurl_links": False,
        }
        try:
            answer = self._call("chat.postMessage", body | ({"thread_ts": thread} if thread else {}))
        except _NoThreadError:
            answer = self._call("chat.postMessage", body)
        posted = {**(answer.get("message") or {}), "ts": answer["ts"]}
        return [Result(message.key, DELIVERED, remote_id=_id(posted))]

    def replace(self, channel: str, ts: str, text: str, blocks: Sequence[Mapping[str, Any]]) -> None:
        """Put this in place of a message of the bot. Raises TroubleError."""
        self._call("chat.update", {"channel": channel, "ts": ts, "text": text, "blocks": blocks})

    def tell(self, channel: str, user: str, text: str, thread: str | None) -> None:
        """A message that one person sees, once. Raises TroubleError."""
        body = {"channel": channel, "user": user, "text": text}
        self._call("chat.postEphemeral", body | ({"thread_ts": thread} if thread else {}))

    def find(self, keys: Sequence[str], since: datetime, threads: Collection[str] = ()) -> dict[str, str]:
        """Look for the keys in what the channel and these threads got since then. Raises TroubleError."""
        oldest = (since - timedelta(minutes=10)).replace(tzinfo=UTC).timestamp()
        found = self._find("conversations.history", set(keys), oldest)
        for thread in sorted(threads):
            if found.keys() >= set(keys):
                break
            with suppress(_NoThreadError):
                found |= self._find("conversations.replies", set(keys), oldest, ts=thread)
        return found

    def _find(self, method: str, wanted: set[str], oldest: float, **of: str) -> dict[str, str]:
        found, cursor = dict[str, str](), ""
        for _ in range(_MOST_PAGES):
            answer = self._call(
                method,
                {
                    "channel": self._channel,
                    "oldest": f"{oldest:.6f}",
                    "limit": 200,
                    "include_all_metadata": True,
                    **of,
                    **({"cursor": cursor} if cursor else {}),
                },
            )
            for posted in answer.get("messages") or []:
                metadata = posted.get("metadata") or {}
                key = (metadata.get("event_payload") or {}).get("key")
                if metadata.get("event_type") == EVENT_TYPE and key in wanted:
                    found[key] = _id(posted)
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found
        raise TroubleError("the channel's history is too long to look for a message in it", IN_DOUBT)

    def _call(self, method: str, body: dict[str, Any]) -> Any:
        api_error, client_error = self._errors
        try:
            if method == "conversations.replies":  # takes no JSON
                return self._client.api_call(method, http_verb="GET", params=body)
            return self._client.api_call(method, json=body)
        except api_error as error:
            answer = error.response
            code = answer.get("error") if isinstance(answer.data, dict) else ""
            if answer.status_code == 200:  # Slack's own refusal
                if code in _NO_THREAD:
                    raise _NoThreadError(f"Slack answered {code}") from error
                raise TroubleError(
                    f"Slack answered {code}", may_pass=code in _PASSING, is_refusal=code in _REFUSALS
                ) from error
            raise of_status(answer.status_code, str(code or ""), answer.headers, looks_up=True) from error
        except client_error as error:
            raise TroubleError(f"{type(error).__name__}: {error}", IN_DOUBT, may_pass=True) from error
        except CONNECTION_ERRORS as error:
            raise of_error(error) from error


class _NoThreadError(TroubleError):
    """The message that was to be answered is not there, or takes no answers."""


def _id(posted: Mapping[str, Any]) -> str:
    """A message's id as the ledger keeps it: `<thread>/<ts>` in a thread, else `<ts>`."""
    ts, thread = str(posted["ts"]), posted.get("thread_ts")
    return f"{thread}/{ts}" if thread and thread != ts else ts
