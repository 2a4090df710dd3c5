"""What precedes every page: who is asking, whether a form is theirs, limits, headers, errors.

Belongs here: all that no page may forget. Written against ASGI itself, as it runs on every request.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import traceback
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radar.panel import proxies, sessions, users
from radar.panel.published_db import About, EarlierCopyError, NoDataError, PublishedDatabase
from radar.panel.settings import PanelSettings
from radar.panel.store import Store
from radar.panel.web import page

LOG = logging.getLogger("panel")
BODY_LIMIT = 64 * 1024
BODY_SECONDS = 10
"""For a whole form to come; a connection that keeps nothing else waiting is ended by `connections`."""
FIELD_LIMIT = 100
ADDRESS_LIMIT = 2_000
OPEN_PATHS = ("/sign-in", "/sign-in/provider", "/sign-in/return", "/alive")
SIGNED_PATHS = ("/slack/interactions",)
"""Called by programs, which sign what they send: no session, no form of ours; the page checks each call."""
SIGNED_BODY_LIMIT = 256 * 1024
PREFORM_COOKIE = "__Host-radar-form"
"""A key for the form of somebody who is not signed in yet."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
}

_TITLES = {
    400: ("That form cannot be read", "Go back, load the page again and send it once more."),
    403: ("This form is no longer valid", "Load the page again, then send it once more."),
    404: ("There is no such page", "It may have moved, or it is not yours to see."),
    405: ("There is no such page", "It may have moved, or it is not yours to see."),
    408: ("The form did not come in time", "The connection may be slow. Go back and send it once more."),
    413: ("That is too much text", "Shorten it and send it once more."),
    500: ("Something went wrong here", "Try again. If it stays, give the data team this number:"),
}


class Guard:
    """The one middleware of the panel."""

    def __init__(
        self, app: ASGIApp, settings: PanelSettings, store: Store, published_db: PublishedDatabase
    ) -> None:
        self._app, self._settings, self._store, self._published_db = app, settings, store, published_db

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 500
        begun = False
        scope.setdefault("state", {})
        is_static = scope["path"].startswith("/static/")

        async def answer(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                begun, status = True, message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if not is_static:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        request = Request(scope, receive)
        try:
            refusal = None if is_static else await self._admit(request)
            if refusal:
                await refusal(scope, receive, answer)
            else:
                await self._app(scope, receive, answer)
        except HTTPException as error:
            await problem(request, error.status_code)(scope, receive, answer)
        except NoDataError as error:
            is_earlier = isinstance(error, EarlierCopyError)
            if is_earlier:
                LOG.error("the published copy is of an earlier release: %s", error)
            title = "Not in this copy yet" if is_earlier else "No data yet"
            await page(request, "no_data.html", title=title, is_earlier=is_earlier)(scope, receive, answer)
        except ClientDisconnect:
            status = 499  # for the log, as others write it: nobody is there to answer
        except Exception as error:
            error_id = secrets.token_hex(4)
            LOG.error("error %s %s\n%s", error_id, type(error).__name__, _frames(error))
            if begun:
                raise
            await problem(request, 500, error_id)(scope, receive, answer)
        finally:
            if not is_static:
                route = getattr(scope.get("route"), "path", "-")
                milliseconds = (time.monotonic() - started) * 1000
                LOG.info("%s %s %d %.0f ms", scope["method"], route, status, milliseconds)

    async def _admit(self, request: Request) -> Response | None:
        """None lets the request through; what the pages need is in `request.state` then."""
        method, path, state = request.method, request.url.path, request.state
        if method not in ("GET", "HEAD", "POST"):
            raise HTTPException(405)
        if len(request.url.query) > ADDRESS_LIMIT or "\x00" in path:
            raise HTTPException(400)
        state.address = proxies.client_address(request, self._settings.proxy_addresses)
        if path in SIGNED_PATHS:
            state.form, state.body = {}, await _body(request, SIGNED_BODY_LIMIT)
            return None
        state.form = await _form(request) if method == "POST" else {}
        cookies = _cookies(request)
        state.session_token = cookies.get(sessions.COOKIE)
        session, about = await run_in_threadpool(self._look_up, request)
        if session:
            state.person, state.form_key = session.person, session.form_key
        elif path not in OPEN_PATHS:
            if method == "POST":
                raise HTTPException(403)
            target = path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/sign-in?next={quote(target)}", status_code=303)
        else:
            state.form_key = cookies.get(PREFORM_COOKIE, "")
        if method == "POST":
            self._require_own_form(request)
        state.about = about
        return None

    def _look_up(self, request: Request) -> tuple[sessions.Session | None, About | None]:
        """The session, and which copy it is: in one go, as a change of threads costs as much as either."""
        about = None
        if request.url.path != "/alive":
            with suppress(NoDataError):
                about = self._published_db.about()
        return self._session(request), about

    def _session(self, request: Request) -> sessions.Session | None:
        session = sessions.find(self._store, request.state.session_token, self._settings.session_hours)
        if session or not self._settings.proxy_header:
            return session
        return self._from_proxy(request)

    def _from_proxy(self, request: Request) -> sessions.Session | None:
        """The user that a trusted proxy names: asked on every request, so it ends when the proxy ends it."""
        name = request.headers.get(self._settings.proxy_header)
        if not name or not request.client:
            return None
        if not proxies.is_from(request.client.host, self._settings.proxy_addresses):
            return None
        found = users.find(self._store, name)
        if found is None:
            return None
        return sessions.Session(found[0], sessions.proxy_form_key(self._store, name, found[1]))

    def _require_own_form(self, request: Request) -> None:
        """A form must come from a page of this panel, made for this session. Raises 403."""
        site = request.headers.get("sec-fetch-site")
        if site is not None and site != "same-origin":
            raise HTTPException(403)
        origin = request.headers.get("origin")
        if origin is not None and not self._is_own(origin, request):
            raise HTTPException(403)
        expected = request.state.form_key
        if not expected or not sessions.same(request.state.form.get("form_key", ""), expected):
            raise HTTPException(403)

    def _is_own(self, origin: str, request: Request) -> bool:
        if self._settings.origin:
            return origin == self._settings.origin
        return urlsplit(origin).netloc == request.headers.get("host")


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, the last of a name counts. Raises 400, 408 and 413."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(400)
    body = await _body(request, BODY_LIMIT)
    try:
        fields = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELD_LIMIT, errors="strict"
        )
    except ValueError:
        raise HTTPException(400) from None
    return dict(fields)


async def _body(request: Request, limit: int) -> bytes:
    """What was sent, byte for byte. Raises 408 and 413."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    return body


def _cookies(request: Request) -> dict[str, str]:
    try:
        return {
            name: morsel.value
            for name, morsel in SimpleCookie(Headers(scope=request.scope).get("cookie", "")).items()
        }
    except CookieError:
        return {}


def problem(request: Request, status: int, error_id: str | None = None) -> Response:
    """A page that describes what happened, and nothing of how."""
    title, advice = _TITLES.get(status, _TITLES[500 if status >= 500 else 400])
    answer = page(request, "problem.html", status=status, title=title, advice=advice, error_id=error_id)
    if status in (408, 413):  # what is left of the form is not read
        answer.headers["Connection"] = "close"
    return answer


def _frames(error: Exception) -> str:
    """Where it happened, without the message: that may hold what people wrote."""
    frames: list[Any] = traceback.extract_tb(error.__traceback__)
    return "\n".join(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:])
