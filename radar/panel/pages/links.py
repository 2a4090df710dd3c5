"""The page Who is who: ids that may be several accounts, and how much of each feed finds its account."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radar.panel import queries
from radar.panel.decisions import new_token
from radar.panel.link_choices import choose, last_choices
from radar.panel.published_db import NoDataError, Row
from radar.panel.web import page, person_of, published_db_of

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


def show(request: Request) -> Response:
    """The page, with what was chosen since the copy was published."""
    return _page(request, None, 200)


def choose_account(request: Request) -> Response:
    """Keep a choice among the accounts that the id may be; a form that fits none is shown again."""
    form, person = request.state.form, person_of(request)
    asked = (form.get("source", ""), form.get("source_account_id", ""))
    token = form.get("form_token", "")
    accounts = {row["account_id"] for row in _to_choose(request).get(asked, ())}
    if not _TOKEN.fullmatch(token) or not accounts:
        return _page(request, "Load the page again: nobody has to choose for this id any more.", 422)
    if form.get("account_id") not in accounts:
        return _page(request, "Choose one of the accounts.", 422)
    choose(request.app.state.store, person, asked, form["account_id"], token)
    return RedirectResponse("/links#choose", status_code=303)


def _page(request: Request, mistake: str | None, status: int) -> Response:
    if request.state.about is None:
        raise NoDataError
    chosen = last_choices(request.app.state.store)
    to_choose: list[dict[str, Any]] = [
        {
            "source": source,
            "source_account_id": source_account_id,
            "accounts": accounts,
            "chosen": chosen.get((source, source_account_id)),
            "token": new_token(),
        }
        for (source, source_account_id), accounts in _to_choose(request).items()
    ]
    return page(
        request,
        "links.html",
        status=status,
        title="Who is who",
        mistake=mistake,
        to_choose=to_choose,
        links=_ask(request, "links"),
        coverage=_ask(request, "coverage", "quality"),
        unresolved=_ask(request, "unresolved"),
    )


def _to_choose(request: Request) -> dict[tuple[str, str], list[Row]]:
    """By source and id, the accounts that it may be; ids of which the person may see every account."""
    rows = groupby(_ask(request, "to_choose"), key=lambda row: (row["source"], row["source_account_id"]))
    found = {of: list(accounts) for of, accounts in rows}
    return {of: accounts for of, accounts in found.items() if len(accounts) == accounts[0]["candidates"]}


def _ask(request: Request, name: str, of_page: str = "links") -> list[Row]:
    return published_db_of(request).rows(person_of(request), queries.load(of_page)[name])


routes = [
    Route("/links", show),
    Route("/links", choose_account, methods=["POST"]),
]
