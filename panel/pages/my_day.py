"""The page My day: the accounts that most need a person, and what to do with each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actions import drafts
from panel import charts, decisions
from panel.lookup import Lookup, read
from panel.queries import load
from panel.web import page, person_of, signed
from radar.errors import RadarError
from radar.runs import utc_now

SHOWN = 10


def show(request: Request) -> Response:
    """The queue of whose accounts the person sees, or of one owner of them."""
    person, lookup = person_of(request), lookup_of(request)
    owners = lookup.rows(person, load("my_day")["owners"])
    asked = request.query_params.get("owner", "")
    owner = asked if any(row["owner_id"] == asked for row in owners) else None
    rows = lookup.rows(person, load("my_day")["queue"], owner_id=owner)
    landed_at = lookup.landed_at()
    decided = decisions.of_accounts(request.app.state.store, [row["account_id"] for row in rows])
    accounts = [account_card(read(row["body"]), decided[row["account_id"]], landed_at) for row in rows]
    snoozed = [card for card in accounts if card["snooze"]]
    awake = [card for card in accounts if not card["snooze"]]
    waiting = [card for card in awake if not card["is_done"]][:SHOWN]
    return page(
        request,
        "my_day.html",
        title="My day",
        waiting=waiting,
        done=[card for card in awake if card["is_done"]][:SHOWN],
        snoozed=snoozed,
        owners=owners,
        owner=owner,
        landed_at=landed_at,
        kept=_kept(request, accounts),
        back=str(request.url.path) + (f"?owner={owner}" if owner else ""),
        days=form_dates(),
    )


def lookup_of(request: Request) -> Lookup:
    """The file to look accounts up in."""
    found: Lookup = request.app.state.lookup
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
    today = utc_now().date().isoformat()
    pending = [one for one in decided if one.decided_at > landed_at]
    snooze = decisions.last(decided, "snooze", "wake")
    override = decisions.last(decided, "override", "withdraw")
    sign_off = decisions.last(pending, "sign_off")
    by_action = {one.action_id: one for one in reversed(decided) if one.kind == "action"}
    actions = [
        {**action, "decided": by_action.get(action["action_id"]), "draft": _draft(action, body)}
        for action in body["actions"] or []
    ]
    scores = body["scores"] or []
    return {
        "health": health,
        "queue": queue,
        "reasons": [health[f"reason_{place}"] for place in range(1, 5) if health[f"reason_{place}"]],
        "spark": charts.sparkline(scores, 120, 30, _trend_in_words(scores), low=0, high=100),
        "actions": actions,
        "spot_check": body["spot_check"],
        "decided": decided,
        "pending": pending,
        "version": decided[0].sequence if decided else 0,
        "token": decisions.new_token(),
        "snooze": snooze
        if snooze and snooze.kind == "snooze" and (snooze.until_date or "") > today
        else None,
        "is_overridden": override.kind == "override" if override in pending else health["is_overridden"],
        "sign_off": sign_off,
        "asks_sign_off": bool(queue and queue["sign_off_required"] and not queue["is_signed_off"]),
        "is_done": any(one.kind in ("sign_off", "override", "outcome") for one in pending),
    }


def _draft(action: dict[str, Any], body: dict[str, Any]) -> drafts.Draft | None:
    """The mail that waits for an answer, in the words that would go out; None where a template is broken.

    What the copy does not hold, the contact's name and the activity, is filled in when it goes out.
    """
    if action["channel"] != "mail_draft" or action["status"] != "to_approve":
        return None
    try:
        return drafts.render({**action, **body["health"], "rules": body["rules"]})
    except RadarError:
        return None


def _trend_in_words(scores: list[float]) -> str:
    if len(scores) < 2:
        return "Score: no earlier day to compare with"
    first, newest = scores[0], scores[-1]
    return f"Score over {len(scores)} days: {first:.0f} to {newest:.0f} ({signed(newest - first)})"


def _kept(request: Request, accounts: list[dict[str, Any]]) -> str | None:
    """What was just decided, in words; told of accounts on this page only."""
    asked = request.query_params.get("kept", "")
    for card in accounts:
        for one in card["decided"]:
            if str(one.sequence) == asked:
                return f"{one.words}: {card['health']['account_name']}"
    return None


routes = [Route("/", show)]
