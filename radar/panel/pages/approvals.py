"""The page Approvals: what waits for a yes, play by play, with the text that goes out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radar.core.runs import utc_now
from radar.panel import decisions
from radar.panel.decisions import OvertakenError, UnfitError, Wanted
from radar.panel.page_cache import PageCache
from radar.panel.pages.my_day import account_card, read_model_of, work_states
from radar.panel.queries import load
from radar.panel.read_model import read
from radar.panel.web import labels_of, page, person_of

PATH = "/approvals"
ROWS = 8
"""On a page: with their texts they fit into one form."""
ANSWERED = 30
"""Answers of since the last run that can be undone here."""
VERDICTS = ("approved", "dropped")

Action = dict[str, Any]
Card = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """What waits on one account. `box`: what the form sends where it is selected."""

    card: Card
    action: Action
    box: str
    is_chosen: bool
    subject: str
    text: str

    @classmethod
    def of(cls, card: Card, action: Action, index: int, form: Mapping[str, str]) -> Row:
        """With the texts of a form that came back, if it is about this action."""
        box = json.dumps(
            {
                "account": card["health"]["account_id"],
                "action": action["action_id"],
                "as_of": card["health"]["as_of_date"],
                "seen": card["version"],
            }
        )
        draft = action["draft"].draft if action["draft"] else None
        subject, text = (draft.subject, draft.text) if draft else ("", "")
        is_chosen = form.get(f"chosen-{index}") == box
        if is_chosen:
            subject, text = form.get(f"subject-{index}", subject), form.get(f"text-{index}", text)
        return cls(card, action, box, is_chosen, subject, text)


def show(request: Request, mistake: str | None = None) -> Response:
    """One play, and how much waits in the others."""
    person, read_model = person_of(request), read_model_of(request)
    form, asked = request.state.form, {**request.state.form, **request.query_params}
    answered = json.dumps(decisions.answered_actions(request.app.state.store, utc_now().date()))
    known = _plays(request, answered)
    play = asked.get("play") if asked.get("play") in known else next(iter(known), None)
    last_page = max(-(-known.get(play or "", 0) // ROWS), 1)
    at = int(asked["page"]) if re.fullmatch(r"[1-9]\d{0,4}", asked.get("page", "")) else 1
    at = min(at, last_page)
    found = read_model.rows(
        person, load("approvals")["waiting"], play=play, answered=answered, most=ROWS, first=(at - 1) * ROWS
    )
    cards = _cards(request, {row["account_id"]: read(row["body"]) for row in found})
    waiting = [
        (cards[row["account_id"]], action)
        for row in found
        for action in cards[row["account_id"]]["actions"]
        if action["action_id"] == row["action_id"]
    ]
    return page(
        request,
        "approvals.html",
        status=422 if mistake else 200,
        title="Approvals",
        plays=list(known.items()),
        play=play,
        rows=[Row.of(card, action, index, form) for index, (card, action) in enumerate(waiting)],
        answered=list(_answered(request)),
        token=decisions.new_token(),
        at=at,
        last_page=last_page,
        back=PATH + (f"?{urlencode({'play': play})}" if play else ""),
        done={
            name: int(asked[name])
            for name in ("done", "left")
            if re.fullmatch(r"\d{1,3}", asked.get(name, ""))
        },
        mistake=mistake,
        landed_at=read_model.about().landed_at,
        labels=labels_of(request),
    )


def _plays(request: Request, answered: str) -> dict[str, int]:
    """How much waits in each play. What the copy has is counted once for everybody of this scope."""
    person, read_model = person_of(request), read_model_of(request)
    page_cache: PageCache = request.app.state.page_cache

    def count() -> list[dict[str, Any]]:
        return [dict(row) for row in read_model.rows(person, load("approvals")["plays"])]

    key = ("approvals", person.scope)
    rows = page_cache.get(read_model.about().version, key, count)
    found = read_model.rows(person, load("approvals")["answered_plays"], answered=answered)
    gone = {row["play"]: row["answered"] for row in found}
    left = {row["play"]: row["waiting"] - gone.get(row["play"], 0) for row in rows}
    return {play: waiting for play, waiting in left.items() if waiting}


def decide(request: Request) -> Response:
    """Approve or drop what was chosen, each on its own; what somebody answered meanwhile is left."""
    form = request.state.form
    verdict, token = form.get("verdict", ""), form.get("form_token", "")
    if verdict not in VERDICTS or not re.fullmatch(r"[A-Za-z0-9_-]{16,60}", token):
        return show(request, "This form is not complete: load the page again.")
    try:
        wanted = [
            _wanted(request, index, verdict, token) for index in range(ROWS) if f"chosen-{index}" in form
        ]
    except UnfitError as error:
        return show(request, str(error))
    if not wanted:
        return show(request, "Choose at least one.")
    done = sum(_keep(request, one) for one in wanted)
    view = {"play": form.get("play", "")[:100], "done": done, "left": len(wanted) - done}
    return RedirectResponse(f"{PATH}?{urlencode(view)}", status_code=303)


def _keep(request: Request, wanted: Wanted | None) -> bool:
    """Whether it was decided; not where it waits no more, or somebody decided on the account meanwhile."""
    if wanted is None:
        return False
    try:
        return decisions.decide(request.app.state.store, person_of(request), wanted)
    except OvertakenError:
        return False


def _wanted(request: Request, index: int, verdict: str, token: str) -> Wanted | None:
    """What the form asks for in one row; None where the action does not wait any more. Raises UnfitError."""
    form = request.state.form
    chosen = _chosen(form[f"chosen-{index}"])
    found = read_model_of(request).rows(
        person_of(request), load("account")["account"], account_id=chosen["account"]
    )
    if not found:
        return None
    card = _cards(request, {chosen["account"]: read(found[0]["body"])})[chosen["account"]]
    action = next((one for one in card["actions"] if one["action_id"] == chosen["action"]), None)
    is_of_this_copy = card["health"]["as_of_date"] == chosen["as_of"]
    if action is None or not action["needs_approval"] or action["decided"] or not is_of_this_copy:
        return None
    texts = {}
    draft = action["draft"].draft if action["draft"] else None
    if verdict == "approved" and draft and f"text-{index}" in form:
        subject, text = decisions.edited(form.get(f"subject-{index}", ""), form[f"text-{index}"])
        if (subject, text) != decisions.edited(draft.subject, draft.text):
            before = f"{draft.subject}\n\n{draft.text}"
            texts = {"edited_subject": subject, "edited_text": text, "draft_text": before}
    return Wanted(
        account_id=chosen["account"],
        as_of_date=card["health"]["as_of_date"],
        kind="action",
        form_token=f"{token}-{index}",
        version=int(chosen["seen"]),
        verdict=verdict,
        action_id=action["action_id"],
        **texts,
    )


def _chosen(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
        chosen = {name: str(found[name]) for name in ("account", "action", "as_of", "seen")}
        if not re.fullmatch(r"\d{1,15}", chosen["seen"], re.ASCII):
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnfitError("This form is not complete: load the page again.") from None
    return chosen


def _cards(request: Request, bodies: dict[str, Any]) -> dict[str, Card]:
    landed_at, states = read_model_of(request).about().landed_at, work_states(request)
    decided = decisions.of_accounts(request.app.state.store, bodies)
    return {
        account_id: account_card({**body, "scores": None}, decided[account_id], landed_at, states)
        for account_id, body in bodies.items()
    }


def _answered(request: Request) -> Iterator[tuple[Card, decisions.Decision]]:
    """What was approved or dropped since the last run, the newest first."""
    store, landed_at = request.app.state.store, read_model_of(request).about().landed_at
    account_ids = decisions.recent_accounts(store, landed_at, utc_now().date())
    rows = read_model_of(request).rows(
        person_of(request), load("my_day")["bodies"], account_ids=json.dumps(account_ids)
    )
    cards = _cards(request, {row["account_id"]: read(row["body"]) for row in rows})
    found = [
        (card, one)
        for card in cards.values()
        for one in card["pending"]
        if one.kind == "action" and one.verdict in VERDICTS
    ]
    yield from sorted(found, key=lambda pair: pair[1].sequence, reverse=True)[:ANSWERED]


routes = [Route(PATH, show), Route(PATH, decide, methods=["POST"])]
