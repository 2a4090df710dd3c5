"""The page of one account: the ledger, the year, what happened, and what people decided."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import groupby, pairwise
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radar.core.runs import utc_now
from radar.measurement.report import percent, rate
from radar.panel import charts, decisions, notes
from radar.panel.changes import PARTS, between, every_day
from radar.panel.contacts import Contacts
from radar.panel.labels import Labels, fold
from radar.panel.pages.measured import account_outcomes
from radar.panel.pages.my_day import (
    account_card,
    form_dates,
    just_recorded,
    read_model_of,
    select_options,
    work_states,
)
from radar.panel.queries import load
from radar.panel.read_model import read
from radar.panel.web import labels_of, own_path, page, person_of, with_query

FOUND = 50
OLDEST_PAGE_DAYS = 31
KINDS = {
    "contact": "Contacts",
    "ticket": "Tickets",
    "invoice": "Invoices",
    "milestone": "Milestones",
    "survey": "Survey answers",
    "pulse": "The owner's own view",
    "touchpoint": "Times in touch",
}
COLUMNS = {
    "contact": ("Name", "Role", "Last contact", "E-mail", "State"),
    "ticket": ("Ticket", "Opened", "State", "Priority", "By"),
    "invoice": ("Issued", "Amount", "State", "Paid"),
    "milestone": ("Milestone", "Due", "State"),
    "survey": ("Answer", "When", "By", "Words"),
    "pulse": ("View", "When", "Words"),
    "touchpoint": ("When", "Channel", "State", "With"),
}
"""Of each kind of facts; the id comes last."""
ROLES = ("champion", "sponsor", "admin", "user", "other")
"""Who carries the relationship comes first."""


EVENT_KINDS = {
    "ticket": "Support",
    "invoice": "Billing",
    "milestone": "Plan",
    "touchpoint": "In touch",
    "survey": "Survey",
    "pulse": "Pulse",
    "score": "Health",
    "override": "Decision",
    "review": "Decision",
    "action": "Radar",
    "message": "Marketing",
}
"""What people read for a kind of event."""
SHOWN_EVENTS = 20
"""The others are folded."""
LIGHTS = {
    "good": "good",
    "watch": "worse than others",
    "bad": "a rule counts against it",
    "unknown": "not known",
    "none": "no value",
}
COMPARISONS = {"better": "Better than", "worse": "Worse than", "same": "The same as"}


def show(request: Request) -> Response:
    """One account. 404 for one that does not exist and for one that is not theirs, alike."""
    account_id = request.path_params["account_id"]
    body, details = _look_up(request, account_id)
    store = request.app.state.store
    drawn = read_model_of(request).about()
    card = account_card(body, decisions.of_account(store, account_id), drawn.landed_at, work_states(request))
    year, labels = details.get("years") or [], labels_of(request)
    daily = list(every_day(year))
    links = details.get("links") or []
    contacts: Contacts = request.app.state.contacts.of_account(store, person_of(request), account_id)
    facts, ledger = details.get("facts") or [], details.get("ledgers") or []
    shared = read_model_of(request).rows(person_of(request), load("account")["shared"])
    fired = [line["rule_id"] for line in ledger if line["result"] == "true"]
    return page(
        request,
        "account.html",
        title=body["health"]["account_name"],
        card=card,
        landed_at=drawn.landed_at,
        ledger=ledger,
        outcomes=account_outcomes({row["name"]: read(row["body"]) for row in shared}, body["health"], fired),
        titles={line["rule_id"]: line["evidence"] for line in ledger},
        percent=percent,
        rate=rate,
        chart=charts.score_chart(
            [_score_day(one) for one in daily],
            [*_markers(year, facts, labels)],
            f"Score of {body['health']['account_name']}",
            bounds=drawn.bounds,
        ),
        change=_change(request, daily, details.get("changes") or []),
        steps=[one for one in reversed(details.get("changes") or []) if one["change"]][:12],
        facts=_facts(facts),
        kinds=KINDS,
        columns=COLUMNS,
        contacts=contacts,
        group=_group(request, account_id),
        brief=details.get("briefs"),
        events=_events(details.get("events") or [], card["pending"]),
        event_kinds=EVENT_KINDS,
        shown_events=SHOWN_EVENTS,
        families=_families(details.get("families") or []),
        lights=LIGHTS,
        comparisons=COMPARISONS,
        account_links=[link for link in links if link["object"].endswith("account")],
        links={(link["object"], link["object_id"]): link for link in links},
        parts=PARTS,
        conflicts=details.get("conflicts") or [],
        overrides=[
            one
            for one in details.get("overrides") or []
            if not any(own.decision_id == one["override_id"] for own in card["decided"])
        ],
        just_recorded=just_recorded(request, drawn.landed_at),
        mistake=None,
        cover_owners=owner_options(request, without=body["health"]["owner_id"]),
        colleagues=owner_options(request),
        follows=notes.follows(store, person_of(request), account_id),
        labels=labels,
        back=f"/accounts/{quote(account_id, safe='')}",
        days=form_dates(),
    )


def find(request: Request) -> Response:
    """Accounts whose name, id and owner hold every word that was asked for, in any order."""
    text = " ".join(request.query_params.get("q", "")[:100].split())
    words = json.dumps(fold(text).split())
    person, read_model = person_of(request), read_model_of(request)
    rows = read_model.rows(person, load("account")["find"], words=words) if text else []
    if len(rows) == 1:
        return RedirectResponse(f"/accounts/{quote(rows[0]['account_id'], safe='')}", status_code=303)
    found = [read(row["body"])["health"] for row in rows[:FOUND]]
    return page(
        request, "find.html", title="Find an account", text=text, found=found, is_cut=len(rows) > FOUND
    )


def decide(request: Request) -> Response:
    """Keep what a form decides, once; show its author who was quicker (409)."""
    account_id, form = request.path_params["account_id"], request.state.form
    body, _ = _look_up(request, account_id)
    person, store = person_of(request), request.app.state.store
    try:
        wanted = decisions.read_form(form, account_id, utc_now().date())
        require_known(wanted, body)
        wanted = _with_owner(request, wanted, body["health"])
        if wanted.undoes:
            _require_undoable(request, wanted)
        decisions.decide(store, person, wanted)
    except decisions.UnfitError as error:
        return _again(request, body, str(error), 422)
    except decisions.OvertakenError as error:
        return _again(request, body, None, 409, since=error.since)
    sequence = decisions.of_account(store, account_id)[0].sequence
    path, _, query = own_path(form.get("back", "/")).partition("?")
    view = [(name, value) for name, value in parse_qsl(query) if name in ("owner", "tab", "page", "checks")]
    return RedirectResponse(f"{path}?{urlencode([*view, ('kept', sequence)])}", status_code=303)


def _again(
    request: Request,
    body: dict[str, Any],
    mistake: str | None,
    status: int,
    since: list[decisions.Decision] | None = None,
) -> Response:
    """The same decision as a form to correct or, where somebody was quicker, to confirm."""
    form = request.state.form
    landed_at, account_id = read_model_of(request).about().landed_at, body["health"]["account_id"]
    decided = decisions.of_account(request.app.state.store, account_id)
    card = account_card(body, decided, landed_at, work_states(request))
    entered = {
        name: form.get(name, "")[: decisions.REASON_LIMIT]
        for name in ("kind", "verdict", "bucket", "reason", "until_date", "action_id", "owner_id", "undoes")
    }
    owners = cover_owners(request, body["health"]["owner_id"])
    wanted = None
    if entered["kind"] in decisions.KINDS:
        fields = {name: value or None for name, value in entered.items()}
        wanted = decisions.decision_text({**fields, "owner_name": owners.get(entered["owner_id"])})
    return page(
        request,
        "decide_again.html",
        status=status,
        title="Somebody was quicker" if since else "Not kept yet",
        card=card,
        landed_at=landed_at,
        mistake=mistake,
        since=since or [],
        form=entered,
        wanted=wanted,
        cover_owners=owner_options(request, body["health"]["owner_id"], entered["owner_id"]),
        labels=labels_of(request),
        back=own_path(form.get("back", "/")),
        days=form_dates(),
    )


def require_known(wanted: decisions.Wanted, body: dict[str, Any]) -> None:
    """A draft must be one of this account, and the day one that was shown. Raises UnfitError."""
    newest = date.fromisoformat(body["health"]["as_of_date"])
    if not 0 <= (newest - date.fromisoformat(wanted.as_of_date)).days <= OLDEST_PAGE_DAYS:
        raise decisions.UnfitError("This page is too old: load it again.")
    if wanted.kind == "action":
        shown = {action["action_id"]: action["status"] for action in body["actions"] or []}
        status = shown.get(wanted.action_id or "")
        if wanted.verdict in ("approved", "dropped") and status != "to_approve":
            raise decisions.UnfitError("This draft does not wait for an answer any more.")
        if status is None:
            raise decisions.UnfitError("This task is not open any more: load the page again.")


def _with_owner(request: Request, wanted: decisions.Wanted, health: dict[str, Any]) -> decisions.Wanted:
    """In whose name a call was made: the rep's own, else the account's. Whom cover is asked of, by name, and
    whom a note tells, as `@name` in its text.

    Raises UnfitError.
    """
    person = person_of(request)
    if wanted.kind == "call":
        is_own = len(person.owner_ids) == 1
        return replace(wanted, owner_id=person.owner_ids[0] if is_own else health["owner_id"])
    if wanted.kind == "cover":
        names = cover_owners(request, health["owner_id"])
        if wanted.owner_id not in names:
            raise decisions.UnfitError("Choose who is to cover.")
        return replace(wanted, owner_name=names[wanted.owner_id])
    if wanted.kind == "note" and wanted.owner_id:
        names = cover_owners(request, None)
        if wanted.owner_id not in names:
            raise decisions.UnfitError("Choose a colleague of the list.")
        tells = (
            "" if notes.mentions(wanted.reason or "", [names[wanted.owner_id]]) else names[wanted.owner_id]
        )
        return replace(wanted, owner_id=None, reason=f"@{tells} {wanted.reason}" if tells else wanted.reason)
    return wanted


def cover_owners(request: Request, owner_id: str | None) -> dict[str, str]:
    """Every owner but the account's own: id to name."""
    return {one: name for one, name in read_model_of(request).owners().items() if one != owner_id}


