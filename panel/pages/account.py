"""The page of one account."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from panel.web import page


def show(request: Request) -> Response:
    """The ledger and the year."""
    return page(request, "soon.html", title="Account")


routes = [Route("/accounts/{account_id}", show)]
