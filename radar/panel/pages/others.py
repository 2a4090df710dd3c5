"""The page What others did, behind the bell, and the form that follows an account."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radar.panel import notes
from radar.panel.pages.my_day import is_there
from radar.panel.web import page, person_of

PATH = "/others"


def show(request: Request) -> Response:
    """What others did on the person's accounts, the newest first."""
    return page(request, "others.html", title="What others did", news=notes.news(request))


def mark_read(request: Request) -> Response:
    """Mark as read what the page had."""
    sequence = request.state.form.get("sequence", "")
    if re.fullmatch(r"\d{1,15}", sequence, re.ASCII):
        notes.mark_seen(request.app.state.store, person_of(request), int(sequence))
    return RedirectResponse(PATH, status_code=303)


def follow(request: Request) -> Response:
    """Follow an account that the person sees, or stop. 404 for any other."""
    account_id = request.path_params["account_id"]
    if not is_there(request, account_id):
        raise HTTPException(404)
    wanted = request.state.form.get("follow") == "true"
    notes.follow(request.app.state.store, person_of(request), account_id, wanted=wanted)
    return RedirectResponse(f"/accounts/{quote(account_id, safe='')}#notes", status_code=303)


routes = [
    Route(PATH, show),
    Route(PATH, mark_read, methods=["POST"]),
    Route("/accounts/{account_id:path}/follow", follow, methods=["POST"]),
]
