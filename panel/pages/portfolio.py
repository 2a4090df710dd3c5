"""The page Portfolio."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from panel.web import page


def show(request: Request) -> Response:
    """Not built yet."""
    return page(request, "soon.html", title="Portfolio")


routes = [Route("/portfolio", show)]
