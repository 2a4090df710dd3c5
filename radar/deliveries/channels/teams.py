"""Microsoft Teams: a workflow that posts to a channel when it gets a webhook request.

It takes what Slack takes: the same templates, their text as an Adaptive Card. A workflow answers before it
posts and cannot be asked afterwards, so what is in doubt stays so.
"""

from __future__ import annotations

import html
import json
import re
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from radar.audit.delivery_ledger import DELIVERED, Result
from radar.deliveries.channels.base import (
    CONNECTION_ERRORS,
    TIMEOUT_SECONDS,
    Message,
    of_error,
    of_status,
)
from radar.deliveries.channels.webhook import NoRedirects
from radar.deliveries.settings import checked_url

_MARKUP = re.compile(
    r"<!date\^[^|>]+\|(?P<date>[^>]*)>|<(?P<url>[^|>]+)\|(?P<label>[^>]*)>|(?<!\u200b)\*(?P<bold>[^*\n]+)\*(?!\u200b)"
)
_MARKDOWN = re.compile(r"\u200b?([\\`*_\[\]#~])\u200b?")
_BULLET = "• "


class TeamsWorkflow:
    """One call posts one message; a workflow takes about four a second."""

    name, looks_up, batch, pause_seconds = "teams", False, 1, 0.5

    def __init__(self, url: str) -> None:
        """Raises UsageError for an address without TLS."""
        self._url = checked_url(url, "RADAR_TEAMS_WEBHOOK_URL")
        self._opener = urllib.request.build_opener(NoRedirects)

    def send(self, messages: Sequence[Message]) -> list[Result]:
        """Post it. Raises TroubleError."""
        (message,) = messages
        request = urllib.request.Request(  # noqa: S310 the address was checked
            self._url,
            data=json.dumps(card(message.payload), ensure_ascii=False).encode(),
            method="POST",
            headers={"Content-Type": "application/json", "User-Agent": "radar"},
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                answer.read(1_000)
        except urllib.error.HTTPError as error:
            raise of_status(error.code, str(error.reason), dict(error.headers), looks_up=False) from error
        except CONNECTION_ERRORS as error:
            raise of_error(error) from error
        return [Result(message.key, DELIVERED)]

    def find(self, keys: Sequence[str], since: datetime, threads: Collection[str] = ()) -> dict[str, str]:
        """Nothing: a workflow has no history."""
        return {}


def card(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A message of Slack's blocks as the body of a request: one Adaptive Card, its links as buttons too."""
    body: list[dict[str, Any]] = []
    is_after_divider = False
    for block in payload["blocks"]:
        if block["type"] == "divider":
            is_after_divider = True
            continue
        paragraph = {"type": "TextBlock", "text": markdown(block["text"]["text"]), "wrap": True}
        body.append(paragraph | ({"separator": True} if is_after_divider else {}))
        is_after_divider = False
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": plain(payload["text"]),
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [
            {"type": "Action.OpenUrl", "title": title, "url": url} for title, url in _first_links(payload)
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None}
    return {"type": "message", "attachments": [{**attachment, "content": content}]}


def markdown(text: str) -> str:
    """Slack's mrkdwn as the Markdown of cards: bold, links and bullets; all else shows as it is."""
    lines = []
    for line in text.split("\n"):
        is_item = line.startswith(_BULLET)
        lines.append(("- " if is_item else "") + _inline(line.removeprefix(_BULLET)))
    return "\n".join(
        f"{line}\n" if not line.startswith("- ") and following.startswith("- ") else line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
    ).rstrip()


def _inline(line: str) -> str:
    found, at = "", 0
    for match in _MARKUP.finditer(line):
        found += _shown(line[at : match.start()])
        if match["date"]:
            found += _shown(match["date"])
        elif match["url"]:
            found += f"[{_shown(match['label'])}]({html.unescape(match['url']).replace(')', '%29')})"
        else:
            found += f"**{_inline(match['bold'])}**"
        at = match.end()
    return found + _shown(line[at:])


def _shown(text: str) -> str:
    """Text without markup, inert for Markdown: what keeps addresses in data from becoming links stays."""
    return _MARKDOWN.sub(r"\\\1", html.unescape(text))


def plain(text: str) -> str:
    """The text without markup, for notifications."""
    labels = _MARKUP.sub(lambda match: match["date"] or match["label"] or match["bold"] or "", text)
    return html.unescape(labels.replace("\u200b", ""))


def _first_links(payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The first link of the message, as the button under it."""
    for block in payload["blocks"]:
        for match in _MARKUP.finditer(block.get("text", {}).get("text", "")):
            if match["url"]:
                yield f"Open {plain(match['label'])}"[:60], html.unescape(match["url"])
                return
