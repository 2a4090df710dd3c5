"""The page My day: the accounts that most need a person, and what to do with each."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radar.core.errors import InputError
from radar.core.runs import utc_now
from radar.deliveries import drafts
from radar.deliveries.rendering import Templates
from radar.deliveries.settings import Destinations
from radar.panel import charts, decisions
from radar.panel.page_cache import PageCache
from radar.panel.queries import load
from radar.panel.read_model import ReadModel, read
from radar.panel.web import day, environment, moment, page, person_of, signed

SHOWN, OPEN = 10, 3
"""Cards on the page, and how many of those that wait show more than their first reason at once."""

CARD_CHARACTERS = 16_000_000
"""Of all cached cards together."""
_FORM_KEY, _TOKEN = (secrets.token_urlsafe(18) for _ in range(2))
"""What a cached card has where the key of a session and the token of a form go."""


def show(request: Request) -> Response:
    """The queue of whose accounts the person sees, or of one owner of them."""
    person, read_model = person_of(request), read_model_of(request)
    owners = read_model.rows(person, load("my_day")["owners"])
    asked = request.query_params.get("owner", "")
    owner = asked if any(row["owner_id"] == asked for row in owners) else None
    about = read_model.about()
    landed_at = about.landed_at
    rows = {
        row["account_id"]: row for row in read_model.rows(person, load("my_day")["queue"], owner_id=owner)
    }
    decided = decisions.of_accounts(request.app.state.store, rows)
    snoozed = [account_id for account_id in rows if _snooze(decided[account_id])]
    awake = [account_id for account_id in rows if account_id not in snoozed]
    done = [account_id for account_id in awake if _is_done(decided[account_id], landed_at)]
    waiting = [account_id for account_id in awake if account_id not in done]
    back, days = str(request.url.path) + (f"?owner={owner}" if owner else ""), form_dates()
    with_owner = person.role != "rep"
    page_cache: PageCache = request.app.state.cards

    def card(account_id: str) -> dict[str, Any]:
        return account_card(read(rows[account_id]["body"]), decided[account_id], landed_at)

    def drawn(account_id: str, is_folded: bool) -> Markup:
        """The same for everybody until the copy changes, somebody decides on it or the day ends."""

        def draw() -> str:
            template = environment().get_template("card.html")
            shown = {**card(account_id), "token": _TOKEN}
            return template.render(
                card=shown,
                form_key=_FORM_KEY,
                landed_at=landed_at,
                with_owner=with_owner,
                is_folded=is_folded,
                back=back,
                days=days,
            )

        newest = decided[account_id][0].sequence if decided[account_id] else 0
        key = (account_id, newest, days["tomorrow"], with_owner, is_folded, back)
        text = page_cache.get(about.version, key, draw)
        text = text.replace(_FORM_KEY, request.state.form_key).replace(_TOKEN, decisions.new_token())
        return Markup(text)  # noqa: S704  rendered by a template; neither key nor token needs an escape

    return page(
        request,
        "my_day.html",
        title="My day",
        waiting=[drawn(account_id, index >= OPEN) for index, account_id in enumerate(waiting[:SHOWN])],
        done=[drawn(account_id, True) for account_id in done[:SHOWN]],
        snoozed=[card(account_id) for account_id in snoozed],
        owners=owners,
        owner=owner,
        just_recorded=_just_recorded(request, rows, decided),
        back=back,
    )


def read_model_of(request: Request) -> ReadModel:
    """The file to look accounts up in."""
    found: ReadModel = request.app.state.read_model
    return found


def form_dates() -> dict[str, str]:
    """Days that forms propose or allow: what comes after today."""
    today = utc_now().date()

    def after(days: int) -> str:
        return (today + timedelta(days=days)).isoformat()

    return {
        "tomorrow": after(1),
        "in_a_week": after(7),
        "in_a_month": after(30),
        "last_snooze": after(decisions.LONGEST_SNOOZE_DAYS),
        "last_override": after(decisions.LONGEST_OVERRIDE_DAYS),
    }


def account_card(body: dict[str, Any], decided: list[decisions.Decision], landed_at: str) -> dict[str, Any]:
    """What is shown of an account: its row, and what people decided that the data does not know yet."""
    health, queue = body["health"], body["queue"]
    pending = [one for one in decided if one.decided_at > landed_at]
    override = decisions.last(decided, "override", "withdraw")
    sign_off = decisions.last(pending, "sign_off")
    by_action = {one.action_id: one for one in reversed(decided) if one.kind == "action"}
    actions = [
        {
            **action,
            "decided": by_action.get(action["action_id"]),
            "draft": _draft(action, body["mail"]),
            "due": _due(action, health["as_of_date"]),
        }
        for action in body["actions"] or []
    ]
    scores = body["scores"] or []
    return {
        "health": health,
        "queue": queue,
        "reasons": [health[f"reason_{index}"] for index in range(1, 5) if health[f"reason_{index}"]],
        "spark": charts.sparkline(scores, 120, 30, _trend_text(scores), low=0, high=100),
        "actions": actions,
        "spot_check": body["spot_check"],
        "decided": decided,
        "pending": pending,
        "version": decided[0].sequence if decided else 0,
        "token": decisions.new_token(),
        "snooze": _snooze(decided),
        "is_overridden": override.kind == "override" if override in pending else health["is_overridden"],
        "sign_off": sign_off,
        "asks_sign_off": bool(queue and queue["sign_off_required"] and not queue["is_signed_off"]),
        "is_done": _is_done(decided, landed_at),
    }


def _snooze(decided: list[decisions.Decision]) -> decisions.Decision | None:
    """The snooze that is valid today."""
    newest = decisions.last(decided, "snooze", "wake")
    today = utc_now().date().isoformat()
    return newest if newest and newest.kind == "snooze" and (newest.until_date or "") > today else None


def _is_done(decided: list[decisions.Decision], landed_at: str) -> bool:
    """Whether somebody answered what the data of today asks."""
    return any(
        one.kind in ("sign_off", "override", "outcome") for one in decided if one.decided_at > landed_at
    )


def _due(action: dict[str, Any], as_of: str) -> str | None:
    """Until when it is to be done, as text."""
    due = (action["due_at"] or "")[:10]
    if due > as_of:
        return f"by {moment(action['due_at'])}"
    return f"overdue since {day(due)}" if due else None


@dataclass(frozen=True)
class Preview:
    """The draft as it would go out, or why it is not written."""

    draft: drafts.Draft | None
    reason: str | None

    @property
    def names_contact(self) -> bool:
        """Whether the contact's name goes where `drafts.FIRST_NAME` is read."""
        return bool(self.draft and drafts.FIRST_NAME in self.draft.subject + self.draft.text)


