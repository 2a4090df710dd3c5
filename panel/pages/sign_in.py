"""Signing in and out."""

from __future__ import annotations

import secrets

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel import sessions, users
from panel.guard import PREFORM_COOKIE
from panel.web import own_path, page

_WRONG = "Name and password do not belong together."


def show(request: Request) -> Response:
    """The form."""
    if hasattr(request.state, "person"):
        return RedirectResponse("/", status_code=303)
    return _form(request)


def sign_in(request: Request) -> Response:
    """Begin a session, or say that name and password do not match, and no more."""
    form, store = request.state.form, request.app.state.store
    name, password = form.get("name", "")[:100].strip(), form.get("password", "")[:1000]
    address = request.client.host if request.client else ""
    if sessions.is_braked(store, name, address):
        raise HTTPException(429)
    if not users.check_password(store, name, password):
        sessions.note_failure(store, name, address)
        return _form(request, name=name, mistake=_WRONG, status=401)
    found = users.find(store, name)
    if found is None:
        return _form(request, name=name, mistake=_WRONG, status=401)
    sessions.end(store, request.state.session_token)
    return signed_in(request, sessions.begin(store, *found), form.get("next", "/"))


def signed_in(request: Request, token: str, target: str) -> Response:
    """To the page that was asked for, with the session's cookie."""
    answer = RedirectResponse(own_path(target), status_code=303)
    answer.set_cookie(sessions.COOKIE, token, secure=True, httponly=True, samesite="lax", path="/")
    answer.delete_cookie(PREFORM_COOKIE, secure=True, httponly=True, samesite="strict", path="/")
    return answer


def sign_out(request: Request) -> Response:
    """End the session."""
    sessions.end(request.app.state.store, request.state.session_token)
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(sessions.COOKIE, secure=True, httponly=True, samesite="lax", path="/")
    return answer


def _form(request: Request, *, name: str = "", mistake: str = "", status: int = 200) -> Response:
    key = request.state.form_key or secrets.token_urlsafe(24)
    request.state.form_key = key
    target = request.query_params.get("next") or request.state.form.get("next", "/")
    answer = page(
        request,
        "sign_in.html",
        status=status,
        title="Sign in",
        name=name,
        mistake=mistake,
        next=own_path(target),
    )
    answer.set_cookie(PREFORM_COOKIE, key, secure=True, httponly=True, samesite="strict", path="/")
    return answer


routes = [
    Route("/sign-in", show),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
]
