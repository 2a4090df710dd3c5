"""The panel as an ASGI application: routes and middleware."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from radar.deliveries.settings import Destinations
from radar.panel import notes, oidc
from radar.panel.contacts import ContactStore
from radar.panel.guard import Guard, problem
from radar.panel.page_cache import PageCache
from radar.panel.pages import (
    account,
    approvals,
    audit,
    links,
    measured,
    my_day,
    others,
    portfolio,
    quality,
    rules,
    sign_in,
    slack,
    team,
)
from radar.panel.published_db import PublishedDatabase
from radar.panel.read_model import ReadModel
from radar.panel.settings import PanelSettings
from radar.panel.store import Store

PAGES = (sign_in, my_day, approvals, others, team, account, portfolio, quality, measured, links, rules, audit)
STATIC = Path(__file__).with_name("static")


def create_app(settings: PanelSettings | None = None) -> Starlette:
    """The application. Everything it needs is made here and found in `app.state`: settings, store, copy."""
    settings = settings or PanelSettings()
    store = Store(settings.store)
    published_db = PublishedDatabase(
        settings.published, stale_days=settings.stale_days, memory_limit=settings.memory_limit
    )

    read_model = ReadModel(published_db, settings.cache_folder)
    provider, slack_app = oidc.provider(settings), slack.SlackApp.of(Destinations.read())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await run_in_threadpool(read_model.prepare)
        yield
        published_db.close()

    app = Starlette(
        routes=[
            *(route for page in PAGES for route in page.routes),
            *(sign_in.provider_routes(store) if provider else ()),
            *(slack.routes if slack_app else ()),
            Route("/alive", _alive),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, settings=settings, store=store, published_db=published_db)],
        exception_handlers={404: _not_found, 405: _not_found},
        lifespan=lifespan,
    )
    app.state.settings, app.state.store, app.state.published_db = settings, store, published_db
    app.state.page_cache, app.state.cards = PageCache(), PageCache(my_day.CARD_CHARACTERS)
    app.state.read_model, app.state.unread = read_model, notes.unread
    app.state.contacts = ContactStore(settings.contact_store, settings.contact_roles)
    app.state.checks = CapacityLimiter(sign_in.CHECKS)
    app.state.provider, app.state.slack = provider, slack_app
    return app


def _alive(request: Request) -> Response:
    return PlainTextResponse("yes\n")


def _not_found(request: Request, error: Exception) -> Response:
    return problem(request, 404)