def _draft(action: dict[str, Any], mail: dict[str, Any] | None) -> Preview | None:
    """The mail that waits for an answer, as a run would send it; None where there is none to read.

    What the copy does not hold, the contact's first name, is `drafts.FIRST_NAME`.
    """
    if action["channel"] != "mail_draft" or action["status"] != "to_approve" or not mail:
        return None
    reason = drafts.missing_people(mail["owner_name"], has_contact=mail["has_contact"])
    if reason:
        return Preview(None, reason)
    first_name = drafts.FIRST_NAME if mail["has_name"] else None
    try:
        return Preview(
            drafts.render({**mail, "play": action["play"], "first_name": first_name}, _templates()), None
        )
    except InputError as error:
        return Preview(None, error.problem)


@cache
def _templates() -> Templates:
    """As they are when the panel starts: reading the settings takes longer than writing the mail."""
    return Templates(Destinations.read().templates)


def _trend_text(scores: list[float]) -> str:
    if len(scores) < 2:
        return "Score: no earlier day to compare with"
    first, newest = scores[0], scores[-1]
    return f"Score over {len(scores)} days: {first:.0f} to {newest:.0f} ({signed(newest - first)})"


def _just_recorded(
    request: Request, rows: Mapping[str, sqlite3.Row], decided: dict[str, list[decisions.Decision]]
) -> str | None:
    """What was just decided, as text; only about accounts on this page."""
    asked = request.query_params.get("kept", "")
    for account_id, row in rows.items():
        for one in decided[account_id]:
            if str(one.sequence) == asked:
                return f"{one.text}: {row['account_name']}"
    return None


routes = [Route("/", show)]
