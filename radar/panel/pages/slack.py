"""Answers of people who click on a button in Slack: `POST /slack/interactions`.

Belongs here: whether Slack sent it, who clicked, and what the answer is. What may be decided is decided as on
the pages: the same roles, owners and reasons to refuse. The call is answered when the decision is kept; the
message in Slack is changed after that, by the bot. Nothing is ever sent to an address that a call names.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl, quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from radar.core.runs import utc_now
from radar.deliveries import drafts
from radar.deliveries.channels.base import TroubleError
from radar.deliveries.channels.choose import client_for
from radar.deliveries.channels.slack import SlackBot
from radar.deliveries.rendering import slack_escaped
from radar.deliveries.settings import Destinations
from radar.panel import decisions, users
from radar.panel.decisions import Decision, OvertakenError, UnfitError
from radar.panel.guard import SIGNED_PATHS
from radar.panel.pages.account import require_known
from radar.panel.pages.my_day import account_card, form_dates, read_model_of, work_states
from radar.panel.people import Person
from radar.panel.queries import load
from radar.panel.read_model import read
from radar.receive.app import Rate

LOG = logging.getLogger("panel")
(PATH,) = SIGNED_PATHS
OLDEST_SECONDS = 300
"""How far from now a call may be dated, as Slack advises: what was recorded cannot be played back later."""
CLICKS_A_SECOND, REFUSALS_A_SECOND = 2.0, 5.0
"""Of one person; and of calls that Slack did not sign, which then have to wait and leave no line in the
log. Signed calls never wait for those."""
VERDICTS = ("approved", "dropped", "done", "not_now")
_NAMES = ("account", "action", "as_of")
_ID = re.compile(r"[A-Z0-9]{2,40}", re.ASCII)


class UnreadableError(Exception):
    """A signed call that is none of a button of Radar's."""


@dataclass(frozen=True)
class Click:
    """A button that somebody pressed. `value`: what it is about; `posted_at`: when its message was posted."""

    user_id: str
    channel: str
    ts: str
    thread: str | None
    blocks: list[dict[str, Any]]
    text: str
    verdict: str
    value: Mapping[str, str]

    @property
    def posted_at(self) -> str:
        """As `decided_at` of decisions is written."""
        return f"{datetime.fromtimestamp(float(self.ts), UTC):%Y-%m-%dT%H:%M:%S.%fZ}"

    @property
    def form_token(self) -> str:
        """The same however often this person presses this button."""
        parts = json.dumps([self.user_id, self.channel, self.ts, self.verdict, sorted(self.value.items())])
        return f"slack-{hashlib.sha256(parts.encode()).hexdigest()[:40]}"


@dataclass(frozen=True)
class SlackApp:
    """Slack as the panel knows it."""

    secret: str
    panel_url: str
    bot: SlackBot
    refusals: Rate = field(default_factory=lambda: Rate(REFUSALS_A_SECOND))
    clicks: dict[str, Rate] = field(default_factory=dict)
    """By user of the panel, so that there are no more than those."""

    @classmethod
    def of(cls, settings: Destinations) -> SlackApp | None:
        """None where people cannot answer in Slack. Raises UsageError where its client cannot be used."""
        secret, panel_url = settings.slack_signing_secret, settings.panel_url
        if not settings.has_buttons or secret is None or panel_url is None:
            return None
        bot = cast(SlackBot, client_for("slack_bot", "slack", settings))
        return cls(secret.get_secret_value(), panel_url.rstrip("/"), bot)


