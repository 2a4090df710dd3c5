"""Signing in and out."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, fail_after
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radar.panel import oidc, sessions, users
from radar.panel.guard import PREFORM_COOKIE
from radar.panel.people import Person
from radar.panel.store import Store
from radar.panel.web import own_path, page

LOG = logging.getLogger("panel")
_TARGET_LIMIT = 1_000
"""Characters of a page that is gone back to from a provider: browsers drop cookies beyond four kilobytes."""
_KNOWN_SECONDS = 365 * 24 * 3600

CHECKS = 2
"""Passwords that one process checks at once: each takes 64 MB of memory and a processor for a moment."""
_QUEUE, _QUEUE_SECONDS = 20, 5
"""Attempts that wait for that, and for how long; more are asked to come again."""
_BUSY_SECONDS = 2

_WRONG = "Name and password do not belong together."
_WAIT = "Too many attempts. Try again in {}."
_BUSY = "Many people are signing in at this moment. Try again in a few seconds."
_FAILED = "The sign-in at {} did not come through. Try it once more."
_AWAY = "{} does not answer. Try it again in a few minutes."
_UNKNOWN = "{} knows you, but the panel does not yet: ask whoever looks after it to add your e-mail address."


def show(request: Request) -> Response:
    """The form."""
    if hasattr(request.state, "person"):
        return RedirectResponse("/", status_code=303)
    return _form(request)


async def sign_in(request: Request) -> Response:
    """Begin a session, or say that name and password do not match, and no more."""
    form, store = request.state.form, request.app.state.store
    name, password = form.get("name", "")[:100].strip(), form.get("password", "")[:1000]
    known = request.cookies.get(sessions.KNOWN_COOKIE, "")
    attempt = await run_in_threadpool(sessions.admit, store, name, request.state.address, known)
    if isinstance(attempt, int):
        seconds = f"{attempt} second{'s' if attempt != 1 else ''}"
        return _later(_form(request, name=name, mistake=_WAIT.format(seconds), status=429), attempt)
    try:
        async with _slot(request):
            found = await run_in_threadpool(_checked, store, name, password, attempt)
    except TimeoutError:
        await run_in_threadpool(sessions.take_back, store, attempt, is_right=False)
        return _later(_form(request, name=name, mistake=_BUSY, status=503), _BUSY_SECONDS)
    if found is None:
        return _form(request, name=name, mistake=_WRONG, status=401)
    token, is_known = await run_in_threadpool(_begun, request, found, known)
    answer = signed_in(request, token, form.get("next", "/"))
    if not is_known:
        answer.set_cookie(
            sessions.KNOWN_COOKIE, sessions.mark(store, name), max_age=_KNOWN_SECONDS,
            secure=True, httponly=True, samesite="strict", path="/",
        )  # fmt: skip
    return answer


def _checked(store: Store, name: str, password: str, attempt: sessions.Attempt) -> tuple[Person, int] | None:
    """Whose password it is; then the attempt was no failure."""
    if not users.check_password(store, name, password):
        return None
    sessions.take_back(store, attempt, is_right=True)
    return users.find(store, name)


def _begun(request: Request, found: tuple[Person, int], known: str) -> tuple[str, bool]:
    """The cookie of a new session that replaces the one before, and whether the browser has its mark."""
    store = request.app.state.store
    sessions.end(store, request.state.session_token)
    return sessions.begin(store, *found), sessions.is_marked(store, found[0].name, known)


@asynccontextmanager
async def _slot(request: Request) -> AsyncIterator[None]:
    """One of the few slots in which passwords are checked. Raises TimeoutError where too many wait."""
    slots: CapacityLimiter = request.app.state.checks
    if slots.statistics().tasks_waiting >= _QUEUE:
        raise TimeoutError
    with fail_after(_QUEUE_SECONDS):
        await slots.acquire()
    try:
        yield
    finally:
        slots.release()


def _later(answer: Response, seconds: int) -> Response:
    answer.headers["Retry-After"] = str(seconds)
    return answer


def signed_in(request: Request, token: str, target: str) -> Response:
    """To the page that was asked for, with the session's cookie."""
    answer = RedirectResponse(own_path(target), status_code=303)
    answer.set_cookie(sessions.COOKIE, token, secure=True, httponly=True, samesite="lax", path="/")
    answer.delete_cookie(PREFORM_COOKIE, secure=True, httponly=True, samesite="strict", path="/")
    return answer


async def leave(request: Request) -> Response:
    """To the OpenID provider. Nothing is kept here: the browser has all of it in a cookie."""
    provider: oidc.Provider = request.app.state.provider
    try:
        answer = await provider.redirect(request)
    except oidc.AwayError as error:
        return _away(request, provider, error)
    is_short = len(request.url.query) <= _TARGET_LIMIT
    request.session["next"] = own_path(request.query_params.get("next", "/")) if is_short else "/"
    return answer


async def come_back(request: Request) -> Response:
    """Begin a session for whoever the provider names, if the panel knows them."""
    provider: oidc.Provider = request.app.state.provider
    store, target = request.app.state.store, request.session.get("next", "/")
    try:
        email = await provider.email(request)
    except oidc.AwayError as error:
        return _away(request, provider, error)
    except oidc.RefusedError as error:
        return _refused(request, provider, str(error))
    finally:
        request.session.clear()
    found = await run_in_threadpool(users.find_by_email, store, email)
    if found is None:
        return _refused(request, provider, "nobody known here", _UNKNOWN.format(provider.name))
    token, _ = await run_in_threadpool(_begun, request, found, "")
    return signed_in(request, token, target)


def _refused(request: Request, provider: oidc.Provider, why: str, mistake: str = "") -> Response:
    LOG.warning("sign-in by OpenID Connect refused: %s", why)
    return _form(request, mistake=mistake or _FAILED.format(provider.name), status=401)


def _away(request: Request, provider: oidc.Provider, error: oidc.AwayError) -> Response:
    LOG.error("the OpenID provider cannot be asked: %s", error)
    return _form(request, mistake=_AWAY.format(provider.name), status=502)


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
        provider=request.app.state.provider,
    )
    answer.set_cookie(PREFORM_COOKIE, key, secure=True, httponly=True, samesite="strict", path="/")
    return answer


routes = [
    Route("/sign-in", show),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
]


def provider_routes(store: Store) -> list[Route]:
    """To the OpenID provider and back; only where one is set."""
    cookie = [oidc.attempt_cookie(store)]
    return [
        Route("/sign-in/provider", leave, middleware=cookie),
        Route(oidc.RETURN_PATH, come_back, middleware=cookie),
    ]
