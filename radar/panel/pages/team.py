"""The page Team: what each owner has open and how they fare, and spot checks to answer at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radar.panel import decisions
from radar.panel.page_cache import PageCache
from radar.panel.pages.my_day import account_line, just_recorded, read_model_of, work_states
from radar.panel.published_db import NoDataError
from radar.panel.queries import load
from radar.panel.read_model import read
from radar.panel.web import environment, labels_of, page, person_of, published_db_of

PATH = "/team"
OWNERS, CHECKS = 50, 20
"""Rows of the two lists on a page."""


@dataclass(frozen=True)
class View:
    """Which page of the owners and of the spot checks is shown, from 1."""

    page: int = 1
    checks: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str], owners: int, checks: int) -> View:
        """What an address asks for, as far as there are so many `owners` and `checks`."""
        return cls(
            _number(asked.get("page", ""), last_page(owners, OWNERS)),
            _number(asked.get("checks", ""), last_page(checks, CHECKS)),
        )

    def link(self, anchor: str = "", **changes: int) -> str:
        """The address with another page of one of the lists."""
        changed = asdict(replace(self, **changes))
        asked = {name: number for name, number in changed.items() if number != 1}
        return PATH + (f"?{urlencode(asked)}" if asked else "") + (f"#{anchor}" if anchor else "")


def last_page(rows: int, most: int) -> int:
    """How many pages there are, an empty one where there are no rows."""
    return max(-(-rows // most), 1)


def _number(asked: str, last: int) -> int:
    return min(int(asked), last) if re.fullmatch(r"[1-9]\d{0,5}", asked, re.ASCII) else 1


def show(request: Request) -> Response:
    """The owners whose accounts the person sees, and the spot checks among these accounts."""
    person, read_model = person_of(request), read_model_of(request)
    landed_at = read_model.about().landed_at
    owners = read_model.rows(person, load("team")["count_owners"])[0]["owners"]
    checks = read_model.rows(person, load("team")["count_spot_checks"])[0]["checks"]
    view = View.of(request.query_params, owners, checks)
    return page(
        request,
        "team.html",
        title="Team",
        owners=_owners(request, view, last_page(owners, OWNERS)) if owners else "",
        checks=_spot_checks(request, landed_at, (view.checks - 1) * CHECKS) if checks else [],
        count=checks,
        view=view,
        pages=last_page(checks, CHECKS),
        just_recorded=just_recorded(request, landed_at),
        landed_at=landed_at,
        labels=labels_of(request),
        back=view.link(),
    )


def _owners(request: Request, view: View, pages: int) -> Markup:
    """One page of the table, which is the same for everybody of this scope until the copy changes."""
    person, published_db = person_of(request), published_db_of(request)
    page_cache: PageCache = request.app.state.page_cache

    def draw() -> str:
        rows = published_db.rows(person, load("team")["owners"], most=OWNERS, first=(view.page - 1) * OWNERS)
        return environment().get_template("owners.html").render(owners=rows, view=view, pages=pages)

    text = page_cache.get(_version(request), ("team", person.scope, view), draw)
    return Markup(text)  # noqa: S704  rendered by a template


def _version(request: Request) -> str:
    if request.state.about is None:
        raise NoDataError
    return str(request.state.about.version)


def _spot_checks(request: Request, landed_at: str, first: int) -> list[dict[str, Any]]:
    """What this page shows of the accounts to check."""
    rows = read_model_of(request).rows(
        person_of(request), load("team")["spot_checks"], most=CHECKS, first=first
    )
    decided = decisions.of_accounts(request.app.state.store, [row["account_id"] for row in rows])
    states = work_states(request)
    return [account_line(read(row["body"]), decided[row["account_id"]], landed_at, states) for row in rows]


routes = [Route(PATH, show)]