def is_signed(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Whether Slack signed this body just now. `timestamp` and `now` are seconds since 1970."""
    if not re.fullmatch(r"\d{1,12}", timestamp, re.ASCII) or abs(now - int(timestamp)) > OLDEST_SECONDS:
        return False
    signed = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


def read_click(body: bytes) -> Click:
    """What was pressed. Raises UnreadableError."""
    try:
        fields = dict(parse_qsl(body.decode(), strict_parsing=True, max_num_fields=10, errors="strict"))
        payload = json.loads(fields["payload"])
        (action,) = payload["actions"]
        message, value = payload["message"], json.loads(action["value"])
        found = Click(
            user_id=payload["user"]["id"],
            channel=payload["channel"]["id"],
            ts=message["ts"],
            thread=message.get("thread_ts"),
            blocks=[block for block in message["blocks"] if block["type"] != "actions"],
            text=str(message.get("text", "")),
            verdict=action["action_id"],
            value={name: str(value[name]) for name in (*_NAMES, *({"text"} & value.keys()))},
        )
        is_ours = (
            payload["type"] == "block_actions"
            and all(_ID.fullmatch(one) for one in (found.user_id, found.channel))
            and re.fullmatch(r"\d{1,12}\.\d{1,9}", found.ts, re.ASCII)
            and found.verdict in VERDICTS
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        is_ours = False
    if not is_ours:
        raise UnreadableError
    return found


def interact(request: Request) -> Response:
    """Keep what somebody decides with a button in Slack, and tell them there what became of it."""
    app: SlackApp = request.app.state.slack
    headers, body = request.headers, request.state.body
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not is_signed(app.secret, timestamp, headers.get("x-slack-signature", ""), body, time.time()):
        if not app.refusals.take():
            return PlainTextResponse("Try again later.\n", 429, headers={"Retry-After": "1"})
        LOG.warning("a call to %s that Slack did not sign, from %s", PATH, request.state.address)
        return PlainTextResponse("This is not signed by Slack.\n", 401)
    try:
        click = read_click(body)
    except UnreadableError:
        return PlainTextResponse("This is no button of Radar's.\n", 400)
    try:
        person = _person(request, app, click)
        request.state.person = person
        one = _decide(request, person, click)
    except UnfitError as error:
        task = BackgroundTask(_tell, app, click, str(error))
    except OvertakenError as error:
        newest = error.since[-1]
        task = BackgroundTask(
            _tell, app, click, f"Somebody was quicker: {newest.text} by {newest.decided_by}."
        )
    else:
        task = BackgroundTask(_show, app, click, one)
    return Response(status_code=200, background=task)


def _person(request: Request, app: SlackApp, click: Click) -> Person:
    """Who clicked. Raises UnfitError."""
    person = users.find_by_slack_id(request.app.state.store, click.user_id)
    if person is None:
        raise UnfitError(
            "The panel does not know you by your Slack account: ask its administrator for "
            f"radar panel users slack NAME {click.user_id}."
        )
    if not app.clicks.setdefault(person.name, Rate(CLICKS_A_SECOND)).take():
        raise UnfitError("That was too fast: try again in a moment.")
    return person


def _decide(request: Request, person: Person, click: Click) -> Decision:
    """Keep it, once, if the page would. Raises UnfitError and OvertakenError."""
    store, account_id = request.app.state.store, click.value["account"]
    found = read_model_of(request).rows(person, load("account")["account"], account_id=account_id)
    if not found:
        raise UnfitError("There is no such account, or it is not yours to see.")
    body, decided = read(found[0]["body"]), decisions.of_account(store, account_id)
    kept = decisions.of_form(store, click.form_token)
    if kept and kept not in decisions.in_force(decided):
        raise UnfitError("This was undone since: decide on the page.")
    if kept is None:
        card = account_card(body, decided, read_model_of(request).about().landed_at, work_states(request))
        since = [one for one in decided if one.decided_at > click.posted_at and one.decided_by != person.name]
        if since:
            raise OvertakenError(since[::-1])
        form = {
            "kind": "action",
            "action_id": click.value["action"],
            "verdict": click.verdict,
            "as_of_date": click.value["as_of"],
            "form_token": click.form_token,
            "version": str(card["version"]),
            "until_date": form_dates()["in_a_week"] if click.verdict == "not_now" else "",
        }
        wanted = decisions.read_form(form, account_id, utc_now().date())
        require_known(wanted, body)
        action = next(one for one in card["actions"] if one["action_id"] == wanted.action_id)
        _require_unanswered(action, click)
        decisions.decide(store, person, wanted, channel="slack")
        kept = cast(Decision, decisions.of_form(store, click.form_token))
    return kept


def _require_unanswered(action: Mapping[str, Any], click: Click) -> None:
    """Nobody has answered, and what is approved is the text that was shown. Raises UnfitError."""
    answer = action["decided"]
    if answer:
        raise UnfitError(f"Somebody was quicker: {answer.text} by {answer.decided_by}.")
    if click.verdict == "approved":
        draft = action["draft"].draft if action["draft"] else None
        if draft is None or drafts.fingerprint(draft) != click.value.get("text"):
            raise UnfitError("The text is not the one that is shown here any more: read it on the page.")


def _show(app: SlackApp, click: Click, one: Decision) -> None:
    """The message without buttons, with who decided what."""
    text = slack_escaped(f"{one.text} by {one.decided_by}. It counts from the next run.")
    answered = {"type": "context", "elements": [{"type": "mrkdwn", "text": f"{text} {_link(app, click)}"}]}
    try:
        app.bot.replace(click.channel, click.ts, click.text, [*click.blocks, answered])
    except TroubleError as error:
        LOG.warning("the message in Slack could not be changed after a decision: %s", error)


def _tell(app: SlackApp, click: Click, problem: str) -> None:
    """Why it was not kept, to who clicked alone."""
    try:
        app.bot.tell(
            click.channel, click.user_id, f"{slack_escaped(problem)} {_link(app, click)}", click.thread
        )
    except TroubleError as error:
        LOG.warning("who clicked in Slack did not learn why nothing was kept: %s", error)


def _link(app: SlackApp, click: Click) -> str:
    return f"<{app.panel_url}/accounts/{quote(click.value['account'], safe='')}|Open the account>"


routes = [Route(PATH, interact, methods=["POST"])]
"""Of a panel whose people can answer in Slack."""
