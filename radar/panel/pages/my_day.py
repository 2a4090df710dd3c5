"""The page My day: the accounts that most need a person, and what to do with each."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import sqlite3
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode

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
from radar.panel.published_db import Row
from radar.panel.queries import load
from radar.panel.read_model import ReadModel, read
from radar.panel.web import environment, inert, labels_of, page, person_of, signed

SHOWN, OPEN, NEXT = 10, 3, 20
"""Cards on a page, how many of them show more than their first reason at once, and the lines below them."""

TABS = {
    "": "Today",
    "at_risk": "At risk",
    "approve": "To approve",
    "grow": "Ready to grow",
    "checks": "Spot checks",
    "overdue": "Overdue",
    "waiting": "Waiting",
}
"""In the order in which they are shown; the first is what needs a person."""

_STATES = {"waiting": ("waiting",)} | dict.fromkeys(
    ("approve", "checks", "overdue"), ("new", "working", "waiting", "done")
)
"""The states that a tab lists; the others list what is open."""

CARD_CHARACTERS = 16_000_000
"""Of all cached cards together."""
MOST_DRAFTS = 2_000
"""Drafts that a process keeps, of a few kilobytes: they are read again on each page and after each answer."""
_FORM_KEY, _TOKEN = (secrets.token_urlsafe(18) for _ in range(2))
"""What a cached card has where the key of a session and the token of a form go."""


def show(request: Request) -> Response:
    """The work list of whose accounts the person sees, or of one owner of them."""
    person, read_model, asked = person_of(request), read_model_of(request), request.query_params
    owners = read_model.rows(person, load("my_day")["owners"])
    owner = next((one for one in (row["owner_id"] for row in owners) if one == asked.get("owner")), None)
    tab = asked.get("tab", "") if asked.get("tab", "") in TABS else ""
    at = int(asked["page"]) if re.fullmatch(r"[1-9]\d{0,4}", asked.get("page", "")) else 1
    about = read_model.about()
    overlay, texts = _overlay(request, about.landed_at), load("my_day")

    def listed(tab: str, states: Sequence[str], most: int, first: int = 0) -> list[sqlite3.Row]:
        return read_model.rows(
            person, texts["listed"] + texts["tab"], owner_id=owner, tab=tab, states=json.dumps(states),
            overlay=json.dumps(overlay), most=most, first=first,
        )  # fmt: skip

    def decided_now(states: Sequence[str]) -> list[sqlite3.Row]:
        if not overlay:
            return []
        return read_model.rows(
            person, texts["decided"], owner_id=owner, states=json.dumps(states),
            overlay=json.dumps(overlay), most=60,
        )  # fmt: skip

    counts = _counts(request, owner, json.dumps(overlay))
    rows = listed(tab, _STATES.get(tab, ("new", "working")), SHOWN + NEXT, (at - 1) * SHOWN)
    shown = {row["account_id"] for row in rows[:SHOWN]}
    just_done = [row for row in decided_now(("done", "waiting")) if row["account_id"] not in shown]
    before = listed("", ("done",), SHOWN) if not tab and at == 1 else []
    earlier = [row for row in before if row["account_id"] not in overlay]
    snoozed = decided_now(("snoozed",))
    bodies = {row["account_id"]: row["body"] for row in (*rows, *just_done, *earlier, *snoozed)}
    decided = decisions.of_accounts(request.app.state.store, bodies)
    here = {name: value for name, value in (("owner", owner), ("tab", tab)) if value}
    back = str(request.url.path) + (f"?{urlencode(here)}" if here else "")
    days, with_owner, labels = form_dates(), person.role != "rep", labels_of(request)
    page_cache: PageCache = request.app.state.cards
    states = work_states(request)

    def card(account_id: str) -> dict[str, Any]:
        return account_card(read(bodies[account_id]), decided[account_id], about.landed_at, states)

    def line(row: sqlite3.Row) -> dict[str, Any]:
        of = row["account_id"]
        return account_line(read(row["body"]), decided[of], about.landed_at, states)

    def drawn(account_id: str, is_folded: bool) -> Markup:
        """The same for everybody until the copy changes, somebody decides on it or the day ends."""

        def draw() -> str:
            template = environment().get_template("card.html")
            shown = {**card(account_id), "token": _TOKEN}
            return template.render(
                card=shown,
                labels=labels,
                form_key=_FORM_KEY,
                landed_at=about.landed_at,
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
        tabs=[(name, text, counts[name or "day"]) for name, text in TABS.items()],
        tab=tab,
        count=counts[tab or "day"],
        at=at,
        last_page=-(-counts[tab or "day"] // SHOWN),
        cards=[drawn(row["account_id"], index >= OPEN) for index, row in enumerate(rows[:SHOWN])],
        next_rows=[line(row) for row in rows[SHOWN:]],
        done=[drawn(row["account_id"], True) for row in just_done[:SHOWN]],
        earlier=[line(row) for row in earlier],
        snoozed=[line(row) for row in snoozed],
        owners=select_options(
            request,
            person.scope,
            {one["owner_id"]: one["owner_name"] or one["owner_id"] for one in owners},
            chosen=owner,
        )
        if len(owners) > 1
        else "",
        has_owners=bool(owners),
        missing_data=read_model.rows(person, load("my_day")["missing_data"], owner_id=owner),
        owner=owner,
        just_recorded=just_recorded(request, about.landed_at),
        landed_at=about.landed_at,
        back=back,
        here=here,
        labels=labels,
    )


def _counts(request: Request, owner: str | None, overlay: str) -> Row:
    """How many accounts each tab has: counted once for everybody of this scope, until somebody decides."""
    person, read_model = person_of(request), read_model_of(request)
    page_cache: PageCache = request.app.state.page_cache
    texts = load("my_day")
    key = ("my_day", person.scope, owner, hashlib.sha256(overlay.encode()).digest())

    def count() -> list[Row]:
        query = texts["listed"] + texts["counts"]
        return [dict(row) for row in read_model.rows(person, query, owner_id=owner, overlay=overlay)]

    return page_cache.get(read_model.about().version, key, count)[0]


def select_options(
    request: Request,
    key: Hashable,
    labels: Mapping[str, str],
    without: str | None = None,
    chosen: str | None = None,
) -> Markup:
    """The options of a `select`, one a label, but `without`. A large company has very many owners, so what is
    the same by `key` is drawn once a copy."""

    def option(value: str) -> str:
        return Markup('<option value="{}">{}</option>').format(inert(value), inert(labels[value]))

    page_cache: PageCache = request.app.state.page_cache
    version = read_model_of(request).about().version
    text = page_cache.get(version, ("options", key), lambda: "".join(option(value) for value in labels))
    if without is not None and without in labels:
        text = text.replace(option(without), "", 1)
    if chosen is not None and chosen in labels:
        text = text.replace(option(chosen), option(chosen).replace(">", " selected>", 1), 1)
    return Markup(text)  # noqa: S704  joined from options that were escaped


def work_states(request: Request) -> Mapping[tuple[str, str], str]:
    """The state that an account has after an act, by kind and verdict."""
    return read_model_of(request).work_states()


def _overlay(request: Request, landed_at: str) -> dict[str, dict[str, Any]]:
    """What people decided since the data landed, over what the work list says of an account."""
    store, today = request.app.state.store, utc_now().date()
    account_ids = decisions.recent_accounts(store, landed_at, today)
    rows = read_model_of(request).rows(
        person_of(request), load("my_day")["bodies"], account_ids=json.dumps(account_ids)
    )
    decided, states = decisions.of_accounts(store, [row["account_id"] for row in rows]), work_states(request)
    found = {}
    for row in rows:
        body = {**read(row["body"]), "mail": None, "scores": None}
        card = account_card(body, decided[row["account_id"]], landed_at, states)
        open_actions = [one for one in card["actions"] if not one["decided"]]
        found[row["account_id"]] = {
            "state": "snoozed" if card["snooze"] else card["state_since"],
            # an answer takes away what was asked, and never adds to it
            **({} if any(one["needs_approval"] for one in open_actions) else {"has_to_approve": 0}),
            **({} if any(one["is_overdue"] for one in open_actions) else {"has_overdue": 0}),
            **({"is_spot_check": 0} if decisions.last(card["pending"], "spot_check") else {}),
        }
    return found


def read_model_of(request: Request) -> ReadModel:
    """The file to look accounts up in."""
    found: ReadModel = request.app.state.read_model
    return found


def is_there(request: Request, account_id: str) -> bool:
    """Whether it is an account that the person sees."""
    ids = json.dumps([account_id])
    return bool(read_model_of(request).rows(person_of(request), load("my_day")["bodies"], account_ids=ids))


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


def account_card(
    body: dict[str, Any],
    decided: list[decisions.Decision],
    landed_at: str,
    states: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    """What is shown of an account: its row, and what people decided that the data does not know yet.

    `states`: the state after an act, by kind and verdict.
    """
    health, queue, work = body["health"], body["queue"], body["work"]
    today = utc_now().date().isoformat()
    in_force = decisions.in_force(decided)
    pending = [one for one in in_force if one.decided_at > landed_at]
    override = decisions.last(in_force, "override", "withdraw")
    answers = {one.action_id: one for one in reversed(in_force) if one.kind == "action"}
    by_action = {
        action_id: one
        for action_id, one in answers.items()
        if one.verdict != "not_now" or (one.until_date or "") > today
    }
    actions = [
        {
            **action,
            "decided": by_action.get(action["action_id"]),
            "draft": _draft(action, body["mail"]),
        }
        for action in body["actions"] or []
    ]
    scores = body["scores"] or []
    state_since = _state(pending, states, today)
    state = state_since or work["state"] or "new"
    return {
        "health": health,
        "queue": queue,
        "work": work,
        "state": state,
        "state_since": state_since,
        "last_act": _last_act(pending, states, work if state == work["state"] else None),
        "reasons": [health[f"reason_{index}"] for index in range(1, 5) if health[f"reason_{index}"]],
        "reason_rules": (health.get("reason_rules") or "").split(", "),
        "spark": charts.sparkline(scores, 120, 30, _trend_text(scores), low=0, high=100),
        "actions": actions,
        "spot_check": body["spot_check"],
        "decided": decided,
        "undone": {one.undoes: one for one in decided if one.kind == "undo"},
        "pending": pending,
        "version": decided[0].sequence if decided else 0,
        "token": decisions.new_token(),
        "snooze": _snooze(in_force),
        "is_overridden": override.kind == "override" if override in pending else health["is_overridden"],
        "sign_off": decisions.last(pending, "sign_off"),
        "asks_sign_off": bool(queue and queue["sign_off_required"] and not queue["is_signed_off"]),
        "is_done": state == "done",
    }


def account_line(
    body: dict[str, Any],
    decided: list[decisions.Decision],
    landed_at: str,
    states: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    """The same without actions, their drafts and the small chart, for lists that show none of them."""
    return account_card({**body, "actions": None, "scores": None}, decided, landed_at, states)


def _snooze(decided: list[decisions.Decision]) -> decisions.Decision | None:
    """The snooze that is valid today."""
    newest = decisions.last(decided, "snooze", "wake")
    today = utc_now().date().isoformat()
    return newest if newest and newest.kind == "snooze" and (newest.until_date or "") > today else None


def _state(
    pending: list[decisions.Decision], states: Mapping[tuple[str, str], str], today: str
) -> str | None:
    """The state since the last act that no run has read; None where there is none."""
    for one in pending:
        if one.kind == "withdraw":
            return "new"
        state = states.get((one.kind, _verdict(one)))
        if state and one.kind in ("call", "cover", "action") and one.until_date:
            return "waiting" if one.until_date > today else "new"
        if state:
            return state
    return None


def _verdict(one: decisions.Decision) -> str:
    return "asked" if one.kind == "cover" else one.verdict or ""


def _last_act(
    pending: list[decisions.Decision],
    states: Mapping[tuple[str, str], str],
    work: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    """Who did what last for the account, and when: from the store, else from the data."""
    for one in pending:
        if (one.kind, _verdict(one)) in states:
            return {"text": one.text, "by": one.decided_by, "at": one.decided_at}
    if not work or not work["last_act"]:
        return None
    of = {
        "kind": work["last_act"], "verdict": work["last_verdict"], "bucket": None,
        "until_date": work["until_date"],
    }  # fmt: skip
    text = "Overruled" if work["last_act"] == "override" else decisions.decision_text(of)
    return {"text": text, "by": work["acted_by"], "at": work["acted_at"]}


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
    try:
        return Preview(_written(json.dumps(mail, sort_keys=True), action["play"], _templates()), None)
    except InputError as error:
        return Preview(None, error.problem)


@lru_cache(maxsize=MOST_DRAFTS)
def _written(facts: str, play: str, templates: Templates) -> drafts.Draft:
    """The draft for these facts, a JSON text; it depends on nothing but them and the templates."""
    return drafts.for_approval(read(facts), play, templates)


@cache
def _templates() -> Templates:
    """As they are when the panel starts: reading the settings takes longer than writing the mail."""
    return Templates(Destinations.read().templates)


def _trend_text(scores: list[float]) -> str:
    if len(scores) < 2:
        return "Score: no earlier day to compare with"
    first, newest = scores[0], scores[-1]
    return f"Score over {len(scores)} days: {first:.0f} to {newest:.0f} ({signed(newest - first)})"


def just_recorded(request: Request, landed_at: str) -> dict[str, Any] | None:
    """What was just decided, and the form that undoes it; only about accounts that the person sees."""
    sequence = request.query_params.get("kept", "")
    one = decisions.at(request.app.state.store, sequence)
    found = one and read_model_of(request).rows(
        person_of(request), load("my_day")["bodies"], account_ids=json.dumps([one.account_id])
    )
    if not one or not found:
        return None
    decided = decisions.of_account(request.app.state.store, one.account_id)
    card = account_line(read(found[0]["body"]), decided, landed_at, work_states(request))
    undoes = next((other for other in decided if other.decision_id == one.undoes), None)
    text = f"{one.text}: {undoes.text}" if undoes else one.text
    return {"one": one, "card": card, "text": text, "can_undo": one in card["pending"]}


routes = [Route("/", show)]
