"""The page My day: the accounts that most need a person."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from panel.web import page


def show(request: Request) -> Response:
    """The queue."""
    return page(request, "soon.html", title="My day")


routes = [Route("/", show)]