def owner_options(request: Request, without: str | None = None, chosen: str = "") -> Markup:
    """Every owner but `without` as options of a `select`."""
    return select_options(request, "all owners", read_model_of(request).owners(), without, chosen)


def _require_undoable(request: Request, wanted: decisions.Wanted) -> None:
    """A decision of this account that nobody has undone and no run has read. Raises UnfitError."""
    decided = decisions.in_force(decisions.of_account(request.app.state.store, wanted.account_id))
    found = next((one for one in decided if one.decision_id == wanted.undoes), None)
    if found is None:
        raise decisions.UnfitError("This cannot be undone: load the page again.")
    if found.decided_at <= read_model_of(request).about().landed_at:
        raise decisions.UnfitError("A run has read this already: decide anew instead of undoing.")


def _look_up(request: Request, account_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    person, read_model = person_of(request), read_model_of(request)
    found = read_model.rows(person, load("account")["account"], account_id=account_id)
    if not found:
        raise HTTPException(404)
    if request.method == "POST":
        return read(found[0]["body"]), {}
    details = read_model.rows(person, load("account")["details"], account_id=account_id)
    return read(found[0]["body"]), {row["piece"]: read(row["body"]) for row in details}


def _group(request: Request, account_id: str) -> dict[str, Any] | None:
    """The account's parent and children as far as the person sees them; None without any.

    The figures of the whole group are for who sees all of its first level.
    """
    read_model, person = read_model_of(request), person_of(request)
    found = read_model.rows(person, load("groups")["group"], account_id=account_id)
    if not found:
        return None
    group = read(found[0]["body"])
    of = {"account_id": account_id, "parent_account_id": group["parent_account_id"]}
    nearest = [read(row["body"]) for row in read_model.rows(person, load("groups")["nearest"], **of)]
    children = [row for row in nearest if row["parent_account_id"] == account_id]
    parent = next((row for row in nearest if row["account_id"] == group["parent_account_id"]), None)
    is_whole = len(children) == group["children"] > 0
    return {**group, "parent": parent, "below": children[:FOUND], "is_whole": is_whole}


def _facts(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Facts by kind; of contacts those first who are there and carry the relationship."""

    def sort_key(contact: dict[str, Any]) -> tuple[bool, int]:
        role = contact["detail"]
        return contact["state"] == "left", ROLES.index(role) if role in ROLES else len(ROLES)

    of_release = {"contact_id": None, "last_contact_at": None}  # a copy of an earlier one lacks them
    rows = [{**of_release, **row} for row in rows]
    rows.sort(key=lambda fact: fact["happened_at"] or "", reverse=True)
    rows.sort(key=lambda fact: fact["kind"])
    facts = {kind: list(found) for kind, found in groupby(rows, key=lambda fact: fact["kind"])}
    if "contact" in facts:
        facts["contact"].sort(key=sort_key)
    return facts


def _families(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The families, each with the chart of its weeks."""
    return [
        {**row, "spark": charts.sparkline(row["weekly_values"] or [], 120, 28, _course(row))} for row in rows
    ]


def _events(rows: list[dict[str, Any]], pending: list[decisions.Decision]) -> list[dict[str, Any]]:
    """What happened, the newest first, with what people decided since the data landed."""
    since = [
        {
            "kind": "review",
            "object_id": None,
            "contact_id": None,
            "happened_at": one.decided_at,
            "title": one.text,
            "detail": one.reason,
            "actor": one.decided_by,
        }
        for one in pending
    ]
    return [*since, *sorted(rows, key=lambda row: row["position"])]


def _course(row: dict[str, Any]) -> str:
    label, values = (
        row["label"] or "the number",
        [value for value in row["weekly_values"] or [] if value is not None],
    )
    if len(values) < 2:
        return f"{label}: no earlier week to compare with"
    return f"{label} over {len(row['weekly_values'])} weeks: {values[0]:g} to {values[-1]:g}"


def _score_day(one: dict[str, Any]) -> charts.ScoreDay:
    return charts.ScoreDay(date.fromisoformat(one["day"]), one["score"], one["low"], one["high"])


def _markers(
    days: list[dict[str, Any]], facts: list[dict[str, Any]], labels: Labels
) -> Iterable[charts.Marker]:
    """Rule changes, overrides, missing data and times in touch, of the days that are shown."""
    if not days:
        return
    first, newest = days[0]["day"], days[-1]["day"]
    for before, after in pairwise(days):
        if before["rule_version"] != after["rule_version"]:
            yield charts.Marker(date.fromisoformat(after["day"]), "rules", "The rules changed")
    for override, run in groupby(days, key=lambda one: (one["is_overridden"], one["override_reason"])):
        interval = list(run)
        if override[0]:
            bucket = charts.LABELS.get(interval[0]["bucket"], interval[0]["bucket"])
            label = f"{bucket} by {labels.person(interval[0]['overridden_by']) or 'a person'}: {override[1]}"
            yield charts.Marker(date.fromisoformat(interval[0]["day"]), "override", label, _end(interval))
    for unknown, run in groupby(days, key=lambda one: one["unknown"]):
        interval = list(run)
        if unknown:
            label = f"Not known: {labels.each('signal', unknown)}"
            yield charts.Marker(date.fromisoformat(interval[0]["day"]), "outage", label, _end(interval))
    for fact in facts:
        happened = (fact["happened_at"] or "")[:10]
        is_person = fact["kind"] == "touchpoint" and fact["state"] != "automated"
        if is_person and first <= happened <= newest:
            label = f"In touch: {fact['detail'] or ''} {fact['state'] or ''}".strip()
            yield charts.Marker(date.fromisoformat(happened), "contact", label)


def _end(interval: list[dict[str, Any]]) -> date | None:
    return date.fromisoformat(interval[-1]["day"]) if len(interval) > 1 else None


def _change(
    request: Request, days: list[dict[str, Any]], changes: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """The change between the two days that the address names, else over all of them."""
    asked = request.query_params
    found = between(days, changes, asked.get("from", ""), asked.get("to", ""))
    if found is None:
        return None
    address = with_query(request, **{"from": found["start"], "to": found["end"], "kept": None})
    return {**found, "address": address}


routes = [
    Route("/accounts", find),
    Route("/accounts/{account_id:path}/decide", decide, methods=["POST"]),
    Route("/accounts/{account_id:path}", show),
]
