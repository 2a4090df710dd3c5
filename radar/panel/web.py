"""What every page uses: templates, forms, answers."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from radar.core.dates import as_datetime, day, moment
from radar.core.plural import counted, plural
from radar.core.spreadsheets import harmless_start
from radar.panel.charts import UNSEEN
from radar.panel.labels import Labels
from radar.panel.people import Person
from radar.panel.published_db import PublishedDatabase

BUCKET_LABELS = {"healthy": "Healthy", "watch": "Watch", "at_risk": "At risk"}


def person_of(request: Request) -> Person:
    """Who is signed in; the middleware lets nobody else through."""
    return cast(Person, request.state.person)


def published_db_of(request: Request) -> PublishedDatabase:
    """The published copy."""
    return cast(PublishedDatabase, request.app.state.published_db)


def labels_of(request: Request) -> Labels:
    """What people read for ids, by the copy in use."""
    return cast(Labels, request.app.state.read_model.labels())


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    """The template with what `base.html` needs: who is signed in, which copy this is, tokens for forms."""
    state = request.state
    text = (
        environment()
        .get_template(template)
        .render(
            person=getattr(state, "person", None),
            about=getattr(state, "about", None),
            form_key=getattr(state, "form_key", ""),
            path=request.url.path,
            notice=getattr(state, "notice", None),
            unread=request.app.state.unread(request)
            if getattr(state, "person", None) and status < 400
            else 0,
            **context,
        )
    )
    return HTMLResponse(text, status_code=status)


def with_query(request: Request, **changes: Any) -> str:
    """This page's address with some filters changed; None leaves one out."""
    given = dict(request.query_params.items())
    given.update({key: str(value) for key, value in changes.items() if value is not None})
    left = {key: value for key, value in given.items() if changes.get(key, "") is not None}
    return request.url.path + (f"?{urlencode(left)}" if left else "")


def own_path(target: str) -> str:
    """A path of this panel; anything that leads elsewhere becomes the first page."""
    is_own = target.startswith("/") and not target.startswith("//") and target.isascii()
    return target if is_own and target.isprintable() and "\\" not in target else "/"


def csv_answer(name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Response:
    """A file for people and spreadsheets: BOM, every cell quoted, a `'` before what a sheet would run.

    Numbers have a point and no separators, whatever the spreadsheet's country makes of commas; days and times
    are those of ISO 8601, in UTC.
    """
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in columns])
    return Response(
        b"\xef\xbb\xbf" + text.getvalue().encode(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"},
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return _plain(value)
    if isinstance(value, datetime):
        in_utc = value.astimezone(UTC) if value.tzinfo else value
        return f"{in_utc:%Y-%m-%dT%H:%M:%SZ}"
    return harmless_start(value) if isinstance(value, str) else str(value)


def _plain(value: float | Decimal) -> str:
    """`12420`, `12420.5`: at most six digits after the point; nothing for what is no number."""
    if not math.isfinite(value):
        return ""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def number(value: float | int | None, digits: int = 1) -> str:
    """`1,234.5`; whole numbers without a point, nothing for None and what is no number."""
    if value is None or not math.isfinite(value):
        return ""
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed(value: float | None) -> str:
    """`+5`, `−3`, `0`: with a true minus sign."""
    if value is None or not math.isfinite(value):
        return ""
    in_utc = number(abs(value))
    return in_utc if in_utc == "0" else f"{'−' if value < 0 else '+'}{in_utc}"


def _counted(value: float | None, one: str, other: str | None = None) -> str:
    """`1 account`, `1,204 accounts`; nothing for None and what is no number."""
    return "" if value is None or not math.isfinite(value) else counted(value, one, other)


def usd(value: float | None) -> str:
    """`$12,300`."""
    if value is None or not math.isfinite(value):
        return ""
    return f"{'−' if value < 0 else ''}${abs(value):,.0f}"


def when(value: datetime | str | None) -> Markup:
    """A moment as UTC; `panel.js` writes it in the zone of who reads it."""
    if value is None or value == "":
        return Markup()
    text = Markup('<time datetime="{}Z">{}</time>')
    return text.format(f"{as_datetime(value):%Y-%m-%dT%H:%M:%S}", moment(value))


def label(value: str | None) -> str:
    """`too_early` -> `too early`."""
    return (value or "").replace("_", " ")


def inert(value: Any) -> Any:
    """A value as a page shows it: nothing for None, no escapes, no marks that turn text round."""
    if value is None:
        return ""
    return UNSEEN.sub("", value) if type(value) is str else value


_environment: Environment | None = None


def environment() -> Environment:
    """The templates, made once; they escape everything and refuse names that are not there."""
    global _environment  # noqa: PLW0603
    if _environment is None:
        _environment = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            finalize=inert,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        _environment.filters.update(
            number=number, signed=signed, usd=usd, day=day, when=when, label=label, inert=inert,
            counted=_counted, plural=plural,
            bucket_label=lambda bucket: BUCKET_LABELS.get(bucket, label(bucket)),
        )  # fmt: skip
    return _environment
