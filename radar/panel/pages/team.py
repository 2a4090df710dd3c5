"""The page Team: what each owner has open and how they fare, and spot checks to answer at once."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radar.panel import decisions
from radar.panel.pages.my_day import account_card, just_recorded, read_model_of, work_states
from radar.panel.queries import load
from radar.panel.read_model import read
from radar.panel.web import labels_of, page, person_of, published_db_of

PATH = "/team"


def show(request: Request) -> Response:
    """The owners whose accounts the person sees, and the spot checks among these accounts."""
    person, read_model = person_of(request), read_model_of(request)
    landed_at = read_model.about().landed_at
    return page(
        request,
        "team.html",
        title="Team",
        owners=published_db_of(request).rows(person, load("team")["owners"]),
        checks=_spot_checks(request, landed_at),
        just_recorded=just_recorded(request, landed_at),
        landed_at=landed_at,
        labels=labels_of(request),
        back=PATH,
    )


def _spot_checks(request: Request, landed_at: str) -> list[dict[str, Any]]:
    rows = read_model_of(request).rows(person_of(request), load("team")["spot_checks"])
    decided = decisions.of_accounts(request.app.state.store, [row["account_id"] for row in rows])
    states = work_states(request)
    return [account_card(read(row["body"]), decided[row["account_id"]], landed_at, states) for row in rows]


routes = [Route(PATH, show)]
